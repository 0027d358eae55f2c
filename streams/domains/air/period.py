"""Statistics of a year from valid daily values: means and percentiles with their minimum of data.

HJ 663-2026 Table 1: SO2, NO2 mean and P98; PM10, PM2.5 mean and P95; CO P95; O3 P90 of MDA8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from math import floor

MIN_YEAR_DAYS = 324
MIN_MONTH_DAYS = 27
MIN_FEBRUARY_DAYS = 25
"""An annual mean needs so many daily values a year and in every month: GB 3095-2026 Table 4."""

ANNUAL_PERCENTILES: Mapping[str, int] = {
    "so2": 98,
    "no2": 98,
    "pm10": 95,
    "pm25": 95,
    "co": 95,
    "o3_8h": 90,
}


def percentile(values: Sequence[Fraction], percent: int) -> Fraction | None:
    """Linear: k = 1 + (n-1)·p/100, s = ⌊k⌋, X_s + (X_{s+1} - X_s)(k - s) over sorted X, from 1
    (HJ 663 App. A). None without a value; ValueError outside 0 … 100."""
    if not 0 <= percent <= 100:
        raise ValueError(f"percentile {percent} is not within 0 … 100")
    if not values:
        return None
    ordered = sorted(values)
    k = 1 + Fraction((len(ordered) - 1) * percent, 100)
    s = floor(k)
    after = ordered[min(s, len(ordered) - 1)]
    return ordered[s - 1] + (after - ordered[s - 1]) * (k - s)


def annual_mean(values: Mapping[date, Fraction]) -> Fraction | None:
    """The mean of a year's daily values, or None when they are too few in the year or a month."""
    months = {month: 0 for month in range(1, 13)}
    for day in values:
        months[day.month] += 1
    enough = all(
        count >= (MIN_FEBRUARY_DAYS if month == 2 else MIN_MONTH_DAYS)
        for month, count in months.items()
    )
    if len(values) < MIN_YEAR_DAYS or not enough:
        return None
    return sum(values.values(), Fraction(0)) / len(values)
