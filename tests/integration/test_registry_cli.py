"""`citybrain registry` on a real database: what it changes, what it tells, what it refuses."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import shapely

from deploy import cli
from deploy.live_city import ensure_areas
from sensors.registry.merge import difference
from streams.catalog import Registry
from streams.contracts.codec import decode
from streams.contracts.frame import Control
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.log.postgres import PostgresLog
from streams.pipeline import Pipeline, PipelineSetup, wanted_versions
from streams.settings import Settings
from streams.storage.connect import connect
from streams.storage.migrate import drop_namespace, migrate, property_ids
from streams.storage.registry import load_version, newest
from tests.support.admission import api_served
from tests.support.api_client import get
from tests.support.shared_data import shared_data

pytestmark = pytest.mark.integration

HEAD = "id,type,area,name,lon,lat,crs,sensor,gateway,properties,attr.gauge,id.bureau"
ROWS = (
    "fp-1,flood_point,330106,桥下,120.13,30.26,wgs84,fp-1-d,gw-1,depth,rg-1,HZ-7\n"
    "rg-1,rain_gauge,330106,雨量站,120.131,30.261,wgs84,rg-1-r,gw-1,rain,,\n"
    "fp-2,flood_point,330104,下沙,120.47,30.29,wgs84,fp-2-d,gw-2,depth,,\n"
)


@pytest.fixture(scope="module")
def var_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One extract of the boundaries for the module."""
    return tmp_path_factory.mktemp("registry")


@dataclass(frozen=True)
class City:
    """A live namespace that knows its areas, and the command in it."""

    conninfo: str
    namespace: str
    folder: Path
    capsys: pytest.CaptureFixture[str]

    def run(self, *arguments: object) -> tuple[int, str]:
        """Exit code and everything told."""
        code = cli.run(["registry", *map(str, arguments)])
        told = self.capsys.readouterr()
        return code, told.out + told.err

    def json(self, *arguments: object) -> tuple[int, Any]:
        """Exit code and the answer of `--json`."""
        code = cli.run(["registry", *map(str, arguments), "--json"])
        return code, json.loads(self.capsys.readouterr().out)

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def points(self, rows: str = ROWS, name: str = "points.csv") -> Path:
        return self.file(name, f"{HEAD}\n{rows}")

    def registry(self) -> Registry:
        with connect(self.conninfo, self.namespace) as connection:
            found = newest(connection, "registry")
        assert found is not None
        return Registry.from_dict(found[1])

    def activations(self) -> list[list[str]]:
        """Registry versions in the log, by partition."""
        log = PostgresLog(self.conninfo, self.namespace)
        records = [[decode(r) for r in log.read(n, 0)] for n in range(log.partitions())]
        log.close()
        return [
            [e.version for e in events if isinstance(e, Control) and e.kind == "registry"]
            for events in records
        ]


