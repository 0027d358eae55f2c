"""Drift: a sensor that slowly departs from its own level, a day at a time.

Each closed day gives one exact difference per series: its daily mean less the median of its
neighbours' daily means; or, where neighbours mean nothing (depth), its lowest value of a calm day
(one on which it moved no more than the limit). Days with too few hours do not count. A sensor's
own level is the median of its first such days; it departs when both the day and the median of the
last days are off that level by more than the limit, and is back with the first day within. The
rate is the median of the slopes between all pairs of recent days (Theil 1950, Sen 1968). House
convention; it flags nothing, it asks for maintenance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from typing import Any

from streams.contracts.domain import DAY_MS, Property
from streams.contracts.exact import to_text
from streams.quality.parameters import DriftNumbers

RATE_DIGITS = 2  # beyond the property's scale


@dataclass(slots=True)
class Track:
    """Differences (scaled) of the first days, and (day start, difference) of the recent ones."""

    first: list[int] = field(default_factory=list)
    recent: list[tuple[int, int]] = field(default_factory=list)
    open: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """What a day means for a ticket. `opened` None: an open one goes on."""

    opened: bool | None
    evidence: dict[str, Any]


def follow(
    track: Track, prop: Property, limit: int, day: tuple[int, int], numbers: DriftNumbers
) -> Said | None:
    """Takes one day (start, difference) in order; `limit` is scaled. None: nothing to say."""
    if track.recent and day[0] <= track.recent[-1][0]:
        return None
    track.recent = [*track.recent, day][-numbers.rate_days :]
    if len(track.first) < numbers.baseline_days:
        track.first.append(day[1])
        return None
    level = median(track.first)
    within = abs(day[1] - level) <= limit
    if track.open and within:
        track.open = False
        return Said(False, {"departure": to_text(day[1] - level, prop.scale)})
    departure = median([diff for _, diff in track.recent[-numbers.recent_days :]]) - level
    if track.open or (not within and abs(departure) > limit):
        opened = None if track.open else True
        track.open = True
        return Said(opened, _evidence(track, prop, (level, limit), departure))
    return None


def _evidence(
    track: Track, prop: Property, bounds: tuple[int, int], departure: int
) -> dict[str, Any]:
    level, limit = bounds
    return {
        "departure": to_text(departure, prop.scale),
        "limit": to_text(limit, prop.scale),
        "rate_per_day": rate(track.recent, prop.scale),
        "unit": prop.unit,
        "since_ms": _since(track.recent, level, limit),
        "days": len(track.recent),
    }


def rate(days: Sequence[tuple[int, int]], scale: int) -> str:
    """The median slope per day as decimal text, two digits beyond the scale, half to even."""
    slopes = sorted(Fraction((b[1] - a[1]) * DAY_MS, b[0] - a[0]) for a, b in combinations(days, 2))
    if not slopes:
        return "0"
    low, high = slopes[(len(slopes) - 1) // 2], slopes[len(slopes) // 2]
    return to_text(round((low + high) / 2 * 10**RATE_DIGITS), scale + RATE_DIGITS)


def median(values: Sequence[int]) -> int:
    """Of an even number: the mean of the middle two, rounded down."""
    ordered = sorted(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return low + (high - low) // 2


def _since(days: Sequence[tuple[int, int]], level: int, limit: int) -> int:
    """The first of the days at the end that are all more than half the limit off."""
    since = days[-1][0]
    for start, diff in reversed(days):
        if 2 * abs(diff - level) <= limit:
            break
        since = start
    return since
