"""Opens the log of a namespace where it is kept: a table of the database, or Apache Kafka.

Where that is was decided when the namespace was made (`streams.storage.migrate`) and never changes:
positions belong to one log.
"""

from __future__ import annotations

from streams.contracts.reason import LogKind
from streams.errors import Misconfigured
from streams.log import OBSERVATION_TOPIC, Log
from streams.log.postgres import PostgresLog
from streams.settings import Settings
from streams.storage.connect import connect
from streams.storage.migrate import namespace_log

LIVE_NAMESPACE = "citybrain"


def open_log(settings: Settings, namespace: str, database: str | None = None) -> Log:
    """The observation log of a migrated namespace; `database` in the place of the setting's.

    Raises `Misconfigured` when it is in Kafka and `CITYBRAIN_KAFKA` is empty, `Unavailable`.
    """
    conninfo = database or settings.conninfo()
    with connect(conninfo, namespace, "citybrain log") as connection:
        kind = namespace_log(connection)
    if kind is LogKind.TABLE:
        return PostgresLog(conninfo, namespace)
    if not settings.kafka:
        raise Misconfigured(
            [f"the log of namespace {namespace} is in Kafka: set CITYBRAIN_KAFKA to its addresses"]
        )
    from streams.log.kafka import KafkaLog

    return KafkaLog(settings, topic_name(namespace))


def topic_name(namespace: str, topic: str = OBSERVATION_TOPIC) -> str:
    """What a topic of a namespace is called in Kafka: only the live one has the plain name."""
    return topic if namespace == LIVE_NAMESPACE else f"{namespace}.{topic}"
