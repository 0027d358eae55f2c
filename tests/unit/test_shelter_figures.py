"""Figures of shelters: hours and days from counts, completeness and bounds, state of the stock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from streams.area.view import build_view, parameters_of
from streams.catalog import Profile
from streams.contracts.domain import (
    HOUR_MS,
    AreaView,
    FactValue,
    HourMatrix,
    Payload,
    Point,
    empty_matrix,
)
from streams.contracts.reason import Origin
from streams.domains.shelter import DOMAIN, hours
from streams.domains.shelter.balance import Balance
from streams.domains.shelter.occupancy import level, payload_of, percent_text
from streams.region.pages import MemoryPages
from streams.region.stage import RegionStage
from tests.support.shelters import ALL, COUNTY, ShelterTown, shelter, town
from tests.support.small_city import START_MS
from tests.support.timeline import moment

DEFAULTS = parameters_of(DOMAIN, {})
POINTS = (
    shelter("a", capacity="100", hazards="flood"),
    shelter("b", capacity="50", hazards="earthquake"),
    shelter("c", capacity="0"),
)


def view(*points: Point) -> AreaView:
    held = town(points, {p.id: (p.id, ALL) for p in points})
    return build_view(DOMAIN, COUNTY, held, Profile("t"), None)


def matrix(seen: AreaView, *said: tuple[int, str, str, int, int]) -> HourMatrix:
    """Two good readings (hour, shelter, property, low, high) each."""
    made = empty_matrix(len(seen.series_sensor), START_MS)
    for hour, name, prop, low, high in said:
        index = DOMAIN.property_index(prop)
        (series,) = [
            s
            for s in range(len(seen.series_name))
            if seen.series_name[s] == name and seen.series_property[s] == index
        ]
        made.n[series, hour] = 2
        made.low[series, hour], made.high[series, hour] = low, high
        made.total[series, hour] = low + high
    return made


def partial(hour: int, *said: tuple[int, str, str, int, int]) -> Payload:
    seen = view(*POINTS)
    found = hours.hourly(seen, matrix(seen, *said), hour).partial
    assert found is not None
    return found


def fact(indicator: str, *members: Payload) -> FactValue:
    (spec,) = [f for f in DOMAIN.facts if f.indicator == indicator]
    named = {f"33010{n}": m for n, m in enumerate(members)}
    found = spec.compute("city", named, DEFAULTS)
    assert found is not None
    return found


FULL = (
    (0, "a", "open", 1, 1),
    (0, "a", "occupants", 60, 101),
    (0, "b", "open", 1, 1),
    (0, "b", "occupants", 10, 20),
    (0, "c", "open", 0, 0),
    (0, "c", "occupants", 0, 0),
)


def test_an_hour_with_everything_known_has_equal_bounds() -> None:
    hour = partial(0, *FULL)
    assert fact("shelter.open.hour", hour).value == "2"
    persons = fact("shelter.occupants.hour", hour)
    assert (persons.value, persons.lower, persons.upper) == ("121", "70", "121")
    assert (persons.have, persons.want) == (3, 3)
    free = fact("shelter.free.hour", hour)
    assert (free.value, free.lower, free.upper) == ("30", "30", "30"), "101 of 100 leaves none"
    assert free.detail["fit_for"] == {"earthquake": 30, "flood": 0}
    share = fact("shelter.occupancy.hour", hour)
    assert (share.value, share.numerator, share.denominator) == ("80.7", "121", "150")
    assert (share.lower, share.upper) == ("80.7", "80.7")


def test_who_says_nothing_is_neither_empty_nor_full() -> None:
    hour = partial(0, (0, "a", "open", 1, 1), (0, "a", "occupants", 50, 50))
    opened = fact("shelter.open.hour", hour)
    assert (opened.value, opened.lower, opened.upper) == ("1", "1", "3")
    assert (opened.have, opened.want) == (1, 3)
    persons = fact("shelter.occupants.hour", hour)
    assert (persons.value, persons.lower, persons.upper) == ("50", "50", "100")
    free = fact("shelter.free.hour", hour)
    assert (free.value, free.lower, free.upper) == ("50", "50", "100")
    share = fact("shelter.occupancy.hour", hour)
    assert (share.value, share.lower, share.upper) == ("50.0", "33.3", "66.7")


def test_an_open_shelter_that_nobody_counted_is_in_the_bounds() -> None:
    hour = partial(0, (0, "a", "open", 0, 1), (0, "a", "check_in", 3, 4))
    persons = fact("shelter.occupants.hour", hour)
    assert (persons.value, persons.upper) == (None, "150")
    assert persons.detail["checked_in"] == 7
    assert not hour["counted"]
    assert DOMAIN.facts[0].compute("county", {}, DEFAULTS) is None


def test_a_city_is_the_sum_of_its_counties() -> None:
    hour = partial(0, *FULL)
    share = fact("shelter.occupancy.hour", hour, hour)
    assert (share.value, share.numerator, share.denominator) == ("80.7", "242", "300")


def day(*said: tuple[int, str, str, int, int]) -> Payload:
    seen = view(*POINTS)
    found = hours.daily(seen, matrix(seen, *said)).partial
    assert found is not None
    return found


def test_a_day_is_its_fullest_hour_over_all_members() -> None:
    one = day((3, "a", "open", 1, 1), (3, "a", "occupants", 80, 80), (3, "a", "check_in", 4, 4))
    other = day((3, "b", "open", 1, 1), (3, "b", "occupants", 5, 5), *at(9, FULL))
    persons = fact("shelter.occupants.day", one, other)
    assert (persons.value, persons.detail["fullest_hour"]) == ("121", 9)
    assert (persons.have, persons.want) == (3, 6), "nothing is known of the other's ninth hour"
    assert persons.upper == str(121 + 150), "its shelters may have been full"
    assert persons.detail["day_checked_in"] == 8
    assert fact("shelter.occupancy.day", one, other).value == "80.7"


def at(
    hour: int, said: tuple[tuple[int, str, str, int, int], ...]
) -> tuple[tuple[int, str, str, int, int], ...]:
    return tuple((hour, *rest) for _, *rest in said)  # type: ignore[misc]


def test_of_equal_hours_the_earliest_speaks() -> None:
    found = fact("shelter.occupants.day", day(*at(5, FULL), *at(4, FULL)))
    assert found.detail["fullest_hour"] == 4


def test_deregistered_shelters_are_in_no_figure() -> None:
    seen = view(POINTS[0], shelter("gone", capacity="10", deregistered="2026-08-17"))
    found = hours.hourly(seen, matrix(seen, (0, "gone", "check_in", 1, 1)), 0).partial
    assert found is not None
    assert (found["shelters"], found["checked_in"]) == (1, 0)
    gone = view(shelter("gone", deregistered="2026-08-16"))
    assert hours.daily(gone, matrix(gone)).partial is None


@pytest.mark.parametrize(
    ("occupants", "expected"),
    [
        (244, None),
        (245, "watch"),
        (279, "watch"),
        (280, "yellow"),
        (332, "yellow"),
        (333, "orange"),
        (350, "orange"),
        (351, "red"),
    ],
)
def test_levels_of_a_result(occupants: int, expected: str | None) -> None:
    assert level(occupants, 350, DEFAULTS) == expected


@pytest.mark.parametrize(
    ("occupants", "capacity", "shown"),
    [(350, 350, "100.0"), (351, 350, "100.3"), (1, 3, "33.3"), (1, 16, "6.3"), (0, 9, "0.0")],
)
def test_percentages_are_shown_half_up(occupants: int, capacity: int, shown: str) -> None:
    assert percent_text(occupants, capacity) == shown


def test_a_result_of_a_shelter_never_heard_is_empty_handed() -> None:
    found = payload_of(shelter("s", room="indoor"), Balance(), DEFAULTS)
    nothing = ("open", "occupants", "counted_ms", "percent", "level", "free")
    assert {found[name] for name in nothing} == {None}
    assert (found["capacity"], found["stay_days"], found["room"]) == (350, "15", "indoor")


def facts_of(city: ShelterTown) -> MemoryPages:
    """The city's messages through the region stage."""
    pages = MemoryPages()
    domains = {DOMAIN.name: DOMAIN}
    stage = RegionStage(city.held, domains, {}, pages, Origin.LIVE)
    stage.apply(m for m in city.store.messages if m.domain == DOMAIN.name)
    return pages


