"""Neighbour consistency: a sensor that stands alone against neighbours that agree.

In event order, once per closed window. A mean deviates when it is off the median of its neighbours
by more than the property allows and by more than so many times their own spread (MAD: the median
of their distances from their median), and the neighbours agree (MAD within what is allowed).
Deviating in n windows in a row makes a sensor suspect, n windows in a row within end it. Means are
integers at the property's scale, rounded half to even; the median of an even number of values is
the mean of the middle two, rounded down. A sensor that is suspect is nobody's neighbour.
House convention; robust spread as in QARTOD's spirit of "nearest neighbour" tests.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.contracts.domain import AreaView
from streams.contracts.frame import Bool, Int64
from streams.quality.parameters import NeighbourNumbers

FAR = 1 << 62
_MM_PER_MICRODEGREE = 111_320 / 1000  # of latitude


@dataclass(slots=True)
class NeighbourState:
    """Per series: windows in a row off and within, since when off; `since_ms` FAR = not suspect."""

    off: Int64
    within: Int64
    first_ms: Int64
    since_ms: Int64
    last_ms: dict[int, int]  # by property: start of the last window judged


@dataclass(frozen=True, slots=True)
class Found:
    """A series that became suspect (`opened`) or is trusted again."""

    series: int
    opened: bool
    since_ms: int
    mean: int
    median: int
    spread: int
    asked: int


def nearest(view: AreaView, series: Int64, numbers: NeighbourNumbers) -> NDArray[np.int32]:
    """For each of the series its neighbours among them, as places in `series`; -1 = none.

    With coordinates: the nearest points within the distance. Without: all others, and a point
    without coordinates is nobody's nearest.
    """
    places = [view.points[int(view.series_point[s])] for s in series]
    located = np.array([p.lon is not None and p.lat is not None for p in places], np.bool_)
    at = np.flatnonzero(located)
    distance = _distances_m([(places[i].lon or 0.0, places[i].lat or 0.0) for i in at])
    rows: list[list[int]] = []
    for i in range(len(series)):
        if not located[i]:
            rows.append([j for j in range(len(series)) if j != i])
            continue
        own = distance[np.searchsorted(at, i)]
        order = np.lexsort((at, own))
        close = [int(at[j]) for j in order if at[j] != i and own[j] <= numbers.within_km * 1000]
        rows.append(close[: numbers.nearest])
    width = max((len(r) for r in rows), default=0)
    table = np.full((len(series), width), -1, np.int32)
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return table


def judge(
    state: NeighbourState,
    series: Int64,
    neighbours: NDArray[np.int32],
    start_ms: int,
    means: tuple[Int64, Bool],
    limits: tuple[Int64, NeighbourNumbers],
) -> list[Found]:
    """One window of the series of one property; `means`: (mean, known).

    `limits`: what each series is allowed, and the numbers. Updates the state.
    """
    allowed, numbers = limits
    mean, known = means
    trusted = known & (state.since_ms[series] == FAR)
    median, spread, asked = ask(mean, trusted, neighbours)
    judged = known & (asked >= numbers.sensors) & (spread <= allowed)
    distance = np.abs(mean - median)
    off = judged & (distance > allowed) & (distance > numbers.spreads * spread)
    _count(state, series, judged, off, start_ms)
    found = []
    for i in _changed(state, series, numbers.windows):
        one = int(series[i])
        opened = bool(state.since_ms[one] == FAR)
        since = int(state.first_ms[one]) if opened else int(state.since_ms[one])
        state.since_ms[one] = since if opened else FAR
        state.off[one] = state.within[one] = 0
        found.append(
            Found(one, opened, since, int(mean[i]), int(median[i]), int(spread[i]), int(asked[i]))
        )
    return found


def ask(mean: Int64, trusted: Bool, neighbours: NDArray[np.int32]) -> tuple[Int64, Int64, Int64]:
    """(median, MAD, number) of the trusted neighbours of each; 0 where nobody can be asked."""
    use = (neighbours >= 0) & trusted[neighbours]
    asked: Int64 = use.sum(axis=1).astype(np.int64)
    values = np.where(use, mean[neighbours], FAR)
    median = _median(values, asked)
    apart = np.where(use, np.abs(mean[neighbours] - median[:, None]), FAR)
    return median, _median(apart, asked), asked


def break_runs(state: NeighbourState, series: Int64) -> None:
    """A window is missing: what was in a row is so no longer."""
    state.off[series] = 0
    state.within[series] = 0


def _median(values: NDArray[np.int64], count: Int64) -> Int64:
    """Of the `count` smallest values of each row (the others are FAR)."""
    if not values.shape[1]:
        return np.zeros(len(values), np.int64)
    ordered = np.sort(values, axis=1)
    rows = np.arange(len(values))
    low = ordered[rows, np.maximum(count - 1, 0) // 2]
    high = ordered[rows, np.minimum(count // 2, values.shape[1] - 1)]
    return np.where(count > 0, low + (high - low) // 2, 0)


def _count(state: NeighbourState, series: Int64, judged: Bool, off: Bool, start_ms: int) -> None:
    begins = off & (state.off[series] == 0)
    state.first_ms[series[begins]] = start_ms
    state.off[series] = np.where(off, state.off[series] + 1, 0)
    state.within[series] = np.where(judged & ~off, state.within[series] + 1, 0)


def _changed(state: NeighbourState, series: Int64, windows: int) -> list[int]:
    held = state.since_ms[series] < FAR
    turn = np.where(held, state.within[series] >= windows, state.off[series] >= windows)
    changed: list[int] = np.flatnonzero(turn).tolist()
    return changed


def _distances_m(places: list[tuple[float, float]]) -> NDArray[np.int64]:
    """Between all places, in whole metres, on a plane that touches the area; integers, so that
    every machine finds the same nearest ones."""
    lon = np.array([round(p[0] * 1e6) for p in places], np.int64)
    lat = np.array([round(p[1] * 1e6) for p in places], np.int64)
    if not len(lon):
        return np.empty((0, 0), np.int64)
    narrow = round(float(np.cos(np.radians(lat.mean() / 1e6))) * 1000)  # ‰ of a degree of latitude
    east = (lon[:, None] - lon[None, :]) * narrow // 1000
    north = lat[:, None] - lat[None, :]
    metres: NDArray[np.int64] = np.floor(
        np.sqrt((east * east + north * north).astype(np.float64)) * _MM_PER_MICRODEGREE / 1000
    ).astype(np.int64)
    return metres
