"""Least areas, earthquake classes and Sphere minimums of shelters: edges first."""

from __future__ import annotations

import pytest

from streams.area.view import parameters_of
from streams.domains.shelter import DOMAIN
from streams.domains.shelter.adequacy import (
    below_class_area,
    earthquake_class,
    has_covered_area,
    has_earthquake_area,
    needs,
)
from tests.support.shelters import shelter

DEFAULTS = parameters_of(DOMAIN, {})


@pytest.mark.parametrize(
    ("kind", "area", "below"),
    [
        ("short", "2000", False),  # exactly 0.2 ha
        ("short", "1999.999", True),
        ("medium", "10000", False),
        ("medium", "9999", True),
        ("long", "50000", False),
        ("long", "49999", True),
        ("emergency", "1", None),  # no least area
        ("central", "1", None),
        ("short", "", None),
        ("short", "0", None),
    ],
)
def test_least_area_of_a_class(kind: str, area: str, below: bool | None) -> None:
    point = shelter("s", effective_area_m2=area, **{"class": kind})
    assert below_class_area(point, DEFAULTS) is below


@pytest.mark.parametrize(
    ("days", "expected"), [("30", "Ⅰ"), ("29", "Ⅱ"), ("10", "Ⅱ"), ("9", "Ⅲ"), ("1", "Ⅲ")]
)
def test_earthquake_classes_by_days_of_stay(days: str, expected: str) -> None:
    values = parameters_of(DOMAIN, {"shelter.stay_days.short": days})
    assert earthquake_class(shelter("s", hazards="earthquake"), values) == expected
    assert earthquake_class(shelter("s", hazards="flood"), values) is None
    assert earthquake_class(shelter("s", hazards="earthquake", **{"class": "x"}), values) is None


@pytest.mark.parametrize(("persons", "enough"), [(466, True), (467, False), (None, None)])
def test_one_and_a_half_square_metres_in_an_earthquake(
    persons: int | None, enough: bool | None
) -> None:
    point = shelter("s", hazards="earthquake")  # 700 m²: 466.67 persons
    assert has_earthquake_area(point, persons, DEFAULTS) is enough
    assert has_earthquake_area(shelter("s"), persons, DEFAULTS) is None


@pytest.mark.parametrize(("persons", "enough"), [(0, True), (200, True), (201, False)])
def test_three_and_a_half_covered_square_metres(persons: int, enough: bool) -> None:
    assert has_covered_area(shelter("s", room="indoor"), persons, DEFAULTS) is enough
    assert has_covered_area(shelter("s", room="outdoor"), persons, DEFAULTS) is None
    assert has_covered_area(shelter("s", room="indoor", capacity="9"), persons, DEFAULTS) is None


@pytest.mark.parametrize(
    ("persons", "water", "toilets", "taps"),
    [
        (0, 0, 0, 0),
        (1, 15, 1, 1),
        (20, 300, 1, 1),
        (21, 315, 2, 1),
        (250, 3750, 13, 1),
        (251, 3765, 13, 2),
    ],
)
def test_needs_are_rounded_up(persons: int, water: int, toilets: int, taps: int) -> None:
    expected = {"water_l_per_day": water, "toilets": toilets, "taps": taps}
    assert needs(persons, DEFAULTS) == expected
