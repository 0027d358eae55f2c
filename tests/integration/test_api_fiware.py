"""NGSI-LD entities over a real database: every one that is given is valid and marked."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.support.api_client import get
from tests.support.data_models import mistakes
from tests.support.seed import Seeded, severity_of

pytest_plugins = ["tests.support.seeded"]
pytestmark = pytest.mark.integration


def everything(client: httpx.Client, **given: Any) -> list[dict[str, Any]]:
    """All entities of a type, page by page."""
    found: list[dict[str, Any]] = []
    query = httpx.QueryParams({"limit": 300, "options": "keyValues", **given})
    path: str | None = f"/v1/fiware/entities?{query}"
    while path:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        found += answer.json()
        path = answer.links.get("next", {}).get("url")
    return found


def test_every_flood_point_that_spoke_is_a_valid_entity(
    client: httpx.Client, seeded: Seeded
) -> None:
    found = everything(client, type="FloodMonitoring")
    assert {e["stationID"]: e["currentLevel"] for e in found} == {
        point: depth / 1000 for point, depth in seeded.depths_mm.items()
    }
    assert [m for e in found for m in mistakes(e)] == []
    assert {e["origin"] for e in found} == {"simulated"}
    assert all(
        e["id"].startswith(f"urn:ngsi-ld:FloodMonitoring:{seeded.namespace}:") for e in found
    )


def test_every_firing_alert_is_a_valid_entity(client: httpx.Client, seeded: Seeded) -> None:
    found = everything(client, type="Alert")
    assert len(found) == sum(severity_of(d) > 0 for d in seeded.depths_mm.values())
    assert [m for e in found for m in mistakes(e)] == []
    words = {1: "low", 2: "medium", 3: "high", 4: "critical"}
    by_point = {e["alertSource"].rsplit(":", 1)[1]: e["severity"] for e in found}
    assert by_point[seeded.point] == words[severity_of(seeded.depths_mm[seeded.point])]


@pytest.mark.parametrize("name", ["AirQualityObserved", "TrafficFlowObserved", "WeatherObserved"])
def test_types_without_readings_give_no_entities(client: httpx.Client, name: str) -> None:
    assert everything(client, type=name) == []


def test_one_entity_by_its_id(client: httpx.Client, seeded: Seeded) -> None:
    listed = everything(client, type="FloodMonitoring", area=seeded.county)
    mine = next(e for e in listed if e["stationID"] == seeded.point)
    one = get(client, f"/v1/fiware/entities/{mine['id']}", options="keyValues")
    assert one == mine
    alert = get(client, f"/v1/fiware/entities/urn:ngsi-ld:Alert:{seeded.namespace}:{seeded.alert}")
    assert alert["severity"] == {"type": "Property", "value": "critical"}
    over = get(client, f"/v1/fiware/entities/urn:ngsi-ld:Alert:{seeded.namespace}:alert-over")
    assert over["data"]["value"]["state"] == "resolved"


def test_the_context_is_inside_or_beside(client: httpx.Client, seeded: Seeded) -> None:
    path = f"/v1/fiware/entities?type=FloodMonitoring&area={seeded.county}"
    beside = client.get(path)
    assert beside.headers["content-type"] == "application/json"
    assert "json-ld#context" in beside.headers["link"]
    assert "@context" not in beside.json()[0]
    assert beside.headers["citybrain-namespace-kind"] == "simulated"
    inside = client.get(path, headers={"accept": "application/ld+json"})
    assert inside.headers["content-type"] == "application/ld+json"
    assert inside.json()[0]["@context"][0].endswith("dataModel.Environment/master/context.jsonld")
    again = client.get(path, headers={"if-none-match": beside.headers["etag"]})
    assert again.status_code == 304


def test_types_are_those_of_the_installed_domains(client: httpx.Client) -> None:
    assert get(client, "/v1/fiware/types")["typeList"] == [
        "AirQualityObserved",
        "Alert",
        "FloodMonitoring",
        "WeatherObserved",
    ]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/fiware/entities", 422),
        ("/v1/fiware/entities?type=Dragon", 422),
        ("/v1/fiware/entities?type=Alert&area=999999", 422),
        ("/v1/fiware/entities?type=Alert&q=severity", 422),
        ("/v1/fiware/entities/urn:ngsi-ld:Alert:nothing", 404),
        ("/v1/fiware/entities/urn:ngsi-ld:Dragon:1", 404),
        ("/v1/fiware/entities/" + quote("urn:ngsi-ld:Alert:a/b", safe=""), 404),
    ],
)
def test_what_cannot_be_answered_is_a_problem(client: httpx.Client, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
