"""The individual air quality index (IAQI) of one pollutant, in exact arithmetic.

IAQI = (I_hi - I_lo) / (B_hi - B_lo) * (C - B_lo) + I_lo, rounded UP to an integer
(HJ 633-2012 §6.2, HJ 633-2026 §4.2.6). C is a Fraction: a float would round 55 up to 56.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import ceil

from streams.domains.air.breakpoints import STEPS
from streams.domains.air.rounding import HALF_EVEN, round_to
from streams.domains.air.standard import IndexRule

TOP = 500
"""HJ 633-2026 §4.1.1 fixes the range as 1 … 500; the 2012 text is silent."""

_DIGITS_CO = 1
_DIGITS_OTHERS = 0


def sub_index(
    column: str, concentration: Fraction, rule: IndexRule, cap_2012: int = TOP
) -> int | None:
    """The IAQI of a non-negative concentration in the column's unit, or None when there is none.

    `column` is a name of the breakpoint tables, e.g. `pm25_24h`. The concentration is taken as
    it is: see `rounded` for the rounding of HJ 633-2026. Beyond SO2 1h 800 and O3 8h 800 µg/m³ the
    2012 rule gives no index, the 2026 rule 200 and 300 (table notes b, c). Beyond the 500 row:
    500 (2026 §4.1.1), `cap_2012` before. Raises ValueError for a negative concentration.
    """
    if concentration < 0:
        raise ValueError(f"negative concentration in {column}")
    return _index(column, concentration, rule, cap_2012)


def rounded(pollutant: str, concentration: Fraction, rule: IndexRule, mode: str) -> Fraction:
    """The concentration as it enters the sub-index: HJ 633-2026 §4.2.2, §4.2.3 round it by
    GB/T 8170 to an integer (CO: one decimal); HJ 633-2012 states no rounding."""
    if not rule.rounds:
        return concentration
    digits = _DIGITS_CO if pollutant == "co" else _DIGITS_OTHERS
    return round_to(concentration, digits, mode or HALF_EVEN)


@lru_cache(maxsize=1 << 15)
def _index(column: str, concentration: Fraction, rule: IndexRule, cap_2012: int) -> int | None:
    points = rule.breakpoints[column]
    if concentration > points[-1] and len(points) < len(STEPS):
        return STEPS[len(points) - 1] if rule.extends else None
    upper = next((i for i, b in enumerate(points) if i and concentration <= b), len(points) - 1)
    low, high = points[upper - 1], points[upper]
    slope = Fraction(STEPS[upper] - STEPS[upper - 1], high - low)
    index = ceil(slope * (concentration - low) + STEPS[upper - 1])
    top = TOP if rule.key == "2026" else cap_2012
    return max(rule.floor, min(index, top))
