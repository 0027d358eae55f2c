"""Alert events in Kafka: every transition, by alert and area, and what survives compaction."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
import pytest
from kafka import KafkaConsumer, TopicPartition

from api.delivery.event import Event
from api.delivery.process import Order, deliver
from api.delivery.publishing import keyed
from api.delivery.settings import DeliverSettings
from deploy.process import wait_until
from streams.contracts.cloudevents import read
from streams.contracts.reason import AlertState, Change, NamespaceKind
from streams.log import ALERT_TOPIC
from streams.log.catalogue import topic_name
from streams.log.kafka import KafkaLog
from streams.log.kafka_admin import Difference, configure
from streams.log.kafka_client import client_options
from streams.log.kafka_publisher import KafkaPublisher, Keyed
from streams.settings import Settings
from streams.storage.alerts import alert_state
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_registry
from streams.storage.sequencer import number_outbox
from tests.support.deliveries import put, transition
from tests.support.namespace import small_registry

pytestmark = pytest.mark.integration


def test_every_transition_is_published_once_acknowledged(
    database_url: str,
    namespace: str,
    kafka_settings: Settings,
    make_kafka_namespace: Callable[..., str],
) -> None:
    topic = topic_name(make_kafka_namespace(2), ALERT_TOPIC)
    migrate(database_url, namespace, NamespaceKind.LIVE, partitions=2)
    with connect(database_url, namespace, "citybrain test") as connection:
        save_registry(connection, small_registry())
    steps = [transition(f"a{n}", s, area=f"33010{2 + n % 2}") for s in (1, 2, 3) for n in range(4)]
    put(database_url, namespace, *steps, transition("city", area="330100"))
    publisher = KafkaPublisher(kafka_settings, topic)
    assert publisher.partitions() == 2
    _deliver_until(
        Order(database_url, namespace, DeliverSettings(), publisher=publisher),
        lambda: _published(database_url, namespace) == 12,
    )
    log = KafkaLog(kafka_settings, topic)
    try:
        found = [[read(r.headers, r.body) for r in log.read(p, 0)] for p in (0, 1)]
    finally:
        log.close()
        publisher.close()
    assert [len(events) for events in found] == [7, 6]
    assert {e.subject for e in found[0]} == {"330102", "330100"}
    assert {e.subject for e in found[1]} == {"330103"}
    for events in found:
        numbers = [int(e.extensions["sequence"]) for e in events]
        assert numbers == sorted(numbers)
        assert all(e.id == f"{namespace}-{n}" for e, n in zip(events, numbers, strict=True))
        assert {e.extensions["status"] for e in events} == {"actual"}


def test_an_alert_that_ended_long_ago_is_forgotten(
    database_url: str,
    namespace: str,
    kafka_settings: Settings,
    make_kafka_namespace: Callable[..., str],
) -> None:
    """A tombstone behind its end, for what is over long enough and for nothing else; once."""
    topic = topic_name(make_kafka_namespace(2), ALERT_TOPIC)
    migrate(database_url, namespace, NamespaceKind.LIVE, partitions=2)
    with connect(database_url, namespace, "citybrain test") as connection:
        save_registry(connection, small_registry())
    ended: dict[str, Any] = {"state": AlertState.RESOLVED, "change": Change.CLEARED}
    put(
        database_url,
        namespace,
        transition("old", 1, area="330103"),
        transition("open", 1, area="330103"),
        transition("old", 2, area="330103", **ended),
    )
    with connect(database_url, namespace, "citybrain test") as connection:
        number_outbox(connection)
        connection.execute("update outbox set numbered_at = now() - interval '25 hours'")
    put(database_url, namespace, transition("new", 1, area="330103", **ended))
    publisher = KafkaPublisher(kafka_settings, topic)
    order = Order(
        database_url, namespace, DeliverSettings(kafka_forget_h=24.0), publisher=publisher
    )
    known = partial(_position, database_url, namespace)
    for _ in range(2):  # the second one begins where the first has stopped
        _deliver_until(order, lambda: (known("kafka"), known("kafka-forgotten")) == (3, 2))
    assert _keys(kafka_settings, topic, 1) == [
        ("old", True),
        ("open", True),
        ("old", True),
        ("new", True),
        ("old", False),
    ]
    never = replace(order, settings=DeliverSettings(kafka_forget_h=0.0))
    _deliver_until(never, lambda: known("kafka-forgotten") == -1)
    publisher.close()


def test_a_forgotten_alert_leaves_the_topic(
    kafka_settings: Settings, make_kafka_namespace: Callable[..., str]
) -> None:
    topic = topic_name(make_kafka_namespace(1), ALERT_TOPIC)
    _eager(kafka_settings, topic)
    publisher = KafkaPublisher(kafka_settings, topic)
    state = orjson.dumps(alert_state(transition("gone")))

    def compacted() -> bool:
        publisher.publish([Keyed(0, "roller", {}, state)])  # the newest segment is not compacted
        return "gone" not in {key for key, _ in _keys(kafka_settings, topic, 0)}

    try:
        publisher.publish([Keyed(0, "gone", {}, state), Keyed(0, "stays", {}, state)])
        time.sleep(0.2)  # so that the tombstone begins a segment
        publisher.publish([Keyed(0, "gone", {}, None)])
        assert wait_until(compacted, 90.0, 2.0)
        assert ("stays", True) in _keys(kafka_settings, topic, 0)
    finally:
        publisher.close()


def _keys(settings: Settings, topic: str, partition: int) -> list[tuple[str, bool]]:
    """The keys of a partition in order, each with whether it has a body."""
    where = TopicPartition(topic, partition)
    consumer = KafkaConsumer(**client_options(settings), consumer_timeout_ms=5_000)
    try:
        consumer.assign([where])
        consumer.seek_to_beginning(where)
        end = consumer.end_offsets([where])[where]
        found: list[tuple[str, bool]] = []
        while consumer.position(where) < end:
            for record in consumer.poll(1_000).get(where, []):
                found.append((record.key.decode(), record.value is not None))
        return found
    finally:
        consumer.close()


def _eager(settings: Settings, topic: str) -> None:
    """Compacts as soon as it can, and drops tombstones at once."""
    eager = {
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.01",
        "max.compaction.lag.ms": "1",
        "delete.retention.ms": "1",
    }
    configure(settings, [Difference(topic, k, "", v, "") for k, v in eager.items()])


def _deliver_until(order: Order, condition: Callable[[], bool]) -> None:
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(deliver(order, stop)))
    thread.start()
    try:
        assert wait_until(condition, 30.0, 0.1)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20.0)
        loop.close()


def _published(conninfo: str, namespace: str) -> int:
    return _position(conninfo, namespace, "kafka")


def _position(conninfo: str, namespace: str, name: str) -> int:
    with connect(conninfo, namespace, "citybrain test") as connection:
        row = connection.execute(
            "select sequence from delivery_position where name = %s", (name,)
        ).fetchone()
    return -1 if row is None else int(row[0])


def test_five_hundred_open_alerts_of_a_county_survive_compaction(
    kafka_settings: Settings, make_kafka_namespace: Callable[..., str]
) -> None:
    """A late reader finds the newest state of each, and fewer records than were published."""
    topic = topic_name(make_kafka_namespace(1), ALERT_TOPIC)
    _eager(kafka_settings, topic)
    publisher = KafkaPublisher(kafka_settings, topic)
    log = KafkaLog(kafka_settings, topic)
    numbers = itertools.count()

    def publish(alert: str, step: int) -> Keyed:
        content = alert_state(transition(alert, step))
        event = Event(next(numbers), alert, "330106", "Actual", True, content)
        return keyed(event, "citybrain", {"330106": 0})

    def compacted() -> bool:
        publisher.publish([publish("roller", 1)])  # the newest segment is never compacted
        return len(_read_all(log)) < 1_000

    try:
        for step in (1, 2, 3):
            publisher.publish([publish(f"a{n}", step) for n in range(500)])
            time.sleep(0.2)  # so that the next step begins a segment
        assert wait_until(compacted, 90.0, 2.0)
        newest = {e["alert"]: e["sequence"] for e in _read_all(log)}
    finally:
        publisher.close()
        log.close()
    assert newest == {f"a{n}": 3 for n in range(500)} | {"roller": 1}


def _read_all(log: KafkaLog) -> list[dict[str, Any]]:
    found, offset = [], log.first(0)
    while records := log.read(0, offset):
        found += [orjson.loads(record.body) for record in records]
        offset = records[-1].offset + 1
    return found
