"""Opens the log of a namespace where it is kept: a table of the database, or Apache Kafka.

Where that is was decided when the namespace was made (`streams.storage.migrate`) and never changes:
positions belong to one log.
"""

from __future__ import annotations

from streams.contracts.reason import LogKind, NamespaceKind
from streams.errors import Misconfigured
from streams.log import OBSERVATION_TOPIC, Log
from streams.log.catalogue import topic_name
from streams.log.postgres import PostgresLog
from streams.settings import Settings
from streams.storage.connect import connect
from streams.storage.migrate import (
    drop_namespace,
    is_there,
    namespace_kind,
    namespace_log,
    partition_count,
)


def open_log(settings: Settings, namespace: str, database: str | None = None) -> Log:
    """The observation log of a migrated namespace; `database` in the place of the setting's.

    Raises `Misconfigured` when it is in Kafka and `CITYBRAIN_KAFKA` is empty, `Unavailable`.
    """
    conninfo = database or settings.conninfo()
    if log_kind(settings, namespace, database) is LogKind.TABLE:
        return PostgresLog(conninfo, namespace)
    _need_kafka(settings, namespace)
    from streams.log.kafka import KafkaLog

    return KafkaLog(settings, topic_name(namespace))


def log_kind(settings: Settings, namespace: str, database: str | None = None) -> LogKind:
    """Where a migrated namespace keeps its log. Raises `Unavailable`."""
    conninfo = database or settings.conninfo()
    with connect(conninfo, namespace, "citybrain log") as connection:
        return namespace_log(connection)


def make_topics(
    settings: Settings, namespace: str, partitions: int, kind: LogKind
) -> tuple[str, ...]:
    """Makes what a migrated namespace needs in Kafka, if its log is there; names what it made.

    Raises as `kafka_admin.ensure_topics`.
    """
    if kind is LogKind.TABLE:
        return ()
    _need_kafka(settings, namespace)
    from streams.log.kafka_admin import ensure_topics

    return ensure_topics(settings, namespace, partitions)


def kafka_partitions(settings: Settings, namespace: str, database: str | None = None) -> int:
    """How many partitions the topics of a namespace have, or will have once it is migrated.

    `Misconfigured` when its log is a table, or `CITYBRAIN_KAFKA` is empty.
    """
    count = _migrated_partitions(settings, namespace, database)
    _need_kafka(settings, namespace)
    return settings.partitions if count is None else count


def drop_with_log(settings: Settings, namespace: str, database: str | None = None) -> None:
    """Removes a throwaway namespace, and its topics when its log is in Kafka; not the live one.

    A name that the database does not know may have left topics behind: they go too.
    """
    conninfo = database or settings.conninfo()
    with connect(conninfo, namespace, "citybrain drop") as connection:
        there = is_there(connection)
        kind = namespace_log(connection) if there else settings.log_kind()
        live = there and namespace_kind(connection) is NamespaceKind.LIVE
    if kind is LogKind.KAFKA and not live and topic_name(namespace) != OBSERVATION_TOPIC:
        _need_kafka(settings, namespace)
        from streams.log.kafka_admin import remove_topics

        remove_topics(settings, namespace)
    drop_namespace(conninfo, namespace, topics_removed=True)


def _migrated_partitions(settings: Settings, namespace: str, database: str | None) -> int | None:
    try:
        conninfo = database or settings.conninfo()
    except Misconfigured:  # topics may be made before there is a database
        return None
    with connect(conninfo, namespace, "citybrain topics") as connection:
        if not is_there(connection):
            return None
        if namespace_log(connection) is LogKind.TABLE:
            raise Misconfigured(
                [f"the log of namespace {namespace} is a table of the database: it has no topics"]
            )
        return partition_count(connection)


def _need_kafka(settings: Settings, namespace: str) -> None:
    if not settings.kafka:
        raise Misconfigured(
            [f"the log of namespace {namespace} is in Kafka: set CITYBRAIN_KAFKA to its addresses"]
        )
