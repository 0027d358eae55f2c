"""House numbers of quality: defaults, a profile's values, and every mistake in them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from streams.area.view import profile_mistakes
from streams.catalog import Profile
from streams.domains import find_domains
from streams.domains.waterlogging import DEPTH
from streams.domains.weather.layout import INDEX, PROPERTIES
from streams.quality import parameters as quality
from streams.quality.parameters import (
    drift_numbers,
    mistakes,
    neighbour_numbers,
    property_parameters,
    unit_numbers,
    with_profile,
)
from streams.quality.silence import SilenceLimits, silence_limits

RAIN = PROPERTIES[INDEX["rain"]]


def test_the_defaults_of_the_keys_are_those_of_the_numbers() -> None:
    assert neighbour_numbers({}) == quality.NeighbourNumbers()
    assert drift_numbers({}) == quality.DriftNumbers()
    assert unit_numbers({}) == quality.UnitNumbers()
    assert silence_limits({}) == SilenceLimits()


def test_a_profile_replaces_the_limits_of_a_property() -> None:
    values = {
        "quality.depth.spike": "0.5",
        "quality.depth.flat_s": "off",
        "quality.rain.drift": "2",
    }
    depth, rain = with_profile((DEPTH, RAIN), values)
    assert (depth.checks.spike, depth.checks.flat_s) == (Decimal("0.5"), None)
    assert depth.checks.rise_alerts, "what is no number stays"
    assert rain.checks.drift == 2
    assert with_profile((DEPTH, RAIN), {}) == (DEPTH, RAIN)


def test_the_declared_limits_are_parameters() -> None:
    found = {p.key: (p.default, p.unit) for p in property_parameters((DEPTH,))}
    assert found == {
        "quality.depth.spike": ("0.30", "m"),
        "quality.depth.flat_s": ("21600", "s"),
        "quality.depth.drift": ("0.03", "m"),
    }


def test_people_dismiss_pairs_of_source_and_property() -> None:
    numbers = unit_numbers({quality.DISMISSED: "gw-1 co; gw-2 pm25"})
    assert numbers.dismissed == {("gw-1", "co"), ("gw-2", "pm25")}
    assert unit_numbers({quality.DISMISSED: "-"}).dismissed == frozenset()


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("quality.silence.intervals", "0"),
        ("quality.silence.least_s", "two"),
        ("quality.neighbour.windows", "-1"),
        ("quality.unit.alone_factor", "0.5"),
        ("quality.health.late_weight", "1.1"),
        ("quality.unit.dismissed", "gw-1"),
        ("quality.future_tolerance_s", "1.5"),
        ("alert.valid_s", ""),
        ("quality.depth.spike", "much"),
        ("quality.depth.spike", "-1"),
        ("quality.depth.flat_s", "0"),
    ],
)
def test_every_mistake_names_its_key(key: str, text: str) -> None:
    (found,) = mistakes((DEPTH, RAIN), {key: text})
    assert key in found
    assert repr(text) in found


def test_right_values_are_no_mistakes() -> None:
    values = {p.key: p.default for p in quality.PARAMETERS}
    values |= {p.key: p.default for p in property_parameters((DEPTH, RAIN))}
    values |= {"quality.depth.spike": "off", "quality.unit.dismissed": "gw-1 co;"}
    assert mistakes((DEPTH, RAIN), values) == []


def test_a_profile_is_judged_once_over_all_domains() -> None:
    wrong = {"quality.neighbour.windows": "none", "quality.rain.neighbour": "?"}
    found = profile_mistakes(find_domains(), Profile("p", wrong))
    assert len(found) == 2


def test_neighbours_are_off_where_they_mean_nothing() -> None:
    assert DEPTH.checks.neighbour is None, "a flooded underpass is no error"
    assert DEPTH.checks.drift_low


@pytest.mark.parametrize("name", list(find_domains()))
def test_the_windows_that_checks_need_exist(name: str) -> None:
    for prop in find_domains()[name].properties:
        if prop.checks.neighbour is not None:
            assert prop.checks.neighbour_s in prop.windows_s
        if prop.checks.drift is not None or prop.checks.unit:
            assert 3600 in prop.windows_s
