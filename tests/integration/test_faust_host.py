"""Workers of a Kafka group over the real broker and PostgreSQL: exactly once, whoever leaves."""

from __future__ import annotations

import signal

import pytest

from streams.storage.canonical import differences
from tests.support.shared_city import SharedCity, end, shared_city, wait_until

__all__ = ["shared_city"]
pytestmark = pytest.mark.integration


def test_one_worker_works_off_and_ends(shared_city: SharedCity, namespace: str) -> None:
    shared_city.storm(30, seed=1)
    shared_city.feed(30)
    worker = shared_city.worker("--idle")
    assert worker.wait(90) == 0
    assert worker.stdout is not None
    worker.stdout.close()
    assert shared_city.behind() == 0
    assert differences(shared_city.dump(), shared_city.straight(namespace)) == []


def test_workers_share_one_leaves_and_one_is_killed(
    shared_city: SharedCity, namespace: str
) -> None:
    shared_city.storm(60, seed=2)
    first, second = shared_city.worker(), shared_city.worker()
    shared_city.feed(20)
    wait_until(lambda: len(shared_city.query("select 1 from worker")) == 2, "two workers")
    wait_until(lambda: all(held(shared_city)), "both hold partitions")
    shared_city.feed(20)
    assert end(first) == 0
    third = shared_city.worker()
    wait_until(lambda: shared_city.behind() == 0, "worked off after one left")
    shared_city.feed(10)
    end(second, signal.SIGKILL)
    shared_city.feed(10)
    wait_until(lambda: shared_city.behind() == 0, "worked off after one was killed")
    assert end(third) == 0
    last = shared_city.worker("--idle")  # the followers' last steps
    assert last.wait(90) == 0
    assert last.stdout is not None
    last.stdout.close()
    assert differences(shared_city.dump(), shared_city.straight(namespace)) == []


def held(city: SharedCity) -> list[int]:
    """How many partitions each worker says to hold."""
    rows = city.query("select jsonb_array_length(detail->'partitions') from worker")
    return [count for (count,) in rows]
