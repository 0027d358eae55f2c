"""Exact rounding and decimal text: no binary float ever holds a concentration or a ratio.

Source: GB/T 8170 (四舍六入五成双: to the nearest, an exact half to the even digit), judged on the
exact value.
"""

from __future__ import annotations

from fractions import Fraction

HALF_EVEN = "gbt8170"
HALF_UP = "half_up"


def round_to(value: Fraction, digits: int, mode: str = HALF_EVEN) -> Fraction:
    """The value rounded to so many decimal digits, exact.

    `mode` is `gbt8170` (half to even) or `half_up`; anything else raises ValueError.
    """
    if mode == HALF_EVEN:
        return Fraction(round(value, digits))
    if mode == HALF_UP:
        power = 10**digits
        return Fraction((value * power + Fraction(1, 2)).__floor__(), power)
    raise ValueError(f"unknown rounding mode {mode!r}")


def fixed_text(value: Fraction, digits: int, mode: str = HALF_EVEN) -> str:
    """Decimal text with exactly so many digits: 98.2, 35, -0.5."""
    units = int(round_to(value, digits, mode) * 10**digits)
    sign = "-" if units < 0 else ""
    whole, rest = divmod(abs(units), 10**digits)
    return f"{sign}{whole}.{rest:0{digits}d}" if digits else f"{sign}{whole}"


def plain_text(value: Fraction, digits: int) -> str:
    """Decimal text with at most so many digits, no trailing zeros: 35, 0.8, 72.125."""
    text = fixed_text(value, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text
