"""What the sensors of an area measured lately, and the amounts of the table from it.

Everything is kept by slots (a minute of rain, ten minutes of the rest) in bounded rings. In what
order the readings came inside the horizon does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from operator import itemgetter

import numpy as np

from streams.contracts.domain import DAY_MS, HOUR_MS, AreaView, Closing, Rows, day_start
from streams.contracts.frame import Int32
from streams.contracts.reason import Flag
from streams.domains.weather import layout
from streams.domains.weather import parameters as key
from streams.domains.weather.bounds import (
    FAR,
    NOTHING,
    Bounds,
    coldest,
    greatest,
    least,
    share,
    total,
    worst,
)
from streams.domains.weather.ring import MISSING, NEVER, Ring, fit
from streams.domains.weather.table import Amount

MINUTE_MS = 60_000
TEN_MIN_MS = 10 * MINUTE_MS
SHAPES: Mapping[str, tuple[str, int, int]] = {
    "rain": ("rain", MINUTE_MS, DAY_MS),
    "snow": ("snowfall", TEN_MIN_MS, DAY_MS),
    "wind": ("wind_speed", TEN_MIN_MS, 2 * DAY_MS),
    "gust": ("gust", TEN_MIN_MS, 2 * DAY_MS),
    "max": ("air_temperature", TEN_MIN_MS, 4 * DAY_MS),
    "min": ("air_temperature", TEN_MIN_MS, 4 * DAY_MS),
}
"""By quantity: its property, the length of a slot, how long it is remembered (ms)."""
RING_OF: Mapping[str, str] = {name: name for name in SHAPES} | {"drop": "min"}
"""From which ring an amount comes."""
FOLD: Mapping[str, Callable[[Iterable[int]], int]] = {
    "rain": sum,
    "snow": sum,
    "wind": max,
    "gust": max,
    "max": max,
    "min": min,
}
"""What a slot keeps of its readings."""
NAMES = tuple(
    tuple(name for name, shape in SHAPES.items() if shape[0] == prop.name)
    for prop in layout.PROPERTIES
)
"""The rings of every property, by its index."""

Rings = dict[str, Ring]


def fit_rings(rings: Rings, view: AreaView) -> Rings:
    """A ring for every quantity, with a row for every series that measures it."""
    found: Rings = {}
    for name, (prop, slot_ms, memory_ms) in SHAPES.items():
        series = np.flatnonzero(view.series_property == layout.INDEX[prop]).tolist()
        found[name] = fit(rings.get(name), slot_ms, memory_ms // slot_ms, series)
    return found


def note(rings: Rings, view: AreaView, closing: Closing) -> list[int]:
    """Takes the readings of a closed or revised minute. Gives the series to be looked at again.

    Suspect readings count as missing. A minute is added to its slot when it closes; a revised one
    has its slot made anew from the horizon's readings.
    """
    changed = []
    for series, values in _good(closing.rows):
        if not values and not closing.revised:
            continue
        changed.append(series)
        for name in NAMES[int(view.series_property[series])]:
            ring, fold = rings[name], FOLD[name]
            row, slot = ring.series.index(series), closing.start_ms // ring.slot_ms
            if closing.revised:
                whole = _closed_part(closing, series, slot, ring.slot_ms)
                ring.put(row, slot, fold(whole) if whole else None)
            else:
                before = ring.get(row, slot)
                ring.put(row, slot, fold(values if before is None else (before, *values)))
    return changed


def _good(rows: Rows) -> Iterator[tuple[int, list[int]]]:
    """Every series of the rows (sorted by series) with its good values."""
    good = (rows.flag <= int(Flag.NOT_EVALUATED)).tolist()
    columns = zip(rows.series.tolist(), rows.value.tolist(), good, strict=True)
    for series, group in groupby(columns, key=itemgetter(0)):
        yield series, [value for _, value, fine in group if fine]


def _closed_part(closing: Closing, series: int, slot: int, slot_ms: int) -> list[int]:
    """The good values of a slot in minutes that are closed."""
    closed_ms = max(closing.end_ms, closing.closed_ms // MINUTE_MS * MINUTE_MS)
    until = min((slot + 1) * slot_ms, closed_ms)
    one = np.array([series], np.int32)
    return next((v for _, v in _good(closing.history.between(one, slot * slot_ms, until))), [])


@dataclass(frozen=True, slots=True)
class Limits:
    """When an amount is asked for, and what it takes to prove something."""

    now_ms: int
    fresh_ms: int
    reference_share: Fraction


def read_limits(view: AreaView, now_ms: int) -> Limits:
    """From the profile."""
    return Limits(
        now_ms,
        int(Decimal(view.parameters[key.FRESH_MIN]) * MINUTE_MS),
        Fraction(view.parameters[key.REFERENCE_SHARE]),
    )


def measure(ring: Ring, row: int, amount: Amount, limits: Limits) -> Bounds | None:
    """What a sensor says about an amount, up to its newest slot; None when it never spoke.

    A sensor that has been silent for long proves nothing, and may have seen what it remembers.
    `max` over days is the temperature that every one of so many days in a row reached: those that
    end today, or those that ended yesterday.
    """
    newest, memory = int(ring.newest[row]), ring.values[row]
    if newest == NEVER:
        return None
    if limits.now_ms - (newest + 1) * ring.slot_ms > limits.fresh_ms:
        return _silent(amount, memory)
    if amount.days:
        return _days(ring, row, amount.span)
    if amount.quantity == "drop":
        return _drop(ring, row, amount.span, limits.reference_share)
    window = ring.window(row, amount.span * HOUR_MS // ring.slot_ms)
    match amount.quantity:
        case "rain" | "snow":
            return total(window, memory)
        case "min":
            return least(window, memory)
        case _:
            return greatest(window, memory)


def reach(ring: Ring, row: int, quantity: str) -> int | None:
    """The most that any span of the memory could show of a quantity (of `min` the least): a quick
    way to see that nothing is near a threshold. None = it never spoke."""
    memory = ring.values[row]
    top = int(memory.max())
    if top == MISSING:
        return None
    match quantity:
        case "rain" | "snow":
            return int(memory[memory != MISSING].sum(dtype=np.int64)) if top else 0
        case "min":
            return int(memory[memory != MISSING].min())
        case "drop":
            return top - int(memory[memory != MISSING].min())
        case _:
            return top


def _silent(amount: Amount, memory: Int32) -> Bounds:
    there = memory[memory != MISSING]
    if not len(there):
        return NOTHING
    low, high = int(there.min()), int(there.max())
    match amount.quantity:
        case "rain" | "snow":
            return Bounds(0, FAR if high else 0)
        case "min":
            return Bounds(low, FAR)
        case "drop":
            return Bounds(-FAR, high - low)
        case _:
            return Bounds(-FAR, high)


def _days(ring: Ring, row: int, days: int) -> Bounds:
    newest, per_day = int(ring.newest[row]), DAY_MS // ring.slot_ms
    today = newest - day_start(newest * ring.slot_ms) // ring.slot_ms + 1
    memory = ring.values[row]
    found = [greatest(ring.window(row, today), memory)]
    for ago in range(days):
        found.append(greatest(ring.window(row, per_day, today + ago * per_day), memory))
    return worst((coldest(found[:days]), coldest(found[1:])))


def _drop(ring: Ring, row: int, span_h: int, reference_share: Fraction) -> Bounds:
    """The lowest of the last 24 h below the lowest of 24 h that ended up to `span_h` hours ago.

    Of what is missing in the earlier 24 h nobody may assume warmth: measured for less than the
    share, they prove no drop.
    """
    per_day, memory = DAY_MS // ring.slot_ms, ring.values[row]
    now = least(ring.window(row, per_day), memory)
    found = []
    for ago in range(1, span_h // 24 + 1):
        before = ring.window(row, per_day, ago * per_day)
        have, want = share(before)
        high = least(before, memory).high
        low = high if have and have >= reference_share * want else -FAR
        found.append(Bounds(low - now.high, high - now.low))
    return worst(found)
