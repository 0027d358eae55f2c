"""The invented registry: real areas, every point at home, the same for the same seed."""

from __future__ import annotations

from itertools import pairwise

import pytest
import shapely

from deploy.city.zhejiang.build import (
    SIGNOFF_STATES,
    STATIONS_PER_COUNTY,
    County,
    Share,
    build_registry,
    share_out,
)
from streams.catalog import Registry
from streams.contracts.domain import Point
from tests.support.zhejiang import SEED, registry_of, zhejiang


def of_type(registry: Registry, kind: str) -> list[Point]:
    return [p for p in registry.points.values() if p.type == kind]


def test_the_same_arguments_give_the_same_version() -> None:
    assert build_registry(zhejiang(), 40, SEED, 4).version == registry_of(40).version
    assert build_registry(zhejiang(), 40, SEED + 1, 4).version != registry_of(40).version


def test_twenty_points_fill_one_county_and_two_thousand_all() -> None:
    assert {p.area for p in registry_of(20).points.values()} == {"331081"}
    assert len(share_out(zhejiang(), 2_000)) == 90
    assert sum(s.points for s in share_out(zhejiang(), 2_000)) == 2_000
    assert max(s.points for s in share_out(zhejiang(), 2_000)) == 23


@pytest.mark.parametrize("points", [1, 19, 40, 61])
def test_there_are_as_many_flood_points_as_asked(points: int) -> None:
    assert len(of_type(registry_of(points), "flood_point")) == points


def test_no_point_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        build_registry(zhejiang(), 0, SEED, 4)


def test_every_located_point_lies_in_its_own_county() -> None:
    for point in registry_of(400).points.values():
        if point.lon is not None:
            assert zhejiang().shape(point.area).contains(shapely.Point(point.lon, point.lat))


def test_every_flood_point_has_a_gauge_of_its_county_and_a_known_state() -> None:
    registry = registry_of(400)
    for point in of_type(registry, "flood_point"):
        gauge = registry.points[point.attributes["gauge"]]
        assert (gauge.type, gauge.area) == ("rain_gauge", point.area)
        assert point.attributes["signoff"] in SIGNOFF_STATES
        assert point.attributes["inventory"] in ("yes", "no")
        assert point.attributes["tidal"] in ("yes", "no")
        assert float(point.attributes["drain_mm_h"]) > 0


def test_signed_off_points_drain_their_design_rain_and_unfinished_ones_do_not() -> None:
    for point in of_type(registry_of(400), "flood_point"):
        drain = float(point.attributes["drain_mm_h"])
        design = float(point.attributes["design_rain_mm_h"])
        if point.attributes["signoff"] == "销号":
            assert drain > design
        if point.attributes["signoff"] in ("登记", "整治中"):
            assert drain < design


def test_a_road_link_is_closed_by_one_point_only() -> None:
    links = [
        p.attributes["link"] for p in registry_of(400).points.values() if p.attributes.get("link")
    ]
    assert links
    assert len(links) == len(set(links))


def test_some_stations_have_no_coordinates() -> None:
    stations = of_type(registry_of(1_800), "air_station")
    unknown = [p for p in stations if p.lon is None]
    assert len(stations) == 90 * STATIONS_PER_COUNTY
    assert 0 < len(unknown) < len(stations) / 4


def test_only_coastal_counties_have_tidal_points() -> None:
    tidal = {p.area[:4] for p in of_type(registry_of(1_800), "flood_point") if is_tidal(p)}
    assert tidal
    assert not tidal & {"3308", "3307", "3311"}  # Quzhou, Jinhua, Lishui


def is_tidal(point: Point) -> bool:
    return point.attributes["tidal"] == "yes"


def test_sensors_wait_for_their_ids_and_know_their_gateways() -> None:
    registry = registry_of(400)
    for sensor in registry.sensors.values():
        assert sensor.id == 0
        assert registry.gateways[sensor.gateway].area == registry.points[sensor.point].area


def test_a_big_county_has_several_gateways() -> None:
    county = County(zhejiang(), Share(zhejiang().areas["331081"], 200), SEED)
    assert len(list(county.gateways())) == 3  # two for 200 points, one for air
    assert len({s.gateway for s in county.sensors()}) == 3


def test_partitions_are_balanced_and_know_every_county() -> None:
    registry = registry_of(1_800)
    assert len(registry.partitions) == 90
    load = [0] * registry.partition_count
    for area, partition in registry.partitions.items():
        load[partition] += len(registry.sensors_by_area.get(area, ()))
    assert max(load) - min(load) <= max(len(s) for s in registry.sensors_by_area.values())
    assert all(low > 0 for low, _ in pairwise(sorted(load)))
