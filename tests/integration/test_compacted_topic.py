"""Eight writers with late commits, the deliverer, Kafka: who follows the topic misses nothing, and
who comes after compaction finds the open alerts of a county as the database has them.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import orjson
import pytest

from api.delivery.process import Order, deliver
from api.delivery.settings import DeliverSettings
from deploy.process import wait_until
from streams.contracts.frame import Record
from streams.contracts.outcome import Transition
from streams.contracts.reason import AlertState, Change, NamespaceKind, Severity
from streams.log import ALERT_TOPIC
from streams.log.catalogue import topic_name
from streams.log.kafka import KafkaLog
from streams.log.kafka_admin import Difference, configure
from streams.log.kafka_publisher import KafkaPublisher
from streams.settings import Settings
from streams.storage.alerts import write_transitions
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_registry
from tests.support.deliveries import put, transition
from tests.support.namespace import small_registry

pytestmark = pytest.mark.integration

COUNTY = "330102"
WRITERS, EACH, STEPS = 8, 65, 4  # 520 alerts
ENDED_OF_EACH = 2
OPEN = WRITERS * (EACH - ENDED_OF_EACH)
EAGER = {
    "segment.ms": "100",
    "min.cleanable.dirty.ratio": "0.0",
    "max.compaction.lag.ms": "1",
}


def test_nothing_is_skipped_and_what_is_open_survives_compaction(
    database_url: str,
    namespace: str,
    kafka_settings: Settings,
    make_kafka_namespace: Callable[..., str],
) -> None:
    topic = topic_name(make_kafka_namespace(1), ALERT_TOPIC)
    migrate(database_url, namespace, NamespaceKind.LIVE, partitions=1)
    with connect(database_url, namespace) as connection:
        save_registry(connection, small_registry(partitions=1))
    total = WRITERS * EACH * STEPS
    with (
        closing(KafkaPublisher(kafka_settings, topic)) as publisher,
        closing(KafkaLog(kafka_settings, topic)) as log,
        delivering(Order(database_url, namespace, DeliverSettings(), publisher=publisher)),
    ):
        with ThreadPoolExecutor(WRITERS + 1) as pool:
            follower = pool.submit(follow, log, total)
            for writer in [pool.submit(write, database_url, namespace, n) for n in range(WRITERS)]:
                writer.result()
            followed = follower.result()
        assert [number(record) for record in followed] == list(range(total)), "skipped, or twice"
        assert newest(followed) == truth(database_url, namespace)
        assert overtaken(database_url, namespace) > 0, "no commit came late: it proves nothing"

        configure(kafka_settings, [Difference(topic, k, "", v, "") for k, v in EAGER.items()])

        def compacted() -> bool:
            steps = len(read_all(log))  # the newest segment is never compacted: begin another
            put(database_url, namespace, transition("roller", steps, area=COUNTY))
            return steps < 2 * WRITERS * EACH

        assert wait_until(compacted, 120.0, 2.0), len(read_all(log))
        held = {key: state for key, state in newest(read_all(log)).items() if key != "roller"}
        assert held == {k: s for k, s in truth(database_url, namespace).items() if k != "roller"}
        assert sum(state["state"] == "firing" for state in held.values()) == OPEN >= 500


def write(conninfo: str, namespace: str, writer: int) -> None:
    """A step of all its alerts in a transaction that is committed late."""
    chance = random.Random(writer)
    with connect(conninfo, namespace, "citybrain test") as connection:
        for step in range(1, STEPS + 1):
            told = [moved(f"w{writer}-{n}", step, n) for n in range(EACH)]
            for some in (told[: EACH // 2], told[EACH // 2 :]):
                write_transitions(
                    connection.cursor(), NamespaceKind.LIVE, "city.observation.v1", 0, some
                )
                time.sleep(chance.uniform(0, 0.1))
            connection.commit()


def moved(alert: str, step: int, n: int) -> Transition:
    """It becomes worse with every step; a few end with the last one."""
    over = step == STEPS and n < ENDED_OF_EACH
    given: dict[str, Any] = {"severity": Severity(step), "area": COUNTY}
    if over:
        given |= {"state": AlertState.RESOLVED, "change": Change.CLEARED}
    return transition(alert, step, **given)


def follow(log: KafkaLog, total: int) -> list[Record]:
    """Everything by offset while it comes, until as much as was written is there."""
    found: list[Record] = []
    offset, until = log.first(0), time.monotonic() + 120.0
    while len(found) < total and time.monotonic() < until:
        records = log.read(0, offset)
        found += records
        offset = records[-1].offset + 1 if records else offset
    return found


def read_all(log: KafkaLog) -> list[Record]:
    found, offset = [], log.first(0)
    while records := log.read(0, offset):
        found += records
        offset = records[-1].offset + 1
    return found


def number(record: Record) -> int:
    return int(record.headers["ce_sequence"])


def newest(records: list[Record]) -> dict[str, dict[str, Any]]:
    """What a reader knows who lets the highest number of each alert count."""
    found: dict[str, tuple[int, dict[str, Any]]] = {}
    for record in records:
        content = orjson.loads(record.body)
        if number(record) > found.get(content["alert"], (-1, {}))[0]:
            found[content["alert"]] = number(record), brief(content)
    return {alert: state for alert, (_, state) in found.items()}


def brief(content: dict[str, Any]) -> dict[str, Any]:
    return {name: content[name] for name in ("sequence", "state", "severity", "change")}


def truth(conninfo: str, namespace: str) -> dict[str, dict[str, Any]]:
    """The alerts as the database has them."""
    with connect(conninfo, namespace, "citybrain test") as connection:
        rows = connection.execute("select id, sequence, state, severity, change from alert")
        return {
            row[0]: dict(zip(("sequence", "state", "severity", "change"), row[1:], strict=True))
            for row in rows.fetchall()
        }


def overtaken(conninfo: str, namespace: str) -> int:
    """How often a row has a lower number than one that was written before it."""
    with connect(conninfo, namespace, "citybrain test") as connection:
        row = connection.execute(
            "select count(*) from (select sequence - lag(sequence) over (order by id) as step"
            " from outbox) o where step < 0"
        ).fetchone()
    return 0 if row is None else int(row[0])


@contextmanager
def delivering(order: Order) -> Iterator[None]:
    """The deliverer in a thread of its own."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(deliver(order, stop)))
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20.0)
        loop.close()
