"""Latest and past of points and areas, as JSON, GeoJSON and CSV, over a real database."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx
import psycopg
import pytest

from api.app import create_app
from api.routers import history
from tests.support.admission import OPEN
from tests.support.api_client import get, walk
from tests.support.seed import Seeded, depth_mm, severity_of
from tests.support.seed_domains import DOMAINS
from tests.support.served import served

pytest_plugins = ["tests.support.seeded"]
pytestmark = pytest.mark.integration


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    """The table's rows by column."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_the_three_forms_hold_the_same_readings(client: httpx.Client, seeded: Seeded) -> None:
    path = f"/v1/points/{seeded.point}/history"
    items = walk(client, path, 50)
    table = rows_of(client.get(path, params={"format": "csv"}))
    features = get(client, path, format="geojson", limit=1000)["features"]
    assert len(items) == len(table) == len(features) == 180
    assert [r["value"] for r in table] == [i["value"]["text"] for i in items]
    assert [f["properties"] for f in features] == items
    assert [r["id"] for r in table] == [f["id"] for f in features]
    point = seeded.registry.points[seeded.point]
    oldest = depth_mm(point.lon, point.lat, 180)
    assert table[0] == {
        "id": items[0]["id"],
        "area": seeded.county,
        "point": seeded.point,
        "point_name": point.name,
        "lon": str(point.lon),
        "lat": str(point.lat),
        "sensor": items[0]["sensor"],
        "property": "depth",
        "time": "2024-09-16T03:30:00+08:00",
        "end": "",
        "value": f"{oldest / 1000:.3f}",
        "unit": "m",
        "flag": "1",
        "quality": "good",
        "position": "0",
        "namespace_kind": "simulated",
    }
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [point.lon, point.lat]}


def test_an_area_streams_all_its_points(client: httpx.Client, seeded: Seeded) -> None:
    answer = client.get(
        f"/v1/areas/{seeded.county}/history",
        params={"series": "readings", "property": "depth"},
        headers={"accept": "text/csv"},
    )
    table = rows_of(answer)
    wet = {
        point
        for point, depth in seeded.depths_mm.items()
        if severity_of(depth) and seeded.registry.points[point].area == seeded.county
    }
    assert {r["point"] for r in table} == wet
    assert len(table) == 180 * len(wet)
    keys = [(r["time"], r["sensor"], r["property"]) for r in table]
    assert keys == sorted(keys)
    assert answer.headers["citybrain-namespace-kind"] == "simulated"
    assert answer.headers["citybrain-as-of"] == "2024-09-16T06:30:00+08:00"
    assert answer.headers["citybrain-complete"] == "false"


