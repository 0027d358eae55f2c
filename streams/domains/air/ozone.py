"""Eight-hour means of ozone: the running mean as published, and the day's maximum (MDA8).

Two functions on purpose: the displayed mean has no minimum of data, the statistic has.
Hours are the 24 of one natural day by their START; values in one unit of the caller's choice (µg/m³
unless told otherwise), None = no valid value. Scaled integers are as good as Fractions, and faster.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

Exact = int | Fraction
Hours = Sequence[Exact | None]

SPAN = 8
MIN_HOURS = 6
"""An 8-h mean needs 6 of 8 hourly values: GB 3095-2026 Table 4 (2012 identical)."""
MIN_WINDOWS = 14
"""MDA8 needs 14 valid 8-h means, unless it exceeds the limit: HJ 663-2013, -2026 §6.1.2."""
LIMIT_8H = 160
"""Daily limit (二级) of O3, maximum 8 h, µg/m³: GB 3095-2012 and -2026 Table 1."""


@dataclass(frozen=True, slots=True)
class Mda8:
    """The largest valid 8-h mean, how many were valid, and whether the day's value counts."""

    value: Fraction | None
    windows: int
    valid: bool


def running_8h(hours: Hours, hour: int) -> Fraction | None:
    """The mean shown beside the hour that starts at `hour`, unrounded; None without any value.

    As the national feed publishes it: labels 01 to 07 average the hours since midnight, from
    label 08 on the last eight; it never crosses midnight and has no minimum of data. For display
    round half to even.
    """
    return mean_of(hours[max(0, hour - SPAN + 1) : hour + 1], 1)


def above_limit(value: Fraction) -> bool:
    """The unrounded value is above the daily limit."""
    return value > LIMIT_8H


def maximum_8h(hours: Hours, exceeds: Callable[[Fraction], bool] = above_limit) -> Mda8:
    """日最大8小时平均 over the 17 windows that end at 08:00 … 24:00 (GB 3095-2026 §3.9), unrounded.

    With fewer than 14 valid windows it counts only when `exceeds` says that it is above the limit.
    """
    best: dict[int, Exact] = {}
    windows = 0
    for end in range(SPAN, 25):
        present = [value for value in hours[end - SPAN : end] if value is not None]
        if len(present) >= MIN_HOURS:
            windows += 1
            total = sum(present)
            best[len(present)] = max(best.get(len(present), total), total)
    value = max((Fraction(total) / count for count, total in best.items()), default=None)
    enough = windows >= MIN_WINDOWS or (value is not None and exceeds(value))
    return Mda8(value, windows, value is not None and enough)


def mean_of(values: Hours, minimum: int) -> Fraction | None:
    """The exact mean of the values that are there; None when they are fewer than `minimum`."""
    present = [value for value in values if value is not None]
    return Fraction(sum(present)) / len(present) if len(present) >= minimum else None