def test_from_readings_to_the_facts_of_the_province() -> None:
    points = [*POINTS, shelter("old", standardised="2021-05-01", **{"class": "long"})]
    city = ShelterTown(town(points, {p.id: (p.id, ALL) for p in points}))
    for minute in range(0, 130, 5):
        at_minute = f"{20 + minute // 60}:{minute % 60:02d}"
        city.say(at_minute, "a", open=1, occupants=90)
        city.say(at_minute, "b", check_in=1)
        city.say(at_minute, "c", open=0, occupants=0)
    pages = facts_of(city)

    def value(indicator: str, period: str, start: int, area: str = "330000") -> Any:
        return pages.facts(indicator, period, start)[area].value

    hour = moment("20:00")
    persons = value("shelter.occupants.hour", "hour", hour)
    assert (persons.value, persons.have, persons.want) == ("90", 2, 4)
    assert persons.upper == str(90 + 50 + 155), "b has no count, the old one says nothing"
    assert value("shelter.occupancy.hour", "hour", hour, COUNTY).value == "90.0"
    assert value("shelter.occupants.hour", "hour", hour + HOUR_MS, "330100").value == "90"
    now = value("shelter.occupants", "state", 0)
    assert (now.value, now.have, now.want) == (str(90 + 24), 3, 4), (
        "at 22:00, with those who came to b"
    )
    assert (now.upper, now.detail["needs"]["toilets"]) == (str(90 + 24 + 155), 6)
    assert value("shelter.open", "state", 0).value == "1"
    assert value("shelter.occupancy", "state", 0).value == "90.0", "b never said that it is open"
    stock: Mapping[str, Any] = value("shelter.capacity", "state", 0).detail
    assert stock["no_capacity"] == 1
    assert stock["by_class"]["long"] == {"shelters": 1, "capacity": 155}
    row = value("plan.19", "state", 0)
    assert (row.value, row.detail["as_of"]) == ("1", "2026-08-17")
