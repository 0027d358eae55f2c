"""The air quality index: hourly as the national feed publishes it, and daily, with level and
primary pollutants, by the rule in force.

Source: HJ 633-2012 and HJ 633-2026; the hourly practice is recomputed from the national feed.
Concentrations are Fractions in µg/m³ (CO mg/m³) by item; an absent item is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from fractions import Fraction

from streams.domains.air.iaqi import rounded, sub_index
from streams.domains.air.level import GOOD_TOP, level_of
from streams.domains.air.parameters import Numbers
from streams.domains.air.rounding import round_to
from streams.domains.air.standard import IndexRule

HOURLY_COLUMNS: Mapping[str, str] = {
    "pm25": "pm25_24h",  # HJ 633-2026 §4.2.4; the national feed did so before
    "pm10": "pm10_24h",
    "so2": "so2_1h",
    "no2": "no2_1h",
    "o3": "o3_1h",
    "co": "co_1h",
}
DAILY_COLUMNS: Mapping[str, str] = {
    "pm25": "pm25_24h",
    "pm10": "pm10_24h",
    "so2": "so2_24h",
    "no2": "no2_24h",
    "o3_8h": "o3_8h",
    "co": "co_24h",
    "o3_1h": "o3_1h",  # HJ 633-2012 only
}
PRIMARY_ABOVE = 50


@dataclass(frozen=True, slots=True)
class Index:
    """An AQI and how it came about.

    `aqi`, `level`, `primary` are what is published (None, None, empty when the rule withholds
    them); `computed` is the maximum over what is there. `iaqi` has every item that was given.
    """

    aqi: int | None
    level: int | None
    primary: tuple[str, ...]
    computed: int | None
    iaqi: Mapping[str, int | None]
    missing: tuple[str, ...]
    standard: str

    @property
    def good(self) -> bool:
        """Published, and 优 or 良 (AQI at most 100)."""
        return self.aqi is not None and self.aqi <= GOOD_TOP


def hourly_index(
    values: Mapping[str, Fraction], planned: Set[str], rule: IndexRule, numbers: Numbers
) -> Index:
    """The AQI of one hour from the six hourly means of the same row; O3 by the 1h column.

    `planned` are the pollutants that the station monitors: one of them missing withholds the
    publication under HJ 633-2026 §5.3.1, one outside the plan never does (§5.3.2).
    """
    iaqi: dict[str, int | None] = {}
    for item, column in HOURLY_COLUMNS.items():
        if item not in values:
            continue
        if item.startswith("pm") and rule.key == "2012" and not numbers.pm_hourly_2012:
            iaqi[item] = None
            continue
        value = rounded(item, values[item], rule, numbers.mode)
        iaqi[item] = sub_index(column, value, rule, numbers.cap_2012)
    return _conclude(iaqi, planned, rule)


def daily_index(
    values: Mapping[str, Fraction], planned: Set[str], rule: IndexRule, numbers: Numbers
) -> Index:
    """The AQI of one day from daily means, `o3_8h` (MDA8) and, in 2012, `o3_1h` (highest hour).

    Never from hourly AQIs. `planned` holds pollutants (`o3`, not `o3_8h`). An O3 8h above
    800 µg/m³ under the 2012 rule needs `o3_1h`; without it no AQI is stated.
    """
    iaqi: dict[str, int | None] = {}
    for item, column in DAILY_COLUMNS.items():
        if item not in values or (item == "o3_1h" and not rule.daily_o3_1h):
            continue
        value = daily_value(item, values[item], rule, numbers)
        iaqi[item] = sub_index(column, value, rule, numbers.cap_2012)
    needs_hour = "o3_8h" in iaqi and iaqi["o3_8h"] is None and iaqi.get("o3_1h") is None
    return _conclude(iaqi, planned, rule, unstated=needs_hour)


def daily_value(item: str, value: Fraction, rule: IndexRule, numbers: Numbers) -> Fraction:
    """A daily statistic as it enters the index.

    HJ 633-2026 §4.2.2 rounds; before, the digits of HJ 663-2013 unless the profile says `none`.
    """
    if rule.rounds or not numbers.round_daily_2012:
        return rounded(item, value, rule, numbers.mode)
    return round_to(value, numbers.digits(item), numbers.mode)


def pollutant_of(item: str) -> str:
    """The pollutant of an item: o3 for o3_8h and o3_1h."""
    return item.partition("_")[0]


def _conclude(
    iaqi: Mapping[str, int | None], planned: Set[str], rule: IndexRule, unstated: bool = False
) -> Index:
    present = {item: index for item, index in iaqi.items() if index is not None}
    # MDA8 speaks for ozone of a day; the highest hour alone leaves ozone missing
    there = {pollutant_of(item) for item in iaqi if item != "o3_1h"}
    missing = tuple(sorted(set(planned) - there))
    computed = max(present.values(), default=None)
    aqi = computed
    if unstated or (rule.gated and missing and computed is not None and computed <= GOOD_TOP):
        aqi = None
    primary: tuple[str, ...] = ()
    if aqi is not None and aqi > PRIMARY_ABOVE:
        primary = tuple(dict.fromkeys(pollutant_of(i) for i, v in present.items() if v == aqi))
    level = None if aqi is None else level_of(aqi).number
    return Index(aqi, level, primary, computed, iaqi, missing, rule.version)
