"""Figures of hours and days: the greatest rain and where, means, extremes, grades, completeness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from streams.contracts.domain import (
    HOUR_MS,
    FactSpec,
    FactValue,
    HourMatrix,
    Payload,
    empty_matrix,
)
from streams.domains.weather import figures
from streams.domains.weather.grades import POINT_DAY, POINT_HOUR, hardest
from streams.domains.weather.parameters import PARAMETERS
from tests.support.weather_area import START_MS, view_of

FACTS = {fact.indicator: fact for fact in figures.FACTS}
DEFAULTS = {p.key: p.default for p in PARAMETERS}
VIEW = view_of(gauges=2, stations=1)


def matrix_of(
    hours: Mapping[tuple[str, int], tuple[int, int, int, int]],
) -> HourMatrix:
    """(series name, hour) → n, total, low, high."""
    matrix = empty_matrix(len(VIEW.series_name), START_MS)
    for (name, hour), (n, total, low, high) in hours.items():
        series = VIEW.series_name.index(name)
        matrix.n[series, hour], matrix.total[series, hour] = n, total
        matrix.low[series, hour], matrix.high[series, hour] = low, high
    return matrix


def rain_of(gauge: str, *hours: float, n: int = 60) -> dict[tuple[str, int], Any]:
    """Hour sums in mm."""
    return {
        (f"{gauge}-rain", hour): (n, round(mm * 1000), 0, round(mm * 1000))
        for hour, mm in enumerate(hours)
    }


def fact(name: str, members: Mapping[str, Payload], level: str = "county") -> FactValue | None:
    spec: FactSpec = FACTS[f"weather.{name}"]
    return spec.compute(level, members, DEFAULTS)


def day(hours: Mapping[tuple[str, int], tuple[int, int, int, int]]) -> Payload:
    partial = figures.daily(VIEW, matrix_of(hours)).partial
    assert partial is not None
    return partial


def test_the_hardest_hours_are_the_earliest_of_equal_ones() -> None:
    total = matrix_of(rain_of("g0", 1, 5, 5, 0, 5, 5)).total[0]
    assert hardest(total, 1) == (5_000, 1)
    assert hardest(total, 2) == (10_000, 1)
    assert hardest(total, 3) == (11_000, 0)
    assert hardest(total, 24) == (21_000, 0)


def test_the_greatest_rain_of_a_day_and_where() -> None:
    partial = day({**rain_of("g0", 1, 20, 1), **rain_of("g1", 8, 8, 8)})
    one, three = fact("rain_1h_max.day", {"330106": partial}), None
    assert one is not None
    assert (one.value, one.detail["at_point"]) == ("20", "g0")
    assert one.detail["start_ms"] == START_MS + HOUR_MS
    three = fact("rain_3h_max.day", {"330106": partial})
    assert three is not None
    assert (three.value, three.detail["at_point"]) == ("24", "g1")
    whole = fact("rain_24h_max.day", {"330106": partial})
    assert whole is not None
    assert whole.value == "24"
    assert (whole.have, whole.want) == (2, 2)
    assert (whole.lower, whole.upper) == ("24", None), "21 hours are missing: it may be more"
    assert (whole.detail["readings"], whole.detail["wanted"]) == (360, 2880)


def test_a_complete_day_is_exact() -> None:
    partial = day({**rain_of("g0", *[1.0] * 24), **rain_of("g1", *[0.5] * 24)})
    whole = fact("rain_24h_max.day", {"330106": partial})
    assert whole is not None
    assert (whole.lower, whole.upper) == ("24", "24")


def test_the_mean_is_over_the_gauges_that_spoke() -> None:
    wet, half = day(rain_of("g0", 10.1)), day({**rain_of("g0", 10.1), **rain_of("g1", 0.0)})
    one = fact("rain_mean.day", {"330106": wet})
    assert one is not None
    assert (one.value, one.have, one.want) == ("10.1", 1, 2)
    two = fact("rain_mean.day", {"330106": half})
    assert two is not None
    assert (two.value, two.numerator, two.denominator) == ("5", "10.1", "2")  # 5.05, half to even
    city = fact("rain_mean.day", {"330106": wet, "330108": half}, "city")
    assert city is not None
    assert (city.value, city.have) == ("6.7", 3)


def test_the_worst_county_speaks_for_the_city() -> None:
    members = {"330108": day(rain_of("g0", 3)), "330106": day(rain_of("g1", 4))}
    found = fact("rain_1h_max.day", members, "city")
    assert found is not None
    assert (found.value, found.detail["at_area"], found.detail["at_point"]) == ("4", "330106", "g1")
    assert found.detail["members"] == ["330106", "330108"]


def test_extremes_of_temperature_and_wind() -> None:
    partial = day(
        {
            ("s0-air_temperature", 4): (60, 0, -210, -100),
            ("s0-air_temperature", 14): (60, 0, 1500, 2105),
            ("s0-gust", 3): (60, 0, 500, 3271),
            ("s0-snow_depth", 7): (6, 0, 120, 125),
        }
    )
    for name, value, hour in (
        ("temperature_max.day", "21.05", 14),
        ("temperature_min.day", "-2.1", 4),
        ("gust_max.day", "32.71", 3),
        ("snow_depth_max.day", "12.5", 7),
    ):
        found = fact(name, {"330106": partial})
        assert found is not None
        assert (found.value, found.detail["start_ms"]) == (value, START_MS + hour * HOUR_MS)
    coldest = fact("temperature_min.day", {"330106": partial})
    assert coldest is not None
    assert (coldest.lower, coldest.upper) == (None, "-2.1"), "it may have been colder"


def test_nothing_measured_is_no_figure() -> None:
    partial = day({})
    assert fact("rain_1h_max.day", {"330106": partial}) is None
    assert fact("rain_mean.day", {"330106": partial}) is None
    assert fact("gust_max.day", {}) is None


def test_an_hour_has_its_own_figures() -> None:
    matrix = matrix_of({**rain_of("g0", 9, 3), ("s0-gust", 1): (60, 0, 0, 1720)})
    derived = figures.hourly(VIEW, matrix, 1)
    assert derived.partial is not None
    rain = fact("rain_1h_max.hour", {"330106": derived.partial})
    assert rain is not None
    assert (rain.value, rain.have, rain.want) == ("3", 1, 2)
    gust = fact("gust_max.hour", {"330106": derived.partial})
    assert gust is not None
    assert gust.value == "17.2"


@pytest.mark.parametrize(("mm", "grade"), [(19.999, None), (20.0, "强对流"), (80.0, "超强对流")])
def test_an_hour_is_graded_by_the_table_of_hours(mm: float, grade: str | None) -> None:
    result = figures.hourly(VIEW, matrix_of(rain_of("g0", mm)), 0).results[0]
    assert (result.kind, result.point, result.period_s) == (POINT_HOUR, "g0", 3600)
    assert result.payload["rain_grade_1h"] == grade
    assert result.payload["rain_edges_1h"] == "20 80"


def test_wind_of_an_hour_has_its_force() -> None:
    matrix = matrix_of({("s0-wind_speed", 0): (60, 0, 0, 1079), ("s0-gust", 0): (60, 0, 0, 1720)})
    assert figures.hourly(VIEW, matrix, 0).results[0].payload == {
        "wind_speed_max": "10.79",
        "wind_speed_force": 5,
        "gust_max": "17.2",
        "gust_force": 8,
    }


def test_a_day_is_graded_by_24_and_by_its_hardest_12_hours() -> None:
    hours = [0.0] * 6 + [5.0] * 12 + [0.0] * 6
    (result,) = figures.daily(VIEW, matrix_of(rain_of("g0", *hours))).results
    assert (result.kind, result.period_s, result.start_ms) == (POINT_DAY, 86_400, START_MS)
    rain = result.payload["rain"]
    assert (rain["mm_24h"], rain["grade_24h"]) == ("60", "暴雨")
    assert (rain["mm_12h"], rain["grade_12h"]) == ("60", "暴雨")
    assert rain["from_12h_ms"] == START_MS + 6 * HOUR_MS
    assert rain["complete"] is True
    assert rain["edges_12h"] == "0.1 5 15 30 70 140"


def test_snow_has_grades_of_its_own_and_says_when_hours_are_missing() -> None:
    matrix = matrix_of({("s0-snowfall", 3): (6, 6_000, 0, 2_000)})
    snow = figures.daily(VIEW, matrix).results[0].payload["snowfall"]
    assert (snow["grade_24h"], snow["grade_12h"]) == ("大雪", "暴雪")
    assert snow["complete"] is False
