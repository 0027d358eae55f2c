"""Laws of the weather domain: sums equal brute force, colours are monotone, gaps lower nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streams.domains.weather.bounds import Bounds, greatest, least, total
from streams.domains.weather.memory import measure, read_limits
from streams.domains.weather.parameters import CLEAR, PARAMETERS
from streams.domains.weather.ring import MISSING
from streams.domains.weather.signals import level_of
from streams.domains.weather.table import Amount, read_table
from tests.support.weather_area import MINUTE_MS, START_MS, Reading, WeatherArea, view_of

TABLE = read_table({p.key: p.default for p in PARAMETERS})
LAW = settings(max_examples=60, deadline=None)
FEW = settings(
    max_examples=12, deadline=None, phases=[Phase.explicit, Phase.generate]
)  # a seed says nothing when it is smaller: no shrinking
SERIES = (("g0", "rain"), ("g1", "rain"), ("s0", "gust"), ("s0", "air_temperature"))
MINUTES = 45
OF: Mapping[str, tuple[str, Callable[[list[int]], int]]] = {
    "rain": ("rain", sum),
    "gust": ("gust", max),
    "air_temperature": ("min", min),
}


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[list[Reading]], list[int]]:
    """Frames in any order inside the horizon, rows dropped and corrected; when time goes on."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows: list[tuple[float, Reading]] = []
    for (point, prop), minute in product(SERIES, range(MINUTES)):
        if rng.random() < 0.15:
            continue
        lag = rng.choice([1, 2, 3, 12, 25])
        for _ in range(1 + (rng.random() < 0.1)):  # a correction comes later
            value = round(float(rng.choice([0, 0.2, 3, 21.7])), 1)
            rows.append((minute + lag, (point, prop, minute, value)))
            lag += rng.integers(1, 4)
    frames: dict[int, list[Reading]] = {}
    for when, reading in sorted(rows, key=lambda r: r[0]):
        held = frames.setdefault(int(when), [])
        if not any(r[:3] == reading[:3] for r in held):
            held.append(reading)
    return list(frames.values()), list(frames)


@given(arrivals())
@FEW
def test_amounts_equal_brute_force_in_whatever_order_readings_came(
    sent: tuple[list[list[Reading]], list[int]],
) -> None:
    area = WeatherArea(view_of(gauges=2))
    final: dict[tuple[str, str, int], float] = {}
    for frame, when in zip(*sent, strict=True):
        area.take(frame)
        final |= {r[:3]: r[3] for r in frame}
        area.close_until(when - 1)
    area.close_until(MINUTES)
    limits = read_limits(area.view, START_MS + MINUTES * MINUTE_MS)
    for point, prop in SERIES:
        name, fold = OF[prop]
        ring = area.state.rings[name]
        row = ring.series.index(area.series(point, prop))
        known = {m: v for (p, q, m), v in final.items() if (p, q) == (point, prop)}
        if not known:
            continue
        slot = ring.slot_ms // MINUTE_MS
        first = (max(known) // slot - 60 // slot + 1) * slot
        inside = [v for m, v in known.items() if m >= first]
        found = measure(ring, row, Amount(name, 1), limits)
        assert found is not None
        scale = 1000 if prop == "rain" else 100
        shown = found.high if name == "min" else found.low
        assert shown == fold([round(v * scale) for v in inside])


@given(st.data())
@LAW
def test_the_colour_is_monotone_in_the_amounts(data: st.DataObject) -> None:
    signal = data.draw(st.sampled_from(sorted(TABLE.signals)))
    cells, amounts = TABLE.signals[signal].cells, TABLE.signals[signal].amounts
    wide = st.integers(-5_000, 120_000)
    one = {a: data.draw(wide) for a in amounts}
    step = {a: data.draw(st.integers(0, 60_000)) for a in amounts}
    worse = {a: v - step[a] if a.quantity == "min" else v + step[a] for a, v in one.items()}
    levels = [level_of(cells, {a: Bounds(v, v) for a, v in x.items()}, 0) for x in (one, worse)]
    assert levels[0] <= levels[1]


WINDOWS = st.lists(st.one_of(st.just(MISSING), st.integers(0, 3000)), min_size=4, max_size=30)


@given(WINDOWS, st.data())
@LAW
def test_bounds_hold_whatever_was_missing(values: list[int], data: st.DataObject) -> None:
    """Whatever up to the worst measured value is put into the gaps, the truth lies within."""
    memory = np.array(values, np.int32)
    known = memory[memory != MISSING]
    window = memory[data.draw(st.integers(0, 3)) :]
    found = (total(window, memory), greatest(window, memory), least(window, memory))
    if not len(known):
        return
    fill = st.integers(int(known.min()), int(known.max()))
    truth = np.array([data.draw(fill) if v == MISSING else v for v in window.tolist()], np.int64)
    exact = (truth.sum(), truth.max(), truth.min())
    for bounds, value in zip(found, exact, strict=True):
        assert bounds.low <= value <= bounds.high
    if MISSING not in window.tolist():
        assert all(b.low == b.high for b in found)


@given(st.integers(0, 2**32 - 1))
@FEW
def test_what_is_lost_never_lowers_a_colour_below_the_truth(seed: int) -> None:
    """After a colour was told: with readings lost it is at least what it is with all of them."""
    rng = np.random.default_rng(seed)
    storm = [("g0", "rain", m, 3.0) for m in range(25)]
    after = [("g0", "rain", m, float(rng.choice([0, 0, 0, 0.4, 2.9]))) for m in range(25, 300)]
    lost = [r for r in after if rng.random() < 0.5 or r[2] % 50 == 0]
    areas = WeatherArea(view_of(changed={CLEAR: "1"})), WeatherArea(view_of(changed={CLEAR: "1"}))
    for area in areas:
        area.play(storm)
    areas[0].take(after)
    areas[1].take(lost)
    for minute in range(26, 301):
        levels = []
        for area in areas:
            area.close_until(minute)
            levels.append(area.state.told["rainstorm"].get("g0", 0))
        if any(r[2] == minute - 1 for r in lost):
            assert levels[1] >= min(levels[0], 3)
