"""Exact values: from a float on the wire to the scaled int64 that everything computes with.

The border is crossed once, here. What a float *means* is its shortest decimal text (what `repr`
prints, IEEE 754-2019 §5.12.2), so 0.285 at scale 2 is the half that it looks like, in every
encoding, although the double lies below it.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

import numpy as np

from streams.contracts.frame import Bool, Float64, Int64

EXACT_LIMIT = 2**53  # beyond it a double no longer tells neighbouring integers apart
MAX_SCALE = 15  # 10**15 < 2**53: the factor is an exact double
_DOUBT = 2.0**-50  # relative: twice what repr's rounding and one multiplication can be off
_CLEAR = 0.25  # so near an integer there is no doubt, up to the size at which it is as much
_CLEAR_LIMIT = _CLEAR / _DOUBT
_DECIMAL = Context(prec=400, rounding=ROUND_HALF_EVEN)


def to_scaled(values: Float64, scale: int) -> tuple[Int64, Bool]:
    """`value * 10**scale`, shape (n,) → scaled integers (n,) and whether each is representable.

    Rounds half to even (GB/T 8170), judged on the shortest decimal text of each float.
    Representable means finite and |result| < 2**53; the result of what is not is 0.
    Raises `ValueError` for a scale outside 0..15.
    """
    if not 0 <= scale <= MAX_SCALE:
        raise ValueError(f"scale {scale} is not in 0..{MAX_SCALE}")
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        product = values * 10.0**scale
        nearest = np.rint(product)
        if (np.abs(product - nearest) < _CLEAR).all() and (np.abs(nearest) < _CLEAR_LIMIT).all():
            return nearest.astype(np.int64), np.ones(len(values), np.bool_)  # as almost always
        size = np.abs(product)
        known = size < 2.0 * EXACT_LIMIT  # false for NaN and infinities as well
        product = np.where(known, product, 0.0)
        off_half = np.abs(product - np.floor(product) - 0.5)
    scaled = np.rint(product).astype(np.int64)
    doubtful = known & (off_half <= np.abs(product) * _DOUBT)
    for row in np.flatnonzero(doubtful):
        scaled[row] = _scaled_text(float(values[row]), scale)
    fits = known & (np.abs(scaled) < EXACT_LIMIT)
    scaled[~fits] = 0
    return scaled, fits


def to_text(value: int, scale: int) -> str:
    """The exact decimal text of `value / 10**scale`, without trailing zeros: (1250, 3) → "1.25"."""
    if scale <= 0:
        return str(value * 10**-scale)
    whole, part = divmod(abs(value), 10**scale)
    sign = "-" if value < 0 else ""
    digits = f"{part:0{scale}d}".rstrip("0")
    return f"{sign}{whole}.{digits}" if digits else f"{sign}{whole}"


def _scaled_text(value: float, scale: int) -> int:
    return int(Decimal(repr(value)).scaleb(scale, _DECIMAL).to_integral_value(ROUND_HALF_EVEN))
