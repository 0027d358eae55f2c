"""Warning signals: every vector of the table, edges first; what missing readings may not do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from streams.contracts import state as state_bytes
from streams.contracts.domain import Judgement
from streams.contracts.surroundings import AREA
from streams.domains.weather import signals
from streams.domains.weather.parameters import CLEAR, NEEDED_POINTS, TABLE_VERSION, cell_key
from tests.support.weather_area import (
    MINUTE_MS,
    START_MS,
    Reading,
    WeatherArea,
    days_of,
    minutes_of,
    view_of,
)

NONE, BLUE, YELLOW, ORANGE, RED = range(5)
HOUR = 60


def rain(total_mm: float, hours: int, begin: int = 0, point: str = "g0") -> list[Reading]:
    """So much rain, once in the middle of every hour, dry minutes between."""
    values = [0.0] * (hours * HOUR)
    each = int(total_mm / hours)
    for hour in range(hours):
        values[hour * HOUR + 30] = each
    values[30] = round(total_mm - each * (hours - 1), 3)
    return minutes_of("rain", values, begin, point)


def dry(hours: int, begin: int, point: str = "g0") -> list[Reading]:
    return minutes_of("rain", [0.0] * (hours * HOUR), begin, point)


def told_in_full(area: WeatherArea) -> Judgement:
    """The last judgement that tells amounts."""
    return next(j for j in reversed(area.judged) if "points" in j.evidence)


# the vectors ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amounts", "level"),
    [
        (rain(49.9, 12), NONE),
        (rain(50.0, 12), BLUE),
        (rain(49.9, 6), NONE),
        (rain(50.0, 6), YELLOW),  # blue is met too: the highest counts
        (rain(50.0, 3), ORANGE),
        (rain(99.9, 3), ORANGE),
        (rain(100.0, 4), ORANGE),
        (rain(99.999, 3), ORANGE),
    ],
)
def test_rainstorm(amounts: Sequence[Reading], level: int) -> None:
    area = WeatherArea()
    area.play(amounts)
    assert area.level("rainstorm") == level


def test_red_needs_a_hundred_millimetres_in_three_hours() -> None:
    """At most 30 mm a minute can be measured: five minutes of 20 mm."""
    area = WeatherArea()
    area.play(minutes_of("rain", [20.0] * 4 + [19.999]))
    assert area.level("rainstorm") == ORANGE
    area.play([("g0", "rain", 5, 0.001)])
    assert area.level("rainstorm") == RED


def test_a_window_is_exact_to_the_minute() -> None:
    """The 50 mm of the first minute count until 3 h, 6 h and 12 h have gone, to the minute."""
    area = WeatherArea(view_of(changed={CLEAR: "1"}))
    area.play(minutes_of("rain", [25.0, 25.0] + [0.0] * (12 * HOUR)))
    levels = area.levels("rainstorm")
    assert levels[: 3 * HOUR] == [ORANGE] * (3 * HOUR - 1) + [YELLOW]
    changes = [i for i in range(1, len(levels)) if levels[i] != levels[i - 1]]
    assert changes == [179, 359, 719]  # the first judgement is that of minute 1
    assert levels[-1] == NONE


@pytest.mark.parametrize(
    ("total_mm", "hours", "level"),
    [
        (3.999, 12, NONE),
        (4.0, 12, BLUE),
        (5.999, 12, BLUE),
        (6.0, 12, YELLOW),
        (9.999, 6, YELLOW),
        (10.0, 6, ORANGE),
        (14.999, 6, ORANGE),
        (15.0, 6, RED),
    ],
)
def test_snowstorm(total_mm: float, hours: int, level: int) -> None:
    slots = hours * 6
    first = round(total_mm - (slots - 1) * 0.05, 3)
    values = [first] + [0.05] * (slots - 1)
    area = WeatherArea()
    area.play(minutes_of("snowfall", values, point="s0", every=10))
    assert area.level("snowstorm") == level


def test_snow_is_judged_although_its_interval_ends_behind_the_watermark() -> None:
    """A reading of ten minutes comes when its first minute has long been closed by the wind."""
    area = WeatherArea()
    for slot in range(36):
        begin = slot * 10
        area.play(minutes_of("wind_speed", [3.0] * 10, begin, "s0"))
        area.take([("s0", "snowfall", begin, 0.5)])
    area.play([("s0", "wind_speed", 360, 3.0)])
    assert area.level("snowstorm") == RED


@pytest.mark.parametrize(
    ("wind_ms", "gust_ms", "level"),
    [
        (10.79, 17.19, NONE),
        (10.8, 0.0, BLUE),
        (0.0, 17.2, BLUE),
        (13.9, 17.2, BLUE),  # mean 7, gust 8
        (17.19, 20.8, BLUE),
        (17.2, 0.0, YELLOW),  # mean 8
        (0.0, 24.49, BLUE),
        (0.0, 24.5, YELLOW),
        (24.5, 0.0, ORANGE),
        (0.0, 32.7, ORANGE),  # gust 12
        (32.69, 41.49, ORANGE),
        (32.7, 0.0, RED),
        (0.0, 41.5, RED),
    ],
)
def test_typhoon(wind_ms: float, gust_ms: float, level: int) -> None:
    area = WeatherArea()
    area.play([("s0", "wind_speed", 0, wind_ms), ("s0", "gust", 0, gust_ms)])
    assert area.level("typhoon") == level


def test_a_gust_counts_for_the_hours_of_its_row() -> None:
    """Gust 12: orange for 12 h, yellow and blue for 24 h."""
    area = WeatherArea(view_of(changed={CLEAR: "1"}))
    area.play([("s0", "gust", 0, 32.7), ("s0", "wind_speed", 0, 5.0)])
    calm = [(p, v) for p, v in (("gust", 8.0), ("wind_speed", 5.0))]
    area.play([("s0", p, minute, v) for minute in range(10, 25 * HOUR, 10) for p, v in calm])
    levels = area.levels("typhoon")
    changes = {
        levels[i]: i * 10 // HOUR for i in range(1, len(levels)) if levels[i] != levels[i - 1]
    }
    assert changes == {YELLOW: 12, NONE: 24}


@pytest.mark.parametrize(
    ("days", "level"),
    [
        ((35.0, 35.2, 36.9), YELLOW),
        ((35.0, 34.9, 36.0), NONE),
        ((34.9, 36.9, 36.9), NONE),
        ((35.0, 35.0, 35.0), YELLOW),
        ((30.0, 30.0, 36.99), NONE),
        ((30.0, 30.0, 37.0), ORANGE),
        ((30.0, 30.0, 39.9), ORANGE),
        ((30.0, 30.0, 40.0), RED),
    ],
)
def test_heat(days: Sequence[float], level: int) -> None:
    area = WeatherArea()
    area.play(days_of(days))
    assert area.level("heat") == level


def test_two_hot_days_are_not_three() -> None:
    area = WeatherArea()
    area.play(days_of((36.0, 36.0)))
    assert area.level("heat") == NONE
    area.play([("s0", "air_temperature", 2 * 1440 + 12 * HOUR, 35.0)])
    assert area.level("heat") == YELLOW


def test_a_hot_spell_ends_with_the_first_whole_day_that_is_not_hot() -> None:
    area = WeatherArea(view_of(changed={CLEAR: "1"}))
    area.play(days_of((36.0, 36.0, 36.0, 30.0)))
    assert area.level("heat") == YELLOW
    area.play(days_of((30.0,), begin=4 * 1440))
    assert area.level("heat") == NONE


def cold(before: float, after: float, wind_ms: float = 10.8) -> WeatherArea:
    """Two days of one temperature, one of another, and a mean wind in it."""
    area = WeatherArea()
    area.play(days_of((before, before)))
    area.play(days_of((after,), begin=2 * 1440))
    area.play([("s0", "wind_speed", 3 * 1440 - 1, wind_ms)])
    return area


@pytest.mark.parametrize(
    ("before", "after", "wind_ms", "level"),
    [
        (13.0, 1.0, 10.8, YELLOW),  # 12 ℃ down, but not at 0 ℃
        (12.0, 0.0, 10.8, ORANGE),
        (12.0, 0.01, 10.8, YELLOW),
        (15.99, 0.0, 10.8, ORANGE),
        (16.0, 0.0, 10.8, RED),
        (16.0, 0.0, 10.79, BLUE),  # force 5
        (16.0, 0.0, 7.99, NONE),
        (14.0, 4.0, 10.8, YELLOW),
        (14.0, 4.01, 10.8, NONE),
        (11.99, 4.0, 10.8, NONE),
        (12.0, 4.0, 10.8, BLUE),
    ],
)
def test_cold_wave(before: float, after: float, wind_ms: float, level: int) -> None:
    assert cold(before, after, wind_ms).level("cold_wave") == level


def test_a_fall_over_two_days_is_a_fall_in_48_hours() -> None:
    area = WeatherArea()
    area.play([*days_of((12.0, 8.0, 4.0)), ("s0", "wind_speed", 3 * 1440 - 1, 8.0)])
    assert area.level("cold_wave") == BLUE


def test_a_cold_night_after_a_gap_is_no_fall() -> None:
    """Only the warm noon of the day before was measured: nobody knows its night."""
    area = WeatherArea()
    noon = [("s0", "air_temperature", 12 * HOUR + m, 18.0) for m in range(0, 120, 10)]
    area.play(noon)
    area.play([*days_of((2.0,), begin=1440), ("s0", "wind_speed", 2 * 1440 - 1, 11.0)])
    assert area.level("cold_wave") == NONE


# missing readings -------------------------------------------------------------------------------


def test_an_incomplete_sum_raises() -> None:
    area = WeatherArea()
    area.play([("g0", "rain", minute, 5.0) for minute in range(0, 100, 10)])
    assert area.level("rainstorm") == ORANGE


def test_missing_minutes_lower_nothing() -> None:
    """60 mm, then silence for two hours, then dry: the silent hours may have been as wet."""
    area = WeatherArea(view_of(changed={CLEAR: "1"}))
    area.play(minutes_of("rain", [2.0] * 30))
    assert area.level("rainstorm") == ORANGE
    area.play(dry(2, 150))
    assert area.level("rainstorm") == ORANGE
    assert area.judged[-1].evidence == {"table_version": "cma-2007"}
    area.play(minutes_of("rain", [0.0] * 35, 270))
    assert area.level("rainstorm") == ORANGE, "25 silent minutes of 2 mm could still make 50 mm"
    area.play(minutes_of("rain", [0.0], 305))
    assert area.level("rainstorm") == YELLOW


def test_a_lost_minute_is_no_reason_to_hold() -> None:
    area = WeatherArea(view_of(changed={CLEAR: "1"}))
    area.play(minutes_of("rain", [1.0] * 60))
    readings = dry(3, 60)
    del readings[20]
    area.play(readings)
    assert area.level("rainstorm") == YELLOW


def test_a_gauge_that_fell_silent_holds_the_colour_while_others_speak() -> None:
    area = WeatherArea(view_of(gauges=2))
    area.play([*minutes_of("rain", [2.0] * 30), *dry(1, 0, "g1")])
    area.play(dry(20, 60, "g1"))
    assert area.level("rainstorm") == ORANGE


def test_a_broken_anemometer_neither_raises_nor_holds_what_it_never_saw() -> None:
    area = WeatherArea(view_of(changed={CLEAR: "1"}))
    area.play([("s0", "gust", 0, 5.0), ("s0", "wind_speed", 0, 4.0)])
    area.play(minutes_of("wind_speed", [11.0, *[4.0] * 160], 100, "s0", every=10))
    assert area.level("typhoon") == NONE
    assert BLUE in area.levels("typhoon")


def test_suspect_readings_raise_nothing() -> None:
    area = WeatherArea()
    area.take(minutes_of("rain", [25.0] * 10), flag=3)
    area.take([("s0", "gust", 0, 60.0)], flag=4)
    area.close_until(20)
    assert area.judged == []


def test_a_colour_that_is_only_held_says_so() -> None:
    area = WeatherArea()
    area.play(minutes_of("rain", [2.0] * 30))
    area.play(minutes_of("rain", [0.0], 200))
    judged = told_in_full(area)
    assert (judged.value, judged.evidence["proven"]) == (ORANGE, False)
    assert judged.evidence["says"] == (
        "站g0：3小时雨量 18 mm；有缺测，尚不能排除暴雨橙色标准（3h rain>=50）"
    )


# revisions --------------------------------------------------------------------------------------


def test_a_late_reading_raises_with_the_next_minute() -> None:
    area = WeatherArea()
    readings = minutes_of("rain", [2.4] * 21)
    late = readings.pop(10)
    area.play(readings)
    assert area.level("rainstorm") == NONE
    area.take([late])
    assert area.level("rainstorm") == NONE
    area.play([("g0", "rain", 21, 0.0)])
    assert area.level("rainstorm") == ORANGE


def test_a_corrected_reading_lowers_with_the_next_minutes() -> None:
    area = WeatherArea(view_of(changed={CLEAR: "1"}))
    area.play([*dry(12, 0), *minutes_of("rain", [25.0, 25.0], 720)])
    assert area.level("rainstorm") == ORANGE
    area.take([("g0", "rain", 720, 2.5)])
    area.play([("g0", "rain", 722, 0.0)])
    assert area.level("rainstorm") == NONE


def test_a_late_reading_of_a_ten_minute_slot_is_seen() -> None:
    area = WeatherArea()
    area.play([("s0", "gust", 0, 5.0), ("s0", "gust", 4, 5.0)])
    area.take([("s0", "gust", 2, 18.0)])
    area.play([("s0", "gust", 5, 5.0)])
    assert area.level("typhoon") == BLUE


# the county -------------------------------------------------------------------------------------


def test_one_alert_for_the_county_by_its_worst_gauge() -> None:
    area = WeatherArea(view_of(gauges=3))
    area.play([*rain(50.0, 6, point="g1"), *rain(50.0, 3, begin=180, point="g2"), *dry(6, 0)])
    assert area.level("rainstorm") == ORANGE
    assert {j.point for j in area.judged} == {AREA}
    evidence = told_in_full(area).evidence
    assert evidence["met_points"] == 1
    assert [(p["point"], p["colour"]) for p in evidence["points"]] == [
        ("g2", "橙色"),
        ("g1", "黄色"),
    ]


def test_a_county_may_need_more_than_one_gauge() -> None:
    area = WeatherArea(view_of(gauges=3, changed={NEEDED_POINTS: "2"}))
    area.play([*rain(50.0, 3, point="g0"), *dry(3, 0, "g1")])
    assert area.judged == []
    area.play([*rain(50.0, 3, begin=180, point="g1"), *dry(3, 180)])
    assert area.level("rainstorm") == YELLOW, "g0 has left orange; two gauges have yellow"


def test_no_judgement_without_weather_and_ten_after_its_end() -> None:
    area = WeatherArea()
    area.play(dry(2, 0))
    assert area.judged == []
    area.play(minutes_of("rain", [25.0, 25.0], 120))
    area.play(dry(14, 122))
    assert area.levels("rainstorm")[-11:] == [BLUE, *[NONE] * 10]


def test_evidence_says_amounts_and_table() -> None:
    area = WeatherArea(view_of(changed={TABLE_VERSION: "浙江-2030"}))
    area.play([*dry(1, 0), *rain(62.4, 3, begin=60)])
    judged = told_in_full(area)
    assert judged.time_ms == START_MS + 220 * MINUTE_MS, "ten minutes after the colour"
    assert judged.evidence["table_version"] == "浙江-2030"
    assert judged.evidence["condition"] == "3h rain>=50"
    assert judged.evidence["needed_points"] == "1"
    amounts = {a["what"]: a for a in judged.evidence["points"][0]["amounts"]}
    assert amounts["3小时雨量"] == {
        "what": "3小时雨量",
        "value": "62.4",
        "unit": "mm",
        "bound": None,
    }
    assert amounts["12小时雨量"]["value"] == "62.4"
    assert amounts["12小时雨量"]["bound"] is not None, "eight hours were never measured"
    assert judged.evidence["says"] == ("站g0：3小时雨量 62.4 mm；达到暴雨橙色标准（3h rain>=50）")
    assert judged.evidence["proven"] is True
    assert area.judged[-1].evidence == {"table_version": "浙江-2030"}, "nothing changes any more"


def test_a_local_table_raises_by_one_hour() -> None:
    local = {cell_key("rainstorm", "red"): "3h rain>=100 or 1h rain>=60"}
    area = WeatherArea(view_of(changed=local))
    area.play(minutes_of("rain", [1.0] * 60))
    assert area.level("rainstorm") == RED


# state ------------------------------------------------------------------------------------------


def test_the_state_survives_a_checkpoint() -> None:
    area = WeatherArea()
    area.play([*rain(50.0, 6), ("s0", "gust", 100, 18.0)])
    area.take([("g0", "rain", 200, 1.0)])
    held = state_bytes.dump(area.state)
    again = state_bytes.restore(held, signals.WeatherState)
    assert state_bytes.dump(again) == held
    assert again.waiting == [area.series("g0", "rain")]
    area.state = again
    area.play([("g0", "rain", 360, 0.0)])
    assert area.level("rainstorm") == YELLOW


def test_a_point_that_leaves_takes_its_colour_with_it() -> None:
    area = WeatherArea()
    area.play(rain(50.0, 3))
    assert area.state.told["rainstorm"] == {"g0": ORANGE}
    area.view.series_active[area.series("g0", "rain")] = False
    assert signals.initial(area.view, area.state).told["rainstorm"] == {}


def test_a_registry_that_grows_keeps_what_was_measured() -> None:
    area = WeatherArea()
    area.play(rain(50.0, 3))
    grown = view_of(gauges=1, stations=2)
    state = signals.initial(grown, area.state)
    ring = state.rings["rain"]
    assert int(ring.values[0][ring.values[0] > 0].sum()) == 50_000
    assert state.rings["gust"].values.shape[0] == 2
