"""Every route of the OpenAPI document, asked by who does not belong there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from api.access.guard import COOKIE, CSRF, CSRF_HEADER
from api.access.need import NEEDS, Of
from api.access.role import ALL, Role, Scope
from api.access.secret import derived
from api.actions import keys
from api.app import create_app
from streams.storage.connect import connect
from tests.support.admission import act, bearer, by, make_account, make_key, make_session
from tests.support.seed import Seeded, seed
from tests.support.seed_domains import DOMAINS
from tests.support.seed_figures import write_fact
from tests.support.served import served
from tests.support.trespass import NOT_TOLD, Request, requests

pytest_plugins = ["tests.support.seeded"]
pytestmark = pytest.mark.integration

NAMESPACE = "test_access_routes"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CLOSED = [route for route, need in NEEDS.items() if not need.public]
PEOPLE = ("boss", "theirs", "mine", "desk", "gone")


@dataclass(frozen=True)
class City:
    """A served namespace, who may do what in it, and a county that belongs to nobody of ours."""

    client: httpx.Client
    conninfo: str
    seeded: Seeded
    mine: str  # the county of ours; `seeded.county` is theirs
    asked: dict[str, Request]
    keys: dict[str, str]
    sessions: dict[str, str]

    def ask(self, route: str, *, headers: dict[str, str] | None = None) -> httpx.Response:
        """One request for what is theirs."""
        given = self.asked[route]
        if route == "GET /v1/live":
            return first_event(self.client, headers or {})
        return self.client.request(
            given.method,
            given.path,
            params=dict(given.query),
            json=given.body,
            headers=headers,
        )

    def as_(self, login: str, *, csrf: bool = True) -> dict[str, str]:
        """The headers of a session."""
        token = self.sessions[login]
        word = {CSRF_HEADER: derived(token, CSRF)} if csrf else {}
        return {"cookie": f"{COOKIE}={token}"} | word

    def audit(self) -> list[dict[str, Any]]:
        """All lines, the oldest first."""
        with psycopg.connect(self.conninfo, row_factory=dict_row) as connection:
            table = sql.Identifier(NAMESPACE, "audit")
            return connection.execute(
                sql.SQL("select * from {} order by id").format(table)
            ).fetchall()


def first_event(client: httpx.Client, headers: dict[str, str]) -> httpx.Response:
    """The live stream's first event, as the body of an ordinary answer."""
    with client.stream("GET", "/v1/live", headers=headers) as answer:
        if answer.status_code != 200:
            answer.read()
            return answer
        data = next(line for line in answer.iter_lines() if line.startswith("data: "))
    return httpx.Response(200, text=data)


@pytest.fixture(scope="module")
def city(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Their county is the seeded one; ours is another with points and alerts of its own."""
    seeded = seed(database_url, NAMESPACE, tmp_path_factory.mktemp("boundaries"))
    table = sql.Identifier(NAMESPACE, "alert")
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            sql.SQL("select area from {} where area <> %s group by area order by count(*) desc")
            .format(table),
            (seeded.county,),
        ).fetchone()  # fmt: skip
    assert row is not None
    mine = str(row[0])
    with connect(database_url, NAMESPACE) as connection:
        for area in (mine, seeded.county):
            write_fact(connection, "waterlogging.flooded", area, "hour", value="1")
    make_account(database_url, NAMESPACE, "boss", (Role.ADMINISTRATOR, ALL))
    make_account(database_url, NAMESPACE, "theirs", (Role.VIEWER, seeded.county))
    make_account(database_url, NAMESPACE, "mine", (Role.ADMINISTRATOR, mine))
    make_account(database_url, NAMESPACE, "desk", (Role.COMMANDER, mine))
    make_account(database_url, NAMESPACE, "gone", (Role.ADMINISTRATOR, ALL))
    sessions = {login: make_session(database_url, NAMESPACE, login) for login in PEOPLE}
    with psycopg.connect(database_url) as connection:
        account = sql.Identifier(NAMESPACE, "account")
        connection.execute(
            sql.SQL("update {} set disabled_at = now() where login = 'gone'").format(account)
        )
    made = {
        "all": make_key(database_url, NAMESPACE),
        "mine": make_key(database_url, NAMESPACE, areas=[mine]),
        "theirs": make_key(database_url, NAMESPACE, areas=[seeded.county]),
        "no scope": make_key(database_url, NAMESPACE, scopes=[Scope.REPORT]),
        "expired": make_key(database_url, NAMESPACE, made=LONG_AGO, days=1),
        "revoked": make_key(database_url, NAMESPACE),
    }
    revoked = made["revoked"].split("_")[1]
    act(database_url, NAMESPACE, lambda desk: keys.revoke(desk, revoked, by()))
    asked = requests(seeded, made["theirs"].split("_")[1], "theirs")
    app = create_app(database_url, NAMESPACE, DOMAINS, poll_s=0.05)
    with served(app) as client:
        yield City(
            client,
            database_url,
            seeded,
            mine,
            {each.route: each for each in asked},
            made,
            sessions,
        )
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(NAMESPACE)))


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
    refused(city.ask(route, headers=bearer(city.keys["no scope"])), 403)


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
    for path, query in listed(city, route):
        for headers, seen in ((whole, True), (ours(city, route), False)):
            if live:
                answer = first_event(city.client, headers)
            else:
                answer = city.client.get(path, params=query, headers=headers)
            assert answer.status_code == 200, answer.text[:500]
            one_point = route == "GET /v1/readings"
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
    if route in ("GET /v1/live", "GET /v1/access/accounts", "GET /v1/access/keys"):
        return [(path, {})]
    if route == "GET /v1/alerts":
        return [(path, query | {"order": order, "state": "any"}) for order in ("worst", "newest")]
    return [(path, query)]


def own_point(city: City) -> str:
    """A flood point of our county."""
    points = city.seeded.registry.points.values()
    return next(p.id for p in points if p.area == city.mine and p.type == "flood_point")


def told(city: City, text: str, *, map_: bool) -> list[str]:
    """What of other counties is in an answer: points, sensors, keys, people, and, but for the live
    events, which carry the map, their codes."""
    registry = city.seeded.registry
    points = {p.id for p in registry.points.values() if p.area != city.mine}
    sensors = {name for name, s in registry.sensors.items() if s.point in points}
    people = {"boss", "theirs", "gone", "account:boss", "account:gone"}
    made = {key.split("_")[1] for name, key in city.keys.items() if name != "mine"}
    areas = {a.code for a in registry.areas.values() if a.level == "county"} - {city.mine}
    words = points | sensors | people | made | (set() if map_ else areas)
    return sorted(word for word in words if json.dumps(word) in text)


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
