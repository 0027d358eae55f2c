"""GB/T 33171-2016, annex C: how congested a link or a network is. Exact, no floats.

DTP 延误时间比 = (actual − free-flow time) ÷ actual time = 1 − v/v_f. TTI 行程时间比 = v_f/v
= 1/(1 − DTP). The grade is decided by DTP, which the published tables agree on; their TTI column
is rounded. TPI 交通运行指数 runs linearly inside a band: a convention, not the standard's text.
"""

from __future__ import annotations

from enum import IntEnum
from fractions import Fraction

METHOD = "GB/T 33171-2016 DTP"
ZERO, ONE = Fraction(0), Fraction(1)


class Grade(IntEnum):
    """The five grades, best first."""

    FREE = 1
    FAIR = 2
    LIGHT = 3
    MODERATE = 4
    SEVERE = 5


NAMES = ("畅通", "基本畅通", "轻度拥堵", "中度拥堵", "严重拥堵")
TENTHS = (3, 5, 6, 7)
"""DTP, in tenths, at which grade 2, 3, 4, 5 begins (GB/T 33171-2016, annex C)."""
BOUNDS = tuple(Fraction(bound, 10) for bound in TENTHS)
TPI_AT = (0, 2, 4, 6, 8, 10)
_BANDS = tuple(zip((0, *TENTHS), (*TENTHS, 10), TPI_AT, TPI_AT[1:], strict=False))


def clamp_dtp(dtp: Fraction) -> Fraction:
    """Into [0, 1]: faster than free flow is no negative delay."""
    return min(max(dtp, ZERO), ONE)


def dtp_of(speed: Fraction, free_flow: int) -> Fraction:
    """1 − v/v_f, clamped; `free_flow` > 0, same unit."""
    flowing = free_flow * speed.denominator
    if speed.numerator >= flowing:
        return ZERO
    return ONE if speed <= 0 else Fraction(flowing - speed.numerator, flowing)


def tti_of(dtp: Fraction) -> Fraction | None:
    """1/(1 − DTP); None when nothing moves."""
    return None if dtp >= 1 else 1 / (1 - clamp_dtp(dtp))


def grade_of(dtp: Fraction) -> Grade:
    """The grade whose band [from, to) holds the DTP; compared exactly."""
    tenfold, of = 10 * dtp.numerator, dtp.denominator
    return Grade(1 + sum(tenfold >= bound * of for bound in TENTHS))


def tpi_of(dtp: Fraction) -> Fraction:
    """0 … 10, linear between the bounds of the grades; the DTP is clamped first."""
    inside = clamp_dtp(dtp)
    low, high, low_tpi, high_tpi = _BANDS[grade_of(inside) - 1]
    above = 10 * inside.numerator - low * inside.denominator
    return low_tpi + Fraction(above * (high_tpi - low_tpi), inside.denominator * (high - low))
