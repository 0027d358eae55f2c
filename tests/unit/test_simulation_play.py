"""Playing into a log: complete, resumable at any record, paced, never far ahead of the worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from sensors.simulation.play import STALL_S, Pace, Played, controls, find_mark, play
from streams.contracts.codec import decode, encode_tick
from streams.contracts.frame import Control, Frame, Tick
from streams.contracts.reason import Origin
from streams.contracts.warning import encode_announcement
from streams.errors import Misconfigured
from streams.log import Entry
from streams.log.memory import MemoryLog
from tests.support.official import warning
from tests.support.simulated import START_MS, steps
from tests.support.zhejiang import registry_of

FREE = Pace(lambda: 0.0, lambda _: None, None)
VERSIONS = {"profile": "sha256:p", "registry": "sha256:r"}


def play_into(log: MemoryLog, minutes: float, pace: Pace = FREE, seed: int = 7) -> Played:
    states = play(steps(minutes, seed=seed), registry_of(40).partitions, log, pace)
    return list(states)[-1]


def contents(log: MemoryLog) -> list[list[Entry]]:
    return [
        [(dict(r.headers), r.body) for r in log.read(p, 0, 1_000_000, 1 << 40)]
        for p in range(log.partitions())
    ]


def copy_of(records: Sequence[Sequence[Entry]], lengths: Sequence[int]) -> MemoryLog:
    log = MemoryLog(len(records))
    for partition, (some, length) in enumerate(zip(records, lengths, strict=True)):
        if length:
            log.append(partition, some[:length])
    return log


def whole_play(minutes: float = 10) -> list[list[Entry]]:
    log = MemoryLog(4)
    for partition in range(4):
        log.append(partition, controls(VERSIONS, START_MS))
    play_into(log, minutes)
    return contents(log)


def test_controls_come_first_registry_before_profile() -> None:
    log = MemoryLog(1)
    log.append(0, controls(VERSIONS, START_MS))
    events = [decode(r) for r in log.read(0, 0)]
    assert [e.kind for e in events if isinstance(e, Control)] == ["registry", "profile"]


def test_every_partition_gets_its_areas_and_all_ticks_in_order() -> None:
    log = MemoryLog(4)
    play_into(log, 10)
    partitions = registry_of(40).partitions
    for partition in range(4):
        events = [decode(r) for r in log.read(partition, 0, 10_000)]
        assert all(partitions[e.area] == partition for e in events if isinstance(e, Frame))
        assert sum(isinstance(e, Tick) for e in events) == 60
        times = [e.ingest_ms for e in events]
        assert times == sorted(times)


@pytest.mark.parametrize("lengths", [(2, 2, 2, 2), (3, 2, 70, 15), (61, 31, 32, 33), (5, 0, 9, 2)])
def test_a_play_goes_on_where_the_log_ends(lengths: tuple[int, ...]) -> None:
    whole = whole_play()
    log = copy_of(whole, lengths)
    for partition, length in enumerate(lengths):
        if not length:
            log.append(partition, controls(VERSIONS, START_MS))
    play_into(log, 10)
    assert contents(log) == whole


def test_a_restart_does_not_encode_again_what_is_long_in_the_log() -> None:
    whole = whole_play()
    log = copy_of(whole, [len(p) for p in whole])
    assert play_into(log, 10).skipped < sum(len(p) for p in whole) / 3


def test_a_finished_play_adds_nothing() -> None:
    whole = whole_play()
    log = copy_of(whole, [len(p) for p in whole])
    assert play_into(log, 10).records == 0
    assert contents(log) == whole


def test_records_of_others_do_not_confuse_a_restart() -> None:
    whole = whole_play(4)
    log = copy_of(whole, [len(p) for p in whole])
    headers, body = whole[0][-1]
    foreign = dict(headers) | {"ce_source": "hand", "ce_id": "1", "origin": "live"}
    foreign["ce_type"] = "citybrain.waterlogging.observation.v1"
    log.append(0, [(foreign, body)] * 500)
    told = encode_announcement(warning("a", START_MS), "hand", Origin.SIMULATED, START_MS)
    log.append(0, [told])
    play_into(log, 10)
    added = [e for e in contents(log)[0] if e[0]["ce_source"] != "hand"]
    assert added == whole_play(10)[0]


def test_another_seed_is_refused_instead_of_mixed_in() -> None:
    log = MemoryLog(4)
    play_into(log, 10)
    before = contents(log)
    with pytest.raises(Misconfigured, match="--fresh"):
        play_into(log, 12, seed=8)
    assert contents(log) == before


def test_a_log_that_was_played_further_is_refused() -> None:
    log = MemoryLog(4)
    play_into(log, 10)
    with pytest.raises(Misconfigured, match="for longer"):
        play_into(log, 5)


def test_an_empty_log_has_no_mark_and_ticks_alone_make_one() -> None:
    log = MemoryLog(1)
    assert find_mark(log, 0) is None
    log.append(0, controls(VERSIONS, START_MS))
    assert find_mark(log, 0) is None
    log.append(0, [encode_tick(START_MS + 1)])
    mark = find_mark(log, 0)
    assert mark is not None
    assert mark.frame is None


@dataclass
class World:
    """A clock that only sleeping moves, and a worker that commits while one sleeps."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)
    behind: int = 0
    told: list[bool] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.behind = max(0, self.behind - 10)


def test_sixty_times_real_time_takes_a_sixtieth() -> None:
    world = World()
    play_into(MemoryLog(4), 10, Pace(world.clock, world.sleep, 60.0))
    assert world.now == pytest.approx(9.5)  # the first of 20 steps leaves at once


def test_the_play_waits_for_the_worker_and_says_so_once() -> None:
    world = World(behind=3_000)
    pace = Pace(world.clock, world.sleep, None, lambda: world.behind, 1_000, world.told.append)
    play_into(MemoryLog(4), 1, pace)
    assert world.behind == 1_000
    assert world.now > STALL_S
    assert world.told == [True, False]


def test_a_worker_that_keeps_up_is_never_waited_for() -> None:
    world = World(behind=1_000)
    play_into(MemoryLog(4), 5, Pace(world.clock, world.sleep, None, lambda: world.behind, 1_000))
    assert world.slept == []
