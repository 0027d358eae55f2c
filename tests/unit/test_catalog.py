"""The registry: content hash, both ways, partitions by weight."""

from __future__ import annotations

import json
import weakref
from dataclasses import replace

import pytest

from streams.catalog import Profile, Registry, content_hash, registry_of, spread_areas
from tests.support.small_city import COUNTIES, registry


def test_a_version_survives_json() -> None:
    held = registry()
    again = Registry.from_dict(json.loads(json.dumps(held.to_dict())))
    assert again.version == held.version
    assert again.sensors == held.sensors
    assert again.points_by_area == held.points_by_area


def test_a_version_is_one_object_while_anybody_holds_it() -> None:
    held = replace(registry(), partition_count=7)
    first = registry_of(held.version, held.to_dict())
    assert first == held
    assert registry_of(held.version, held.to_dict()) is first
    gone = weakref.ref(first)
    del first
    assert gone() is None, "nobody's registry is kept"
    assert registry_of(held.version, held.to_dict()) == held


def test_the_hash_does_not_depend_on_the_order_of_entry() -> None:
    held = registry()
    turned = replace(
        held,
        points=dict(reversed(list(held.points.items()))),
        sensors=dict(reversed(list(held.sensors.items()))),
        areas=dict(reversed(list(held.areas.items()))),
        partitions=dict(reversed(list(held.partitions.items()))),
    )
    assert turned.version == held.version


def test_any_change_is_another_version() -> None:
    held = registry()
    name = f"{COUNTIES[0]}-p0"
    moved = replace(held.points[name], attributes={"gauge": ""})
    assert replace(held, points={**held.points, name: moved}).version != held.version
    slower = replace(held.sensors[name], report_s=31)
    assert replace(held, sensors={**held.sensors, name: slower}).version != held.version
    assert replace(held, partition_count=2).version != held.version


def test_a_hash_is_of_the_content_in_utf8() -> None:
    assert content_hash({"b": 1, "a": "区"}) == content_hash({"a": "区", "b": 1})
    assert content_hash({}).startswith("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc2")


def test_a_profile_survives_and_is_hashed() -> None:
    profile = Profile("杭州", {"waterlogging.tier.blue_cm": "20"})
    assert Profile.from_dict(profile.to_dict()).version == profile.version
    assert Profile("杭州").version != profile.version


def test_the_city_of_an_area() -> None:
    held = registry()
    assert held.city_of(COUNTIES[0]) == "330100"
    assert held.city_of("330100") == "330100"
    assert held.city_of("330000") == "330000"


def test_areas_of_a_partition() -> None:
    held = registry(partitions=3)
    found = [held.areas_of(p) for p in range(3)]
    assert sorted(area for areas in found for area in areas) == sorted(COUNTIES)
    assert found[0] == (COUNTIES[0], COUNTIES[3])


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_areas_are_spread_by_weight(count: int) -> None:
    weights = {f"a{n}": n for n in range(20)}
    table = spread_areas(weights, count)
    assert table == spread_areas(dict(reversed(weights.items())), count)
    load = [sum(max(1, weights[a]) for a, p in table.items() if p == n) for n in range(count)]
    assert max(load) - min(load) <= 19, "no more apart than one area"


def test_a_version_from_before_external_ids_loads_and_keeps_its_hash() -> None:
    old = {
        "areas": [["330100", "city", None, "杭州市", "Hangzhou", None, None]],
        "points": [["p", "flood_point", "330100", "点", 120.1, 30.2, {"gauge": "g"}]],
        "sensors": [[7, "s", "p", "gw", ["depth"], 0]],
        "gateways": [["gw", "330100", ""]],
        "partitions": {"330100": 0},
        "partition_count": 1,
    }
    held = Registry.from_dict(old)
    assert held.points["p"].external_ids == {}
    assert held.sensors["s"].external_ids == {}
    assert held.version == content_hash(old)


def test_external_ids_are_part_of_the_version_and_survive_json() -> None:
    held = registry()
    name = f"{COUNTIES[0]}-p0"
    point = replace(held.points[name], external_ids={"water-bureau": "7", "a": "b"})
    sensor = replace(held.sensors[name], external_ids={"vendor": "X-1"})
    named = replace(
        held,
        points={**held.points, name: point},
        sensors={**held.sensors, name: sensor},
    )
    assert named.version != held.version
    again = Registry.from_dict(json.loads(json.dumps(named.to_dict())))
    assert again.version == named.version
    assert again.points[name].external_ids == {"water-bureau": "7", "a": "b"}
    assert again.sensors[name].external_ids == {"vendor": "X-1"}
