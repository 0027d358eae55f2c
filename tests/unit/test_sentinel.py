"""The unit sentinel: known factors, one sensor against the source, and the way back."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from streams.contracts.domain import HOUR_MS, Checks, Property, Ticket, Title
from streams.quality import units
from streams.quality.parameters import UnitNumbers
from streams.quality.sentinel import Group, Hour, SentinelState, judge, let_go
from streams.quality.units import OTHER_UNITS, is_near, is_usual, may_be_near

NUMBERS = UnitNumbers(windows=2, sensors=2, least_days=1)


def prop(name: str, unit: str, low: str, high: str, *, steady: bool = True) -> Property:
    return Property(
        name, unit, 2, Title(name, name), Decimal(low), Decimal(high), checks=Checks(unit=steady)
    )


CO = prop("co", "mg/m³", "0", "150")
WIND = prop("wind", "m/s", "0", "75")
HEAT = prop("heat", "℃", "-50", "60")
DEPTH = prop("depth", "m", "0", "3", steady=False)


class Source:
    """Sources of one property whose sensors all have the same usual level."""

    def __init__(self, of: Property, usual: float | None, sizes: tuple[int, ...] = (4,)) -> None:
        self.state = SentinelState()
        self.hour = 0
        groups, series = [], 0
        for number, size in enumerate(sizes):
            own = tuple(range(series, series + size))
            groups.append(Group(f"gw{number}", of, own))
            series += size
        self.groups = tuple(groups)
        self.usual = {} if usual is None else dict.fromkeys(range(series), round(usual * 100))

    def say(self, *values: float, numbers: UnitNumbers = NUMBERS) -> list[Ticket]:
        """One hour: a value for every sensor."""
        scaled = {s: round(v * 100) for s, v in enumerate(values)}
        hours = {s: Hour(v * 10, 10, v) for s, v in scaled.items()}
        start, self.hour = self.hour * HOUR_MS, self.hour + 1
        return judge(self.state, self.groups, start, hours, self.usual, numbers)


def test_the_factors_are_the_defined_ones() -> None:
    assert Fraction("0.0254") == units.INCH_M
    assert Fraction(1000) / units.MILE_M == 1 / Fraction("1.609344")
    assert Fraction("0.44704") == units.MPH_MS
    assert units.KNOT_MS * 3600 == 1852
    (fahrenheit, kelvin) = OTHER_UNITS["℃"]
    assert fahrenheit.of(Fraction(100)) == 212
    assert kelvin.of(Fraction(0)) == Fraction("273.15")
    assert fahrenheit.back(Fraction(-40)) == -40


def test_nearness_ends_a_third_of_the_way_on_a_logarithmic_scale() -> None:
    (micro,) = OTHER_UNITS["mg/m³"]
    one = Fraction(1)
    assert [is_near(Fraction(v), one, micro) for v in (99, 100, 10_000, 10_001)] == [
        False,
        True,
        True,
        False,
    ]
    assert [is_usual(Fraction(v), one, micro) for v in (Fraction(1, 10), 9, 10)] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("canonical", list(OTHER_UNITS))
def test_the_cheap_bound_never_hides_what_is_near(canonical: str) -> None:
    for unit in OTHER_UNITS[canonical]:
        for usual in (1, 7, 300, 25_000):
            for step in range(1, 4000, 7):
                number = usual * step // 40
                if is_near(Fraction(number), Fraction(usual), unit):
                    assert may_be_near(number, usual, canonical)


def test_a_source_that_turns_to_micrograms_is_found_in_the_second_hour() -> None:
    source = Source(CO, 0.8)
    assert source.say(0.8, 0.7, 0.9, 0.8) == []
    assert source.say(800, 700, 900, 1200) == []
    (ticket,) = source.say(750, 720, 910, 1100)
    assert (ticket.kind, ticket.subject, ticket.sensor) == ("unit", "source:gw0", 0)
    assert (ticket.closed, ticket.time_ms) == (False, HOUR_MS)
    assert ticket.evidence["unit"] == "µg/m³"
    assert (ticket.evidence["by"], ticket.evidence["sensors"]) == ("history", 4)
    assert source.say(750, 720, 910, 1100) == [], "one ticket, not one an hour"


def test_one_hour_of_it_is_a_glitch() -> None:
    source = Source(CO, 0.8)
    for values in ((800.0,) * 4, (0.8,) * 4, (800.0,) * 4):
        assert source.say(*values) == []


def test_one_sensor_of_the_source_is_its_own_matter() -> None:
    source = Source(CO, 0.8)
    assert [source.say(800, 0.8, 0.8, 0.8) for _ in range(5)] == [[]] * 5


def test_exactly_four_fifths_of_the_sensors_are_enough_and_fewer_are_not() -> None:
    five = Source(CO, 0.8, (5,))
    five.say(800, 800, 800, 800, 0.8)
    assert len(five.say(800, 800, 800, 800, 0.8)) == 1
    four = Source(CO, 0.8)
    assert [four.say(800, 800, 800, 0.8) for _ in range(4)] == [[]] * 4


def test_a_lone_sensor_is_not_judged() -> None:
    lone = Source(CO, 0.8, (1,))
    assert [lone.say(800) for _ in range(4)] == [[]] * 4


def test_back_in_the_right_unit_for_two_hours_ends_it() -> None:
    source = Source(CO, 0.8)
    source.say(800, 800, 800, 800)
    source.say(800, 800, 800, 800)
    assert source.say(0.8, 0.8, 0.8, 0.8) == []
    assert source.say(800, 800, 800, 800) == [], "the count begins again"
    assert source.say(0.8, 0.8, 0.8, 0.8) == []
    (ticket,) = source.say(0.8, 0.8, 0.8, 0.8)
    assert (ticket.closed, ticket.time_ms) == (True, 6 * HOUR_MS)
    assert source.state.held == {}


def test_a_gale_is_no_unit_when_it_blows_everywhere() -> None:
    source = Source(WIND, 5, (3, 3))
    assert [source.say(*(18.0,) * 6) for _ in range(4)] == [[]] * 4


def test_kilometres_per_hour_show_against_the_other_source() -> None:
    source = Source(WIND, 5, (3, 3))
    source.say(18, 18, 17, 5, 5, 6)
    (ticket,) = source.say(18, 18, 17, 5, 5, 6)
    assert (ticket.subject, ticket.evidence["unit"]) == ("source:gw0", "km/h")


def test_a_gale_over_the_only_source_proves_nothing() -> None:
    source = Source(WIND, 5, (3,))
    assert [source.say(18, 18, 18) for _ in range(4)] == [[]] * 4


def test_the_nearest_of_several_units_is_named() -> None:
    source = Source(WIND, 10, (3, 3))
    source.say(19, 20, 19, 10, 10, 10)
    (ticket,) = source.say(19, 20, 19, 10, 10, 10)
    assert ticket.evidence["unit"] == "kn"


def test_fahrenheit_needs_nobody_else() -> None:
    source = Source(HEAT, 20)
    source.say(68, 70, 66, 71)
    (ticket,) = source.say(68, 70, 66, 71)
    assert ticket.evidence["unit"] == "℉"
    source = Source(HEAT, 20)
    source.say(293, 294, 292, 293)
    assert source.say(293, 294, 292, 293)[0].evidence["unit"] == "K"


def test_a_heat_wave_is_no_other_unit() -> None:
    source = Source(HEAT, 20)
    assert [source.say(35, 36, 37, 38) for _ in range(4)] == [[]] * 4


def test_without_a_history_the_physical_limits_tell() -> None:
    source = Source(CO, None)
    source.say(800, 700, 900, 1200)
    (ticket,) = source.say(800, 700, 900, 1200)
    assert (ticket.evidence["by"], ticket.evidence["candidates"]) == ("limits", ["µg/m³"])


def test_found_by_limits_it_ends_near_the_thousandth_part() -> None:
    source = Source(CO, None)
    source.say(800, 700, 900, 1200)
    source.say(800, 700, 900, 1200)
    assert source.say(120, 110, 120, 130) == [], "inside the limits, but still micrograms"
    assert source.say(120, 110, 120, 130) == []
    source.say(0.8, 0.7, 0.9, 1.2)
    assert source.say(0.8, 0.7, 0.9, 1.2)[0].closed


def test_half_of_the_wet_sensors_beyond_the_limit_are_enough_and_dry_ones_do_not_count() -> None:
    source = Source(DEPTH, None, (6,))
    source.say(12, 10, 1, 2, 0, 0)
    (ticket,) = source.say(12, 10, 1, 2, 0, 0)
    assert ticket.evidence["candidates"] == ["inch", "cm", "mm"]
    less = Source(DEPTH, None, (6,))
    assert [less.say(8, 5, 1, 2, 1, 0) for _ in range(4)] == [[]] * 4


def test_exactly_on_the_limit_is_inside() -> None:
    source = Source(DEPTH, None, (4,))
    assert [source.say(3, 3, 3, 3) for _ in range(4)] == [[]] * 4


def test_water_that_recedes_does_not_end_it_at_once() -> None:
    source = Source(DEPTH, None)
    source.say(8, 8, 8, 8)
    source.say(8, 8, 8, 8)
    assert [source.say(1, 1, 1, 1) for _ in range(23)] == [[]] * 23
    assert source.say(1, 1, 1, 1)[0].closed, "24 wet hours inside the limits"


def test_a_person_dismisses_it_and_what_left_ends() -> None:
    source = Source(CO, 0.8)
    source.say(800, 800, 800, 800)
    source.say(800, 800, 800, 800)
    dismissed = UnitNumbers(windows=2, dismissed=frozenset({("gw0", "co")}))
    (ticket,) = let_go(source.state, source.groups, 5, dismissed)
    assert (ticket.closed, ticket.evidence) == (True, {"why": "dismissed"})
    assert [source.say(*(800.0,) * 4, numbers=dismissed) for _ in range(3)] == [[]] * 3
    source.say(800, 800, 800, 800)
    source.say(800, 800, 800, 800)
    (ticket,) = let_go(source.state, (), 5, NUMBERS)
    assert ticket.evidence == {"why": "left the registry"}
