"""A link's measure and state: what rules, what is missing, what is clamped."""

from __future__ import annotations

from fractions import Fraction

import pytest

from streams.contracts.domain import Point
from streams.domains.traffic.grade import Grade
from streams.domains.traffic.link import SPEED, TRAVEL_TIME, VEHICLES, Link, links_of
from streams.domains.traffic.measure import (
    FreeFlow,
    LinkState,
    Measure,
    Total,
    measure,
    registered,
    state_of,
)
from streams.domains.traffic.parameters import read_numbers
from tests.support.traffic_area import link, view_of

NUMBERS = read_numbers({})


def one(point: Point) -> Link:
    return links_of(view_of([point]))[0]


def timed(seconds: int, n: int = 1) -> dict[int, Total]:
    return {TRAVEL_TIME: Total(n, seconds * 1000)}


def told(kmh: int, n: int = 1) -> dict[int, Total]:
    return {SPEED: Total(n, kmh * 1000)}


def measured(totals: dict[int, Total], point: Point | None = None) -> Measure:
    found = measure(one(point or link()), totals, NUMBERS)
    assert found is not None
    return found


def state(totals: dict[int, Total], point: Point | None = None) -> LinkState | None:
    known = one(point or link())
    return state_of(known, measured(totals, point), registered(known))


@pytest.mark.parametrize(
    ("text", "mm"),
    [("1000", 1_000_000), ("333.5", 333_500), ("", None), ("0", None), ("-4", None), ("x", None)],
)
def test_a_length_that_is_no_positive_number_is_not_stated(text: str, mm: int | None) -> None:
    assert one(link(length_m=text)).length_mm == mm
    assert one(link(free_flow_kmh=text)).free_mh == mm


def test_nan_and_infinity_are_no_lengths() -> None:
    assert [one(link(length_m=text)).length_mm for text in ("NaN", "Infinity")] == [None, None]


def test_speed_is_length_over_travel_time() -> None:
    found = measured(timed(100))
    assert (found.speed, found.time_us, found.by) == (Fraction(36_000), 100_000_000, "travel_time")


def test_travel_time_rules_where_both_are_there() -> None:
    """The source cut 35.3 km/h to 35: 1000 m in 102 s."""
    assert measured(timed(102) | told(35)).speed == Fraction(3_600_000_000, 102_000)


def test_speed_rules_when_the_profile_says_so() -> None:
    numbers = read_numbers({"traffic.link.measure": "speed"})
    both = timed(102) | told(35)
    found = measure(one(link()), both, numbers)
    assert found is not None
    assert (found.speed, found.by) == (Fraction(35_000), "speed")
    alone = measure(one(link()), timed(100), numbers)
    assert alone is not None
    assert alone.by == "travel_time"


def test_a_travel_time_without_a_length_says_nothing() -> None:
    assert measure(one(link(length_m="")), timed(100), NUMBERS) is None
    found = measured(timed(100) | told(40), link(length_m=""))
    assert (found.by, found.time_us) == ("speed", None)


def test_no_reading_is_no_measure_whatever_was_counted() -> None:
    assert measure(one(link()), {VEHICLES: Total(1, 5)}, NUMBERS) is None


@pytest.mark.parametrize(("total", "vehicles"), [(None, None), (0, 0), (7, 7)])
def test_nobody_counted_and_none_counted_are_two_things(
    total: int | None, vehicles: int | None
) -> None:
    counted = {} if total is None else {VEHICLES: Total(1, total)}
    assert measured(told(30) | counted).vehicles == vehicles


def test_several_readings_make_a_mean_travel_time_and_a_sum_of_vehicles() -> None:
    found = measured(timed(100 + 140, 2) | {VEHICLES: Total(2, 9)})
    assert (found.speed, found.time_us, found.vehicles) == (Fraction(30_000), 120_000_000, 9)


def test_standing_traffic_counts_as_one_km_per_hour_in_sums() -> None:
    found = measured(told(0))
    assert (found.speed, found.time_us) == (Fraction(0), 3_600_000_000)
    standing = state(told(0))
    assert standing is not None
    assert (standing.dtp, standing.grade) == (Fraction(1), Grade.SEVERE)


def test_free_flow_of_the_registry_is_used_and_named() -> None:
    found = state(told(42))
    assert found is not None
    assert (found.dtp, found.grade) == (Fraction(3, 10), Grade.FAIR)
    assert found.free == FreeFlow(60_000, "registry")


def test_faster_than_free_flow_is_no_negative_delay() -> None:
    found = state(timed(50))
    assert found is not None
    assert (found.dtp, found.free_us) == (Fraction(0), found.measure.time_us)


def test_without_a_free_flow_there_is_no_state() -> None:
    assert state(told(5), link(free_flow_kmh="")) is None


def test_a_link_without_sensors_of_travel_is_not_waited_for() -> None:
    (found,) = links_of(view_of([link()], properties=("vehicle_count",)))
    assert not found.active