def test_a_table_of_many_slices_is_the_same(
    client: httpx.Client, seeded: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v1/points/{seeded.point}/history"
    whole = client.get(path, params={"format": "csv"}).content
    monkeypatch.setattr(history, "SLICE_ROWS", 7)
    assert client.get(path, params={"format": "csv"}).content == whole


def test_table_pages_are_linked_and_end(client: httpx.Client, seeded: Seeded) -> None:
    path: str | None = f"/v1/points/{seeded.point}/history?format=csv&limit=70"
    found: list[dict[str, str]] = []
    while path:
        answer = client.get(path)
        found += rows_of(answer)
        path = answer.links.get("next", {}).get("url")
    assert len(found) == len({r["id"] for r in found}) == 180


def test_too_many_rows_are_refused_before_the_first(
    client: httpx.Client, seeded: Seeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v1/points/{seeded.point}/history"
    monkeypatch.setattr(history, "MOST_ROWS", 180)
    assert len(rows_of(client.get(path, params={"format": "csv"}))) == 180
    monkeypatch.setattr(history, "MOST_ROWS", 179)
    answer = client.get(path, params={"format": "csv"})
    assert answer.status_code == 422
    assert "more than 179 rows" in answer.json()["errors"][0]["detail"]


def test_lanes_are_given_back(client: httpx.Client, seeded: Seeded) -> None:
    path = f"/v1/points/{seeded.point}/history?format=csv"
    assert [client.get(path).status_code for _ in range(5)] == [200] * 5


def test_windows_are_exact(client: httpx.Client, seeded: Seeded) -> None:
    (window,) = get(
        client,
        f"/v1/points/{seeded.point}/history",
        series="windows",
        size=60,
        from_="2024-09-16T06:29:00+08:00",
        to="2024-09-16T06:30:00+08:00",
    )["items"]
    low = int(window["low"]["text"].replace(".", ""))
    assert window["sum"]["text"] == f"{(3 * low + 1) / 1000:.3f}"
    assert (window["time"], window["end"]) == (
        "2024-09-16T06:29:00+08:00",
        "2024-09-16T06:30:00+08:00",
    )


def test_transitions_of_a_point_tell_its_alert(client: httpx.Client, seeded: Seeded) -> None:
    found = walk(client, f"/v1/points/{seeded.point}/history", 2, series="alerts")
    assert [t["sequence"] for t in found if t["alert"] == seeded.alert] == list(
        range(1, severity_of(seeded.depths_mm[seeded.point]) + 2)
    )
    only = walk(
        client, f"/v1/points/{seeded.point}/history", 9, series="alerts", kind="waterlogging.rise"
    )
    assert only == []


def test_transitions_of_an_area_page_in_order(client: httpx.Client, seeded: Seeded) -> None:
    city = seeded.registry.city_of(seeded.county)
    assert city is not None
    found = walk(client, f"/v1/areas/{city}/history", 7, series="alerts")
    keys = [(t["time"], t["alert"], t["sequence"]) for t in found]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys) > 7


def test_facts_of_an_area_with_and_without_those_below(client: httpx.Client) -> None:
    path = "/v1/areas/330000/history"
    own = walk(client, path, 2, below="false")
    assert {f["area"] for f in own} == {"330000"}
    assert [f["revision"] for f in own if f["indicator"] == "plan.15"] == [2]
    below = walk(client, path, 4)
    assert len({f["area"] for f in below}) == 12
    table = rows_of(client.get(path, params={"format": "csv", "kind": "plan.13"}))
    assert [(r["value"], r["unit"], r["have"], r["want"]) for r in table] == [
        ("60.0", "%", "400", "400")
    ]


def test_results_of_a_point_are_empty_when_there_are_none(
    client: httpx.Client, seeded: Seeded
) -> None:
    page = get(client, f"/v1/points/{seeded.point}/history", series="results")
    assert page["items"] == []
    assert page["next"] is None
    assert page["freshness"]["complete"] is False
    answer = client.get(
        f"/v1/points/{seeded.point}/history", params={"series": "results", "format": "csv"}
    )
    assert rows_of(answer) == []
    assert answer.text.startswith("id,area,point,point_name,lon,lat,kind,")


def test_the_latest_of_a_point_in_every_form(client: httpx.Client, seeded: Seeded) -> None:
    path = f"/v1/points/{seeded.point}/latest"
    value = f"{seeded.depths_mm[seeded.point] / 1000:.3f}"
    assert get(client, path)["point"]["latest"][0]["value"]["text"] == value
    (feature,) = get(client, path, format="geojson")["features"]
    assert feature["properties"]["latest"][0]["value"]["text"] == value
    (row,) = rows_of(client.get(path, params={"format": "csv", "bom": "true"}))
    assert (row["value"], row["unit"], row["quality"], row["age_s"]) == (value, "m", "good", "20.0")
    assert client.get(path, params={"format": "csv", "bom": "true"}).content[:3] == b"\xef\xbb\xbf"


def test_the_latest_of_an_area_in_every_form(client: httpx.Client) -> None:
    path = "/v1/areas/330000/latest"
    latest = get(client, path)
    assert {f["indicator"] for f in latest["facts"]} == {
        "plan.13",
        "plan.15",
        "waterlogging.flooded",
    }
    (feature,) = get(client, path, format="geojson")["features"]
    assert feature["geometry"]["type"] in {"Polygon", "MultiPolygon"}
    assert feature["properties"]["area"]["code"] == "330000"
    table = rows_of(client.get(path, params={"format": "csv"}))
    assert {(r["area_code"], r["indicator"]) for r in table} == {
        ("330000", f["indicator"]) for f in latest["facts"]
    }
    (bare,) = rows_of(client.get("/v1/areas/330106/latest", params={"format": "csv"}))
    assert (bare["area_name"], bare["indicator"]) == ("西湖区", "")


def test_lists_as_tables_have_every_value_and_area(client: httpx.Client, seeded: Seeded) -> None:
    points = rows_of(
        client.get("/v1/points", params={"area": seeded.county, "format": "csv", "limit": 1000})
    )
    assert {r["id"] for r in points} == {
        p.id for p in seeded.registry.points.values() if p.area == seeded.county
    }
    assert {r["value"] == "" for r in points if r["type"] == "air_station"} <= {True}
    areas = rows_of(client.get("/v1/areas", params={"level": "county", "format": "csv"}))
    assert len(areas) == 90
    assert {r["risk"] for r in areas} >= {"green", "red"}


def test_tables_have_entity_tags_but_streams_do_not(client: httpx.Client, seeded: Seeded) -> None:
    path = "/v1/areas?format=csv"
    tag = client.get(path).headers["etag"]
    assert client.get(path, headers={"if-none-match": tag}).status_code == 304
    whole = client.get(f"/v1/points/{seeded.point}/history?format=csv")
    assert "etag" not in whole.headers
    assert whole.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "status", "parameter"),
    [
        ("/v1/points/nothing/history", 404, None),
        ("/v1/points/nothing/latest", 404, None),
        ("/v1/areas/999999/history", 404, None),
        ("/v1/areas/999999/latest", 404, None),
        ("/v1/areas/330000/history?format=xml", 422, "query.format"),
        ("/v1/areas/330000/history?series=dreams", 422, "query.series"),
        ("/v1/areas/330000/history?property=depth", 422, "query.property"),
        ("/v1/areas/330000/history?series=readings&property=volume", 422, "query.property"),
        ("/v1/areas/330000/history?series=readings&kind=x", 422, "query.kind"),
        (
            "/v1/areas/330000/history?series=readings&from=2024-01-01T00:00:00Z"
            "&to=2024-03-01T00:00:00Z",
            422,
            "query.from",
        ),
        ("/v1/areas/330000/history?cursor=x", 422, "query.cursor"),
        ("/v1/areas/330000/history?sise=60", 422, "query.sise"),
    ],
)
def test_what_cannot_be_answered_is_a_problem(
    client: httpx.Client, path: str, status: int, parameter: str | None
) -> None:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    errors: list[dict[str, Any]] = answer.json().get("errors", [])
    assert [e["parameter"] for e in errors] == ([parameter] if parameter else [])


