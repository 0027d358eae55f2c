"""`citybrain topics` as people and programs call it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.cli import run
from streams.contracts.reason import LogKind, NamespaceKind
from streams.log.catalogue import catalogue, group_name, topic_name
from streams.log.kafka import KafkaLog
from streams.log.kafka_admin import differences, ensure_topics, find_topics, remove_topics
from streams.settings import Settings
from streams.storage.connect import connect
from streams.storage.migrate import migrate

pytestmark = pytest.mark.integration

POSITION = """
insert into position (topic, partition, next_offset, checkpoint_offset, last_append_ms)
values ('city.observation.v1', %s, %s, %s, %s)
"""


@pytest.fixture
def city(
    database_url: str,
    make_namespace: Callable[[], str],
    kafka_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """A migrated namespace whose log is in Kafka; its topics are not made yet."""
    monkeypatch.setenv("CITYBRAIN_DATABASE", database_url)
    name = make_namespace()
    migrate(
        database_url,
        name,
        NamespaceKind.SIMULATED,
        domains={},
        partitions=2,
        log=LogKind.KAFKA,
    )
    yield name
    remove_topics(kafka_settings, name)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


def told(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(said(capsys))


def test_create_says_what_it_would_do_and_does_it_once(
    city: str, capsys: pytest.CaptureFixture[str], kafka_settings: Settings
) -> None:
    wanted = catalogue(kafka_settings, city, 2)
    assert run(["topics", "create", "--namespace", city, "--dry-run"]) == 0
    dry = said(capsys)
    assert all(f"would make {topic.name}: 2 partitions" in dry for topic in wanted)
    assert find_topics(kafka_settings, wanted) == {}
    assert run(["topics", "check", "--namespace", city]) == 1
    assert "citybrain topics create" in said(capsys)
    assert run(["topics", "create", "--namespace", city]) == 0
    assert said(capsys).count("make ") == 4
    assert run(["topics", "create", "--namespace", city]) == 0
    assert said(capsys).count("make ") == 0
    assert run(["topics", "check", "--namespace", city]) == 0


def test_check_tells_every_difference_and_create_mends_them(
    city: str,
    capsys: pytest.CaptureFixture[str],
    kafka_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ensure_topics(kafka_settings, city, 2)
    monkeypatch.setenv("CITYBRAIN_KAFKA_RETENTION_DAYS", "2")
    assert run(["topics", "check", "--namespace", city, "--json"]) == 1
    found = told(capsys)
    assert [each["what"] for each in found] == ["retention.ms"] * 3
    assert {each["mend"] for each in found} == {"citybrain topics create --configure"}
    assert run(["topics", "create", "--namespace", city, "--configure"]) == 0
    assert said(capsys).count("set ") == 3
    other = kafka_settings.model_copy(update={"kafka_retention_days": 2})
    wanted = catalogue(other, city, 2)
    assert differences(wanted, find_topics(other, wanted)) == []


def test_describe_shows_what_the_brokers_have(
    city: str, capsys: pytest.CaptureFixture[str], kafka_settings: Settings
) -> None:
    ensure_topics(kafka_settings, city, 2)
    assert run(["topics", "describe", "--namespace", city, "--json"]) == 0
    log, alerts = told(capsys)[:2]
    assert (log["name"], log["partitions"], log["in_sync"]) == (topic_name(city), 2, 1)
    assert alerts["config"]["cleanup.policy"] == "compact"
    assert run(["topics", "describe", "--namespace", city]) == 0
    assert "7 days" in said(capsys)


def test_lag_tells_records_behind_and_up_to_when_all_is_complete(
    city: str,
    capsys: pytest.CaptureFixture[str],
    kafka_settings: Settings,
    database_url: str,
) -> None:
    ensure_topics(kafka_settings, city, 2)
    log = KafkaLog(kafka_settings, topic_name(city))
    log.append(0, [({}, b"x")] * 5)
    log.append(1, [({}, b"x")] * 3)
    append_ms = log.read(0, 2, 1)[0].append_ms
    log.close()
    assert run(["topics", "lag", "--namespace", city]) == 0
    assert "8 records behind, complete up to nothing yet" in said(capsys)
    with connect(database_url, city) as connection:
        connection.execute(POSITION, (0, 3, 1, 1_900_000_000_000))
        connection.execute(POSITION, (1, 3, 3, append_ms))
    assert run(["topics", "lag", "--namespace", city, "--json"]) == 0
    found = told(capsys)
    assert (found["behind"], found["log"], found["members"]) == (2, "kafka", None)
    first, second = found["partitions"]
    assert (first["end"], first["next_offset"], first["checkpoint_offset"]) == (5, 3, 1)
    assert first["complete_up_to"] == "2030-03-18T01:46:40.000+08:00"
    assert second["behind"] == 0


def test_lag_names_the_workers_of_the_group(
    city: str, capsys: pytest.CaptureFixture[str], kafka_settings: Settings
) -> None:
    from kafka import KafkaConsumer

    from streams.log.kafka_client import client_options

    ensure_topics(kafka_settings, city, 2)
    options = client_options(kafka_settings) | {"client_id": "worker-7"}
    consumer = KafkaConsumer(topic_name(city), group_id=group_name(city), **options)
    for _ in range(100):
        consumer.poll(200)
        if consumer.assignment():
            break
    assert run(["topics", "lag", "--namespace", city]) == 0
    consumer.close()
    assert "worker worker-7 at 127.0.0.1: partitions 0, 1" in said(capsys)


def test_a_log_in_a_table_has_lag_but_no_topics(
    database_url: str,
    namespace: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CITYBRAIN_DATABASE", database_url)
    migrate(database_url, namespace, NamespaceKind.REPLAY, domains={}, partitions=2)
    assert run(["topics", "lag", "--namespace", namespace]) == 0
    assert "log: table" in said(capsys)
    assert run(["topics", "describe", "--namespace", namespace]) == 2
    assert "table of the database" in capsys.readouterr().err
