"""Alert events in Kafka: every transition, by alert and area, and what survives compaction."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from api.delivery.event import Event
from api.delivery.process import Order, deliver
from api.delivery.publishing import keyed
from api.delivery.settings import DeliverSettings
from deploy.process import wait_until
from streams.contracts.cloudevents import read
from streams.contracts.reason import NamespaceKind
from streams.log import ALERT_TOPIC
from streams.log.catalogue import topic_name
from streams.log.kafka import KafkaLog
from streams.log.kafka_admin import Difference, configure
from streams.log.kafka_publisher import KafkaPublisher, Keyed
from streams.settings import Settings
from streams.storage.alerts import alert_state
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_registry
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
    with connect(conninfo, namespace, "citybrain test") as connection:
        row = connection.execute(
            "select sequence from delivery_position where name = 'kafka'"
        ).fetchone()
    return -1 if row is None else int(row[0])


def test_five_hundred_open_alerts_of_a_county_survive_compaction(
    kafka_settings: Settings, make_kafka_namespace: Callable[..., str]
) -> None:
    """A late reader finds the newest state of each, and fewer records than were published."""
    topic = topic_name(make_kafka_namespace(1), ALERT_TOPIC)
    eager = {"segment.ms": "100", "min.cleanable.dirty.ratio": "0.01", "max.compaction.lag.ms": "1"}
    configure(kafka_settings, [Difference(topic, k, "", v, "") for k, v in eager.items()])
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
