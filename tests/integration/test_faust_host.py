"""Workers of a Kafka group over the real broker and PostgreSQL: exactly once, whoever leaves."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.postgres import EmbeddedPostgres
from streams.storage.canonical import differences
from streams.storage.connect import connect
from tests.support.shared_city import PARTITIONS, WAIT_S, SharedCity, end, shared_city, wait_until

__all__ = ["shared_city"]
pytestmark = pytest.mark.integration


def test_one_worker_works_off_and_ends(shared_city: SharedCity, namespace: str) -> None:
    shared_city.storm(30, seed=1)
    shared_city.feed(30)
    finish(shared_city)
    assert shared_city.behind() == 0
    assert differences(shared_city.dump(), shared_city.straight(namespace)) == []


def test_workers_share_one_leaves_and_one_is_killed(
    shared_city: SharedCity, namespace: str
) -> None:
    shared_city.storm(60, seed=2)
    first, second = shared_city.worker(), shared_city.worker()
    shared_city.feed(20)
    wait_until(lambda: len(shared_city.query("select 1 from worker")) == 2, "two workers")
    wait_until(lambda: held(shared_city) == [2, 2], "both hold partitions")
    shared_city.feed(20)
    assert end(first) == 0
    third = shared_city.worker()
    wait_until(lambda: shared_city.behind() == 0, "worked off after one left")
    shared_city.feed(10)
    end(second, signal.SIGKILL)
    shared_city.feed(10)
    wait_until(lambda: shared_city.behind() == 0, "worked off after one was killed")
    assert end(third) == 0
    finish(shared_city)
    assert differences(shared_city.dump(), shared_city.straight(namespace)) == []


def test_a_revocation_does_not_wait_for_a_commit_that_hangs(
    shared_city: SharedCity, namespace: str
) -> None:
    shared_city.storm(40, seed=3)
    first = shared_city.worker()
    wait_until(lambda: held(shared_city) == [PARTITIONS], "the first holds everything")
    with connect(shared_city.conninfo, shared_city.namespace) as blocker:
        blocker.execute("lock table ledger in access exclusive mode")
        shared_city.feed(20)
        second = shared_city.worker()
        wait_until(
            lambda: max(epochs(shared_city)) > 1 and epochs(shared_city).count(1) > 0,
            "partitions moved on while the commit hung",
        )
    shared_city.feed(20)
    wait_until(lambda: shared_city.behind() == 0, "worked off")
    assert [end(first), end(second)] == [0, 0]
    finish(shared_city)
    assert differences(shared_city.dump(), shared_city.straight(namespace)) == []


def test_workers_stay_while_the_database_is_away(
    kafka_address: str, own_postgres: EmbeddedPostgres
) -> None:
    city = SharedCity(own_postgres.conninfo, f"test_{uuid.uuid4().hex[:16]}", kafka_address)
    try:
        city.storm(40, seed=4)
        worker = city.worker()
        wait_until(lambda: held(city) == [PARTITIONS], "everything is held")
        city.feed(20)
        process = own_postgres.process()
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        city.feed(10)
        away_until = time.monotonic() + city.settings.kafka_session_s + 2.0
        wait_until(lambda: time.monotonic() > away_until, "the session is over twice")
        assert worker.poll() is None
        own_postgres.start()
        city.feed(10)
        wait_until(lambda: city.behind() == 0, "worked off when it is back")
        assert epochs(city) == [1] * PARTITIONS  # nobody left the group, nothing was taken again
        assert end(worker) == 0
        finish(city)
        assert differences(city.dump(), city.straight("straight")) == []
    finally:
        city.close()


@pytest.fixture
def own_postgres() -> Iterator[EmbeddedPostgres]:
    """A server of this test's own: it is going to be killed."""
    var_dir = Path(tempfile.mkdtemp(prefix="citybrain-shared-"))
    made = EmbeddedPostgres(var_dir)
    try:
        made.start()
        yield made
    finally:
        made.purge()
        shutil.rmtree(var_dir)


def finish(city: SharedCity) -> None:
    """The followers' last steps, by a worker that ends of its own."""
    last = city.worker("--idle")
    assert last.wait(WAIT_S) == 0
    assert last.stdout is not None
    last.stdout.close()


def epochs(city: SharedCity) -> list[int]:
    """How often each partition was taken."""
    rows = city.query("select owner_epoch from position where topic like 'c%' order by partition")
    return [epoch for (epoch,) in rows]


def held(city: SharedCity) -> list[int]:
    """How many partitions each worker says to hold."""
    rows = city.query("select jsonb_array_length(detail->'partitions') from worker")
    return [count for (count,) in rows]
