"""SenML units to the canonical unit of a property, exactly or not at all.

Sources: RFC 8428 §12.1 (units of SenML) and RFC 8798 §3 (secondary units). A unit converts when
both measure the same quantity and the factor is a finite decimal: m/s become km/h (3.6), but km/h
never m/s (5/18 has no end). What is not listed here is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow
from fractions import Fraction
from functools import cache

_ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class _Unit:
    """`value in the quantity's base unit = value * factor + offset`."""

    quantity: str
    factor: Fraction
    offset: Fraction = _ZERO


def _of(quantity: str, factor: str = "1", offset: str = "0") -> _Unit:
    return _Unit(quantity, Fraction(factor), Fraction(offset))


SENML: Mapping[str, _Unit] = {
    "m": _of("length"),
    "mm": _of("length", "1/1000"),
    "cm": _of("length", "1/100"),
    "km": _of("length", "1000"),
    "m2": _of("surface"),
    "m3": _of("volume"),
    "l": _of("volume", "1/1000"),
    "kg": _of("mass"),
    "g": _of("mass", "1/1000"),
    "s": _of("time"),
    "ms": _of("time", "1/1000"),
    "min": _of("time", "60"),
    "h": _of("time", "3600"),
    "m/s": _of("speed"),
    "km/h": _of("speed", "5/18"),
    "mm/h": _of("speed", "1/3600000"),
    "m/h": _of("speed", "1/3600"),
    "m3/s": _of("flow"),
    "l/s": _of("flow", "1/1000"),
    "kg/m3": _of("density"),
    "ug/m3": _of("density", "1/1000000000"),
    "Pa": _of("pressure"),
    "hPa": _of("pressure", "100"),
    "K": _of("temperature"),
    "Cel": _of("temperature", "1", "273.15"),
    "/": _of("ratio"),
    "%": _of("ratio", "1/100"),
    "/100": _of("ratio", "1/100"),
    "/1000": _of("ratio", "1/1000"),
    "ppm": _of("ratio", "1/1000000"),
    "%RH": _of("ratio", "1/100"),
    "W/m2": _of("irradiance"),
    "lx": _of("illuminance"),
    "deg": _of("angle"),
    "Hz": _of("frequency"),
    "dB": _of("level"),
    "V": _of("voltage"),
    "mV": _of("voltage", "1/1000"),
    "count": _of("count"),
}
# How our properties write the same units; every SenML unit above is also its own name.
CANONICAL: Mapping[str, _Unit] = {
    **SENML,
    "°C": SENML["Cel"],
    "℃": SENML["Cel"],
    "°": SENML["deg"],
    "µg/m³": SENML["ug/m3"],
    "mg/m³": _of("density", "1/1000000"),
    "m²": SENML["m2"],
    "m³": SENML["m3"],
    "m³/s": SENML["m3/s"],
    "L/s": SENML["l/s"],
    "W/m²": SENML["W/m2"],
    "kPa": _of("pressure", "1000"),
    "%RH": SENML["%RH"],
    "1": SENML["/"],
}
# Enough for every double; a result that is not exact within it is refused.
_CONTEXT = Context(prec=800, Emax=10_000, Emin=-10_000, traps=[Inexact, InvalidOperation, Overflow])


def convert(value: float, unit: str, canonical: str) -> float | None:
    """The value in the canonical unit, or None when there is no exact way from `unit` to it.

    A float means its shortest decimal text; the arithmetic on it is exact, and the result is the
    double nearest to the exact decimal. May be infinite when it is beyond every double.
    """
    if unit == canonical:
        return value
    step = _step(unit, canonical)
    if step is None:
        return None
    factor, offset = step
    try:
        exact = _CONTEXT.add(_CONTEXT.multiply(Decimal(repr(value)), factor), offset)
        return float(exact)
    except DecimalException:
        return None


@cache
def _step(unit: str, canonical: str) -> tuple[Decimal, Decimal] | None:
    """(factor, offset) as finite decimals; None when they are none."""
    one, other = SENML.get(unit), CANONICAL.get(canonical)
    if one is None or other is None or one.quantity != other.quantity:
        return None
    factor = _finite(one.factor / other.factor)
    offset = _finite((one.offset - other.offset) / other.factor)
    return None if factor is None or offset is None else (factor, offset)


def _finite(number: Fraction) -> Decimal | None:
    try:
        return _CONTEXT.divide(Decimal(number.numerator), Decimal(number.denominator))
    except Inexact:
        return None
