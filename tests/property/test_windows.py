"""Windows of shuffled rows inside the horizon equal a dictionary and Fractions."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.windows.aggregate import aggregate
from tests.support.small_city import PROPERTY_IDS
from tests.support.timeline import COUNTY, Timeline, moment

MINUTE = 60_000
BEGIN = moment("10:00")
# (point, second of twenty minutes, millimetres): some times are drawn twice: revisions
READING = st.tuples(st.integers(0, 2), st.integers(0, 239), st.integers(0, 300))
FRAMES = st.lists(st.lists(READING, min_size=1, max_size=6), min_size=1, max_size=12)


@given(frames=FRAMES)
@settings(max_examples=60, deadline=None)
def test_windows_equal_a_naive_computation(frames: list[list[tuple[int, int, int]]]) -> None:
    """Frames arrive in the order drawn, whatever their times; then everything closes."""
    city = Timeline()
    last: dict[tuple[int, int], Fraction] = {}
    for number, frame in enumerate(frames):
        rows = []
        for point, second, millimetres in frame:
            time_ms = BEGIN + second * 5_000
            last[point, time_ms] = Fraction(millimetres, 1000)
            rows.append((f"{COUNTY}-p{point}", "depth", time_ms, millimetres / 1000))
        city.rows(rows, moment("10:20") + number * 1000)
    city.depth("12:00", p0=0.0)  # what is behind it, closes
    city.tick("12:30")
    want: dict[tuple[int, int, int], list[Fraction]] = defaultdict(list)
    for (point, time_ms), value in last.items():
        sensor = city.held.sensors[f"{COUNTY}-p{point}"].id
        for size in (60, 300, 3600):
            want[size, sensor, time_ms // (size * 1000) * size * 1000].append(value)
    found = {
        (size, sensor, start): (Fraction(total, 10**6), low, high, n + bad)
        for (size, sensor, prop, start), (n, bad, total, low, high) in city.store.windows.items()
        if prop == PROPERTY_IDS["depth"] and start < moment("12:00")
    }
    assert found.keys() == want.keys()
    good = good_rows(city)
    for key, values in want.items():
        total, _, _, count = found[key]
        assert count == len(values)
        assert total == sum(good[key], Fraction(0)), "readings with a bad flag do not count"
        if good[key]:
            _, low, high, _ = found[key]
            assert Fraction(low, 10**6) == min(good[key])
            assert Fraction(high, 10**6) == max(good[key])


def good_rows(city: Timeline) -> dict[tuple[int, int, int], list[Fraction]]:
    """The stored readings with a flag of at most 2, by window."""
    rows: dict[tuple[int, int, int], list[Fraction]] = defaultdict(list)
    for (sensor, prop, time_ms), (value, flag) in city.store.observation.items():
        if prop == PROPERTY_IDS["depth"] and flag <= 2:
            for size in (60, 300, 3600):
                start = time_ms // (size * 1000) * size * 1000
                rows[size, sensor, start].append(Fraction(value, 10**6))
    return rows


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 5), st.integers(-(2**40), 2**40), st.sampled_from([1, 2, 3, 4, 9]))
    )
)
def test_an_aggregate_is_exact(rows: list[tuple[int, int, int]]) -> None:
    rows = sorted(rows)
    found = aggregate(
        np.array([r[0] for r in rows], np.int32),
        np.array([r[1] for r in rows], np.int64),
        np.array([r[2] for r in rows], np.int8),
    )
    assert found.series.tolist() == sorted({r[0] for r in rows})
    for at, series in enumerate(found.series.tolist()):
        good = [value for s, value, flag in rows if s == series and flag <= 2]
        assert found.n[at] == len(good)
        assert found.bad[at] == sum(s == series and flag > 2 for s, _, flag in rows)
        assert found.total[at] == sum(good)
        assert (found.low[at], found.high[at]) == ((min(good), max(good)) if good else (0, 0))
