"""GB/T 33171-2016: DTP, TTI, TPI and grade of one value; vectors of domain.md §3, edges first."""

from __future__ import annotations

from fractions import Fraction

import pytest

from streams.domains.traffic.grade import NAMES, Grade, dtp_of, grade_of, tpi_of, tti_of
from streams.domains.traffic.payload import of_dtp, show
from streams.indicators.rounding import show as exact_show

TINY = Fraction(1, 10**12)


@pytest.mark.parametrize(
    ("dtp", "tpi"),
    [
        ("0", "0"),
        ("0.3", "2"),
        ("0.40", "3"),
        ("0.5", "4"),
        ("0.6", "6"),
        ("0.7", "8"),
        ("1", "10"),
        ("1.2", "10"),
        ("-0.2", "0"),
        ("0.15", "1"),
        ("0.55", "5"),
        ("0.65", "7"),
        ("0.85", "9"),
    ],
)
def test_tpi_runs_linearly_between_the_bounds(dtp: str, tpi: str) -> None:
    assert tpi_of(Fraction(dtp)) == Fraction(tpi)


@pytest.mark.parametrize(
    ("bound", "below", "at"),
    [
        ("0.3", Grade.FREE, Grade.FAIR),
        ("0.5", Grade.FAIR, Grade.LIGHT),
        ("0.6", Grade.LIGHT, Grade.MODERATE),
        ("0.7", Grade.MODERATE, Grade.SEVERE),
    ],
)
def test_a_bound_belongs_to_the_worse_grade(bound: str, below: Grade, at: Grade) -> None:
    dtp = Fraction(bound)
    assert grade_of(dtp) is at
    assert grade_of(dtp - TINY) is below


@pytest.mark.parametrize(
    ("speed", "grade"),
    [
        ("0.71", "畅通"),
        ("0.70", "基本畅通"),
        ("0.51", "基本畅通"),
        ("0.50", "轻度拥堵"),
        ("0.41", "轻度拥堵"),
        ("0.40", "中度拥堵"),
        ("0.31", "中度拥堵"),
        ("0.30", "严重拥堵"),
        ("0", "严重拥堵"),
    ],
)
def test_the_table_by_share_of_free_flow(speed: str, grade: str) -> None:
    """v/v_f = 0.70 is DTP 0.3 exactly, hence 基本畅通: no float may move it."""
    assert NAMES[grade_of(dtp_of(Fraction(speed), 1)) - 1] == grade


@pytest.mark.parametrize(
    ("speed", "free", "dtp"),
    [(60, 60, "0"), (75, 60, "0"), (0, 60, "1"), (42, 60, "0.3"), (20, 60, "2/3")],
)
def test_dtp_is_clamped(speed: int, free: int, dtp: str) -> None:
    assert dtp_of(Fraction(speed), free) == Fraction(dtp)


@pytest.mark.parametrize(
    ("dtp", "tti"),
    [("0.3", "1.429"), ("0.5", "2.000"), ("0.6", "2.500"), ("0.7", "3.333"), ("0", "1.000")],
)
def test_tti_is_the_published_column_rounded(dtp: str, tti: str) -> None:
    found = tti_of(Fraction(dtp))
    assert found is not None
    assert show(found, 3) == tti


def test_nothing_that_stands_has_a_tti() -> None:
    assert tti_of(Fraction(1)) is None
    assert of_dtp(Fraction(1)) == {
        "dtp": "1.0000",
        "tti": None,
        "tpi": "10.00",
        "grade": 5,
        "grade_name": "严重拥堵",
    }


def test_what_is_shown_may_round_up_but_the_grade_does_not() -> None:
    told = of_dtp(Fraction(3, 10) - TINY)
    assert (told["dtp"], told["grade_name"]) == ("0.3000", "畅通")


@pytest.mark.parametrize("value", ["0", "0.0005", "0.0015", "0.00250001", "1/3", "2/3", "99.9995"])
@pytest.mark.parametrize("digits", [0, 1, 3])
def test_texts_are_those_of_the_house(value: str, digits: int) -> None:
    assert show(Fraction(value), digits) == exact_show(Fraction(value), digits)
