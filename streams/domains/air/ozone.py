"""Eight-hour means of ozone: the running mean as published, and the day's maximum (MDA8).

Two functions on purpose: the displayed mean has no minimum of data, the statistic has.
Hours are the 24 of one natural day by their START; values in µg/m³, None = no valid value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

Hours = Sequence[Fraction | None]

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
    return _mean(hours[max(0, hour - SPAN + 1) : hour + 1], 1)


def above_limit(value: Fraction) -> bool:
    """The unrounded value is above the daily limit."""
    return value > LIMIT_8H


def maximum_8h(hours: Hours, exceeds: Callable[[Fraction], bool] = above_limit) -> Mda8:
    """日最大8小时平均 over the 17 windows that end at 08:00 … 24:00 (GB 3095-2026 §3.9), unrounded.

    With fewer than 14 valid windows it counts only when `exceeds` says that it is above the limit.
    """
    means = [_mean(hours[end - SPAN : end], MIN_HOURS) for end in range(SPAN, 25)]
    found = [mean for mean in means if mean is not None]
    value = max(found, default=None)
    enough = len(found) >= MIN_WINDOWS or (value is not None and exceeds(value))
    return Mda8(value, len(found), value is not None and enough)


def _mean(values: Hours, minimum: int) -> Fraction | None:
    present = [value for value in values if value is not None]
    return sum(present, Fraction(0)) / len(present) if len(present) >= minimum else None
