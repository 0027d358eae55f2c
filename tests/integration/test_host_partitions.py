"""A host whose partitions change: handed over, kept, lost; the followers go with partition 0."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from streams.errors import FenceLost, Misconfigured
from streams.runtime.host import Host
from streams.runtime.setup import SteppedDown
from tests.integration.test_host import City, MakeCity, assert_same, fill, make_city, straight

__all__ = ["make_city"]
pytestmark = pytest.mark.integration


@contextmanager
def host_of(city: City, **changes: Any) -> Iterator[Host]:
    host = Host(city.setup(**changes), city.log)
    host.open(threading.Event())
    try:
        yield host
    finally:
        host.close(clean=False)


def work_off(host: Host) -> None:
    while host.step() or host.settle():
        pass


def epochs(city: City) -> list[int]:
    rows = city.query(
        "select owner_epoch from position where topic like 'city%' order by partition"
    )
    return [epoch for (epoch,) in rows]


def test_partitions_are_handed_over_with_a_checkpoint(make_city: MakeCity) -> None:
    city = make_city()
    fill(city, 30)
    with host_of(city, checkpoint_s=60.0) as first, host_of(city) as second:
        first.take([0, 1])
        for _ in range(3):
            first.step()
        first.rest()
        assert city.query("select * from position where checkpoint_offset <> next_offset") == []
        assert city.query("select owner_pid from position where owner_pid is not null") == []
        second.take([1])
        assert first.resume([0]) == {0}
        fill(city, 20, seed=2)
        work_off(first)
        work_off(second)
        assert set(first.positions()) == {0}
        assert epochs(city) == [1, 2]
    assert_same(city.dump(), straight(city, make_city))


def test_what_nobody_took_goes_on_from_memory(make_city: MakeCity) -> None:
    city = make_city()
    fill(city, 30)
    with host_of(city) as first, host_of(city) as second:
        first.take([0, 1])
        first.step()
        first.rest()
        second.take([1])
        assert first.resume([0, 1]) == {0}
        first.take([1])  # the group says so
        work_off(first)
        fill(city, 10, seed=3)
        with pytest.raises(SteppedDown):
            work_off(second)
        work_off(first)
    assert epochs(city) == [1, 3]
    assert_same(city.dump(), straight(city, make_city))


def test_only_the_lost_partition_is_dropped(make_city: MakeCity) -> None:
    city = make_city()
    fill(city, 40)
    with host_of(city, max_records=2) as first, host_of(city) as second:
        first.take([0, 1])
        first.step()
        second.take([1])  # with a batch of both in flight, or just landed
        work_off(first)
        assert set(first.positions()) == {0}
        work_off(second)
    assert_same(city.dump(), straight(city, make_city))


class Counter:
    """A follower with a fence; the test takes it away."""

    def __init__(self) -> None:
        self.taken = 0
        self.steps = 0
        self.lost = False

    def takeover(self) -> None:
        self.taken += 1
        self.lost = False

    def step(self) -> int:
        if self.lost:
            raise FenceLost("region log: another owner took over")
        self.steps += 1
        return 0


def test_followers_go_with_partition_0(make_city: MakeCity) -> None:
    city = make_city()
    fill(city, 10)
    follower = Counter()
    with host_of(city, followers=[follower]) as host:
        host.take([1])
        host.turn()
        assert (follower.taken, follower.steps) == (0, 0)
        host.take([0])
        host.turn()
        assert (follower.taken, follower.steps) == (1, 1)
        host.rest()
        assert host.resume([1]) == {1}
        host.turn()
        assert follower.steps == 1
        host.take([0])
        assert follower.taken == 2


def test_a_follower_is_taken_back_from_a_worker_that_woke_up(make_city: MakeCity) -> None:
    city = make_city()
    fill(city, 10)
    follower = Counter()
    with host_of(city, followers=[follower]) as host:
        host.take([0, 1])
        follower.lost = True
        host.turn()
        assert follower.taken == 2
        host.turn()
        assert follower.steps == 1
    assert epochs(city) == [1, 1]


def test_a_follower_is_left_to_the_new_owner_of_partition_0(make_city: MakeCity) -> None:
    city = make_city()
    fill(city, 10)
    follower = Counter()
    with host_of(city, followers=[follower]) as host, host_of(city) as other:
        host.take([0, 1])
        work_off(host)
        other.take([0])
        follower.lost = True
        host.turn()
        assert (follower.taken, set(host.positions())) == (1, {1})


def test_a_log_of_another_name_is_refused_at_every_take(
    make_city: MakeCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = make_city()
    fill(city, 10)
    with host_of(city) as host:
        host.take([0])
        monkeypatch.setattr(city.log, "identity", lambda: "another")
        with pytest.raises(Misconfigured, match="another log"):
            host.take([0])
