"""The Plan's 26 rows: what their cells say, traps included."""

from __future__ import annotations

from decimal import Decimal

import pytest

from streams.indicators.definition import Amount, Cumulation, Direction, Kind, Operator, Printed
from streams.indicators.parse import parse_cell
from streams.indicators.plan import PLAN


def test_there_are_26_rows_with_the_stated_kinds() -> None:
    assert list(PLAN) == list(range(1, 27))
    assert [n for n, r in PLAN.items() if r.kind is Kind.BINDING] == [8, 15, 18, 20, 21, 22, 24]
    assert sum(r.kind is Kind.EXPECTED for r in PLAN.values()) == 18
    assert PLAN[26].kind is None
    assert PLAN[26].department is None


def test_blocks_directions_and_feeds() -> None:
    blocks = [r.block for r in PLAN.values()]
    assert [blocks.index(b) + 1 for b in dict.fromkeys(blocks)] == [1, 5, 9, 23]
    assert [n for n, r in PLAN.items() if r.direction is Direction.LOWER] == [17, 18, 23]
    assert [n for n, r in PLAN.items() if r.direction is Direction.MAINTAIN] == [15]
    assert {n: r.feed for n, r in PLAN.items() if r.feed != "R"} == {
        13: "W+R",
        15: "A",
        19: "Sh+R",
    }
    assert PLAN[13].indicator == "plan.13"


def test_cumulation() -> None:
    found = {c: [n for n, r in PLAN.items() if r.cumulation is c] for c in Cumulation}
    assert found[Cumulation.FIVE_YEARS] == [10, 17]
    assert found[Cumulation.RUNNING] == [2, 12, 19, 24]
    assert found[Cumulation.UNSTATED] == [4]


def test_operators_that_the_plan_prints_and_those_it_leaves_open() -> None:
    stated = {n: r.operator for n, r in PLAN.items() if r.operator_stated}
    assert stated == {
        4: Operator.NONE,
        5: Operator.ABOUT,
        14: Operator.AT_LEAST,
        15: Operator.AT_LEAST,
        16: Operator.AT_LEAST,
        17: Operator.AT_MOST,
        20: Operator.ABOVE,
        24: Operator.NONE,
        26: Operator.NONE,
    }
    for row in PLAN.values():
        if not row.operator_stated:
            lower = row.direction is Direction.LOWER
            assert row.operator is (Operator.AT_MOST if lower else Operator.AT_LEAST)
        for amount in row.target.amounts:
            assert amount.operator in (None, row.operator)


def test_department_and_texts_are_kept_as_printed() -> None:
    row = PLAN[23]
    assert (row.base.text, row.early.text, row.target.text) == ("1.96：1", "1.95:1", "1.90:1")
    assert (row.base.value, row.target.value) == (Decimal("1.96"), Decimal("1.90"))
    assert PLAN[25].name.startswith("*")
    assert PLAN[20].department == "省大数据局"
    assert PLAN[23].digits == 2


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("--", Printed.NOT_SET),
        ("待补充", Printed.TO_COME),
        ("—", Printed.CUT_OFF),
        ("公办学校全覆盖", Printed.TEXT),
    ],
)
def test_words_are_no_numbers_and_differ_from_each_other(text: str, printed: Printed) -> None:
    cell = parse_cell(text)
    assert (cell.printed, cell.amounts, cell.value) == (printed, (), None)


def test_zero_is_a_number() -> None:
    assert parse_cell("0").value == 0


def test_signs_sums_and_about() -> None:
    assert parse_cell(">90").amounts == (Amount(Decimal(90), Operator.ABOVE),)
    assert parse_cell("75左右").amounts == (Amount(Decimal(75), Operator.ABOUT),)
    assert parse_cell("[3000]*").five_year_sum
    total = parse_cell("“十四五”累计≤57")
    assert (total.five_year_sum, total.amounts) == (True, (Amount(Decimal(57), Operator.AT_MOST),))


def test_two_classes_in_one_cell() -> None:
    cell = PLAN[14].target
    assert cell.printed is Printed.CLASSES
    assert [(a.of, a.value, a.operator) for a in cell.amounts] == [
        ("设区城市", Decimal(55), Operator.AT_LEAST),
        ("其他县城建成区", Decimal(25), Operator.AT_LEAST),
    ]
    assert cell.value is None


@pytest.mark.parametrize("text", ["", "-", "9O", "≥", "75 左右", "1.96;1", "[3000]", "55，25"])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no cell"):
        parse_cell(text)
