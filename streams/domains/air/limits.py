"""Concentration limits of GB 3095 (二级, and 一级) by version: the predicate 达标.

From 2031 the daily limits of PM2.5, PM10, NO2 and SO2 no longer coincide with IAQI 100, so 达标
(here) and “AQI ≤ 100” (`day.py`) stay two predicates. µg/m³, CO mg/m³; gases at 298.15 K and
1013.25 hPa, particles at ambient conditions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Limit:
    """First and second class limit of one item and mean."""

    first: int
    second: int


Limits = Mapping[tuple[str, str], Limit]
"""By (item, mean); mean is year, day, hour; `o3_8h` is a day's maximum 8-h mean."""

_SHARED: dict[tuple[str, str], Limit] = {
    ("co", "day"): Limit(4, 4),
    ("co", "hour"): Limit(10, 10),
    ("o3_8h", "day"): Limit(100, 160),
    ("o3", "hour"): Limit(160, 200),
    ("so2", "hour"): Limit(150, 500),
    ("no2", "hour"): Limit(200, 200),
}
_TO_2030: dict[tuple[str, str], Limit] = {
    **_SHARED,
    ("so2", "year"): Limit(20, 60),
    ("so2", "day"): Limit(50, 150),
    ("no2", "year"): Limit(40, 40),
    ("no2", "day"): Limit(80, 80),
}
LIMITS: Mapping[str, Limits] = {
    "GB 3095-2012": {
        **_TO_2030,
        ("pm10", "year"): Limit(40, 70),
        ("pm10", "day"): Limit(50, 150),
        ("pm25", "year"): Limit(15, 35),
        ("pm25", "day"): Limit(35, 75),
    },
    "GB 3095-2026 transition": {
        **_TO_2030,
        ("pm10", "year"): Limit(40, 60),
        ("pm10", "day"): Limit(50, 120),
        ("pm25", "year"): Limit(15, 30),
        ("pm25", "day"): Limit(35, 60),
    },
    "GB 3095-2026": {
        **_SHARED,
        ("so2", "year"): Limit(20, 20),
        ("so2", "day"): Limit(50, 50),
        ("so2", "hour"): Limit(150, 150),
        ("no2", "year"): Limit(30, 30),
        ("no2", "day"): Limit(50, 50),
        ("pm10", "year"): Limit(20, 50),
        ("pm10", "day"): Limit(50, 100),
        ("pm25", "year"): Limit(10, 25),
        ("pm25", "day"): Limit(25, 50),
    },
}


def attains(limits: str, item: str, mean: str, value: Fraction) -> bool:
    """达标: the value is at most the second class limit. KeyError for what has no limit."""
    return value <= LIMITS[limits][item, mean].second


def exceedance(limits: str, item: str, mean: str, value: Fraction) -> Fraction:
    """超标倍数: (value - limit) / limit, 0 when it attains; show with 2 digits (HJ 663-2013)."""
    second = LIMITS[limits][item, mean].second
    return max(Fraction(0), (value - second) / second)
