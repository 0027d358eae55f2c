"""A station's or a city's day: daily means with their minimum of data, MDA8, validity, good day.

Source: GB 3095-2026 Table 4 (2012 identical) for the minimum, HJ 663 §6 for the evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from fractions import Fraction

from streams.domains.air.aqi import Index, daily_index, daily_value, pollutant_of
from streams.domains.air.level import GOOD_TOP
from streams.domains.air.ozone import LIMIT_8H, Hours, maximum_8h, mean_of
from streams.domains.air.parameters import Numbers
from streams.domains.air.standard import RULES, IndexRule

MIN_DAY_HOURS = 20
"""A daily mean of SO2, NO2, CO, PM10 or PM2.5 needs 20 hourly values: GB 3095-2026 Table 4."""
DAILY_ITEMS = ("pm25", "pm10", "so2", "no2", "o3_8h", "co", "o3_1h")


@dataclass(frozen=True, slots=True)
class Verdict:
    """A day under one index rule. `good` is None when the day is not valid."""

    aqi: int | None
    valid: bool
    good: bool | None


def daily_mean(hours: Hours, minimum: int = MIN_DAY_HOURS) -> Fraction | None:
    """The mean of a natural day's hourly values, unrounded; None below the minimum of data."""
    return mean_of(hours, minimum)


def day_values(
    hours: Mapping[str, Hours], rule: IndexRule, numbers: Numbers, unit: int = 1
) -> dict[str, Fraction]:
    """The valid daily statistics by item from 24 hourly values of each pollutant.

    The hours are given in 1/`unit` µg/m³ (CO mg/m³), the statistics answered in µg/m³. Items: five
    daily means, `o3_8h` (MDA8) and `o3_1h` (the highest hour, with the 20 hours of a daily value).
    An MDA8 with fewer than 14 windows counts only above the limit, as `daily_value` states it.
    """
    found = {name: daily_mean(values) for name, values in hours.items() if name != "o3"}
    if "o3" in hours:
        found |= _ozone(hours["o3"], rule, numbers, unit)
    ordered = {item: found.get(item) for item in DAILY_ITEMS}
    return {item: value / unit for item, value in ordered.items() if value is not None}


def _ozone(
    hours: Hours, rule: IndexRule, numbers: Numbers, unit: int
) -> dict[str, Fraction | None]:
    def exceeds(value: Fraction) -> bool:
        return daily_value("o3_8h", value / unit, rule, numbers) > LIMIT_8H

    best = maximum_8h(hours, exceeds)
    highest = max((v for v in hours if v is not None), default=0)
    return {
        "o3_8h": best.value if best.valid else None,
        "o3_1h": Fraction(highest) if daily_mean(hours) is not None else None,
    }


def judge(values: Mapping[str, Fraction], planned: Set[str], index: Index) -> Verdict:
    """Valid: every pollutant of the plan has its daily statistic, or the AQI of those that have
    exceeds 100 (HJ 633-2026 §5.3.1, applied to both rules). Good: AQI at most 100."""
    have = {pollutant_of(item) for item in values if item != "o3_1h"}
    over = index.computed is not None and index.computed > GOOD_TOP
    complete = bool(planned) and planned <= have and index.aqi is not None
    valid = complete or over
    return Verdict(index.computed if valid else None, valid, None if not valid else not over)


def verdicts(
    values: Mapping[str, Fraction], planned: Set[str], numbers: Numbers
) -> dict[str, Verdict]:
    """The day under both index rules, by rule key (`2012`, `2026`), whatever is in force.

    So that `ratio_2012rule` and `ratio_2026rule` stand side by side: the Plan's target of 93 %
    was set under the 2012 rule and is not comparable with a ratio under the 2026 rule.
    """
    return {
        rule.key: judge(values, planned, daily_index(values, planned, rule, numbers))
        for rule in RULES
    }