@pytest.fixture
def city(
    database_url: str,
    namespace: str,
    var_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> City:
    """A live namespace as `citybrain up` leaves it."""
    monkeypatch.setenv("CITYBRAIN_DATABASE", database_url)
    monkeypatch.setenv("CITYBRAIN_NAMESPACE", namespace)
    monkeypatch.setenv("CITYBRAIN_VAR_DIR", str(var_dir))
    migrate(database_url, namespace, NamespaceKind.LIVE, partitions=3)
    ensure_areas(database_url, namespace, Settings(var_dir=var_dir), lambda: 1_800_000_000_000)
    return City(database_url, namespace, tmp_path, capsys)


def read_rejects(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_an_import_is_stored_numbered_and_told_to_every_partition(city: City) -> None:
    code, told = city.run("import", city.points())
    assert code == 0
    held = city.registry()
    assert set(held.points) == {"fp-1", "fp-2", "rg-1"}
    assert sorted(s.id for s in held.sensors.values()) == [1, 2, 3]
    assert held.points["fp-2"].area == "330114"
    assert held.gateways["gw-2"].area == "330114"
    assert "330104 → 330114" in told
    assert f"registry {held.version} in force; partitions told: 3" in told
    assert [versions[-1] for versions in city.activations()] == [held.version] * 3
    assert len(held.areas) == 102


def test_a_dry_run_shows_the_changes_and_makes_none(city: City) -> None:
    before = city.registry().version
    code, answer = city.json("import", city.points(), "--dry-run")
    assert code == 0
    assert answer["changed"] is False
    assert {(c["kind"], c["how"]) for c in answer["changes"]} == {
        ("point", "added"),
        ("sensor", "added"),
        ("gateway", "added"),
    }
    assert city.registry().version == before
    assert [len(v) for v in city.activations()] == [1, 1, 1]


def test_the_same_file_again_changes_nothing_and_keeps_numbers(city: City) -> None:
    city.run("import", city.points())
    first = city.registry()
    code, told = city.run("import", city.points())
    assert code == 0
    assert "nothing changes" in told
    assert city.registry().version == first.version


def test_an_activation_that_was_cut_off_is_finished_by_the_next_import(city: City) -> None:
    """Partitions that have not passed the version are told again, the others are left alone."""
    city.run("import", city.points())
    version = city.registry().version
    with connect(city.conninfo, city.namespace) as connection:
        for partition in (0, 2):
            connection.execute(
                "insert into config_active values ('registry', %s, %s, 7)", (partition, version)
            )
    _, told = city.run("import", city.points())
    assert "partitions told: 1" in told
    assert [len(v) for v in city.activations()] == [2, 3, 2]


def test_a_pipeline_takes_the_version_and_knows_the_new_areas_points(city: City) -> None:
    city.run("import", city.points())
    held = city.registry()
    log = PostgresLog(city.conninfo, city.namespace)
    partition = held.partitions["330114"]
    records = log.read(partition, 0)
    log.close()
    with connect(city.conninfo, city.namespace) as connection:
        contents = {v: load_version(connection, v) for v in wanted_versions(records)}
        ids = property_ids(connection)
    setup = PipelineSetup("t", partition, NamespaceKind.LIVE, find_domains(), ids)
    outcome = Pipeline(setup).process(records, contents)
    assert outcome.activated[-1][:2] == ("registry", held.version)
    assert outcome.dead_letters == []


def test_any_text_that_is_taken_is_stored_as_it_is(city: City) -> None:
    odd = "𠮷\t\\N 'x' \"桥\"\u3000%s\n😀"
    quoted = odd.replace('"', '""')
    rows = f'o,flood_point,330106,"{quoted}",120.13,30.26,wgs84,,,,"{quoted}",\n'
    assert city.run("import", city.points(rows))[0] == 0
    held = city.registry().points["o"]
    assert (held.name, held.attributes["gauge"]) == (odd, odd)
    with connect(city.conninfo, city.namespace) as connection:
        stored = connection.execute("select name, attributes from point").fetchall()
    assert stored == [(odd, {"gauge": odd})]


def test_one_bad_row_stops_all_and_every_mistake_is_told(city: City) -> None:
    before = city.registry().version
    bad = "x,flood_point,330106,反,30.26,120.13,wgs84,,,,,\ny,,330106,无,,,,,,,,\n"
    code, told = city.run("import", city.points(ROWS + bad))
    assert code == 1
    assert "points.csv: row 5, column lon: swapped" in told
    assert "points.csv: row 6, column type: no_type" in told
    assert "nothing was changed" in told
    assert city.registry().version == before


def test_rejects_takes_the_good_rows_and_keeps_the_others_in_a_file(city: City) -> None:
    bad = "x,flood_point,330106,反,30.26,120.13,wgs84,,,,,\n"
    rejects = city.folder / "rejects.csv"
    code, answer = city.json("import", city.points(ROWS + bad), "--rejects", rejects)
    assert code == 0
    assert (answer["rows"], answer["taken"], answer["refused"]) == (4, 3, 1)
    assert answer["refused_by_reason"] == {"swapped": 1}
    assert set(city.registry().points) == {"fp-1", "fp-2", "rg-1"}
    (row,) = read_rejects(rejects)
    assert (row["file"], row["row"], row["reason"]) == ("points.csv", "5", "swapped")
    assert json.loads(row["content"])["name"] == "反"


def test_files_that_cannot_be_written_are_told(city: City) -> None:
    nowhere = city.folder / "missing"
    code, told = city.run("export", nowhere / "out.csv")
    assert code == 2
    assert "cannot be written" in told
    before = city.registry().version
    assert city.run("import", city.points(), "--rejects", nowhere / "rejects.csv")[0] == 2
    assert city.registry().version == before


def test_whole_files_that_cannot_be_used_are_told_together(city: City) -> None:
    one = city.file("a.csv", "id,colour\n")
    two = city.file("b.csv", "id,type,name,lon,lat\np,flood_point,n,120,30\n")
    bad = city.points("x,flood_point,330106,反,30.26,120.13,wgs84,,,,,\n")
    code, told = city.run("import", one, two, city.folder / "missing.csv", bad)
    assert code == 2
    assert "a.csv" in told
    assert "b.csv: declares no crs" in told
    assert "missing.csv" in told
    assert "points.csv: row 2, column lon: swapped" in told


def test_merge_adds_and_updates_and_replace_leaves_the_files_only(city: City) -> None:
    city.run("import", city.points())
    moved = "fp-1,flood_point,330106,桥上,120.13,30.26,wgs84,,,,,\n"
    _, told = city.run("import", city.points(moved))
    assert "~ point fp-1" in told
    held = city.registry()
    assert held.points["fp-1"].name == "桥上"
    assert set(held.sensors) == {"fp-1-d", "fp-2-d", "rg-1-r"}
    numbers = {s.name: s.id for s in held.sensors.values()}
    _, told = city.run("import", city.points(), "--replace")
    code, told = city.run("import", city.points(ROWS.splitlines()[0]), "--replace")
    assert code == 0
    held = city.registry()
    assert set(held.points) == {"fp-1"}
    assert set(held.sensors) == {"fp-1-d"}
    assert held.sensors["fp-1-d"].id == numbers["fp-1-d"], "an id is given once"
    assert set(held.gateways) == {"gw-1"}


@pytest.mark.parametrize("name", ["out.csv", "out.geojson"])
def test_an_export_gives_the_registry_back(city: City, name: str) -> None:
    city.run("import", city.points())
    held = city.registry()
    file = city.folder / name
    assert city.run("export", file)[0] == 0
    assert city.run("diff", file)[0] == 0
    city.run("import", city.points("", "empty.csv"), "--replace")
    assert not city.registry().points
    assert city.run("import", file, "--replace")[0] == 0
    assert city.registry().version == held.version


def test_export_knows_chinese_excel_and_the_terminal(city: City) -> None:
    city.run("import", city.points())
    file = city.folder / "gb.csv"
    city.run("export", file, "--encoding", "gb18030")
    assert "桥下" in file.read_text(encoding="gb18030")
    assert city.run("diff", file, "--encoding", "gb18030")[0] == 0
    code, told = city.run("export", "-")
    assert code == 0
    assert told.startswith("id,type,area,name,lon,lat")


def test_versions_are_compared_by_their_hashes(city: City) -> None:
    city.run("import", city.points())
    first = city.registry()
    city.run("import", city.points(ROWS.splitlines()[0]), "--replace")
    second = city.registry()
    code, changes = city.json("diff", first.version[:20], "active")
    assert code == 1
    assert len(changes) == len(difference(first, second)) == 5
    assert city.run("diff", second.version)[0] == 0
    code, told = city.run("diff", "sha256:0000")
    assert code == 2
    assert "neither a file nor a registry version" in told


def test_a_change_meanwhile_is_not_undone(city: City) -> None:
    """Somebody imports between our reading and our storing."""
    from deploy.registry_import import Request, carry_out, prepare
    from sensors.registry.source import Reading
    from streams.errors import Misconfigured

    settings = Settings(database=city.conninfo, namespace=city.namespace)
    request = Request([city.points(ROWS.splitlines()[0])], Reading())
    ours = prepare(request, settings, lambda _: None)
    city.run("import", city.points(ROWS.splitlines()[1], "other.csv"))
    with pytest.raises(Misconfigured, match="somebody else meanwhile"):
        carry_out(ours, settings)
    assert set(city.registry().points) == {"rg-1"}


def test_check_finds_and_says_so_by_its_exit_code(city: City) -> None:
    assert city.run("check")[0] == 0
    rows = (
        "a,flood_point,330105,甲,120.13,30.26,wgs84,,,,nowhere,1\n"
        "b,flood_point,330105,甲,,,,b-d,gw,dept,,1\n"
    )
    city.run("import", city.points(rows))
    code, answer = city.json("check")
    assert code == 1
    assert {f["kind"] for f in answer["findings"]} == {
        "outside_area",
        "dangling",
        "same_name",
        "same_external_id",
        "unknown_property",
    }
    assert all(f["what_to_do"] for f in answer["findings"])
    code, told = city.run("check", city.points("c,flood_point,330106,丙,30.2,120.1,wgs84,,,,,\n"))
    assert code == 1
    assert "swapped" in told


def test_a_namespace_without_tables_is_told(city: City) -> None:
    code, told = city.run("check", "--namespace", "not_there")
    assert code == 2
    assert "not_there does not exist" in told


# what the API shows -----------------------------------------------------------------------------


def test_points_are_found_by_what_others_call_them(city: City) -> None:
    text = (
        "id,type,area,name,lon,lat,crs,sensor,gateway,properties,id.bureau,sensor.id.vendor\n"
        "a,flood_point,330105,甲,120.13,30.26,wgs84,a-d,gw,depth,HZ:7,X-1\n"
        "b,flood_point,330106,乙,120.13,30.26,wgs84,b-d,gw,depth,8,\n"
    )
    assert city.run("import", city.file("p.csv", text))[0] == 0
    with api_served(city.conninfo, city.namespace, find_domains()) as client:
        (a,) = get(client, "/v1/points", external="bureau:HZ:7")["items"]
        assert (a["id"], a["external_ids"]) == ("a", {"bureau": "HZ:7"})
        assert a["outside_area"] is True
        (by_sensor,) = get(client, "/v1/points", external="vendor:X-1")["items"]
        assert by_sensor["id"] == "a"
        assert get(client, "/v1/points", external="vendor:8")["items"] == []
        assert client.get("/v1/points", params={"external": "vendor"}).status_code == 422
        detail = get(client, "/v1/points/a")
        assert detail["sensors"][0]["external_ids"] == {"vendor": "X-1"}
        assert detail["attributes"] == {"outside_area": "330106"}
        assert get(client, "/v1/points/b")["point"]["outside_area"] is False


# real files -------------------------------------------------------------------------------------


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
