"""Quality in a county's day: rain gauges that stand alone, profiles, tickets over the desk."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.catalog import Profile, Registry, Sensor
from streams.contracts.domain import Point
from streams.contracts.outcome import Outcome
from tests.support.small_city import registry
from tests.support.timeline import COUNTY, Timeline, moment

pytestmark = pytest.mark.acceptance

GAUGES = 5


def county() -> Registry:
    """The small city with five gauges in the county, some hundred metres apart."""
    held = registry()
    points, sensors = dict(held.points), dict(held.sensors)
    for n in range(GAUGES):
        name = f"{COUNTY}-r{n}"
        points[name] = Point(name, "rain_gauge", COUNTY, "r", 120 + n / 200, 30.0, {})
        gateway = f"/gw/{COUNTY}/water"
        sensors[name] = Sensor(1000 + n, name, name, gateway, ("rain",))
    return replace(held, points=points, sensors=sensors)


def rain(city: Timeline, hours: range, *mm: float) -> list[Outcome]:
    """The gauges' minutes of these hours, every five minutes."""
    told = []
    for hour in hours:
        for minute in range(0, 60, 5):
            at = moment(f"{hour:02d}:{minute:02d}")
            rows = [(f"{COUNTY}-r{n}", "rain", at, value) for n, value in enumerate(mm)]
            told.append(city.rows(rows, at + 61_000, domain="weather"))
    return told


def neighbour(city: Timeline) -> list[tuple[int, bool]]:
    return [(t[1], t[5]) for t in city.store.tickets if t[3] == "neighbour"]


def test_a_blocked_gauge_in_long_rain_gets_a_ticket_and_a_flag() -> None:
    city = Timeline(county())
    rain(city, range(0, 6), 0.0, 1.0, 1.0, 1.0, 1.0)
    assert neighbour(city) == [], "the sixth hour is not over yet"
    rain(city, range(6, 8), 0.0, 1.0, 1.0, 1.0, 1.0)
    assert neighbour(city) == [(1000, False)]
    assert city.flag("07:30", "r0", "rain") == 3, "as it comes"
    assert city.flag("07:30", "r1", "rain") == 1
    assert city.flag("05:50", "r0", "rain") == 3, "behind, as far as the horizon reaches"
    assert city.flag("00:00", "r0", "rain") == 1, "not beyond"


def test_the_ticket_ends_when_the_gauge_agrees_again() -> None:
    city = Timeline(county())
    rain(city, range(0, 7), 0.0, 1.0, 1.0, 1.0, 1.0)
    rain(city, range(7, 15), 1.0, 1.0, 1.0, 1.0, 1.0)
    assert neighbour(city) == [(1000, False), (1000, True)]
    assert city.flag("14:30", "r0", "rain") == 1


def test_a_local_shower_of_five_hours_is_weather() -> None:
    city = Timeline(county())
    rain(city, range(0, 5), 1.5, 0.0, 0.0, 0.0, 0.0)
    rain(city, range(5, 9), 0.0, 0.0, 0.0, 0.0, 0.0)
    assert neighbour(city) == []


def test_a_profile_switches_the_check_off_and_what_is_wrong_is_refused() -> None:
    city = Timeline(county())
    city.use(Profile("dry", {"quality.rain.neighbour": "off"}))
    rain(city, range(0, 8), 0.0, 1.0, 1.0, 1.0, 1.0)
    assert neighbour(city) == []
    refused = city.use(Profile("wrong", {"quality.silence.intervals": "none"}))
    assert [letter.reason for letter in refused.dead_letters] == ["unusable_version"]


def test_a_profile_makes_silence_longer() -> None:
    city = Timeline()
    city.use(Profile("patient", {"quality.silence.intervals": "10"}))
    city.depth("10:00", p0=0.0, p1=0.0)
    for minute in range(1, 9):
        city.depth(f"10:{minute:02d}", p1=0.0)
    city.tick("10:08")
    assert ("silent", False) in city.tickets(), "10 × 30 s and a minute are over"
    assert next(t[4] for t in city.store.tickets if t[3] == "silent") == moment("10:06:01")


def test_a_profile_says_how_long_alerts_are_valid() -> None:
    city = Timeline()
    city.use(Profile("short", {"alert.valid_s": "60"}))
    city.depth("10:00", p0=0.6)
    assert {t.valid_until_ms - t.decided_ms for t in city.transitions} == {60_000}


def test_a_jump_ends_with_a_good_reading_and_is_opened_once() -> None:
    city = Timeline()
    city.depth("09:50", p0=0.0)
    city.depth("10:00", p0=0.0)
    for second in (20, 40):
        city.depth(f"10:00:{second}", p0=0.6)
    assert [t for t in city.tickets() if t[0] == "jump"] == [("jump", False)] * 2
    opened = [t for t in city.store.tickets if t[3] == "jump"]
    assert {t[4] for t in opened} == {moment("10:00:20")}, "the second adds to the first"
    for minute in range(2, 6):
        city.depth(f"10:{minute:02d}", p0=0.6 - minute / 100)
    assert [t for t in city.tickets() if t[0] == "jump"][-1] == ("jump", True)


def test_tickets_of_a_sensor_that_leaves_the_registry_end() -> None:
    city = Timeline()
    city.depth("10:00", p0=3.5)
    assert city.tickets() == [("range", False)]
    sensors = {n: s for n, s in city.held.sensors.items() if n != f"{COUNTY}-p0"}
    before = city.held
    city.activate(replace(before, sensors=sensors))
    sensor = before.sensors[f"{COUNTY}-p0"].id
    closed = [t for t in city.store.tickets if t[1] == sensor and t[5]]
    assert [(t[3], t[6]["why"]) for t in closed] == [("range", "left the registry")]


def test_the_day_has_a_health_of_every_sensor() -> None:
    city = Timeline(county())
    rain(city, range(0, 24), 0.0, 0.0, 0.0, 0.0, 0.0)
    rain(city, range(24, 26), 0.0, 0.0, 0.0, 0.0, 0.0)
    found = {sensor: row for (sensor, _, _), row in city.store.health.items()}
    expected, received, good, late, intervals, covered, gap_s, score = found[1000]
    assert (expected, received, good, late) == (1440, 288, 288, 0)
    assert (intervals, covered, gap_s, score) == (1440, 288, 240, 20)
    silent = city.held.sensors[f"{COUNTY}-p0"].id
    assert found[silent][1] == found[silent][-1] == 0, "a dead sensor is listed with nothing"
