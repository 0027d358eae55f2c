"""Wet episodes, one reading at a time: start, peak, drain, end, resumed wetness, bulk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.domains.waterlogging.episode import NONE, Limits, Machine, feed, feed_wet, finish

CM, MINUTE = 10_000, 60_000
LIMITS = Limits(wet=CM, dry_ms=10 * MINUTE, ponded=15 * CM, relapse=15 * CM)


def play(*readings: tuple[float, float]) -> tuple[list[Machine], Machine]:
    """(minute, cm) one by one: the finished episodes, and the machine after them."""
    machine, done = Machine(), []
    for minute, cm in readings:
        ended = feed(machine, LIMITS, round(minute * MINUTE), round(cm * CM), good=True)
        done += [ended] if ended is not None else []
    return done, machine


def test_just_under_a_centimetre_begins_nothing() -> None:
    assert not play((0, 0), (1, 0.9999))[1].open


def test_the_first_centimetre_begins_it() -> None:
    _, machine = play((0, 0), (1, 1))
    assert (machine.start_ms, machine.dry_before_ms) == (MINUTE, 0)


def test_the_peak_is_its_first_time_and_draining_begins_at_its_last() -> None:
    _, machine = play((0, 5), (1, 20), (2, 20), (3, 19), (4, 20), (5, 3))
    assert (machine.peak, machine.peak_ms, machine.drain_ms) == (20 * CM, MINUTE, 4 * MINUTE)


def test_ten_minutes_below_end_it_at_the_first_of_them() -> None:
    done, machine = play((0, 5), (3, 0.5), (12.999, 0))
    assert done == []
    assert machine.below_ms == 3 * MINUTE
    ended = finish(machine, LIMITS, 13 * MINUTE)
    assert ended is not None
    assert (ended.start_ms, ended.below_ms, ended.zero_ms) == (0, 3 * MINUTE, 779_940)
    assert not machine.open


def test_wetness_that_resumes_within_ten_minutes_goes_on() -> None:
    done, machine = play((0, 5), (3, 0), (12.9, 2))
    assert done == []
    assert (machine.start_ms, machine.below_ms) == (0, NONE)


def test_wetness_after_ten_minutes_is_another_episode() -> None:
    done, machine = play((0, 5), (3, 0), (13, 2))
    assert [d.start_ms for d in done] == [0]
    assert machine.start_ms == 13 * MINUTE


def test_time_above_the_ponding_depth_counts_only_above() -> None:
    _, machine = play((0, 15), (5, 15.0001), (9, 15), (20, 3))
    assert machine.ponded_ms == 4 * MINUTE
    assert machine.ponded_until_ms == 9 * MINUTE


def test_a_doubtful_reading_is_counted_and_moves_nothing() -> None:
    _, machine = play((0, 5))
    feed(machine, LIMITS, MINUTE, 200 * CM, good=False)
    assert (machine.peak, machine.readings, machine.doubtful) == (5 * CM, 2, 1)


WET = st.lists(
    st.tuples(st.integers(1, 20 * MINUTE), st.integers(CM, 30 * CM)), min_size=1, max_size=20
)
BEFORE = st.lists(st.tuples(st.integers(1, 12 * MINUTE), st.integers(0, 30 * CM)), max_size=6)


@given(before=BEFORE, wet=WET)
def test_a_wet_stretch_in_bulk_equals_one_by_one(
    before: list[tuple[int, int]], wet: list[tuple[int, int]]
) -> None:
    single, now = Machine(), 0
    for step, value in before:
        now += step
        feed(single, LIMITS, now, value, good=True)
    bulk, done = replace(single), []
    times = now + np.cumsum([step for step, _ in wet]).astype(np.int64)
    values = np.array([value for _, value in wet], np.int64)
    for time, value in zip(times.tolist(), values.tolist(), strict=True):
        ended = feed(single, LIMITS, time, value, good=True)
        done += [ended] if ended is not None else []
    ended = feed_wet(bulk, LIMITS, times, values)
    assert ([ended] if ended is not None else []) == done
    assert bulk == single
