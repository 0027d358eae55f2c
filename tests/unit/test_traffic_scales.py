"""The other scales: each by its own numbers, and not to be taken for GB/T 33171."""

from __future__ import annotations

from fractions import Fraction

import pytest

from streams.domains.traffic import scales
from streams.domains.traffic.grade import NAMES, dtp_of, grade_of


@pytest.mark.parametrize(
    ("values", "percent", "wanted"),
    [([5], 80, "5"), ([1, 2, 3], 50, "2"), ([0, 10], 80, "8"), ([4, 1, 3, 2], 95, "3.85")],
)
def test_percentiles_are_linear(values: list[int], percent: int, wanted: str) -> None:
    assert scales.percentile(values, percent) == Fraction(wanted)


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        scales.percentile([], 50)


def period(p80: int) -> list[int]:
    """P50 100, P80 as told."""
    return [100, 100, 100, 100, p80, p80]


@pytest.mark.parametrize(("p80", "reliable"), [(149, True), (150, False), (151, False)])
def test_lottr_must_stay_below_one_and_a_half(p80: int, reliable: bool) -> None:
    assert scales.lottr(period(p80)) == Fraction(p80, 100)
    assert scales.is_reliable([period(100), period(p80)]) is reliable


def test_lottr_has_two_decimals_before_it_is_compared() -> None:
    assert scales.lottr([1000] * 4 + [1495] * 2) == Fraction("1.50")
    assert scales.lottr([1000] * 4 + [1494] * 2) == Fraction("1.49")


def test_tttr_is_the_worst_period() -> None:
    assert scales.tttr([[100] * 10, [100] * 5 + [250] * 2]) == Fraction("2.50")
    assert scales.planning_time_index([60, 60, 60], 40) == Fraction(3, 2)


@pytest.mark.parametrize(("posted", "threshold"), [(30, 20), (33, 20), (35, 21), (60, 36)])
def test_excessive_delay_begins_at_60_percent_but_not_below_20_mph(
    posted: int, threshold: int
) -> None:
    assert scales.phed_threshold_mph(posted) == threshold


@pytest.mark.parametrize(
    ("percent", "level"),
    [(81, "A"), (80, "B"), (68, "B"), (67, "C"), (50, "D"), (40, "E"), (31, "E"), (30, "F")],
)
def test_hcm_levels_hold_above_their_bound(percent: int, level: str) -> None:
    assert scales.hcm_urban_level(percent, 100) == level


def test_more_demand_than_capacity_is_level_f() -> None:
    assert scales.hcm_urban_level(100, 100, Fraction(101, 100)) == "F"
    assert scales.hcm_urban_level(100, 100, 1) == "A"


@pytest.mark.parametrize(
    ("free_flow", "name"),
    [
        (119, "畅通"),
        (120, "基本畅通"),
        (150, "轻度拥堵"),
        (180, "中度拥堵"),
        (210, "中度拥堵"),
        (211, "严重拥堵"),
    ],
)
def test_beijing_counts_extra_time(free_flow: int, name: str) -> None:
    assert scales.beijing_grade(100, free_flow) == name


def test_the_same_names_mean_other_things() -> None:
    """20 % more time: 基本畅通 in Beijing, 畅通 by GB/T 33171, which needs 43 %."""
    assert scales.beijing_grade(100, 120) == "基本畅通"
    assert NAMES[grade_of(dtp_of(Fraction(100), 120)) - 1] == "畅通"
    assert scales.beijing_grade(0, 120) == "严重拥堵"


@pytest.mark.parametrize(("index", "step"), [("1.49", 0), ("1.5", 1), ("1.8", 2), ("2", 3)])
def test_commercial_bounds(index: str, step: int) -> None:
    assert scales.commercial_step(Fraction(index)) == step


@pytest.mark.parametrize(
    ("road_class", "speeds"),
    [
        ("expressway", (66, 65, 50, 35, 20)),
        ("trunk", (41, 40, 30, 20, 15)),
        ("branch", (36, 35, 25, 15, 10)),
    ],
)
def test_absolute_speeds_of_local_use(road_class: str, speeds: tuple[int, ...]) -> None:
    assert tuple(scales.local_grade(speed, road_class) for speed in speeds) == NAMES


def test_a_class_without_a_table_is_refused() -> None:
    with pytest.raises(ValueError, match="none of expressway"):
        scales.local_grade(30, "lane")
