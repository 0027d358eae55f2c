"""`citybrain registry` over real files: stations, shelters of elsewhere, boundaries."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely

from streams.catalog import Registry
from streams.storage.connect import connect
from streams.storage.migrate import drop_namespace
from streams.storage.registry import newest
from tests.support.registry_city import City, read_rejects
from tests.support.shared_data import shared_data

pytest_plugins = ["tests.support.registry_bench"]
pytestmark = pytest.mark.integration


def test_all_located_stations_lie_in_their_own_city(city: City) -> None:
    source = shared_data("aqi-cnemc-2020-zhejiang") / "zhejiang_stations_2018.csv"
    with source.open(encoding="utf-8") as file:
        stations = list(csv.DictReader(file))
    rows = "".join(
        f"{s['stationcode']},{s['area']},{s['positionname']},{s['longitude']},{s['latitude']}\n"
        for s in stations
    )
    file_ = city.file("stations.csv", f"id,area,name,lon,lat\n{rows}")
    code, answer = city.json("import", file_, "--crs", "wgs84", "--type", "air_station")
    assert code == 0
    assert (answer["rows"], answer["taken"], len(stations)) == (47, 47, 47)
    assert "outside_area" not in answer["remarks_by_kind"]
    held = city.registry()
    assert held.points["1226A"].name == "下沙"
    by_city = {p.area for p in held.points.values()}
    assert len(by_city) == 11
    # The same without their cities: each is placed in a county of the city it is said to be in.
    bare = "".join(
        f"{s['stationcode']},{s['positionname']},{s['longitude']},{s['latitude']}\n"
        for s in stations
    )
    file_ = city.file("bare.csv", f"id,name,lon,lat\n{bare}")
    city.run("import", file_, "--crs", "wgs84", "--type", "air_station", "--replace")
    placed = city.registry()
    for station in stations:
        found = placed.areas[placed.points[station["stationcode"]].area]
        assert found.level == "county"
        assert placed.areas[found.parent or ""].name == station["area"]
    assert placed.points["1226A"].area == "330114", "下沙 lies in 钱塘区"


@pytest.fixture
def taiwan(city: City) -> Iterator[Path]:
    """The file; its throwaway namespace is dropped at the end."""
    yield shared_data("shelters-taiwan") / "evacuation_shelters_tw_v9.csv.gz"
    drop_namespace(city.conninfo, "registry_taiwan_shelters")


def test_the_shelters_of_taiwan(city: City, taiwan: Path) -> None:
    rejects = city.folder / "rejects.csv"
    how = ("import", taiwan, "--format", "taiwan-shelters", "--rejects", rejects)
    code, answer = city.json(*how)
    assert code == 0
    assert (answer["rows"], answer["taken"], answer["refused"]) == (5973, 5912, 61)
    assert answer["refused_by_reason"] == {"no_capacity": 58, "no_position": 3}
    lost = [json.loads(r["content"]) for r in read_rejects(rejects)]
    with connect(city.conninfo, "registry_taiwan_shelters") as connection:
        found = newest(connection, "registry")
        profile = newest(connection, "profile")
    assert found is not None
    assert profile is not None
    held = Registry.from_dict(found[1])
    shelters = list(held.points.values())
    assert {p.type for p in shelters} == {"shelter"}
    assert {p.area for p in shelters} == {"984100"}
    capacity = sum(int(p.attributes["capacity"]) for p in shelters)
    assert capacity == 2_298_915
    assert capacity + sum(int(r["預計收容人數"]) for r in lost) == 2_301_656, "of all rows"
    flood = sum("flood" in p.attributes.get("hazards", "").split(",") for p in shelters)
    assert flood == 5023
    assert flood + sum("水災" in r["適用災害類別"].split(",") for r in lost) == 5057, "of all rows"
    names = [p.name for p in shelters] + [r["避難收容處所名稱"] for r in lost]
    # 304 by the texts of the file; one more differs only in a space at its end.
    assert len(names) - len(set(names)) == 305
    assert len(held.points) == 5912, "a name is no identity"
    assert held.points["tw-shelter-2"].external_ids == {"nfa-tw": "2"}
    assert held.points["tw-shelter-2"].attributes["room"] == "indoor"
    assert city.registry().points == {}, "nothing of it in the live city"


def test_a_recording_from_elsewhere_stays_out_of_the_city(city: City, taiwan: Path) -> None:
    how = ("import", taiwan, "--format", "taiwan-shelters", "--namespace", city.namespace)
    code, told = city.run(*how)
    assert code == 2
    assert "throwaway namespace registry_taiwan_shelters" in told


# boundaries -------------------------------------------------------------------------------------


def shapes_of(city: City) -> dict[str, Any]:
    with connect(city.conninfo, city.namespace) as connection:
        rows = connection.execute("select code, geometry, sketch from area_shape").fetchall()
    return {code: (full, sketch) for code, full, sketch in rows}


def test_the_packaged_boundaries_again_change_nothing(city: City) -> None:
    source = shared_data("zhejiang-boundaries") / "zhejiang_district.geojson"
    before = shapes_of(city)
    code, told = city.run("boundaries", source)
    assert code == 2
    assert "declares no crs" in told
    code, answer = city.json("boundaries", source, "--crs", "wgs84")
    assert code == 0
    assert len(answer["areas"]) == 90
    assert (answer["neighbours_trimmed"], answer["gap_m2"]) == ([], 0)
    after = shapes_of(city)
    assert {c: s[0] for c, s in after.items() if c.endswith("00") is False} == {
        c: s[0] for c, s in before.items() if c.endswith("00") is False
    }
    assert {c: s[1] for c, s in after.items()} == {c: s[1] for c, s in before.items()}


def test_an_own_boundary_moves_points_and_neighbours(city: City) -> None:
    city.run("import", city.points())
    shapes = shapes_of(city)
    taken = shapely.from_geojson(json.dumps(shapes["330114"][0]))
    bite = taken.union(shapely.box(120.12, 30.25, 120.14, 30.27))  # out of 西湖区, around fp-1
    own = city.file(
        "own.geojson",
        json.dumps(
            {
                "type": "FeatureCollection",
                "crs": "EPSG:4490",
                "features": [
                    {
                        "type": "Feature",
                        "geometry": json.loads(shapely.to_geojson(bite)),
                        "properties": {"code": "330114"},
                    }
                ],
            }
        ),
    )
    code, answer = city.json("boundaries", own, "--dry-run")
    assert code == 0
    assert answer["neighbours_trimmed"] == ["330106"]
    assert (answer["points_outside_before"], answer["points_outside_after"]) == (0, 2)
    assert shapes_of(city) == shapes, "a dry run changes nothing"
    assert city.run("boundaries", own)[0] == 0
    after = shapes_of(city)
    counties = [shapely.from_geojson(json.dumps(s[0])) for c, s in after.items() if c[4:] != "00"]
    sketch = [shapely.from_geojson(json.dumps(s[1])) for c, s in after.items() if c[4:] != "00"]
    assert shapely.coverage_is_valid(counties)
    assert shapely.coverage_is_valid(sketch)
    _, found = city.json("check")
    assert {f["id"] for f in found["findings"] if f["kind"] == "outside_area"} == {"fp-1", "rg-1"}
    _, told = city.run("import", city.points("n,flood_point,,新,120.13,30.26,wgs84,,,,,\n"))
    assert city.registry().points["n"].area == "330114", told


def test_half_a_map_is_not_taken(city: City) -> None:
    shapes = shapes_of(city)
    features = [
        {"type": "Feature", "geometry": shapes[code][0], "properties": {"code": given}}
        for code, given in (("330106", "330106"), ("330105", "330103"), ("330106", "330114"))
    ]
    text = json.dumps({"type": "FeatureCollection", "features": features})
    code, told = city.run("boundaries", city.file("own.geojson", text), "--crs", "wgs84")
    assert code == 2
    assert "feature 2: unknown_area: '330103' is retired" in told
    assert "330106 and 330114 overlap by" in told
    assert shapes_of(city) == shapes
