"""Of which areas a subscriber hears, and what a heartbeat says of them."""

from __future__ import annotations

import pytest
import shapely

from api.delivery.completeness import AreaState, areas_of, counted
from api.delivery.filter import Filter
from api.delivery.place import Places

PLACES = Places(
    shapes={
        "330106": shapely.box(120.0, 30.0, 120.2, 30.2),
        "330108": shapely.box(120.2, 30.0, 120.4, 30.2),
        "330402": shapely.box(120.4, 30.0, 120.6, 30.2),
        "330400": shapely.box(120.4, 30.0, 121.0, 30.4),
    }
)
KNOWN = ("330106", "330108", "330402", "330400")


@pytest.mark.parametrize(
    ("wants", "areas"),
    [
        ({}, set(KNOWN)),
        ({"areas": ["330100"]}, {"330106", "330108"}),
        ({"areas": ["330402"]}, {"330402"}),
        ({"near": {"area": "330400", "within_m": 1000}}, {"330108", "330402", "330400"}),
        ({"areas": ["330106"], "near": {"area": "999999", "within_m": 1000}}, {"330106"}),
    ],
)
def test_the_areas_that_a_filter_looks_at(wants: dict[str, object], areas: set[str]) -> None:
    assert areas_of(Filter.model_validate(wants), PLACES, KNOWN) == areas


def test_while_nobody_works_no_area_is_known() -> None:
    states = {"330106": AreaState("330106", 42, 41, 1, False, 1_726_467_060_000)}
    (known,) = counted(states, ["330106", "330108"], working=True)
    assert known == {
        "area": "330106",
        "points": 42,
        "reporting": 41,
        "silent_sensors": 1,
        "unknown": False,
        "as_of": "2024-09-16T14:11:00+08:00",
    }
    (unknown,) = counted(states, ["330106"], working=False)
    assert unknown["unknown"] is True
