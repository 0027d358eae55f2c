"""How the API behaves at its edges: problems, caching, headers, health, live events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest

from api.app import create_app
from tests.support.admission import OPEN
from tests.support.api_client import get
from tests.support.seed import Seeded
from tests.support.seed_domains import DOMAINS
from tests.support.served import served

pytest_plugins = ["tests.support.seeded"]
pytestmark = pytest.mark.integration


def problem(client: httpx.Client, path: str, status: int) -> dict[str, Any]:
    """The problem document of a refused request."""
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert document["title"]
    return document


@pytest.mark.parametrize(
    "path",
    [
        "/v1/areas/999999",
        "/v1/points/nothing",
        "/v1/alerts/nothing",
        "/v1/facts/plan.15/330000/month/2031-09-01T00:00:00+08:00",
        "/v1/areas?namespace=not_there",
        "/v1/areas?namespace=pg_catalog",
        "/v1/areas?namespace=Robert'); drop schema x",
        "/v1/live?namespace=not_there",
        "/v1/nothing",
    ],
)
def test_what_is_not_there_is_a_404_problem(client: httpx.Client, path: str) -> None:
    problem(client, path, 404)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/v1/areas?bbox=1,2,3", "query.bbox"),
        ("/v1/areas?bbox=3,2,1,4", "query.bbox"),
        ("/v1/areas?area=999999", "query.area"),
        ("/v1/areas?cursor=x", "query.cursor"),
        ("/v1/alerts?domain=volcano", "query.domain"),
        ("/v1/alerts?sevrity=red", "query.sevrity"),
        ("/v1/alerts?from=2024-09-16T06:00:00", "query.from"),
        ("/v1/alerts?from=2024-09-16T06:00:00Z&to=2024-09-16T05:00:00Z", "query.to"),
        ("/v1/readings?property=depth", "query.point"),
        ("/v1/readings?property=volume&point=x", "query.property"),
        ("/v1/readings?property=depth&point=nothing", "query.point"),
        (
            "/v1/readings?property=depth&point=x&size=60s",
            "query.size",
        ),
    ],
)
def test_bad_parameters_are_422_problems(client: httpx.Client, path: str, parameter: str) -> None:
    document = problem(client, path, 422)
    assert [error["parameter"] for error in document["errors"]] == [parameter]


def test_all_mistakes_are_listed_at_once(client: httpx.Client) -> None:
    document = problem(client, "/v1/alerts?limit=0&severity=pink&sevrity=red&state=lost", 422)
    assert {error["parameter"] for error in document["errors"]} == {
        "query.limit",
        "query.severity",
        "query.sevrity",
        "query.state",
    }


def test_a_cursor_is_good_for_its_own_filters_only(client: httpx.Client) -> None:
    cursor = get(client, "/v1/areas", level="county", limit=3)["next"]
    problem(client, f"/v1/areas?level=city&limit=3&cursor={cursor}", 422)
    problem(client, f"/v1/points?level=county&cursor={cursor}", 422)


def test_a_plus_that_was_not_escaped_is_understood(client: httpx.Client) -> None:
    answer = client.get("/v1/alerts?state=any&from=2024-09-16T01:00:00+08:00")
    assert answer.status_code == 200


def test_unchanged_answers_are_not_sent_again(client: httpx.Client) -> None:
    first = client.get("/v1/areas?format=geojson")
    again = client.get("/v1/areas?format=geojson", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    other = client.get("/v1/areas", headers={"if-none-match": first.headers["etag"]})
    assert other.status_code == 200


@pytest.mark.parametrize("path", ["/", "/v1/areas", "/v1/areas/999999"])
def test_every_answer_has_security_headers(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]


def test_namespaces_tell_kind_and_clock(client: httpx.Client, seeded: Seeded) -> None:
    found = {n["name"]: n for n in get(client, "/v1/namespaces")["items"]}
    mine = found[seeded.namespace]
    assert mine["default"] is True
    assert mine["freshness"]["kind"] == "simulated"
    assert mine["freshness"]["as_of"] == "2024-09-16T06:30:00+08:00"


def test_health_is_ok_when_all_is_processed(client: httpx.Client) -> None:
    found = get(client, "/v1/health")
    assert found["status"] == "ok"
    partitions = [p for p in found["partitions"] if p["topic"] == "city.observation.v1"]
    assert [(p["position"], p["log_end"], p["lag"]) for p in partitions] == [(10, 10, 0)] * 4
    assert partitions[0]["processing_time"] == "2024-09-16T06:29:58+08:00"


def test_health_is_503_when_records_wait_too_long(
    database_url: str, seeded: Seeded, namespace: str
) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("select 1")
        clone(connection, seeded.namespace, namespace)
        waiting = int(datetime.now(UTC).timestamp() * 1000) - 60_000
        connection.execute(
            f"update {namespace}.log_record set append_ms = %s",
            (waiting,),
        )
        connection.execute(f"update {namespace}.position set next_offset = 4 where partition = 1")
    for patience, status in ((30.0, 503), (600.0, 200)):
        app = create_app(database_url, namespace, DOMAINS, stalled_s=patience, settings=OPEN)
        with served(app) as client:
            answer = client.get("/v1/health")
        assert answer.status_code == status
        assert answer.json()["status"] == ("stalled" if status == 503 else "behind")
        assert [p["lag"] for p in answer.json()["partitions"]].count(6) == 1


def clone(connection: psycopg.Connection[Any], source: str, target: str) -> None:
    """The tables that health reads."""
    connection.execute(f"create schema {target}")
    for table in (
        "namespace",
        "log_partition",
        "log_record",
        "position",
        "worker",
        "area_latest",
        "area_risk",
        "region_log",
        "point",
    ):
        connection.execute(f"create table {target}.{table} as table {source}.{table}")


def test_a_database_that_does_not_answer_is_a_503_problem() -> None:
    app = create_app(
        "host=127.0.0.1 port=1 dbname=none", "citybrain", DOMAINS, wait_s=0.2, settings=OPEN
    )
    with served(app) as client:
        document = problem(client, "/v1/health", 503)
    assert "database" in document["detail"]


def test_openapi_describes_every_route(client: httpx.Client) -> None:
    document = get(client, "/v1/openapi.json")
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (path, method)
            assert operation["description"], (path, method)
            assert {"404", "422", "503"} <= operation["responses"].keys(), path
