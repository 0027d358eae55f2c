"""The invented registry: real areas, every point at home, the same for the same seed."""

from __future__ import annotations

from datetime import date

import pytest
import shapely

from deploy.city.zhejiang.build import build_registry, readings_per_hour, share_out, weight
from deploy.city.zhejiang.county import SIGNOFF_STATES, STATIONS_PER_COUNTY, County
from sensors.simulation.refuge import capacity
from streams.catalog import Registry
from streams.contracts.domain import Point
from streams.domains import find_domains
from tests.support.zhejiang import SEED, registry_of, zhejiang

DOMAINS = tuple(find_domains().values())


def of_type(registry: Registry, kind: str) -> list[Point]:
    return [p for p in registry.points.values() if p.type == kind]


def test_the_same_arguments_give_the_same_version() -> None:
    assert build_registry(zhejiang(), 40, SEED, 4, DOMAINS).version == registry_of(40).version
    assert build_registry(zhejiang(), 40, SEED + 1, 4, DOMAINS).version != registry_of(40).version


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
        build_registry(zhejiang(), 0, SEED, 4, DOMAINS)


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


def test_a_road_link_is_closed_by_one_point_only_which_lies_on_it() -> None:
    registry = registry_of(400)
    flooding = [p for p in of_type(registry, "flood_point") if "link" in p.attributes]
    assert 0.5 < len(flooding) / 400 < 0.7
    assert len({p.attributes["link"] for p in flooding}) == len(flooding)
    for point in flooding:
        link = registry.points[point.attributes["link"]]
        assert (link.type, link.area) == ("road_link", point.area)
        assert (link.lon, link.lat) == (point.lon, point.lat)


def test_links_know_their_class_length_and_free_flow() -> None:
    links = of_type(registry_of(1_800), "road_link")
    assert len(links) == 1_800
    assert {p.attributes["road_class"] for p in links} == {
        "expressway", "trunk", "secondary", "branch",
    }  # fmt: skip
    for link in links:
        assert 150 <= int(link.attributes["length_m"]) <= 3_000
        assert 30 <= int(link.attributes["free_flow_kmh"]) <= 80


def test_shelters_state_a_capacity_or_an_area_with_a_class_and_dates() -> None:
    registry = registry_of(1_800)
    shelters = of_type(registry, "shelter")
    assert len(shelters) == 360
    for shelter in shelters:
        given = shelter.attributes
        assert ("capacity" in given) != ("effective_area_m2" in given)
        assert capacity(shelter) > 0
        assert given["class"] in ("emergency", "temporary", "short", "medium", "long")
        for key in ("standardised", "deregistered"):
            if key in given:
                assert "2021-07-15" <= str(date.fromisoformat(given[key])) < "2026-06-01"
    standardised = [s for s in shelters if "standardised" in s.attributes]
    assert 0.5 < len(standardised) / 360 < 0.7
    assert 0 < sum("deregistered" in s.attributes for s in shelters) < 40


def test_a_shelter_counts_people_or_those_who_pass_its_door() -> None:
    registry = registry_of(400)
    kinds = {
        s.properties: registry.points[s.point].attributes["class"]
        for s in registry.sensors.values()
        if registry.points[s.point].type == "shelter"
    }
    assert kinds.keys() == {
        ("occupants", "open"), ("check_in", "check_out", "open"), ("occupants",),
    }  # fmt: skip
    assert kinds[("occupants",)] == "emergency"


def test_nothing_is_made_that_no_domain_watches() -> None:
    only = build_registry(zhejiang(), 40, SEED, 4, [d for d in DOMAINS if d.name != "traffic"])
    assert not of_type(only, "road_link")
    assert not any("link" in p.attributes for p in only.points.values())
    assert not any(g.endswith("-road") for g in only.gateways)
    assert {s.gateway for s in only.sensors.values()} == set(only.gateways)


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
    county = County(zhejiang(), zhejiang().areas["331081"], 200, SEED, DOMAINS)
    kinds = {g.id.removeprefix("gw-331081-") for g in county.gateways()}
    assert kinds == {"1", "2", "air", "weather", "road", "shelter"}
    assert {s.gateway for s in county.sensors()} == {f"gw-331081-{kind}" for kind in kinds}


def test_partitions_are_balanced_and_know_every_county() -> None:
    registry = registry_of(1_800)
    assert len(registry.partitions) == 90
    per_hour = readings_per_hour(DOMAINS)
    weights = {
        area: sum(weight(s, per_hour) for s in sensors)
        for area, sensors in registry.sensors_by_area.items()
    }
    load = [0] * registry.partition_count
    for area, partition in registry.partitions.items():
        load[partition] += weights[area]
    assert max(load) - min(load) <= max(weights.values())
    assert min(load) > 0


def test_a_sensor_weighs_what_it_sends() -> None:
    per_hour = readings_per_hour(DOMAINS)
    sensors = registry_of(20).sensors
    assert weight(sensors["fp-331081-0001-d"], per_hour) == 120
    assert weight(sensors["rg-331081-001-r"], per_hour) == 60
    assert weight(sensors["rl-331081-0001-t"], per_hour) == 36
    assert weight(sensors["as-331081-1-a"], per_hour) == 6
