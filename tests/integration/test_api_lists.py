"""The API over a real database: what lists show, filter and page through."""

from __future__ import annotations

from datetime import datetime

import httpx
import pytest

from streams.contracts.ticket import ticket_id
from tests.support.api_client import get, walk
from tests.support.seed import UNKNOWN_COUNTY, Seeded, severity_of

pytest_plugins = ["tests.support.seeded"]
pytestmark = pytest.mark.integration


def test_areas_show_colour_leader_and_freshness(client: httpx.Client, seeded: Seeded) -> None:
    page = get(client, "/v1/areas", level="county")
    by_code = {area["code"]: area for area in page["items"]}
    assert len(by_code) == 90
    worst = by_code[seeded.county]
    assert worst["risk"]["rank"] == severity_of(max(seeded.depths_mm.values()))
    assert worst["led_by"] == "waterlogging"
    assert worst["unknown"] is False
    assert worst["age_s"] == 20
    assert by_code[UNKNOWN_COUNTY]["unknown"] is True
    assert by_code[UNKNOWN_COUNTY]["stale_alerts"] > 0
    assert page["freshness"]["kind"] == "simulated"
    assert page["freshness"]["as_of"] == "2024-09-16T06:30:00+08:00"
    assert page["freshness"]["areas_unknown"] == 1
    assert page["freshness"]["complete"] is False


def test_an_area_says_what_each_domain_says(client: httpx.Client, seeded: Seeded) -> None:
    area = client.get(f"/v1/areas/{seeded.county}").json()["area"]
    (share,) = area["by_domain"]
    assert (share["domain"], share["risk"]["name"], share["age_s"]) == ("waterlogging", "red", 20.0)
    assert area["compound"] is False
    assert area["below"] is None


def test_domains_are_described_by_their_folders(client: httpx.Client) -> None:
    found = {one["name"]: one for one in client.get("/v1/domains").json()["items"]}
    assert {"air", "waterlogging"} <= set(found)
    depth = next(p for p in found["waterlogging"]["properties"] if p["name"] == "depth")
    assert (depth["unit"], depth["title_zh"]) == ("m", "积水深度")
    assert "plan.15" in found["air"]["indicators"]


def test_areas_as_geojson_carry_sketch_boundaries(client: httpx.Client) -> None:
    answer = client.get("/v1/areas", params={"level": "county", "format": "geojson"})
    assert answer.headers["content-type"] == "application/geo+json"
    features = answer.json()["features"]
    assert len(features) == 90
    assert {f["geometry"]["type"] for f in features} <= {"Polygon", "MultiPolygon"}
    assert all(f["id"] == f["properties"]["code"] for f in features)


def test_bbox_keeps_areas_it_touches(client: httpx.Client) -> None:
    inside = walk(client, "/v1/areas", 50, level="county", bbox="121.9,29.7,122.9,31.0")
    names = {area["name"] for area in inside}
    assert {"定海区", "普陀区"} <= names
    assert "西湖区" not in names
    assert get(client, "/v1/areas", bbox="100,10,101,11")["items"] == []


def test_one_area_has_its_children_and_boundary(client: httpx.Client) -> None:
    city = get(client, "/v1/areas/330100", geometry="full")
    assert city["area"]["name"] == "杭州市"
    assert {c["parent"] for c in city["children"]} == {"330100"}
    assert city["geometry"]["type"] in {"Polygon", "MultiPolygon"}
    assert get(client, "/v1/areas/330100")["geometry"] is None


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_paging_gives_every_area_once_in_order(client: httpx.Client, limit: int) -> None:
    codes = [area["code"] for area in walk(client, "/v1/areas", limit)]
    assert codes == sorted(set(codes))
    assert len(codes) == 102


def test_points_show_latest_value_tier_quality_and_age(
    client: httpx.Client, seeded: Seeded
) -> None:
    page = get(client, "/v1/points", area=seeded.county, type="flood_point")
    point = next(p for p in page["items"] if p["id"] == seeded.point)
    (latest,) = point["latest"]
    depth = seeded.depths_mm[seeded.point]
    assert latest["value"] == {"text": f"{depth / 1000:.3f}", "number": depth / 1000}
    assert (latest["property"], latest["unit"], latest["quality"]) == ("depth", "m", "good")
    assert latest["age_s"] == 20
    assert latest["silent"] is False
    assert point["tier"]["rank"] == severity_of(depth)
    assert point["domain"] == "waterlogging"


def test_silent_sensors_are_marked(client: httpx.Client) -> None:
    page = get(client, "/v1/points", area=UNKNOWN_COUNTY, domain="waterlogging", limit=1000)
    values = [value for point in page["items"] for value in point["latest"]]
    assert values
    assert all(value["silent"] and value["age_s"] == 400 for value in values)