def test_results_of_points_and_areas_page_together(
    database_url: str, seeded: Seeded, namespace: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        clone(connection, seeded.namespace, namespace)
        connection.execute(
            f"insert into {namespace}.point_result values"
            " ('air.station.hour', %(p)s, %(t)s, 3600, '{\"aqi\": 73}'),"
            " ('traffic.area.5min', %(a)s, %(t)s, 300, '{\"tpi\": \"1.25\"}'),"
            " ('traffic.area.5min', 'gone', %(t)s, 300, '{}')",
            {"p": seeded.point, "a": seeded.county, "t": "2024-09-16T05:00:00+08:00"},
        )
    with served(create_app(database_url, namespace, DOMAINS, settings=OPEN)) as client:
        found = walk(client, f"/v1/areas/{seeded.county}/history", 1, series="results")
        own = walk(client, f"/v1/points/{seeded.point}/history", 5, series="results")
    assert [(r["kind"], r["area"], r["point"]) for r in found] == [
        ("traffic.area.5min", seeded.county, None),
        ("air.station.hour", seeded.county, seeded.point),
    ]
    assert own == [found[1]]
    assert own[0]["payload"] == {"aqi": 73}
    assert own[0]["end"] == "2024-09-16T06:00:00+08:00"


def clone(connection: psycopg.Connection[Any], source: str, target: str) -> None:
    """The tables that a history of results reads."""
    connection.execute(f"create schema {target}")
    for table in (
        "namespace",
        "log_partition",
        "position",
        "area",
        "area_latest",
        "area_risk",
        "region_log",
        "point",
        "point_result",
        "property",
        "alert",
        "external_id",
    ):
        connection.execute(f"create table {target}.{table} as table {source}.{table}")
