"""Units that devices are known to send instead of the canonical one, and what a value becomes.

Exact fractions. `factor` and `shift` turn a value in the canonical unit into the number that the
other unit has for the same thing: other = value · factor + shift.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class OtherUnit:
    """`name` as people write it."""

    name: str
    factor: Fraction
    shift: Fraction = Fraction(0)

    def of(self, value: Fraction) -> Fraction:
        """The number in this unit of a value in the canonical unit."""
        return value * self.factor + self.shift

    def back(self, number: Fraction) -> Fraction:
        """The value in the canonical unit of a number in this unit."""
        return (number - self.shift) / self.factor


INCH_M = Fraction(254, 10_000)  # international inch, 1959, exact; foot, mile and knot likewise
FOOT_M = Fraction(3048, 10_000)
MILE_M = Fraction(1_609_344, 1000)
KNOT_MS = Fraction(1852, 3600)
MPH_MS = MILE_M / 3600
_CELSIUS = (
    OtherUnit("℉", Fraction(9, 5), Fraction(32)),
    OtherUnit("K", Fraction(1), Fraction(27_315, 100)),
)

OTHER_UNITS: dict[str, tuple[OtherUnit, ...]] = {
    "m": (
        OtherUnit("inch", 1 / INCH_M),
        OtherUnit("cm", Fraction(100)),
        OtherUnit("mm", Fraction(1000)),
        OtherUnit("ft", 1 / FOOT_M),
    ),
    "cm": (
        OtherUnit("m", Fraction(1, 100)),
        OtherUnit("mm", Fraction(10)),
        OtherUnit("inch", Fraction(1, 100) / INCH_M),
    ),
    "mm": (
        OtherUnit("cm", Fraction(1, 10)),
        OtherUnit("m", Fraction(1, 1000)),
        OtherUnit("inch", Fraction(1, 1000) / INCH_M),
    ),
    "mg/m³": (OtherUnit("µg/m³", Fraction(1000)),),
    "µg/m³": (OtherUnit("mg/m³", Fraction(1, 1000)),),
    "℃": _CELSIUS,
    "°C": _CELSIUS,
    "m/s": (
        OtherUnit("km/h", Fraction(18, 5)),
        OtherUnit("kn", 1 / KNOT_MS),
        OtherUnit("mph", 1 / MPH_MS),
    ),
    "km/h": (
        OtherUnit("m/s", Fraction(5, 18)),
        OtherUnit("mph", Fraction(1000) / MILE_M),
        OtherUnit("kn", Fraction(1000, 1852)),
    ),
    "hPa": (OtherUnit("Pa", Fraction(100)), OtherUnit("kPa", Fraction(1, 10))),
    "%": (OtherUnit("1", Fraction(1, 100)),),
}
"""By canonical unit, the likeliest first."""


def may_be_near(number: int, usual: int, canonical: str) -> bool:
    """A cheap bound: false only when `is_near` is false for every other unit."""
    least = _LEAST[canonical]
    return least < 2 or number >= least * usual or number * least <= usual


def _least_ratio(units: tuple[OtherUnit, ...]) -> int:
    """A whole ratio that the mildest of the factors exceeds by far enough; 1 = no such bound."""
    if any(unit.shift for unit in units):
        return 1
    mildest = min(max(unit.factor, 1 / unit.factor) for unit in units)
    least = 1
    while (least + 1) ** 3 <= mildest**2:
        least += 1
    return least


def is_near(number: Fraction, usual: Fraction, unit: OtherUnit) -> bool:
    """Whether the number is what a usual value would be in the other unit.

    A pure factor f: the ratio number/usual lies within f^(2/3) … f^(4/3), a third of the way to
    the canonical unit on a logarithmic scale. With a shift: within a third of the step from the
    usual value to what it would be. Bounds included. A ratio needs positive values.
    """
    if unit.shift:
        expected = unit.of(usual)
        return 3 * abs(number - expected) <= abs(expected - usual)
    if number <= 0 or usual <= 0:
        return False
    low, high = sorted((unit.factor**2, unit.factor**4))
    return low <= (number / usual) ** 3 <= high


def is_usual(number: Fraction, usual: Fraction, unit: OtherUnit) -> bool:
    """Whether the number is a usual value in the canonical unit: less than a third of the way."""
    if unit.shift:
        return 3 * abs(number - usual) < abs(unit.of(usual) - usual)
    if number <= 0 or usual <= 0:
        return False
    low, high = sorted((unit.factor, 1 / unit.factor))
    return low < (number / usual) ** 3 < high


def distance(number: Fraction, usual: Fraction, unit: OtherUnit) -> Fraction:
    """How far the number is from what it would be in the unit; comparable between units."""
    expected = unit.of(usual)
    if unit.shift:
        return abs(number - expected) / max(abs(expected), Fraction(1))
    ratio = number / expected
    return max(ratio, 1 / ratio) - 1


def stands_alone(
    unit: OtherUnit, usual: Fraction, width: Fraction, factor: Fraction, percent: int
) -> bool:
    """Whether weather cannot explain the step: a factor of at least so much, or (with a shift) a
    step of at least so many percent of the width of the property's limits."""
    if unit.shift:
        return 100 * abs(unit.of(usual) - usual) >= percent * width
    return max(unit.factor, 1 / unit.factor) >= factor


_LEAST = {canonical: _least_ratio(units) for canonical, units in OTHER_UNITS.items()}
