"""What an indicator of the Plan is: its row of 表1, as printed and as understood."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from streams.contracts.domain import Parameter


class Kind(StrEnum):
    """属性."""

    BINDING = "约束性"
    EXPECTED = "预期性"


class Direction(StrEnum):
    HIGHER = "↑"
    LOWER = "↓"
    MAINTAIN = "≈/↑"


class Operator(StrEnum):
    """How a value is compared with the target; `NONE`: there is nothing to compare with."""

    AT_LEAST = "≥"
    ABOVE = ">"
    AT_MOST = "≤"
    ABOUT = "≈"
    NONE = "none"


class Cumulation(StrEnum):
    """Cum: five-year sum, running total since the start, point value, not stated."""

    FIVE_YEARS = "5"
    RUNNING = "L"
    POINT = "–"
    UNSTATED = "?"


class Printed(StrEnum):
    """What a cell of 表1 says when it is no number. Each is different from 0 and from another."""

    NUMBER = "number"
    CLASSES = "classes"  # two classes of towns, a number each
    NOT_SET = "--"
    TO_COME = "待补充"
    CUT_OFF = "—"
    TEXT = "text"  # a target in words


@dataclass(frozen=True, slots=True)
class Amount:
    """One number of a cell: the operator that is printed with it, if any; `of` names its class."""

    value: Decimal
    operator: Operator | None = None
    of: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of 表1: its text, and what it says. `five_year_sum` for `[…]*` and 累计."""

    text: str
    printed: Printed
    amounts: tuple[Amount, ...] = ()
    five_year_sum: bool = False

    @property
    def value(self) -> Decimal | None:
        """The number, when it is exactly one."""
        return self.amounts[0].value if len(self.amounts) == 1 else None


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One of the 26 rows. `operator_stated` is false where the Plan leaves it open (then ≥ for ↑
    and ≤ for ↓, H). `feed`: W waterlogging, A air, Sh shelter, R reported."""

    number: int
    name: str
    unit: str
    base: Cell  # 2020年预计值
    early: Cell  # 2021年目标值
    target: Cell  # 2025年目标值
    kind: Kind | None
    department: str | None
    direction: Direction
    operator: Operator
    operator_stated: bool
    cumulation: Cumulation
    feed: str
    digits: int
    block: str
    note: str = ""

    @property
    def indicator(self) -> str:
        """The name under which its facts are stored."""
        return f"plan.{self.number}"


PARAMETERS = (
    Parameter("indicator.about_band", "0.5", "of the unit", "H", "domain.md §8.1"),
    Parameter("indicator.compare.default", "unrounded", "", "H", "domain.md §8.1"),
    Parameter("indicator.compare.row15", "rounded", "", "H", "domain.md §8.1"),
    Parameter("indicator.digits.progress", "1", "digits", "H", "domain.md §8.1"),
    Parameter("indicator.row10.first_year", "2021", "year", "H", "domain.md §8"),
    Parameter("indicator.row17.months", "60", "months", "H", "domain.md §8.1"),
)
