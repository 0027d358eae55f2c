"""Targets of the Plan: attained or not, progress, reference path, pace (domain.md §8.1, H).

Everything is exact (`Fraction`); rounding is for display, except where row 15 compares the rounded
official figure. Values are in the row's unit; a five-year sum is given as the sum since 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from streams.indicators.definition import (
    PARAMETERS,
    Amount,
    Cumulation,
    Direction,
    Operator,
    PlanRow,
    Printed,
)
from streams.indicators.rounding import Rounding, round_exact, show

Value = Fraction | Decimal
FIRST_YEAR, LAST_YEAR = 2021, 2025
NO_CLASS = ""  # the key of a row's value, when the row has no classes of towns


class Attained(StrEnum):
    YES = "attained"
    NO = "not_attained"
    NO_TARGET = "无目标"
    NOT_NUMERIC = "not_numeric"


class Pace(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Attainment:
    """`conflict`: the rounded and the unrounded value disagree; a display must say so."""

    status: Attained
    conflict: bool = False


def judge(
    row: PlanRow, values: Mapping[str, Value], parameters: Mapping[str, str] | None = None
) -> Attainment:
    """Whether the 2025 target is attained.

    `values` by class of towns (row 14), else one value under `NO_CLASS`; with two classes both
    must attain. The operator meets the unrounded value, for row 15 the rounded official figure
    (half to even, GB/T 8170). Raises `KeyError` when a class has no value.
    """
    if row.target.printed is Printed.TEXT:
        return Attainment(Attained.NOT_NUMERIC)
    if not row.target.amounts or row.operator is Operator.NONE:
        return Attainment(Attained.NO_TARGET)
    numbers = _parameters(parameters)
    band = Fraction(numbers["indicator.about_band"])
    rounded, exact = True, True
    for amount in row.target.amounts:
        value = Fraction(values[amount.of])
        shown = Fraction(round_exact(value, row.digits, Rounding.HALF_EVEN))
        exact = exact and _meets(row, value, amount, band)
        rounded = rounded and _meets(row, shown, amount, band)
    key = "indicator.compare.row15" if row.number == 15 else "indicator.compare.default"
    counts = rounded if numbers[key] == "rounded" else exact
    return Attainment(Attained.YES if counts else Attained.NO, rounded != exact)


def progress(row: PlanRow, values: Mapping[str, Value]) -> Fraction | None:
    """(v − b) ÷ (t − b) × 100, unclamped and unrounded; of two classes the worse.

    b is the 2020 value, else the 2021 value, else none: then v ÷ t × 100. A five-year sum starts
    from 0 in 2021. None where it is undefined: without a number as target (4, 24, 26), to
    maintain (15), and for a sum that must stay low (17): see `pace`.
    """
    if not row.target.amounts or row.direction is Direction.MAINTAIN:
        return None
    if row.cumulation is Cumulation.FIVE_YEARS and row.direction is Direction.LOWER:
        return None
    found = [_progress(row, Fraction(values[a.of]), a) for a in row.target.amounts]
    stated = [f for f in found if f is not None]
    return min(stated) if len(stated) == len(found) else None


def reference_path(row: PlanRow) -> Mapping[int, Decimal] | None:
    """Straight from the 2021 to the 2025 target, half up at the row's digits.

    To be labelled “线性参考值, 非规划目标”. None where one of the two is no single number.
    """
    first, last = row.early.value, row.target.value
    if first is None or last is None:
        return None
    step = Fraction(last - first) / (LAST_YEAR - FIRST_YEAR)
    return {
        year: round_exact(
            Fraction(first) + step * (year - FIRST_YEAR), row.digits, Rounding.HALF_UP
        )
        for year in range(FIRST_YEAR, LAST_YEAR + 1)
    }


def pace(
    row: PlanRow, total: Value, elapsed_months: int, parameters: Mapping[str, str] | None = None
) -> Pace:
    """Row 17: red when the sum exceeds the target, amber when it exceeds the target's share of
    the months that have passed. `ValueError` when the row's target is no single number."""
    limit = row.target.value
    if limit is None:
        raise ValueError(f"row {row.number} has no number to keep pace with")
    months = int(_parameters(parameters)["indicator.row17.months"])
    if Fraction(total) > limit:
        return Pace.RED
    if Fraction(total) * months > Fraction(limit) * elapsed_months:
        return Pace.AMBER
    return Pace.GREEN


def clamp(percent: Fraction) -> Fraction:
    """Progress for display: between 0 and 100."""
    return max(Fraction(0), min(Fraction(100), percent))


def show_progress(percent: Fraction, parameters: Mapping[str, str] | None = None) -> str:
    """Progress as text, half to even, with the digits in force."""
    return show(percent, int(_parameters(parameters)["indicator.digits.progress"]))


def five_year_sum(
    counts: Mapping[int, Value], parameters: Mapping[str, str] | None = None
) -> Fraction:
    """The sum of yearly counts that belong to the five years (row 10: 2020 does not)."""
    first = int(_parameters(parameters)["indicator.row10.first_year"])
    return sum((Fraction(n) for y, n in counts.items() if first <= y <= LAST_YEAR), Fraction(0))


def _progress(row: PlanRow, value: Fraction, target: Amount) -> Fraction | None:
    goal = Fraction(target.value)
    base = _base(row, target.of)
    if base is None:
        return 100 * value / goal
    return None if goal == base else 100 * (value - base) / (goal - base)


def _base(row: PlanRow, of: str) -> Fraction | None:
    if row.cumulation is Cumulation.FIVE_YEARS:
        return Fraction(0)
    for cell in (row.base, row.early):
        for amount in cell.amounts:
            if amount.of == of:
                return Fraction(amount.value)
    return None


def _meets(row: PlanRow, value: Fraction, target: Amount, band: Fraction) -> bool:
    goal = Fraction(target.value)
    match row.operator:
        case Operator.AT_LEAST:
            return value >= goal
        case Operator.ABOVE:
            return value > goal
        case Operator.AT_MOST:
            return value <= goal
        case Operator.ABOUT:
            return abs(value - goal) <= band
        case Operator.NONE:
            return False


def _parameters(values: Mapping[str, str] | None) -> Mapping[str, str]:
    given = values or {}
    return {p.key: given.get(p.key, p.default) for p in PARAMETERS}
