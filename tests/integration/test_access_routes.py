"""Every route of the OpenAPI document, asked by who does not belong there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from api.access.guard import COOKIE, CSRF, CSRF_HEADER
from api.access.need import NEEDS, Of
from api.access.role import Role, Scope
from api.access.secret import derived
from api.events.cursor import Cursor, parse
from tests.support.admission import bearer, make_account, make_session
from tests.support.guarded_city import (
    NAMESPACE,
    STREAMS,
    City,
    first_event,
    guarded_city,
    own_point,
    told,
)
from tests.support.trespass import NOT_TOLD

pytestmark = pytest.mark.integration

CLOSED = [route for route, need in NEEDS.items() if not need.public]


@pytest.fixture(scope="module")
def city(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with guarded_city(database_url, tmp_path_factory.mktemp("boundaries")) as found:
        yield found


def refused(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem document of a refusal."""
    assert answer.status_code == status, (answer.request.url, answer.text[:500])
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    return document


def test_the_document_and_the_table_of_needs_are_of_the_same_routes(city: City) -> None:
    document = city.client.get("/v1/openapi.json").json()
    described = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert described == set(NEEDS)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            public = NEEDS[f"{method.upper()} {path}"].public
            assert operation["security"] == [{}] if public else operation["security"]
            assert public or {} not in operation["security"]


