"""What a real log does: transactions that abort, a topic made anew, retention that overtakes.

Each is met on the real broker: gaps are accepted, another log is refused with exit code 2 and words
that say what to do, and a log that is about to lose what a restart needs is told before it does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer, TopicPartition

from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.log import Entry
from streams.log.kafka import KafkaLog
from streams.log.kafka_admin import administration, ensure_topics, remove_topics
from streams.log.kafka_client import client_options
from streams.runtime.worker import worker_host
from streams.storage.canonical import canonical_dump, differences
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from tests.chaos.broker import copy_kafka_log
from tests.support.shared_city import PARTITIONS, SharedCity, shared_city, wait_until
from tests.support.storm import storm, storm_registry

__all__ = ["shared_city"]
pytestmark = pytest.mark.chaos

STEPS = 24
WORKER_S = 120.0
MISCONFIGURED = 2


def work_off(city: SharedCity, wanted_code: int = 0) -> str:
    """Runs a worker until all is worked off; what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.kafka_worker", city.conninfo, city.namespace, "--idle"],
        env=os.environ | {"CITYBRAIN_KAFKA": str(city.settings.kafka)},
        capture_output=True,
        text=True,
        timeout=WORKER_S,
        check=False,
    )
    assert done.returncode == wanted_code, done.stderr
    return done.stderr


@contextmanager
def transactions(city: SharedCity) -> Iterator[Any]:
    """A producer whose records count when their transaction is committed."""
    producer = KafkaProducer(
        transactional_id=city.namespace, acks="all", **client_options(city.settings)
    )
    try:
        producer.init_transactions()
        yield producer
    finally:
        producer.close()


def send(producer: Any, topic: str, records: list[tuple[int, Entry]], commit: bool) -> None:
    """One transaction."""
    producer.begin_transaction()
    for partition, (headers, body) in records:
        named = [(name, value.encode()) for name, value in headers.items()]
        producer.send(topic, value=body, headers=named, partition=partition)
    producer.flush()
    if commit:
        producer.commit_transaction()
    else:
        producer.abort_transaction()


def test_aborted_records_are_never_processed(
    shared_city: SharedCity, make_namespace: Callable[[], str]
) -> None:
    """Two of three transactions abort, the last one too: the log ends with what nobody may read."""
    aborted = 0
    with transactions(shared_city) as producer:
        for number, step in enumerate(storm(storm_registry(partitions=PARTITIONS), STEPS, 5)):
            send(producer, shared_city.topic, step, commit=number % 3 == 0)
            aborted += len(step) if number % 3 else 0
    work_off(shared_city)
    straight = make_namespace()
    migrate(shared_city.conninfo, straight, NamespaceKind.SIMULATED, partitions=PARTITIONS)
    with closing(KafkaLog(shared_city.settings, shared_city.topic)) as log:
        copy_kafka_log(shared_city.conninfo, log, shared_city.namespace, straight)
        held = sum(log.end(n) - log.first(n) for n in range(PARTITIONS))
    with connect(shared_city.conninfo, straight) as connection:
        row = connection.execute("select count(*) from log_record").fetchone()
    assert row is not None
    assert held - row[0] >= aborted + STEPS  # besides, each transaction has its markers
    with worker_host(shared_city.conninfo, straight, find_domains()) as host:
        host.run_until_idle()
    with connect(shared_city.conninfo, straight) as connection:
        calm = canonical_dump(connection)
    assert differences(shared_city.dump(), calm) == []
    assert calm["observation"]


def test_a_topic_that_was_made_anew_is_refused(shared_city: SharedCity) -> None:
    begin(shared_city)
    remove_topics(shared_city.settings, shared_city.namespace)
    ensure_topics(shared_city.settings, shared_city.namespace, PARTITIONS)
    said = work_off(shared_city, MISCONFIGURED)
    assert "is another log" in said
    assert "ends at 0, before the position" in said


def test_retention_beyond_the_checkpoint_is_refused(shared_city: SharedCity) -> None:
    """Nobody worked while the log deleted what had not been processed."""
    begin(shared_city)
    before = positions(shared_city)
    shared_city.feed(STEPS)
    delete_before(shared_city, {n: offset + 2 for n, offset in before.items()})
    said = work_off(shared_city, MISCONFIGURED)
    assert f"starts at {before[0] + 2}, after the checkpoint {before[0]}" in said
    assert positions(shared_city) == before


def test_a_log_that_ends_before_the_position_is_refused(shared_city: SharedCity) -> None:
    """As after the brokers were restored from an older copy than the database."""
    begin(shared_city)
    before = positions(shared_city)
    with connect(shared_city.conninfo, shared_city.namespace) as connection:
        connection.execute(
            "update position set next_offset = next_offset + 5 where topic <> 'region'"
        )
    said = work_off(shared_city, MISCONFIGURED)
    assert f"ends at {before[0]}, before the position {before[0] + 5}" in said


def test_a_checkpoint_near_the_retention_is_told(shared_city: SharedCity, tmp_path: Path) -> None:
    """The log deletes up to just before the checkpoint while a worker lives, which makes no other
    one meanwhile: whatever moment it looks at, the checkpoint is near."""
    begin(shared_city)
    log = tmp_path / "worker.log"
    with log.open("wb") as errors:
        worker = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.chaos.kafka_worker"),
                *(shared_city.conninfo, shared_city.namespace, "--one-checkpoint"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=os.environ | {"CITYBRAIN_KAFKA": str(shared_city.settings.kafka)},
        )
    try:
        delete_before(shared_city, {n: p - 1 for n, p in positions(shared_city).items()})
        shared_city.feed(STEPS)
        warning = "the checkpoint is near the oldest record that the log keeps"
        wait_until(lambda: warning in log.read_text(), "a warning of the retention", WORKER_S)
        assert worker.poll() is None
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(WORKER_S) == 0
    finally:
        worker.kill()
        worker.wait(WORKER_S)


def begin(city: SharedCity) -> None:
    """Some records, worked off by a worker that has ended cleanly: C = D = the end."""
    city.storm(2 * STEPS, seed=5)
    city.feed(STEPS)
    work_off(city)
    assert city.behind() == 0


def positions(city: SharedCity) -> dict[int, int]:
    """D of each partition."""
    rows = city.query(
        "select partition, next_offset from position where topic <> 'region' order by partition"
    )
    return {partition: offset for partition, offset in rows}


def delete_before(city: SharedCity, offsets: Mapping[int, int]) -> None:
    """What retention does, at once."""
    with administration(city.settings) as admin:
        admin.delete_records(
            {TopicPartition(city.topic, partition): offset for partition, offset in offsets.items()}
        )
    with closing(KafkaLog(city.settings, city.topic)) as log:
        wait_until(
            lambda: all(log.first(n) == offset for n, offset in offsets.items()), "records deleted"
        )
