"""Exact rounding for display and for the comparisons that the Plan makes with rounded figures.

Half to even is GB/T 8170 (domain.md §1.3, §1.8); half up is the house rule of the reference path
(§8.1, H). Nothing here passes through a float.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal
from enum import StrEnum
from fractions import Fraction


class Rounding(StrEnum):
    """How an exact half goes."""

    HALF_EVEN = ROUND_HALF_EVEN
    HALF_UP = ROUND_HALF_UP


def round_exact(value: Fraction | Decimal, digits: int, mode: Rounding) -> Decimal:
    """The value with so many digits after the point; an exact half goes as the mode says.

    Half up moves away from zero, as in `ROUND_HALF_UP`.
    """
    scaled = Fraction(value) * 10**digits
    whole, rest = divmod(abs(scaled), 1)
    up = rest > Fraction(1, 2) or (
        rest == Fraction(1, 2) and (mode is Rounding.HALF_UP or whole % 2 == 1)
    )
    units = int(whole) + int(up)
    signed = -units if scaled < 0 else units
    return Decimal(signed).scaleb(-digits, Context(prec=len(str(units)) + 1))


def show(value: Fraction | Decimal, digits: int, mode: Rounding = Rounding.HALF_EVEN) -> str:
    """The rounded value as text with exactly so many digits."""
    return f"{round_exact(value, digits, mode):.{digits}f}"
