"""Other scales of congestion and reliability: pure functions, never mixed with GB/T 33171.

FHWA (23 CFR 490), HCM 6 urban streets, the Beijing-style index, commercial delay indices and
absolute speeds of local use (domain.md §3; tag K but Beijing and local speeds, V). No result, fact
or alert uses them: whoever shows one shows its method's name beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP
from fractions import Fraction

from streams.domains.traffic.grade import NAMES
from streams.indicators.rounding import Rounding, round_exact

LOTTR_MAX = Fraction("1.50")
PHED_SHARE = Fraction("0.60")
PHED_LEAST_MPH = Fraction(20)
HCM_LEVELS = ((80, "A"), (67, "B"), (50, "C"), (40, "D"), (30, "E"))
"""HCM 6, urban street: percent of base free-flow speed above which a level holds."""
BEIJING_EXTRA = (Fraction("0.2"), Fraction("0.5"), Fraction("0.8"), Fraction("1.1"))
"""Extra time, actual ÷ free-flow − 1, at which 基本畅通, 轻度, 中度 begin, and above which 严重."""
COMMERCIAL_BOUNDS = (Fraction("1.5"), Fraction("1.8"), Fraction("2.0"))
LOCAL_KMH: Mapping[str, tuple[int, ...]] = {
    "expressway": (65, 50, 35, 20),
    "trunk": (40, 30, 20, 15),
    "secondary": (35, 25, 15, 10),
    "branch": (35, 25, 15, 10),
}
"""km/h: 畅通 above the first, 严重拥堵 at or below the last."""


def percentile(values: Sequence[Fraction | int], percent: int) -> Fraction:
    """Linear percentile, k = 1 + (n−1)·p/100; ValueError without values."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(Fraction(value) for value in values)
    whole, rest = divmod(Fraction((len(ordered) - 1) * percent, 100), 1)
    low = ordered[whole]
    high = ordered[min(whole + 1, len(ordered) - 1)]
    return low + (high - low) * rest


def lottr(times_s: Sequence[Fraction | int]) -> Fraction:
    """FHWA level of travel time reliability: P80 ÷ P50, to 2 decimals."""
    return _two(percentile(times_s, 80) / percentile(times_s, 50))


def is_reliable(periods: Iterable[Sequence[Fraction | int]], most: Fraction = LOTTR_MAX) -> bool:
    """LOTTR below the limit in all periods; exactly at it is not."""
    return all(lottr(times) < most for times in periods)


def tttr(periods: Iterable[Sequence[Fraction | int]]) -> Fraction:
    """FHWA truck travel time reliability: P95 ÷ P50, the largest of the periods."""
    return max(_two(percentile(times, 95) / percentile(times, 50)) for times in periods)


def planning_time_index(times_s: Sequence[Fraction | int], free_s: Fraction | int) -> Fraction:
    """PTI: P95 ÷ free-flow travel time."""
    return percentile(times_s, 95) / free_s


def phed_threshold_mph(
    posted_mph: Fraction | int,
    share: Fraction = PHED_SHARE,
    least: Fraction = PHED_LEAST_MPH,
) -> Fraction:
    """Speed below which delay is excessive: max(60 % of the posted limit, 20 mph)."""
    return max(share * posted_mph, least)


def hcm_urban_level(
    speed: Fraction | int, base_free_flow: Fraction | int, demand_ratio: Fraction | int = 0
) -> str:
    """HCM 6 level of service A … F of an urban street; F also when v/c is above 1."""
    if demand_ratio > 1:
        return "F"
    share = Fraction(speed) * 100 / base_free_flow
    return next((level for above, level in HCM_LEVELS if share > above), "F")


def beijing_grade(speed: Fraction | int, free_flow: Fraction | int) -> str:
    """The five names by extra time: its 基本畅通 begins at +20 %, that of GB/T 33171 at +43 %."""
    if speed <= 0:
        return NAMES[-1]
    extra = Fraction(free_flow) / speed - 1
    *begin, severe = BEIJING_EXTRA
    return NAMES[sum(extra >= bound for bound in begin) + (extra > severe)]


def commercial_step(
    delay_index: Fraction | int, bounds: Sequence[Fraction] = COMMERCIAL_BOUNDS
) -> int:
    """拥堵延时指数 (actual ÷ free-flow time): how many of the bounds it reaches, 0 … 3."""
    return sum(delay_index >= bound for bound in bounds)


def local_grade(speed_kmh: Fraction | int, road_class: str) -> str:
    """The five names by absolute speed; ValueError for a road class that has no table."""
    if road_class not in LOCAL_KMH:
        raise ValueError(f"road class {road_class!r} is none of {', '.join(LOCAL_KMH)}")
    return NAMES[sum(speed_kmh <= bound for bound in LOCAL_KMH[road_class])]


def _two(value: Fraction) -> Fraction:
    return Fraction(round_exact(value, 2, Rounding(ROUND_HALF_UP)))