def test_points_of_a_city_are_those_of_its_counties(client: httpx.Client, seeded: Seeded) -> None:
    city = seeded.registry.city_of(seeded.county)
    found = {p["id"] for p in walk(client, "/v1/points", 30, area=city, domain="air")}
    wanted = {
        p.id
        for p in seeded.registry.points.values()
        if p.type == "air_station" and seeded.registry.city_of(p.area) == city
    }
    assert found == wanted
    assert found


def test_points_as_geojson_have_longitude_first(client: httpx.Client, seeded: Seeded) -> None:
    answer = client.get("/v1/points", params={"area": seeded.county, "format": "geojson"})
    feature = next(f for f in answer.json()["features"] if f["id"] == seeded.point)
    point = seeded.registry.points[seeded.point]
    assert feature["geometry"] == {"type": "Point", "coordinates": [point.lon, point.lat]}


def test_one_point_has_sensors_and_open_alerts(client: httpx.Client, seeded: Seeded) -> None:
    found = get(client, f"/v1/points/{seeded.point}")
    assert [alert["id"] for alert in found["alerts"]] == [seeded.alert]
    assert found["sensors"][0]["properties"] == ["depth"]


def test_open_alerts_come_worst_first_and_page(client: httpx.Client, seeded: Seeded) -> None:
    found = walk(client, "/v1/alerts", 3)
    keys = [(a["severity"]["rank"], a["onset"], a["id"]) for a in found]
    assert keys == sorted(keys, reverse=True)
    assert {a["point"] for a in found} == {
        point for point, depth in seeded.depths_mm.items() if severity_of(depth)
    }
    assert all(a["state"] == "firing" for a in found)


def test_newest_alerts_page_by_onset(client: httpx.Client) -> None:
    found = walk(client, "/v1/alerts", 4, state="any", order="newest")
    onsets = [a["onset"] for a in found]
    assert onsets == sorted(onsets, reverse=True)
    assert len({a["id"] for a in found}) == len(found)
    assert found[-1]["id"] == "alert-over"


def test_alerts_by_severity_area_and_time(client: httpx.Client, seeded: Seeded) -> None:
    city = seeded.registry.city_of(seeded.county)
    red = walk(client, "/v1/alerts", 100, severity="red", area=city)
    assert {a["severity"]["name"] for a in red} == {"red"}
    assert seeded.alert in {a["id"] for a in red}
    early = walk(
        client,
        "/v1/alerts",
        100,
        state="any",
        from_="2024-09-16T01:00:00+08:00",
        to="2024-09-16T02:00:00+08:00",
    )
    assert [a["id"] for a in early] == ["alert-over"]


def test_one_alert_tells_every_transition_with_its_evidence(
    client: httpx.Client, seeded: Seeded
) -> None:
    found = get(client, f"/v1/alerts/{seeded.alert}")
    assert found["alert"]["title_zh"] == "积水深度"
    transitions = found["transitions"]
    assert [t["sequence"] for t in transitions] == list(range(1, len(transitions) + 1))
    assert [t["change"] for t in transitions[:2]] == ["onset", "confirmed"]
    last = transitions[-1]
    assert last["value"] == f"{seeded.depths_mm[seeded.point] / 1000:.3f}"
    assert last["threshold"] == "0.400"
    assert last["evidence"] == {"depth_mm": seeded.depths_mm[seeded.point]}
    assert last["log_position"] == last["sequence"]


def test_facts_of_now_are_the_newest_revisions(client: httpx.Client) -> None:
    (fact,) = get(client, "/v1/facts", indicator="plan.15")["items"]
    assert (fact["value"], fact["revision"], fact["cause"]) == ("93.3", 2, "late")
    assert fact["known_to"] is None


def test_facts_as_of_are_what_was_known_then(client: httpx.Client) -> None:
    given = {"indicator": "plan.15", "period": "month"}
    (old,) = get(client, "/v1/facts", **given, as_of="2024-09-16T02:29:59+08:00")["items"]
    assert (old["value"], old["revision"]) == ("92.7", 1)
    (new,) = get(client, "/v1/facts", **given, as_of="2024-09-16T02:30:00+08:00")["items"]
    assert new["revision"] == 2
    assert get(client, "/v1/facts", **given, as_of="2024-09-16T00:29:59+08:00")["items"] == []


def test_facts_show_completeness_and_bounds_and_page(client: httpx.Client) -> None:
    found = walk(client, "/v1/facts", 5)
    assert len(found) == len({(f["indicator"], f["area"], f["period"]) for f in found}) == 25
    flooded = next(
        f for f in found if f["indicator"] == "waterlogging.flooded" and f["area"] == "330000"
    )
    assert (flooded["have"], flooded["want"], flooded["complete"]) == (89, 90, False)
    assert (flooded["lower"], flooded["upper"]) == ("37", "44")
    assert [f["area"] for f in get(client, "/v1/facts", area="330000", period="hour")["items"]] == [
        "330000"
    ]


def test_one_fact_has_all_its_revisions(client: httpx.Client) -> None:
    path = "/v1/facts/plan.15/330000/month/2024-09-01T00:00:00+08:00"
    assert [f["revision"] for f in get(client, path)["items"]] == [1, 2]


