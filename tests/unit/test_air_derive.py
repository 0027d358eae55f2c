"""Station results and area partials from a matrix of hour windows."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from streams.contracts.domain import HOUR_MS, Derived, HourMatrix, Result
from streams.domains.air.derive import daily, hourly
from streams.domains.air.layout import stations_of
from tests.support.air_area import (
    MARCH_2026,
    START,
    fill,
    matrix_of,
    row,
    series_of,
    view_of,
)

PLAIN = row("33,63,6,50,44,0.8")
OTHER = row("62,120,11,57,26,0.8")


def only(derived: Derived, station: str) -> Result:
    (found,) = [r for r in derived.results if r.point == station]
    return found


def test_an_hour_of_a_station() -> None:
    view = view_of(["A"])
    found = hourly(view, matrix_of(view, {("A", 7): PLAIN}), 7)
    result = only(found, "A")
    assert (result.kind, result.start_ms, result.period_s) == (
        "air.station.hour",
        START + 7 * HOUR_MS,
        3600,
    )
    assert result.payload == {
        "aqi": 57,
        "level": 2,
        "primary": ["pm10"],
        "iaqi": {"pm25": 48, "pm10": 57, "so2": 2, "no2": 25, "o3": 14, "co": 8},
        "missing": [],
        "standard_version": "HJ 633-2012",
        "concentration": {
            **{"pm25": "33", "pm10": "63", "so2": "6", "no2": "50", "o3": "44", "co": "0.8"}
        },
        "o3_8h": "44",
        "withheld": False,
    }


def test_the_partial_of_an_hour_adds_exactly() -> None:
    view = view_of(["A", "B", "C"])
    matrix = matrix_of(view, {("A", 0): PLAIN, ("B", 0): row("0.1,-,6,50,44,0.1")})
    partial = hourly(view, matrix, 0).partial
    assert partial is not None
    assert partial["sum"]["pm25"] == ["331", "10"]
    assert partial["sum"]["co"] == ["9", "10"]
    assert (partial["count"]["pm25"], partial["count"]["pm10"]) == (2, 1)
    assert (partial["stations"], partial["frozen"], partial["total"]) == (["A", "B"], [], 3)
    assert partial["expected"]["pm10"] == 3
    assert partial["standard"] == "HJ 633-2012"


def test_a_frozen_station_is_listed_and_added_nowhere() -> None:
    view = view_of(["A", "B"])
    matrix = matrix_of(view, {("A", 0): PLAIN})
    fill(matrix, view, "B", 0, OTHER, good=False)
    found = hourly(view, matrix, 0)
    assert found.partial is not None
    assert (found.partial["stations"], found.partial["frozen"]) == (["A"], ["B"])
    assert found.partial["count"]["pm25"] == 1
    payload = only(found, "B").payload
    assert (payload["aqi"], payload["withheld"], payload["concentration"]) == (None, True, {})


def test_a_single_failed_reading_is_missing_not_frozen() -> None:
    view = view_of(["A"])
    matrix = matrix_of(view, {("A", 0): {"pm10": "63"}})
    fill(matrix, view, "A", 0, {"pm25": "9000"}, good=False)
    found = hourly(view, matrix, 0)
    assert found.partial is not None
    assert found.partial["frozen"] == []
    assert only(found, "A").payload["missing"] == ["co", "no2", "o3", "pm25", "so2"]


def test_life_is_a_changed_row_since_midnight() -> None:
    view = view_of(["A", "B"])
    matrix = matrix_of(view, {("A", 0): PLAIN, ("A", 2): OTHER, ("B", 0): PLAIN, ("B", 2): PLAIN})
    first, third = hourly(view, matrix, 0).partial, hourly(view, matrix, 2).partial
    assert first is not None
    assert third is not None
    assert first["living"]["count"] == {}
    assert third["living"]["count"]["pm25"] == 1
    assert third["count"]["pm25"] == 2


def test_the_standard_is_chosen_by_the_start_of_the_hour() -> None:
    view = view_of(["A"])
    before = matrix_of(view, {("A", 23): row("61,1,1,1,1,0.1")}, MARCH_2026 - 24 * HOUR_MS)
    after = matrix_of(view, {("A", 0): row("61,1,1,1,1,0.1")}, MARCH_2026)
    old, new = only(hourly(view, before, 23), "A"), only(hourly(view, after, 0), "A")
    assert (old.payload["aqi"], old.payload["standard_version"]) == (83, "HJ 633-2012")
    assert (new.payload["aqi"], new.payload["standard_version"]) == (101, "HJ 633-2026")


@pytest.mark.parametrize("how", ["attribute", "no series"])
def test_a_pollutant_outside_the_plan_of_2026(how: str) -> None:
    lacking = [("A", "co")] if how == "no series" else []
    plan = {"A": {"not_monitored": "CO"}} if how == "attribute" else {}
    view = view_of(["A"], plan, lacking=lacking)
    values = row("3,8,2,8,21,-")
    assert (
        only(hourly(view, matrix_of(view, {("A", 0): values}, MARCH_2026), 0), "A").payload["aqi"]
        == 8
    )
    full = view_of(["A"])
    assert (
        only(hourly(full, matrix_of(full, {("A", 0): values}, MARCH_2026), 0), "A").payload["aqi"]
        is None
    )


def test_a_station_outside_the_evaluation_has_results_but_no_share() -> None:
    view = view_of(["A", "B"], {"B": {"role": "background"}})
    found = hourly(view, matrix_of(view, {("A", 0): PLAIN, ("B", 0): OTHER}), 0)
    assert found.partial is not None
    assert (found.partial["stations"], found.partial["total"]) == (["A"], 1)
    assert only(found, "B").payload["aqi"] == 85


def test_the_shown_ozone_mean_of_the_day_so_far() -> None:
    view = view_of(["A"])
    matrix = matrix_of(view, {("A", h): row(f"-,-,-,-,{10 * h},-") for h in range(12)})
    shown = [only(hourly(view, matrix, h), "A").payload["o3_8h"] for h in range(12)]
    assert shown == ["0", "5", "10", "15", "20", "25", "30", "35", "45", "55", "65", "75"]


def test_the_shown_ozone_mean_needs_no_value_in_its_own_hour() -> None:
    view = view_of(["A"])
    rows = {("A", 0): row("-,-,-,-,40,-"), ("A", 1): row("5,-,-,-,-,-")}
    found = hourly(view, matrix_of(view, rows), 1)
    assert only(found, "A").payload["o3_8h"] == "40"


def test_hours_with_nothing_answer_nothing() -> None:
    view = view_of(["A"])
    found = hourly(view, matrix_of(view, {}), 3)
    assert found.results == []
    assert found.partial is not None
    assert (found.partial["stations"], found.partial["total"]) == ([], 1)


def test_an_area_without_stations_has_no_partial() -> None:
    view = view_of([])
    assert hourly(view, matrix_of(view, {}), 0) == Derived([], None)
    assert daily(view, matrix_of(view, {})) == Derived([], None)


def test_a_day_of_a_station() -> None:
    view = view_of(["A"])
    rows = {("A", h): row("60,100,10,40,120,1.0") for h in range(24)}
    found = daily(view, matrix_of(view, rows, MARCH_2026))
    result = only(found, "A")
    assert (result.kind, result.start_ms, result.period_s) == (
        "air.station.day",
        MARCH_2026,
        86_400,
    )
    assert (result.payload["aqi"], result.payload["level"]) == (100, 2)
    assert result.payload["primary"] == ["pm25"]
    assert result.payload["rules"] == {
        "2012": {"aqi": 82, "valid": True, "good": True},
        "2026": {"aqi": 100, "valid": True, "good": True},
    }
    assert (result.payload["hours"], result.payload["o3_windows"]) == (24, 17)
    assert result.payload["shown"]["co"] == "1.0"


def test_the_partial_of_a_day_is_exact() -> None:
    view = view_of(["A", "B"])
    rows = {("A", h): row("1,-,-,-,-,-") for h in range(20)} | {("A", 20): row("2,-,-,-,-,-")}
    rows |= {("B", h): row("1,-,-,-,-,-") for h in range(19)}  # one hour short
    partial = daily(view, matrix_of(view, rows)).partial
    assert partial is not None
    assert partial["sum"] == {"pm25": ["22", "21"]}
    assert partial["count"] == {"pm25": 1}
    assert (partial["stations"], partial["total"]) == (["A"], 2)
    assert Fraction(*map(int, partial["sum"]["pm25"])) == Fraction(22, 21)


def test_a_station_frozen_all_day_is_listed() -> None:
    view = view_of(["A"])
    matrix = matrix_of(view, {})
    for hour in range(24):
        fill(matrix, view, "A", hour, PLAIN, good=False)
    found = daily(view, matrix)
    assert found.partial is not None
    assert (found.partial["frozen"], found.partial["sum"]) == (["A"], {})
    payload = only(found, "A").payload
    assert (payload["aqi"], payload["withheld_hours"], payload["concentration"]) == (None, 24, {})


def test_a_replaced_sensor_speaks_where_the_new_one_is_silent() -> None:
    view = view_of(["A"])
    series = np.concatenate([view.series_point, view.series_point])
    doubled = type(view)(
        area=view.area,
        points=view.points,
        series_sensor=np.concatenate([view.series_sensor, view.series_sensor + 1]),
        series_property=np.concatenate([view.series_property, view.series_property]),
        series_point=series,
        series_report_s=np.concatenate([view.series_report_s, view.series_report_s]),
        series_active=np.concatenate([~view.series_active, view.series_active]),
        parameters=view.parameters,
    )
    (station,) = stations_of(doubled)
    assert station.series["pm25"] == (6, 0)  # the active one first
    base = matrix_of(view, {("A", 0): PLAIN})
    empty = np.zeros_like(base.n)
    wide = HourMatrix(
        START,
        *(np.concatenate([a, empty]) for a in (base.n, base.bad, base.total, base.low, base.high)),
    )
    assert only(hourly(doubled, wide, 0), "A").payload["aqi"] == 57
    assert series_of(view, "A", "co") == 5


def test_a_retired_sensor_is_out_of_the_plan() -> None:
    view = view_of(["A"])
    view.series_active[series_of(view, "A", "co")] = False
    (station,) = stations_of(view)
    assert station.planned == {"pm25", "pm10", "so2", "no2", "o3"}
