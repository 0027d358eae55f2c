"""What the registry says of a shelter: capacity by class and area, hazards, dates, row 19."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from streams.area.view import parameters_of, profile_mistakes
from streams.catalog import Profile
from streams.domains.shelter import DOMAIN, parameters, stock
from streams.domains.shelter.site import (
    Basis,
    capacity,
    day_ms,
    day_of,
    fit_for,
    hazard_of,
    hazards_of,
    is_registered,
    kind_of,
)
from streams.indicators.plan import PLAN
from tests.support.shelters import shelter
from tests.support.small_city import START_MS

DEFAULTS = parameters_of(DOMAIN, {})


def persons(**attributes: str) -> int | None:
    return capacity(shelter("s", **attributes), DEFAULTS).persons


@pytest.mark.parametrize(
    ("area", "kind", "expected"),
    [
        ("700", "short", 350),
        ("700", "emergency", 1400),
        ("700", "temporary", 700),
        ("700", "medium", 233),
        ("700", "long", 155),
        ("1.99", "short", None),  # less than one person
        ("2", "short", 1),
        ("4.49", "long", None),
        ("4.5", "long", 1),
        ("0.3", "emergency", None),
        ("2999.999999", "medium", 999),  # never rounded up
        ("0", "short", None),
        ("-5", "short", None),
    ],
)
def test_capacity_is_the_area_by_the_area_per_person_rounded_down(
    area: str, kind: str, expected: int | None
) -> None:
    point = shelter("s", effective_area_m2=area, **{"class": kind})
    assert capacity(point, DEFAULTS).persons == expected


def test_the_registered_capacity_goes_before_the_area() -> None:
    found = capacity(shelter("s", capacity="300", effective_area_m2="700"), DEFAULTS)
    assert (found.persons, found.basis) == (300, Basis.REGISTERED)


@pytest.mark.parametrize(
    ("attributes", "basis"),
    [
        ({"capacity": "0"}, Basis.NOT_POSITIVE),
        ({"capacity": "-3"}, Basis.NOT_POSITIVE),
        ({"capacity": "many"}, Basis.UNREADABLE),
        ({"capacity": "1e400"}, Basis.UNREADABLE),
        ({"capacity": "", "effective_area_m2": ""}, Basis.NOT_STATED),
        ({"effective_area_m2": "700", "class": "central"}, Basis.NOT_STATED),
        ({"effective_area_m2": "wide"}, Basis.UNREADABLE),
    ],
)
def test_no_capacity_says_why(attributes: Mapping[str, str], basis: Basis) -> None:
    found = capacity(shelter("s", **attributes), DEFAULTS)
    assert (found.persons, found.basis) == (None, basis)


def test_the_area_per_person_is_a_parameter() -> None:
    changed = parameters_of(DOMAIN, {"shelter.m2_per_person.short": "3.5"})
    assert capacity(shelter("s"), changed).persons == 200


def test_in_a_flood_only_what_is_registered_for_it_is_fit() -> None:
    fit = shelter("s", hazards="typhoon, flood")
    assert hazards_of(fit) == ("flood", "typhoon")
    assert fit_for(fit, "flood")
    assert not fit_for(fit, "earthquake")
    assert not fit_for(shelter("s"), "flood"), "what is not said is not so"
    assert not fit_for(shelter("s", hazards="flash_flood"), "flood")


@pytest.mark.parametrize(
    ("rule", "hazard"),
    [
        ("waterlogging.depth", "flood"),
        ("waterlogging.rise", "flood"),
        ("weather.rainstorm", "flood"),
        ("weather.rainstorm_local", "flood"),
        ("weather.typhoon", "typhoon"),
        ("weather.rainstorms", None),
        ("weather.heat", None),
        ("air.station", None),
    ],
)
def test_an_alert_is_a_hazard_by_the_beginning_of_its_rule(rule: str, hazard: str | None) -> None:
    assert hazard_of(rule, DEFAULTS) == hazard


def test_the_longest_beginning_decides() -> None:
    values = parameters_of(DOMAIN, {"shelter.hazard.of_rule": "w=flood, w.rain=landslide"})
    assert hazard_of("w.rain.hour", values) == "landslide"
    assert hazard_of("w.wind", values) == "flood"


def test_days_begin_at_midnight_in_shanghai() -> None:
    assert day_of(START_MS) == "2026-08-17"
    assert day_of(START_MS - 1) == "2026-08-16"
    assert day_ms("2026-08-17") == START_MS


def test_it_is_no_shelter_from_the_day_of_its_deregistration() -> None:
    point = shelter("s", deregistered="2026-08-17")
    assert is_registered(point, "2026-08-16")
    assert not is_registered(point, "2026-08-17")
    assert is_registered(shelter("s", deregistered="soon"), "2026-08-17")


def test_an_unknown_class_is_unknown() -> None:
    assert [kind_of(shelter("s", **{"class": c})) for c in ("long", "central", "")] == [
        "long",
        "unknown",
        "unknown",
    ]


def row_19(day: str, rule: str = parameters.LESS_DEREGISTERED) -> tuple[int, int]:
    points = [
        shelter("a", standardised="2021-12-31"),
        shelter("b", standardised="2022-01-01"),
        shelter("c", standardised="2021-06-30", deregistered="2022-01-01"),
        shelter("d", deregistered="2021-01-01"),
        shelter("e", standardised="next year"),
        shelter("f", standardised=""),
    ]
    values = {**DEFAULTS, parameters.COUNT_RULE: rule}
    found = stock.standardised(points, day, values)
    return found["count"], found["unreadable"]


@pytest.mark.parametrize(
    ("day", "count"),
    [
        ("2021-06-29", 0),
        ("2021-06-30", 1),  # accepted on the last day counts
        ("2021-12-31", 2),
        ("2022-01-01", 2),  # one more, one de-registered
        ("", 2),
    ],
)
def test_row_19_is_cumulative_less_the_deregistered(day: str, count: int) -> None:
    assert row_19(day) == (count, 1)


def test_row_19_may_count_all_that_were_ever_accepted() -> None:
    assert row_19("2022-01-01", parameters.ACCEPTED) == (3, 1)


def test_row_19_is_named_as_the_plan_names_it() -> None:
    (fact,) = [f for f in DOMAIN.facts if f.plan_row == 19]
    assert (fact.title.zh, fact.unit) == (PLAN[19].name, PLAN[19].unit)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shelter.m2_per_person.short", "0"),
        ("shelter.m2_per_person.short", "two"),
        ("shelter.stay_days.long", "-1"),
        ("shelter.silence_hours", "0"),
        ("shelter.closed.severity", "purple"),
        ("shelter.unreported.severity", ""),
        ("shelter.hazard.of_rule", "weather.rain:flood"),
        ("shelter.standardised.count_rule", "some"),
    ],
)
def test_a_profile_that_cannot_be_used_is_refused_before_it_is_needed(key: str, value: str) -> None:
    (told,) = profile_mistakes({DOMAIN.name: DOMAIN}, Profile("bad", {key: value}))
    assert key in told


def test_all_mistakes_of_a_profile_are_told_at_once() -> None:
    values = {"shelter.silence_hours": "never", "shelter.closed.severity": "black"}
    assert len(profile_mistakes({DOMAIN.name: DOMAIN}, Profile("bad", values))) == 2
