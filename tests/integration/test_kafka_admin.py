"""Topics made, described, compared and removed on a real broker."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deploy.city.simulation import Options, simulate_city
from deploy.postgres import EmbeddedPostgres
from streams.contracts.reason import LogKind, NamespaceKind
from streams.errors import Misconfigured
from streams.log.catalogue import catalogue, topic_name
from streams.log.kafka import KafkaLog
from streams.log.kafka_admin import (
    Difference,
    configure,
    differences,
    ensure_topics,
    find_topics,
    remove_topics,
)
from streams.log.opening import drop_with_log, make_topics, open_log
from streams.settings import Settings
from streams.storage.migrate import drop_namespace, migrate

pytestmark = pytest.mark.integration


def told(settings: Settings, namespace: str, partitions: int = 2) -> list[Difference]:
    wanted = catalogue(settings, namespace, partitions)
    return differences(wanted, find_topics(settings, wanted))


def test_makes_what_is_missing_as_the_catalogue_says(
    kafka_settings: Settings, make_kafka_namespace: Callable[..., str]
) -> None:
    namespace = make_kafka_namespace(0)
    assert {d.what for d in told(kafka_settings, namespace)} == {"topic"}
    made = ensure_topics(kafka_settings, namespace, 3)
    assert made == tuple(t.name for t in catalogue(kafka_settings, namespace, 3))
    assert told(kafka_settings, namespace, 3) == []
    assert ensure_topics(kafka_settings, namespace, 3) == ()


def test_refuses_another_number_of_partitions(
    kafka_settings: Settings, kafka_namespace: str
) -> None:
    with pytest.raises(Misconfigured, match="has 2 partitions, asked for 5") as caught:
        ensure_topics(kafka_settings, kafka_namespace, 5)
    assert len(caught.value.mistakes) == 4


def test_refuses_more_replicas_than_there_are_brokers(
    kafka_settings: Settings, make_kafka_namespace: Callable[..., str]
) -> None:
    wanting = kafka_settings.model_copy(update={"kafka_replication": 3})
    with pytest.raises(Misconfigured, match="replication factor of 3"):
        ensure_topics(wanting, make_kafka_namespace(0), 2)


def test_tells_every_difference_and_mends_the_settings(
    kafka_settings: Settings, kafka_namespace: str
) -> None:
    other = kafka_settings.model_copy(update={"kafka_retention_days": 2, "kafka_replication": 2})
    found = told(other, kafka_namespace, 3)
    log = [d for d in found if d.topic == topic_name(kafka_namespace)]
    assert [(d.what, d.found, d.wanted) for d in log] == [
        ("partitions", "2", "3"),
        ("replication", "1", "2"),
        ("retention.ms", "604800000", "172800000"),
    ]
    configure(other, found)
    assert {d.what for d in told(other, kafka_namespace, 3)} == {"partitions", "replication"}


def test_removed_topics_are_gone_and_can_be_made_again_at_once(
    kafka_settings: Settings, kafka_namespace: str
) -> None:
    assert len(remove_topics(kafka_settings, kafka_namespace)) == 4
    assert remove_topics(kafka_settings, kafka_namespace) == ()
    assert len(ensure_topics(kafka_settings, kafka_namespace, 1)) == 4


def test_a_namespace_goes_with_its_topics(
    kafka_settings: Settings, database_url: str, namespace: str
) -> None:
    migrate(
        database_url,
        namespace,
        NamespaceKind.SIMULATED,
        domains={},
        partitions=2,
        log=LogKind.KAFKA,
    )
    assert len(make_topics(kafka_settings, namespace, 2, LogKind.KAFKA)) == 4
    with pytest.raises(Misconfigured, match="is in Kafka"):
        drop_namespace(database_url, namespace)
    with pytest.raises(Misconfigured, match="set CITYBRAIN_KAFKA"):
        drop_with_log(Settings(kafka=None), namespace, database_url)
    drop_with_log(kafka_settings, namespace, database_url)
    assert {d.what for d in told(kafka_settings, namespace)} == {"topic"}


def test_a_play_makes_its_topics_and_a_fresh_one_starts_at_nothing(
    kafka_settings: Settings,
    postgres: EmbeddedPostgres,
    make_namespace: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CITYBRAIN_VAR_DIR", str(postgres.home.var_dir))
    monkeypatch.setenv("CITYBRAIN_DATABASE", postgres.conninfo)
    namespace = make_namespace()
    try:
        simulate_city(options(namespace, fresh=False))
        first = ends(kafka_settings, namespace, postgres.conninfo)
        simulate_city(options(namespace, fresh=True))
        assert ends(kafka_settings, namespace, postgres.conninfo) == first
        assert min(first) > 2
    finally:
        remove_topics(kafka_settings, namespace)


def ends(settings: Settings, namespace: str, database: str) -> list[int]:
    log = open_log(settings, namespace, database)
    try:
        assert isinstance(log, KafkaLog)
        return [log.end(n) for n in range(log.partitions())]
    finally:
        log.close()


def options(namespace: str, fresh: bool) -> Options:
    return Options.parse(
        "ordinary",
        namespace=namespace,
        seed=7,
        points=20,
        speed="max",
        hours=0.1,
        faults=(),
        start=None,
        ahead=0,
        fresh=fresh,
        dry_run=False,
    )