def test_indicators_come_from_the_domains(client: httpx.Client) -> None:
    found = {i["indicator"]: i for i in get(client, "/v1/indicators")["items"]}
    assert found["plan.15"]["plan_row"] == 15
    assert found["plan.15"]["periods"] == ["month", "year"]
    assert found["waterlogging.flooded"]["levels"] == ["city", "province"]
    assert found["waterlogging.flooded"]["plan"] is None
    assert found["plan.13"]["plan"] == {
        "period": "state",
        "base": "20",
        "early": "40",
        "target": "100",
        "target_value": "100",
        "path": {"2021": "40", "2022": "55", "2023": "70", "2024": "85", "2025": "100"},
    }
    assert found["plan.15"]["plan"]["target"] == "≥93"
    assert found["plan.15"]["plan"]["path"] is None


def test_raw_readings_are_exact_and_carry_their_position(
    client: httpx.Client, seeded: Seeded
) -> None:
    series: list[dict[str, object]] = []
    cursor: dict[str, str] = {}
    while True:
        page = get(client, "/v1/readings", point=seeded.point, property="depth", limit=50, **cursor)
        series += page["readings"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert len(series) == 180
    assert [r["position"] for r in series] == list(range(180))
    assert series[0]["time"] == "2024-09-16T03:30:00+08:00"
    assert isinstance(series[0]["value"], dict)


def test_windows_give_exact_sums_and_rounded_means(client: httpx.Client, seeded: Seeded) -> None:
    page = get(
        client,
        "/v1/readings",
        point=seeded.point,
        property="depth",
        size="60",
        from_="2024-09-16T06:29:00+08:00",
        to="2024-09-16T06:30:00+08:00",
    )
    (window,) = page["windows"]
    low = int(window["low"]["text"].replace(".", ""))
    assert window["sum"]["text"] == f"{(3 * low + 1) / 1000:.3f}"
    assert window["mean"]["text"] == f"{low / 1000:.3f}33"
    assert (window["n"], window["bad"]) == (3, 0)


def test_ledger_closes_and_totals_are_of_all_pages(client: httpx.Client) -> None:
    first = get(client, "/v1/ledger", limit=10)
    rows = walk(client, "/v1/ledger", 10)
    assert len(rows) == 90
    assert first["totals"]["received"] == sum(r["counts"]["received"] for r in rows)
    assert first["totals"]["closes"] is True
    assert all(r["counts"]["closes"] for r in rows)


def test_tickets_open_and_closed(client: httpx.Client) -> None:
    assert len(walk(client, "/v1/tickets", 1)) == 3
    (ticket,) = get(client, "/v1/tickets", open=True, kind="flat_line")["items"]
    assert ticket["closed"] is None
    assert ticket["opened"] == "2024-09-16T03:30:00+08:00"
    opened_ms = round(datetime.fromisoformat(ticket["opened"]).timestamp() * 1000)
    assert ticket["id"] == ticket_id(ticket["sensor"], ticket["property"], "flat_line", opened_ms)


def test_a_ticket_of_a_source_has_a_subject_and_no_sensor(client: httpx.Client) -> None:
    (ticket,) = get(client, "/v1/tickets", kind="unit")["items"]
    assert (ticket["sensor"], ticket["subject"]) == (None, "source:gw-1")
    assert ticket["evidence"] == {"unit": "µg/m³"}
    assert ticket["id"].startswith("source:gw-1/")


@pytest.mark.parametrize("limit", [1, 4, 100])
def test_health_pages_through_days_the_worst_first(client: httpx.Client, limit: int) -> None:
    found = walk(client, "/v1/sensors/health", limit)
    assert len(found) == 15
    keys = [(h["day"], -h["score"], h["sensor"]) for h in found]
    assert [k[0] for k in keys] == sorted((k[0] for k in keys), reverse=True)
    assert (found[0]["score"], found[0]["uptime_percent"]) == (50, 50.0)
    assert found[0]["longest_gap_s"] == 12 * 3600


def test_health_of_one_sensor_and_of_bad_days(client: httpx.Client) -> None:
    (worst,) = get(client, "/v1/sensors/health", below=100)["items"]
    own = get(client, "/v1/sensors/health", sensor=worst["sensor"])["items"]
    assert [h["score"] for h in own] == [50, 100, 100]
    same = get(client, "/v1/sensors/health", point=worst["point"])["items"]
    assert same == own
    day = {"from": worst["day"]}
    assert len(get(client, "/v1/sensors/health", **day)["items"]) == 5
    assert len(walk(client, "/v1/sensors/health", 100, area=worst["area"])) >= 3


def test_episodes_tell_their_duration(client: httpx.Client) -> None:
    assert [e["id"] for e in walk(client, "/v1/episodes", 1)] == ["episode-1", "episode-2"]
    (ended,) = get(client, "/v1/episodes", open=False)["items"]
    assert ended["duration_s"] == 3600