@pytest.mark.parametrize("route", CLOSED)
def test_nobody_comes_in_without_credentials(city: City, route: str) -> None:
    answer = city.ask(route)
    refused(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("route", CLOSED)
@pytest.mark.parametrize(
    "shown",
    [
        "Bearer {expired}",
        "Bearer {revoked}",
        "Bearer cb_000000000000_" + "A" * 43,
        "Bearer {all}x",
        "Bearer cb1_000000000000_" + "A" * 43,
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJib3NzIn0.",
        "Basic Ym9zczpib3Nz",
        "Bearer",
        "",
    ],
)
def test_no_key_that_is_not_good_lets_in(city: City, route: str, shown: str) -> None:
    refused(city.ask(route, headers={"authorization": shown.format(**city.keys)}), 401)


@pytest.mark.parametrize("route", CLOSED)
def test_no_session_that_is_not_good_lets_in(city: City, route: str) -> None:
    refused(city.ask(route, headers={"cookie": f"{COOKIE}={'A' * 43}"}), 401)
    assert "disabled" in refused(city.ask(route, headers=city.as_("gone")), 401)["detail"]


@pytest.mark.parametrize("route", CLOSED)
def test_a_bad_key_is_refused_even_beside_a_good_session(city: City, route: str) -> None:
    headers = city.as_("boss") | bearer(city.keys["revoked"])
    refused(city.ask(route, headers=headers), 401)


@pytest.mark.parametrize("route", CLOSED)
def test_a_key_without_the_scope_is_refused(city: City, route: str) -> None:
    key = "reader" if NEEDS[route].scope is Scope.REPORT else "no scope"
    refused(city.ask(route, headers=bearer(city.keys[key])), 403)


ADMINISTRATORS = [route for route in CLOSED if NEEDS[route].role is Role.ADMINISTRATOR]


@pytest.mark.parametrize("route", ADMINISTRATORS)
def test_only_people_who_administer_give_access(city: City, route: str) -> None:
    """Neither a commander nor any program."""
    refused(city.ask(route, headers=city.as_("desk")), 403)
    refused(city.ask(route, headers=bearer(city.keys["all"])), 403)


CHANGES = [route for route in CLOSED if not route.startswith("GET ")]


@pytest.mark.parametrize("route", CHANGES)
def test_a_change_by_a_session_needs_the_word_against_forgery(city: City, route: str) -> None:
    bare = city.as_("boss", csrf=False)
    assert CSRF_HEADER in refused(city.ask(route, headers=bare), 403)["detail"]
    other = derived(city.sessions["mine"], CSRF)
    refused(city.ask(route, headers=bare | {CSRF_HEADER: other}), 403)
    for foreign in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        detail = refused(city.ask(route, headers=city.as_("boss") | foreign), 403)["detail"]
        assert "another site" in detail


OF_AN_AREA = [route for route in CLOSED if NEEDS[route].of not in (Of.NOTHING, Of.SHARED)]


def ours(city: City, route: str) -> dict[str, str]:
    """Who is of our county and has all that the route asks for, but the area."""
    if NEEDS[route].role is Role.ADMINISTRATOR:
        return city.as_("mine")
    if NEEDS[route].scope is None:
        return city.as_("desk")
    return bearer(city.keys["mine"])


@pytest.mark.parametrize("route", OF_AN_AREA)
def test_what_is_of_another_county_is_out_of_reach(city: City, route: str) -> None:
    answer = city.ask(route, headers=ours(city, route))
    match NEEDS[route].of:
        case Of.OBJECT if route == "POST /v1/access/accounts/{login}/grants":
            refused(answer, 403)  # the role is to be given where ours administers nothing
        case Of.OBJECT:
            refused(answer, 404)
        case Of.NAMED:
            refused(answer, 403)
        case _ if NOT_TOLD.get(route, 403) == 200:
            assert answer.status_code == 200
            assert told(city, answer.text, map_=route == "GET /v1/live") == []
        case _:
            refused(answer, NOT_TOLD.get(route, 403))


LISTS = [route for route in CLOSED if NEEDS[route].of is Of.ROWS and route.startswith("GET ")]


@pytest.mark.parametrize("route", LISTS)
def test_lists_leave_out_what_is_of_other_counties(city: City, route: str) -> None:
    whole = (
        city.as_("boss") if NEEDS[route].role is Role.ADMINISTRATOR else bearer(city.keys["all"])
    )
    live = route == "GET /v1/live"
    one_point = route == "GET /v1/readings"
    for path, query in listed(city, route):
        for headers, seen in ((whole, True), (ours(city, route), False)):
            if route in STREAMS:
                answer = first_event(city.client, headers, path, query)
            else:
                answer = city.client.get(path, params=query, headers=headers)
            assert answer.status_code == 200, answer.text[:500]
            assert bool(told(city, answer.text, map_=live)) == (seen and not one_point), path


def listed(city: City, route: str) -> list[tuple[str, dict[str, Any]]]:
    """The list without a word of the area, in every form."""
    path = route.removeprefix("GET ")
    query: dict[str, Any] = {"limit": 1000}
    if route == "GET /v1/fiware/entities":
        return [(path, query | {"type": kind}) for kind in ("FloodMonitoring", "Alert")]
    if "{path}" in path:
        sets = ("Things", "Datastreams", "Locations", "FeaturesOfInterest", "Sensors")
        found: list[tuple[str, dict[str, Any]]] = []
        found += [(path.format(path=name), {"$top": 1000}) for name in sets]
        for name, expand in (
            ("Things", "Datastreams/Observations($top=1)"),
            ("Observations", "Datastream/Thing"),
        ):
            found.append((path.format(path=name), {"$top": 50, "$expand": expand}))
        return found
    if route == "GET /v1/readings":
        with_point = {"property": "depth", "point": own_point(city)}
        return [(path, query | with_point)]
    if route.startswith("GET /v1/events"):
        log = parse(
            city.client.get("/v1/events", headers=bearer(city.keys["all"])).json()["next"]
        ).log
        return [(path, {"after": Cursor(log, 0).text()})]
    if route == "GET /v1/cap/feed":
        return [(path, {"limit": 200})]
    if route == "GET /v1/closures":
        return [(path, query | {"state": "any"})]
    if route in (
        "GET /v1/incidents/screen",
        "GET /v1/live",
        "GET /v1/access/accounts",
        "GET /v1/access/keys",
    ):
        return [(path, {})]
    if route == "GET /v1/alerts":
        return [(path, query | {"order": order, "state": "any"}) for order in ("worst", "newest")]
    return [(path, query)]


def test_the_map_is_the_same_for_everybody(city: City) -> None:
    """Names, boundaries, colours, how many points; not which alerts and series those are."""
    whole = bearer(city.keys["all"])
    mine = bearer(city.keys["mine"])
    for path in ("/v1/areas?limit=1000", "/v1/areas?limit=1000&format=geojson"):
        assert (
            city.client.get(path, headers=whole).json()
            == city.client.get(path, headers=mine).json()
        )
    theirs = city.client.get(f"/v1/areas/{city.seeded.county}", headers=mine).json()
    assert theirs["area"]["risk"]["rank"] == 4
    assert theirs["domains"] == []


def test_figures_of_cities_and_the_province_are_for_everybody(city: City) -> None:
    mine = bearer(city.keys["mine"])
    whole = bearer(city.keys["all"])
    path = "/v1/facts?limit=1000"
    seen = city.client.get(path, headers=mine).json()["items"]
    assert seen == [
        fact
        for fact in city.client.get(path, headers=whole).json()["items"]
        if fact["area"].endswith("00") or fact["area"] == city.mine
    ]
    assert {fact["area"] for fact in seen} >= {"330000", "330100"}
    assert city.client.get("/v1/facts?area=330200", headers=mine).status_code == 200


def test_what_is_ours_is_seen(city: City) -> None:
    """A county sees all of its own: the same as who sees everything and asks for the county."""
    mine, whole = bearer(city.keys["mine"]), bearer(city.keys["all"])
    for path in ("points", "alerts", "ledger", "tickets", "episodes", "sensors/health"):
        where = f"/v1/{path}?limit=1000"
        own = city.client.get(where, headers=mine).json()["items"]
        assert own == city.client.get(f"{where}&area={city.mine}", headers=whole).json()["items"]
        assert own or path not in ("points", "alerts")
    reading = f"/v1/readings?property=depth&point={own_point(city)}"
    readings = city.client.get(reading, headers=mine).json()
    assert readings == city.client.get(reading, headers=whole).json()
    assert city.client.get(f"/v1/points/{own_point(city)}", headers=mine).status_code == 200


def test_a_province_account_is_not_cut_down(city: City) -> None:
    make_account(city.conninfo, NAMESPACE, "province", (Role.VIEWER, "330000"))
    token = make_session(city.conninfo, NAMESPACE, "province")
    answer = city.client.get("/v1/ledger", headers={"cookie": f"{COOKIE}={token}"})
    assert answer.json() == city.client.get("/v1/ledger", headers=bearer(city.keys["all"])).json()


def test_every_refusal_is_in_the_audit(city: City) -> None:
    before = len(city.audit())
    make_account(city.conninfo, NAMESPACE, "curious", (Role.VIEWER, city.mine))
    token = make_session(city.conninfo, NAMESPACE, "curious")
    headers = {"cookie": f"{COOKIE}={token}", CSRF_HEADER: derived(token, CSRF)}
    expected = []
    for route in CLOSED:
        status = city.ask(route, headers=headers).status_code
        reader = NEEDS[route].role is Role.VIEWER and not NEEDS[route].own
        if status in (401, 403) or (reader and status in (404, 422)):
            expected.append((route, status))
        if route == "DELETE /v1/session":
            token = make_session(city.conninfo, NAMESPACE, "curious")
            headers = {"cookie": f"{COOKIE}={token}", CSRF_HEADER: derived(token, CSRF)}
    lines = [line for line in city.audit()[before:] if line["outcome"] == "refused"]
    found = [(line["what"], line["detail"]["status"]) for line in lines]
    assert found == expected
    assert {line["who"] for line in lines} == {"account:curious"}
    assert {line["address"] for line in lines} == {"127.0.0.1"}
    assert len(expected) > 20


def test_the_same_refusal_again_is_counted(city: City) -> None:
    for _ in range(5):
        city.client.get("/v1/ledger", headers=bearer(city.keys["expired"]))
    expired = city.keys["expired"].split("_")[1]
    lines = [
        line
        for line in city.audit()
        if line["who"] == f"key:{expired}" and line["what"] == "GET /v1/ledger"
    ]
    assert [line["times"] for line in lines] == [
        1
    ]  # the others are written when the minute is over


def test_a_session_and_a_key_are_used_up_by_time(city: City) -> None:
    with psycopg.connect(city.conninfo, autocommit=True) as connection:
        for column, past in (
            ("seen_at", timedelta(minutes=61)),
            ("expires_at", timedelta(seconds=1)),
        ):
            token = make_session(city.conninfo, NAMESPACE, "desk")
            headers = {"cookie": f"{COOKIE}={token}"}
            assert city.client.get("/v1/namespaces", headers=headers).status_code == 200
            connection.execute(
                sql.SQL("update {} set {} = %s where digest = sha256(%s::bytea)").format(
                    sql.Identifier(NAMESPACE, "session"), sql.Identifier(column)
                ),
                (datetime.now(UTC) - past, token.encode()),
            )
            refused(city.client.get("/v1/namespaces", headers=headers), 401)
