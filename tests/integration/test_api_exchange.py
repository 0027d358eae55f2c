"""What other platforms read, over a namespace that a real worker filled from a simulated city."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from api.fiware.models import MODELS
from deploy.city.simulation import Options, simulate_city
from deploy.postgres import EmbeddedPostgres
from streams.domains import find_domains
from streams.runtime.worker import worker_host
from tests.support.admission import api_served
from tests.support.api_client import get, walk
from tests.support.data_models import mistakes

pytestmark = pytest.mark.integration

NAMESPACE = "test_api_exchange"
THINGS = "/v1/sensorthings/v1.1"
PLAY = Options.parse(
    "typhoon",
    namespace=NAMESPACE,
    seed=7,
    points=40,
    speed="max",
    hours=2.5,
    faults=("late:0.02", "duplicates:0.05"),
    start=None,
    ahead=0,
    fresh=False,
    dry_run=False,
)


@pytest.fixture(scope="module")
def client(postgres: EmbeddedPostgres) -> Iterator[httpx.Client]:
    """A client of the API over two and a half hours of a typhoon at forty points."""
    domains = find_domains()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYBRAIN_VAR_DIR", str(postgres.home.var_dir))
        patch.setenv("CITYBRAIN_DATABASE", postgres.conninfo)
        simulate_city(PLAY)
    with worker_host(postgres.conninfo, NAMESPACE, domains) as host:
        host.run_until_idle()
    with api_served(postgres.conninfo, NAMESPACE, domains) as found:
        yield found
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(NAMESPACE)))


@pytest.fixture(scope="module")
def stored(postgres: EmbeddedPostgres, client: httpx.Client) -> Mapping[int, list[str]]:
    """Times of all readings in the store by datastream number, read without the API."""
    assert client
    with psycopg.connect(postgres.conninfo, options=f"-c search_path={NAMESPACE}") as connection:
        rows = connection.execute(
            "select (sensor::bigint << 15) | property, array_agg(value::text order by t)"
            " from observation group by 1"
        ).fetchall()
    return dict(rows)


def read(client: httpx.Client, path: str) -> Any:
    """The JSON of a path that has its query with it."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def everything(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    """All entities behind a path, page by page."""
    found: list[dict[str, Any]] = []
    link: str | None = path
    while link:
        page = read(client, link)
        found += page["value"]
        link = page.get("@iot.nextLink")
    return found


def test_no_observation_is_missed_and_none_is_told_twice(
    client: httpx.Client, stored: Mapping[int, list[str]]
) -> None:
    total = sum(map(len, stored.values()))
    assert total > 5_000
    assert read(client, f"{THINGS}/Observations?$top=1&$count=true")["@iot.count"] == total
    for order in ("phenomenonTime desc", "phenomenonTime asc"):
        found = everything(client, f"{THINGS}/Observations?$top=1000&$select=id&$orderby={order}")
        assert len({o["@iot.id"] for o in found}) == len(found) == total


def test_every_datastream_tells_its_readings_in_order(
    client: httpx.Client, stored: Mapping[int, list[str]]
) -> None:
    numbers = {d["@iot.id"] for d in everything(client, f"{THINGS}/Datastreams?$select=id")}
    assert numbers >= stored.keys()
    for number in sorted(stored)[::7]:
        path = f"{THINGS}/Datastreams({number})/Observations"
        found = everything(client, f"{path}?$top=300&$orderby=phenomenonTime asc&$select=result")
        told = [o["result"] for o in found]
        assert len(told) == len(stored[number])
        whole = [int(v) for v in stored[number]]
        factor = {round(w / t) for w, t in zip(whole, told, strict=True) if t}
        assert len(factor) <= 1
        (newest,) = read(client, f"{path}?$top=1&$select=result")["value"]
        assert newest["result"] == told[-1]


def test_interval_properties_have_intervals(client: httpx.Client) -> None:
    path = f"{THINGS}/Observations?$top=1&$select=phenomenonTime&$filter="
    (rain,) = read(client, path + "Datastream/ObservedProperty/name eq 'rain'")["value"]
    start, _, end = rain["phenomenonTime"].partition("/")
    assert start < end
    (depth,) = read(client, path + "Datastream/ObservedProperty/name eq 'depth'")["value"]
    assert "/" not in depth["phenomenonTime"]


def test_every_entity_of_every_model_is_valid(client: httpx.Client) -> None:
    kinds = get(client, "/v1/fiware/types")["typeList"]
    assert {"AirQualityObserved", "Alert", "FloodMonitoring", "WeatherObserved"} <= set(kinds)
    counts = {}
    for kind in kinds:
        found = get(client, "/v1/fiware/entities", type=kind, options="keyValues", limit=1000)
        assert [m for e in found for m in mistakes(e)] == []
        assert {e["origin"] for e in found} <= {"simulated"}
        counts[kind] = len(found)
    assert counts["FloodMonitoring"] == 40
    assert counts["AirQualityObserved"] > 0
    assert counts["WeatherObserved"] > 0
    assert set(kinds) - {"Alert"} <= set(MODELS)


def test_flood_entities_carry_the_citys_tiers(client: httpx.Client) -> None:
    (first, *_) = get(
        client, "/v1/fiware/entities", type="FloodMonitoring", options="keyValues", limit=1
    )
    assert 0 < first["alertLevel"] < first["dangerLevel"] < 2
    assert first["floodLevelStatus"] in {"Normal", "Alert", "Danger"}
    level = first["referenceLevel"] - first["measuredDistance"]
    assert level == pytest.approx(first["currentLevel"], abs=1e-9)


def test_the_history_of_the_province_has_every_reading(
    client: httpx.Client, stored: Mapping[int, list[str]]
) -> None:
    lines = client.get("/v1/areas/330000/history?series=readings&format=csv").text.splitlines()
    assert len(lines) - 1 == sum(map(len, stored.values()))
    results = walk(client, "/v1/areas/330000/history", 500, series="results")
    assert {r["kind"] for r in results} >= {"air.station.hour"}
