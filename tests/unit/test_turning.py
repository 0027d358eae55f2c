"""The host's thread obeys the group: takes, keeps, gives back, never keeps the group waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from queue import Queue

import pytest

from streams.contracts.frame import Record
from streams.errors import Misconfigured
from streams.log.memory import MemoryLog
from streams.runtime import turning
from streams.runtime.fetched import FetchedLog
from streams.runtime.health import Health
from streams.runtime.setup import SteppedDown
from streams.runtime.turning import Change, Turner

LONG_S = 20.0


class FakeHost:
    """Holds partitions at position 5 and says what it is told."""

    def __init__(self) -> None:
        self.held: dict[int, int] = {}
        self.stolen: set[int] = set()
        self.said: list[str] = []
        self.turns: Queue[bool | BaseException] = Queue()
        self.resting = threading.Event()
        self.may_rest = threading.Event()
        self.may_rest.set()

    def open(self, stop: threading.Event) -> None:
        self.said.append("open")

    def close(self, clean: bool = True, wait_s: float | None = None) -> None:
        self.said.append("close" if clean else "drop all")

    def take(self, partitions: Iterable[int]) -> None:
        for partition in partitions:
            if partition == 13:
                raise Misconfigured(["another log"])
            self.held[partition] = 5
            self.said.append(f"take {partition}")

    def rest(self, checkpoint: bool = True) -> None:
        self.resting.set()
        assert self.may_rest.wait(LONG_S)
        self.said.append("rest")

    def resume(self, partitions: Iterable[int]) -> set[int]:
        kept = set(partitions) & set(self.held) - self.stolen
        self.held = {n: self.held[n] for n in kept}
        return kept

    def turn(self) -> bool:
        if self.turns.empty():
            return False
        found = self.turns.get()
        if isinstance(found, BaseException):
            self.held.clear()
            raise found
        return found

    def beat(self) -> None:
        """Nothing to tell."""

    def positions(self) -> dict[int, int]:
        return dict(self.held)

    def saved(self) -> dict[int, int]:
        return dict(self.held)


class Group:
    """A turner with a fake host; tells it changes and waits until they are obeyed."""

    def __init__(self, until_idle: bool = False) -> None:
        self.host = FakeHost()
        self.log = FetchedLog(MemoryLog(4))
        self.health = Health()
        self.opened: list[tuple[int, int, int]] = []
        self.turner = Turner(
            self.host, self.log, self.health, self._open, idle_s=0.01, until_idle=until_idle
        )

    def _open(self, partition: int, offset: int, generation: int) -> None:
        self.opened.append((partition, offset, generation))
        self.log.open(partition, offset)

    def assign(self, *partitions: int, generation: int = 1) -> None:
        self.tell(Change(frozenset(partitions), generation))

    def revoke(self) -> None:
        self.tell(Change(None))

    def tell(self, change: Change) -> None:
        self.turner.change(change)
        assert change.done.wait(LONG_S)


@pytest.fixture
def group() -> Group:
    made = Group()
    made.turner.start()
    return made


def eventually(holds: Callable[[], bool]) -> None:
    waited = threading.Event()
    for _ in range(2000):
        if holds():
            return
        waited.wait(0.01)
    raise AssertionError("never")


def test_takes_and_opens_what_is_assigned(group: Group) -> None:
    group.assign(0, 2, generation=7)
    assert group.opened == [(0, 5, 7), (2, 5, 7)]
    assert group.health.partitions == (0, 2)
    assert group.turner.end(LONG_S)
    assert group.turner.error is None
    assert group.host.said == ["open", "take 0", "take 2", "close"]


def test_what_comes_back_is_kept_and_what_went_is_dropped(group: Group) -> None:
    group.assign(0, 1)
    group.revoke()
    assert group.host.said[-1] == "rest"
    group.host.held[0] = 9
    group.assign(0, 3, generation=3)
    assert group.host.positions() == {0: 9, 3: 5}
    assert group.opened[2:] == [(0, 9, 3), (3, 5, 3)]
    assert "take 0" not in group.host.said[3:]
    group.turner.end(LONG_S)


def test_what_somebody_took_in_between_is_taken_anew(group: Group) -> None:
    group.assign(0)
    group.revoke()
    group.host.stolen = {0}
    group.assign(0)
    assert group.host.said.count("take 0") == 2
    group.turner.end(LONG_S)


def test_a_revocation_is_not_waited_for_when_the_host_hangs(group: Group) -> None:
    group.assign(0)
    group.host.may_rest.clear()
    revoked, assigned = Change(None), Change(frozenset({1}), 2)
    group.turner.change(revoked)
    assert group.host.resting.wait(LONG_S)
    assert not revoked.done.is_set()
    group.turner.change(assigned)
    group.host.may_rest.set()
    assert revoked.done.wait(LONG_S)
    assert assigned.done.wait(LONG_S)
    eventually(lambda: group.host.positions() == {1: 5})
    group.turner.end(LONG_S)


def test_only_the_last_of_several_words_is_obeyed(group: Group) -> None:
    group.assign(0)
    group.host.may_rest.clear()
    changes = [Change(None), Change(frozenset({1}), 2), Change(None), Change(frozenset({2}), 4)]
    group.turner.change(changes[0])
    assert group.host.resting.wait(LONG_S)
    for change in changes[1:]:
        group.turner.change(change)
    group.host.may_rest.set()
    for change in changes:
        assert change.done.wait(LONG_S)
    assert group.host.positions() == {2: 5}
    assert "take 1" not in group.host.said
    group.turner.end(LONG_S)


def test_what_is_lost_though_assigned_is_taken_back_later(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turning, "RECLAIM_S", 0.02)
    group.assign(0)
    group.host.turns.put(SteppedDown("another worker"))
    eventually(lambda: group.host.said.count("take 0") == 2)
    assert group.opened[-1] == (0, 5, 1)
    group.turner.end(LONG_S)


def test_a_mistake_ends_it(group: Group) -> None:
    group.turner.change(Change(frozenset({13}), 1))
    assert group.turner.ended.wait(LONG_S)
    assert isinstance(group.turner.error, Misconfigured)
    assert group.host.said[-1] == "drop all"


def test_ends_when_all_that_is_assigned_is_worked_off() -> None:
    group = Group(until_idle=True)
    group.turner.start()
    group.assign(0)
    assert not group.turner.ended.is_set()
    group.log.offer(0, [Record(5, 0, {}, b"")])
    group.log.read(0, 5)
    group.host.held[0] = 6
    group.log.mark(0, end=6, fetched_to=6)
    assert group.turner.ended.wait(LONG_S)
    assert group.turner.error is None


def test_ends_at_once_when_nothing_is_assigned_to_it() -> None:
    group = Group(until_idle=True)
    group.turner.start()
    group.assign()
    assert group.turner.ended.wait(LONG_S)


def test_waits_only_so_long_for_a_host_that_hangs(group: Group) -> None:
    group.assign(0)
    group.host.may_rest.clear()
    group.turner.change(Change(None))
    assert group.host.resting.wait(LONG_S)
    assert not group.turner.end(0.0)
    group.host.may_rest.set()
    assert group.turner.ended.wait(LONG_S)
