"""A draft joined to a registry, what changes by it, and what a check finds."""

from __future__ import annotations

from dataclasses import replace

import pytest
import shapely

from sensors.registry.assemble import Draft, GatewayDraft
from sensors.registry.check import ADVICE, Kind, check
from sensors.registry.geography import Box, Geography
from sensors.registry.merge import How, Mode, difference, join, seated
from streams.catalog import Area, Gateway, Registry, Sensor
from streams.contracts.domain import Point
from streams.domains import find_domains

AREAS = {
    "330100": Area("330100", "city", None, "杭州市", "Hangzhou"),
    "330105": Area("330105", "county", "330100", "拱墅区", "Gongshu District"),
    "330106": Area("330106", "county", "330100", "西湖区", "Xihu District"),
}
SHAPES = {"330105": shapely.box(120, 30, 121, 31), "330106": shapely.box(121, 30, 122, 31)}
GEOGRAPHY = Geography(AREAS, SHAPES, Box(118, 27, 123, 31.5), {"330103": ("330105",)})
A = Point("a", "flood_point", "330105", "甲", 120.5, 30.5, {"gauge": "g"})
G = Point("g", "rain_gauge", "330105", "雨", 120.5, 30.6, {})
HELD = Registry(
    AREAS,
    {"a": A, "g": G},
    {"a-d": Sensor(1, "a-d", "a", "gw", ("depth",)), "g-r": Sensor(2, "g-r", "g", "gw", ("rain",))},
    {"gw": Gateway("gw", "330105", "网关")},
    {"330105": 0, "330106": 1},
    2,
)


def found(registry: Registry) -> list[tuple[Kind, str]]:
    return [(f.kind, f.subject) for f in check(registry, GEOGRAPHY, find_domains())]


def with_point(point: Point) -> Registry:
    return replace(HELD, points={**HELD.points, point.id: point})


def test_merge_keeps_what_the_file_leaves_out_and_replace_does_not() -> None:
    new = Point("b", "flood_point", "330106", "乙", None, None, {})
    draft = Draft(points={"b": new})
    assert join(HELD, draft, Mode.MERGE).points == {**HELD.points, "b": new}
    replaced = join(HELD, draft, Mode.REPLACE)
    assert replaced.points == {"b": new}
    assert (replaced.sensors, replaced.gateways) == ({}, {})
    assert (replaced.areas, replaced.partitions) == (HELD.areas, HELD.partitions)


def test_a_gateway_keeps_what_the_file_does_not_say() -> None:
    drafts = [GatewayDraft("gw", None, None, "330106"), GatewayDraft("new", None, None, "330106")]
    joined = join(HELD, Draft(gateways={d.id: d for d in drafts}), Mode.MERGE)
    assert joined.gateways["gw"] == HELD.gateways["gw"]
    assert joined.gateways["new"] == Gateway("new", "330106", "")


def test_an_area_gets_its_place_in_the_log_with_its_first_point_and_keeps_it() -> None:
    point = Point("s", "air_station", "330100", "站", None, None, {})
    joined = join(HELD, Draft(points={"s": point}), Mode.MERGE)
    assert joined.partitions == {"330105": 0, "330106": 1, "330100": 0}
    assert seated({"x": 0, "y": 0, "z": 1}, {"x", "b", "a"}, 3) == {
        **{"x": 0, "y": 0, "z": 1},
        **{"a": 2, "b": 1},
    }


def test_differences_are_told_by_field_and_numbers_of_sensors_are_none() -> None:
    renamed = replace(A, name="丙", attributes={"tidal": "yes"}, external_ids={"x": "1"})
    other = replace(
        HELD,
        points={"a": renamed},
        sensors={"a-d": replace(HELD.sensors["a-d"], id=77), "n": Sensor(3, "n", "a", "gw", ())},
    )
    changes = difference(HELD, other)
    assert [(c.kind, c.id, c.how) for c in changes] == [
        ("point", "g", How.REMOVED),
        ("point", "a", How.CHANGED),
        ("sensor", "g-r", How.REMOVED),
        ("sensor", "n", How.ADDED),
    ]
    assert changes[1].fields == {
        "name": ("甲", "丙"),
        "attributes.gauge": ("g", ""),
        "attributes.tidal": ("", "yes"),
        "external_ids.x": ("", "1"),
    }
    assert difference(HELD, HELD) == ()


def test_a_sound_registry_has_no_findings() -> None:
    assert found(HELD) == []


@pytest.mark.parametrize(
    ("point", "kind"),
    [
        (replace(A, lon=121.5), Kind.OUTSIDE_AREA),
        (replace(A, lon=122.5), Kind.OUTSIDE_AREA),
        (replace(A, lon=117.0), Kind.OUTSIDE_BOX),
        (replace(A, lon=30.5, lat=120.5), Kind.SWAPPED),
        (replace(A, lon=None), Kind.HALF_POSITION),
        (replace(A, area="330103"), Kind.RETIRED_CODE),
        (replace(A, area="339999"), Kind.UNKNOWN_AREA),
        (replace(A, type="flod_point"), Kind.UNKNOWN_TYPE),
        (replace(A, attributes={"gauge": "nobody"}), Kind.DANGLING),
    ],
)
def test_what_is_wrong_with_a_point_is_found(point: Point, kind: Kind) -> None:
    assert (kind, "a") in found(with_point(point))


def test_a_gauge_of_another_area_a_repeated_name_and_a_seat_in_the_log() -> None:
    far = Point("b", "flood_point", "330106", "甲", None, None, {"gauge": "g"})
    assert found(with_point(far)) == [(Kind.OTHER_AREA, "b")], "the name repeats elsewhere only"
    twin = Point("b", "flood_point", "330105", "甲", None, None, {})
    assert found(with_point(twin)) == [(Kind.SAME_NAME, "a")]
    in_city = Point("b", "flood_point", "330100", "乙", None, None, {})
    assert found(with_point(in_city)) == [(Kind.NO_PARTITION, "b")]


def test_what_is_wrong_with_sensors_and_gateways_is_found() -> None:
    sensors = {
        "s1": Sensor(1, "s1", "nowhere", "gw", ("depth",)),
        "s2": Sensor(2, "s2", "a", "gw2", ("dept",)),
        "s\n": Sensor(3, "s\n", "a", "gw", ("depth",), external_ids={"v": "1"}),
        "s4": Sensor(4, "s4", "a", "gw", ("depth",), external_ids={"v": "1"}),
    }
    gateways = {"gw": Gateway("gw", "330105"), "g w": Gateway("g w", "999999")}
    assert found(replace(HELD, sensors=sensors, gateways=gateways)) == [
        (Kind.NO_GATEWAY, "s2"),
        (Kind.NO_POINT, "s1"),
        (Kind.SAME_EXTERNAL_ID, "s\n"),
        (Kind.UNFIT_NAME, "g w"),
        (Kind.UNFIT_NAME, "s\n"),
        (Kind.UNKNOWN_AREA, "g w"),
        (Kind.UNKNOWN_PROPERTY, "s2"),
    ]


def test_a_retired_area_of_the_registry_is_found_and_every_kind_has_advice() -> None:
    old = Area("330103", "county", "330100", "下城区", "Xiacheng District")
    assert found(replace(HELD, areas={**AREAS, "330103": old})) == [(Kind.RETIRED_CODE, "330103")]
    assert set(ADVICE) == set(Kind)
