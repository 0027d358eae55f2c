"""What people's lists make of a point's day: flapping, inhibition, a sensor that is not believed.

Through the whole pipeline. What programs get stays as it is: tests/property/test_stage_laws.py.
"""

from __future__ import annotations

import pytest

from streams.alerting.ruleset import Clause, RuleSet, Terms
from streams.catalog import Profile
from streams.contracts.reason import Change, Severity
from tests.support.rule_sets import depth, rule_set
from tests.support.timeline import COUNTY, DEPTH, RISE, Timeline, moment, time_of_day

pytestmark = pytest.mark.acceptance
PATIENT = Profile("patient", {"quality.silence.intervals": "1000"})  # a reading in ten minutes


def shown(city: Timeline, rule: str = DEPTH, point: str = "p0") -> list[str]:
    """What lists show after each transition: "10:01:00 raised yellow by depth"."""
    rules = {t.alert: t.rule.split(".")[1] for t in city.transitions}
    lines = []
    for one in city.of(point, rule):
        text = f"{time_of_day(one.event_ms)} {one.change.value} {one.severity.name.lower()}"
        if one.suppressed_by is not None:
            text += f" by {rules.get(one.suppressed_by, one.suppressed_by)}"
        if one.held is not None:
            until = time_of_day(one.held.until_ms)[:5]
            text += f" held {one.held.severity.name.lower()} until {until}"
        lines.append(text)
    return lines


def dry(city: Timeline) -> Timeline:
    for minute in range(50, 60):
        city.rain(f"9:{minute}", 0.5)
        city.depth(f"9:{minute}", p0=0.0, p1=0.0)
    return city


def test_the_rise_gives_way_to_the_water_that_it_announced() -> None:
    city = dry(Timeline())
    for at, depth_m in (("10:00", 0.11), ("10:01", 0.28), ("10:02", 0.28)):
        city.depth(at, p0=depth_m)
    assert shown(city) == [
        "10:01:00 onset yellow",
        "10:01:00 confirmed blue",
        "10:02:00 raised yellow",
    ]
    assert shown(city, RISE) == [
        "10:00:00 onset yellow",
        "10:00:00 confirmed yellow",
        "10:02:00 hidden yellow by depth",
    ]
    for minute in range(3, 30):
        city.depth(f"10:{minute:02d}", p0=0.0 if minute > 4 else 0.28)
    assert shown(city, RISE)[3:] == ["10:12:00 cleared yellow by depth"]


def test_a_rule_set_may_want_both_in_the_lists() -> None:
    city = Timeline()
    city.use(rule_set(Clause(RISE, "waterlogging", hidden_by=("none",))))
    dry(city)
    for at, depth_m in (("10:00", 0.11), ("10:01", 0.28), ("10:02", 0.28)):
        city.depth(at, p0=depth_m)
    assert not [line for line in shown(city, RISE) if " by " in line]
    city.use(RuleSet())
    assert city.of(rule=RISE)[-1].change is Change.HIDDEN, "the domain's own word again"


def test_water_that_comes_and_goes_is_held_at_its_worst() -> None:
    """A rule that clears at once, so that every wave is an alert of its own."""
    city = Timeline()
    city.use(rule_set(depth(Terms(for_readings="1", clear_readings="1"))))
    dry(city)
    for minute, depth_m in enumerate((0.31, 0.05, 0.16, 0.05, 0.16, 0.05)):
        city.depth(f"10:{minute:02d}", p0=depth_m)
    assert len({t.alert for t in city.of()}) == 3
    assert shown(city) == [
        "10:00:00 onset orange",
        "10:00:00 confirmed orange",
        "10:01:00 cleared orange",
        "10:02:00 onset blue",
        "10:02:00 confirmed blue",
        "10:03:00 cleared blue held orange until 10:18",
        "10:04:00 onset blue held orange until 10:18",
        "10:04:00 confirmed blue held orange until 10:19",
        "10:05:00 cleared blue held orange until 10:20",
    ]
    for minute in range(6, 21):
        city.depth(f"10:{minute:02d}", p0=0.05)
    city.depth("10:21", p0=0.16)
    assert shown(city)[-1] == "10:21:00 confirmed blue", "it has been quiet"


def test_the_profile_says_what_flapping_is() -> None:
    city = Timeline()
    city.use(Profile("nervous", {"alert.flap.transitions": "2", "alert.flap.quiet_s": "60"}))
    dry(city)
    city.depth("10:00", p0=0.16)
    city.depth("10:01", p0=0.28)
    city.depth("10:02", p0=0.28)
    assert shown(city)[-1] == "10:02:00 raised yellow held yellow until 10:03"
    refused = city.use(Profile("wrong", {"alert.flap.transitions": "some"}))
    assert [letter.reason for letter in refused.dead_letters] == ["unusable_version"]


def stuck(depth_m: float, beside: float = 0.0, to: int = 14) -> Timeline:
    """p0 says the same from 07:00 on, every ten minutes, while p1 moves a little."""
    city = Timeline()
    city.use(PATIENT)
    for number in range((to - 7) * 6):
        at = f"{7 + number // 6:02d}:{number % 6}0"
        city.depth(at, p0=depth_m, p1=beside + number % 2 / 1000)
    return city


def test_a_stuck_sensor_gives_way_to_its_ticket_and_comes_back() -> None:
    city = stuck(0.20)
    ticket = f"ticket:{COUNTY}-p0/depth/flat_line/{moment('13:00')}"
    assert shown(city)[2:] == [f"13:00:01 hidden blue by {ticket}"]
    assert city.tickets() == [("flat_line", False)]
    city.depth("14:00", p0=0.21)
    city.depth("14:10", p0=0.22)
    assert shown(city)[3:] == ["14:00:01 shown blue"]
    assert city.tickets()[-1] == ("flat_line", True)


def test_a_stuck_sensor_hides_neither_orange_water_nor_what_another_point_bears_out() -> None:
    assert not [line for line in shown(stuck(0.31)) if "hidden" in line], "yellow at most"
    city = stuck(0.20, beside=0.20)
    assert city.tickets() == [("flat_line", False)]
    assert not [line for line in shown(city) if "hidden" in line], "water stands beside it"


def test_a_silent_sensor_is_stale_and_in_the_lists() -> None:
    city = dry(Timeline())
    city.depth("10:00", p0=0.31, p1=0.0)
    for minute in range(1, 20):
        city.depth(f"10:{minute:02d}", p1=0.0)
    assert ("silent", False) in city.tickets()
    last = city.of()[-1]
    assert (last.change, last.stale, last.suppressed_by) == (Change.STALE, True, None)


def test_a_sensor_that_leaves_the_registry_takes_its_ticket_and_its_alert() -> None:
    city = stuck(0.20)
    sensors = {n: s for n, s in city.held.sensors.items() if n != f"{COUNTY}-p0"}
    points = {n: p for n, p in city.held.points.items() if n != f"{COUNTY}-p0"}
    city.activate(type(city.held)(
        city.held.areas, points, sensors, city.held.gateways, city.held.partitions, 1
    ))  # fmt: skip
    gone = city.of()[-1]
    assert (gone.change, gone.severity) == (Change.RETIRED, Severity.BLUE)
