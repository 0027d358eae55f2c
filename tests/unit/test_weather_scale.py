"""Beaufort, cyclones, grades of rain and snow: every edge, from below, on it."""

from __future__ import annotations

import pytest

from streams.domains.weather import scale
from streams.domains.weather.parameters import PARAMETERS

DEFAULTS = {p.key: p.default for p in PARAMETERS}
FORCES = {
    5: 8.0,
    6: 10.8,
    7: 13.9,
    8: 17.2,
    9: 20.8,
    10: 24.5,
    11: 28.5,
    12: 32.7,
    13: 37.0,
    14: 41.5,
    15: 46.2,
    16: 51.0,
    17: 56.1,
}


@pytest.mark.parametrize(("force", "speed_ms"), FORCES.items())
def test_a_force_begins_at_its_edge(force: int, speed_ms: float) -> None:
    edge = round(speed_ms * 100)
    assert scale.beaufort(edge, DEFAULTS) == force
    assert scale.beaufort(edge - 1, DEFAULTS) == force - 1


def test_calm_and_beyond_the_scale() -> None:
    assert scale.beaufort(0, DEFAULTS) == 0
    assert scale.beaufort(29, DEFAULTS) == 0
    assert scale.beaufort(30, DEFAULTS) == 1
    assert scale.beaufort(6121, DEFAULTS) == 17


@pytest.mark.parametrize(
    ("speed_ms", "grade"),
    [
        (10.79, None),
        (10.8, "热带低压"),
        (17.19, "热带低压"),
        (17.2, "热带风暴"),
        (24.5, "强热带风暴"),
        (32.69, "强热带风暴"),
        (32.7, "台风"),
        (41.5, "强台风"),
        (50.99, "强台风"),
        (51.0, "超强台风"),
    ],
)
def test_grades_of_cyclones(speed_ms: float, grade: str | None) -> None:
    assert scale.cyclone(round(speed_ms * 100), DEFAULTS) == grade


@pytest.mark.parametrize(
    ("hours", "amount_mm", "grade"),
    [
        (24, 0.099, None),
        (24, 0.1, "小雨"),
        (24, 9.999, "小雨"),
        (24, 10.0, "中雨"),
        (24, 25.0, "大雨"),
        (24, 49.9, "大雨"),
        (24, 50.0, "暴雨"),
        (24, 99.95, "暴雨"),
        (24, 100.0, "大暴雨"),
        (24, 249.999, "大暴雨"),
        (24, 250.0, "特大暴雨"),
        (12, 4.9, "小雨"),
        (12, 5.0, "中雨"),
        (12, 15.0, "大雨"),
        (12, 29.999, "大雨"),
        (12, 30.0, "暴雨"),
        (12, 69.999, "暴雨"),
        (12, 70.0, "大暴雨"),
        (12, 140.0, "特大暴雨"),
    ],
)
def test_grades_of_rain(hours: int, amount_mm: float, grade: str | None) -> None:
    assert scale.rain_grade(round(amount_mm * 1000), hours, DEFAULTS) == grade


@pytest.mark.parametrize(
    ("hours", "amount_mm", "grade"),
    [
        (24, 0.05, None),
        (24, 2.4, "小雪"),
        (24, 2.5, "中雪"),
        (24, 5.0, "大雪"),
        (24, 9.999, "大雪"),
        (24, 10.0, "暴雪"),
        (24, 20.0, "大暴雪"),
        (24, 30.0, "特大暴雪"),
        (12, 0.9, "小雪"),
        (12, 1.0, "中雪"),
        (12, 3.0, "大雪"),
        (12, 6.0, "暴雪"),
        (12, 10.0, "大暴雪"),
        (12, 14.999, "大暴雪"),
        (12, 15.0, "特大暴雪"),
    ],
)
def test_grades_of_snow(hours: int, amount_mm: float, grade: str | None) -> None:
    assert scale.snow_grade(round(amount_mm * 1000), hours, DEFAULTS) == grade


@pytest.mark.parametrize(
    ("amount_mm", "grade"),
    [(19.999, None), (20.0, "强对流"), (79.999, "强对流"), (80.0, "超强对流")],
)
def test_rain_of_one_hour_has_its_own_grades(amount_mm: float, grade: str | None) -> None:
    assert scale.convective_grade(round(amount_mm * 1000), DEFAULTS) == grade


def test_no_other_period_has_a_grade() -> None:
    with pytest.raises(KeyError):
        scale.rain_grade(50_000, 1, DEFAULTS)


@pytest.mark.parametrize("text", ["", "1 1", "2 1", "a"])
def test_edges_that_do_not_ascend_are_refused(text: str) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        scale.edges(text, 3)


def test_a_grade_table_needs_all_its_edges() -> None:
    with pytest.raises(ValueError, match="6 edges are needed"):
        scale.rain_grade(50_000, 24, DEFAULTS | {"weather.grade.rain_24h": "0.1 10"})
