"""`citybrain registry` on a real database: what it changes, what it tells, what it refuses."""

from __future__ import annotations

import json

import pytest

from sensors.registry.merge import difference
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.log.postgres import PostgresLog
from streams.pipeline import Pipeline, PipelineSetup, wanted_versions
from streams.settings import Settings
from streams.storage.connect import connect
from streams.storage.migrate import property_ids
from streams.storage.registry import load_version
from tests.support.admission import api_served
from tests.support.api_client import get
from tests.support.registry_city import ROWS, City, read_rejects

pytest_plugins = ["tests.support.registry_bench"]
pytestmark = pytest.mark.integration


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
