"""House numbers of the air domain (domain.md §8.3, §10): data of the profile, echoed in results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from streams.contracts.domain import Parameter
from streams.domains.air.rounding import HALF_EVEN

POLLUTANTS = ("pm25", "pm10", "so2", "no2", "o3", "co")
"""The six, in the order of the domain's properties."""

_HOUSE = "本平台约定"

PARAMETERS = (
    Parameter("air.iaqi.cap_2012", "500", "", "K", "practice; the HJ 633-2012 text is silent"),
    Parameter(
        "air.hourly.pm_rule_2012",
        "national_feed",
        "",
        "C",
        "national_feed: hourly PM into the 24h breakpoints; text: no index (HJ 633-2012)",
    ),
    Parameter("air.rounding.mode", HALF_EVEN, "", "K", "GB/T 8170; other: half_up"),
    Parameter(
        "air.daily.rounding_2012",
        "none",
        "",
        "K",
        "none: HJ 633-2012 states no rounding; digits: those of HJ 663-2013 before the index",
    ),
    Parameter("air.digits.ug_m3", "0", "", "K", "HJ 663-2013"),
    Parameter("air.digits.co", "1", "", "K", "HJ 663-2013"),
    Parameter("air.digits.ratio", "1", "", "K", "HJ 663-2013; the Plan's 93.3"),
    Parameter("air.digits.exceedance", "2", "", "K", "HJ 663-2013"),
    Parameter("air.frozen.min_repeats", "3", "published hours", "H", _HOUSE),
    Parameter("air.alert.life_window_hours", "3", "published hours", "H", _HOUSE),
    Parameter("air.alert.blue_aqi", "101", "", "H", _HOUSE + ": 轻度污染"),
    Parameter("air.alert.yellow_aqi", "151", "", "H", _HOUSE + ": 中度污染"),
    Parameter("air.alert.orange_aqi", "201", "", "H", _HOUSE + ": 重度污染"),
    Parameter("air.alert.red_aqi", "301", "", "H", _HOUSE + ": 严重污染"),
    Parameter("air.alert.consecutive_hours", "2", "hours", "H", _HOUSE),
    Parameter("air.alert.clear_hours", "2", "hours", "H", _HOUSE),
    Parameter("air.city.o3_daily", "mean_mda8", "", "K", "HJ 663-2013 §6: mean of station MDA8"),
    Parameter("air.city.quorum_share", "0.75", "", "K", "HJ 663-2013 §6"),
    Parameter("air.city.quorum_share_small", "0.50", "", "K", "HJ 663-2013 §6"),
    Parameter("air.city.small_below", "4", "stations", "K", "HJ 663-2013 §6"),
    Parameter("air.percentile.method", "linear", "", "K", "HJ 663 App. A: k = 1 + (n-1)p/100"),
    Parameter(
        "air.province.ratio_method", "mean_of_cities", "", "H", _HOUSE + "; other: pooled_days"
    ),
    Parameter("air.province.cities", "11", "cities", "Plan", "the 11 设区市 of Zhejiang"),
)

_DEFAULTS: Mapping[str, str] = {p.key: p.default for p in PARAMETERS}
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "air.hourly.pm_rule_2012": ("national_feed", "text"),
    "air.rounding.mode": (HALF_EVEN, "half_up"),
    "air.daily.rounding_2012": ("digits", "none"),
    "air.city.o3_daily": ("mean_mda8",),
    "air.percentile.method": ("linear",),
    "air.province.ratio_method": ("mean_of_cities", "pooled_days"),
}


@dataclass(frozen=True, slots=True)
class Numbers:
    """The parameters, parsed. Absent keys have their default; a wrong value raises ValueError."""

    cap_2012: int
    pm_hourly_2012: bool
    mode: str
    round_daily_2012: bool
    digits_ug: int
    digits_co: int
    digits_ratio: int
    min_repeats: int
    life_window: int
    tiers: tuple[int, ...]
    clear_hours: int
    quorum: Fraction
    quorum_small: Fraction
    small_below: int
    pooled: bool
    cities: int

    def digits(self, pollutant: str) -> int:
        """Display digits of a concentration."""
        return self.digits_co if pollutant == "co" else self.digits_ug


INDEX_KEYS = ("air.iaqi.cap_2012", "air.rounding.mode")
HOUR_KEYS = (*INDEX_KEYS, "air.hourly.pm_rule_2012")
DAY_KEYS = (
    *INDEX_KEYS,
    "air.daily.rounding_2012",
    "air.city.o3_daily",
    "air.city.quorum_share",
    "air.city.quorum_share_small",
    "air.city.small_below",
)
RATIO_KEYS = ("air.rounding.mode", "air.digits.ratio")
PROVINCE_KEYS = (*RATIO_KEYS, "air.province.ratio_method", "air.province.cities")


def echo(parameters: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    """The values that a figure was made with, to stand beside it."""
    return {key: parameters.get(key, _DEFAULTS[key]) for key in keys}


def read_numbers(parameters: Mapping[str, str]) -> Numbers:
    """Parses the profile's values; raises ValueError with the key of a value that is not one."""

    def text(key: str) -> str:
        value = parameters.get(key, _DEFAULTS[key])
        if key in _CHOICES and value not in _CHOICES[key]:
            raise ValueError(f"{key}: {value!r} is none of {', '.join(_CHOICES[key])}")
        return value

    def whole(key: str) -> int:
        return int(text(key))

    for key in ("air.city.o3_daily", "air.percentile.method"):
        text(key)
    return Numbers(
        cap_2012=whole("air.iaqi.cap_2012"),
        pm_hourly_2012=text("air.hourly.pm_rule_2012") == "national_feed",
        mode=text("air.rounding.mode"),
        round_daily_2012=text("air.daily.rounding_2012") == "digits",
        digits_ug=whole("air.digits.ug_m3"),
        digits_co=whole("air.digits.co"),
        digits_ratio=whole("air.digits.ratio"),
        min_repeats=whole("air.frozen.min_repeats"),
        life_window=whole("air.alert.life_window_hours"),
        tiers=tuple(whole(f"air.alert.{c}_aqi") for c in ("blue", "yellow", "orange", "red")),
        clear_hours=whole("air.alert.clear_hours"),
        quorum=Fraction(text("air.city.quorum_share")),
        quorum_small=Fraction(text("air.city.quorum_share_small")),
        small_below=whole("air.city.small_below"),
        pooled=text("air.province.ratio_method") == "pooled_days",
        cities=whole("air.province.cities"),
    )
