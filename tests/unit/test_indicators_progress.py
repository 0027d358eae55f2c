"""Arithmetic of targets: attained, progress, reference path, pace (domain.md §8.1)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from streams.indicators.plan import PLAN
from streams.indicators.progress import (
    NO_CLASS,
    Attained,
    Attainment,
    Pace,
    clamp,
    five_year_sum,
    judge,
    pace,
    progress,
    reference_path,
    show_progress,
)
from streams.indicators.rounding import Rounding, round_exact, show

BOTH = ("设区城市", "其他县城建成区")


def status(number: int, value: str) -> Attained:
    return judge(PLAN[number], {NO_CLASS: Decimal(value)}).status


def progress_of(number: int, value: str) -> str | None:
    found = progress(PLAN[number], {NO_CLASS: Decimal(value)})
    return None if found is None else show_progress(found)


@pytest.mark.parametrize(
    ("number", "value", "percent"),
    [
        (13, "62.5", "53.1"),
        (18, "0.013", "50.0"),
        (19, "4500", "50.0"),
        (13, "20", "0.0"),
        (13, "10", "-12.5"),
        (23, "1.90", "100.0"),
        (21, "40", "50.0"),
        (25, "80", "0.0"),
        (10, "600", "20.0"),
        (5, "73", "50.0"),
    ],
)
def test_progress(number: int, value: str, percent: str) -> None:
    assert progress_of(number, value) == percent


@pytest.mark.parametrize("number", [4, 15, 17, 24, 26])
def test_progress_is_undefined(number: int) -> None:
    assert progress_of(number, "50") is None


def test_progress_of_two_classes_is_the_worse() -> None:
    values = dict(zip(BOTH, (Decimal(55), Decimal("22.5")), strict=True))
    assert progress(PLAN[14], values) == 50
    with pytest.raises(KeyError):
        progress(PLAN[14], {BOTH[0]: Decimal(55)})


def test_progress_is_clamped_only_for_display() -> None:
    assert progress(PLAN[13], {NO_CLASS: Decimal(110)}) == Fraction(225, 2)
    assert clamp(Fraction(225, 2)) == 100
    assert clamp(Fraction(-1)) == 0


@pytest.mark.parametrize(
    ("number", "value", "attained"),
    [
        (20, "90.0", False),
        (20, "90.01", True),
        (13, "99.99", False),
        (13, "100", True),
        (5, "74.5", True),
        (5, "75.5", True),
        (5, "74.49", False),
        (5, "75.51", False),
        (17, "57", True),
        (17, "58", False),
        (18, "0.010", True),
        (18, "0.0101", False),
        (23, "1.90", True),
        (23, "1.904", False),
        (10, "3000", True),
        (10, "2999", False),
    ],
)
def test_attained_at_the_edges(number: int, value: str, attained: bool) -> None:
    assert status(number, value) is (Attained.YES if attained else Attained.NO)


def test_row_15_compares_the_rounded_official_figure_and_shows_the_conflict() -> None:
    assert judge(PLAN[15], {NO_CLASS: Decimal("92.96")}) == Attainment(Attained.YES, True)
    assert judge(PLAN[15], {NO_CLASS: Decimal("93.2")}) == Attainment(Attained.YES, False)
    assert judge(PLAN[15], {NO_CLASS: Decimal("92.949")}).status is Attained.NO
    assert judge(PLAN[15], {NO_CLASS: Decimal("92.95")}).status is Attained.YES  # half to even
    exact = {"indicator.compare.row15": "unrounded"}
    assert judge(PLAN[15], {NO_CLASS: Decimal("92.96")}, exact) == Attainment(Attained.NO, True)


def test_conflict_of_an_unrounded_row_is_shown() -> None:
    assert judge(PLAN[20], {NO_CLASS: Decimal("90.4")}) == Attainment(Attained.YES, True)


def test_no_target_and_no_number() -> None:
    assert (status(4, "5"), status(26, "5")) == (Attained.NO_TARGET, Attained.NO_TARGET)
    assert status(24, "4000") is Attained.NOT_NUMERIC


def test_two_classes_must_both_attain() -> None:
    for pair, want in (((55, 25), Attained.YES), ((55, 24), Attained.NO), ((54, 25), Attained.NO)):
        values = dict(zip(BOTH, map(Fraction, pair), strict=True))
        assert judge(PLAN[14], values).status is want


def test_reference_path() -> None:
    path = reference_path(PLAN[13])
    assert path is not None
    assert [path[year] for year in range(2021, 2026)] == [40, 55, 70, 85, 100]
    ratio = reference_path(PLAN[23])
    assert ratio is not None
    assert [str(v) for v in ratio.values()] == ["1.95", "1.94", "1.93", "1.91", "1.90"]
    urban = reference_path(PLAN[5])
    assert urban is not None
    assert [str(v) for v in urban.values()] == ["72", "73", "74", "74", "75"]
    assert [n for n, row in PLAN.items() if reference_path(row) is None] == [
        4, 14, 15, 16, 17, 21, 22, 24, 26,
    ]  # fmt: skip


def test_sum_of_row_10_leaves_2020_out() -> None:
    total = five_year_sum({2020: Decimal(600), 2021: Decimal(800), 2022: Decimal(700)})
    assert total == 1500
    assert show_progress(progress(PLAN[10], {NO_CLASS: total}) or Fraction(0)) == "50.0"
    assert five_year_sum({2020: Decimal(1)}, {"indicator.row10.first_year": "2020"}) == 1
    assert show_progress(Fraction(1, 3), {"indicator.digits.progress": "2"}) == "0.33"


def test_pace_of_row_17() -> None:
    row = PLAN[17]
    assert pace(row, Decimal(19), 20) is Pace.GREEN  # 57 × 20 / 60 = 19
    assert pace(row, Decimal(20), 20) is Pace.AMBER
    assert pace(row, Decimal(57), 60) is Pace.GREEN
    assert pace(row, Decimal(58), 60) is Pace.RED
    with pytest.raises(ValueError, match="row 14"):
        pace(PLAN[14], Decimal(1), 1)


@pytest.mark.parametrize(
    ("value", "digits", "even", "up"),
    [
        ("0.5", 0, "0", "1"),
        ("1.5", 0, "2", "2"),
        ("-0.5", 0, "0", "-1"),
        ("-2.5", 0, "-2", "-3"),
        ("92.95", 1, "93.0", "93.0"),
        ("92.85", 1, "92.8", "92.9"),
        ("0.049", 1, "0.0", "0.0"),
        ("1250", -2, "1200", "1300"),
        ("123456789012345678901234567890.5", 0, "1234567890123456789012345678" "90",
         "1234567890123456789012345678" "91"),
    ],
)  # fmt: skip
def test_rounding(value: str, digits: int, even: str, up: str) -> None:
    exact = Fraction(value)
    assert round_exact(exact, digits, Rounding.HALF_EVEN) == Decimal(even)
    assert round_exact(exact, digits, Rounding.HALF_UP) == Decimal(up)


def test_a_third_has_no_half() -> None:
    assert show(Fraction(1, 3), 2) == "0.33"
    assert show(Fraction(200, 3), 1) == "66.7"
    assert show(Fraction(-1, 1000), 1) == "0.0"
