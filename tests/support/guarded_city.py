"""A served city for trespassers: accounts, keys and sessions of two counties and of everything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from api.access.guard import COOKIE, CSRF, CSRF_HEADER
from api.access.role import ALL, Role, Scope
from api.access.secret import derived
from api.actions import keys
from api.app import create_app
from streams.storage.connect import connect
from tests.support.admission import act, by, make_account, make_key, make_session
from tests.support.seed import Seeded, seed
from tests.support.seed_acts import write_acts
from tests.support.seed_domains import DOMAINS
from tests.support.seed_figures import write_fact
from tests.support.served import served
from tests.support.trespass import Request, requests

NAMESPACE = "test_access_routes"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
STREAMS = ("GET /v1/live", "GET /v1/events/stream")
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
        if route in STREAMS:
            return first_event(self.client, headers or {}, given.path, given.query)
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


def first_event(
    client: httpx.Client, headers: dict[str, str], path: str, query: Mapping[str, str]
) -> httpx.Response:
    """A stream's first event, as the body of an ordinary answer."""
    with client.stream("GET", path, params=dict(query), headers=headers) as answer:
        if answer.status_code != 200:
            answer.read()
            return answer
        data = next(line for line in answer.iter_lines() if line.startswith("data: "))
    return httpx.Response(200, text=data)


@contextmanager
def guarded_city(database_url: str, folder: Path) -> Iterator[City]:
    """Their county is the seeded one; ours is another with points and alerts of its own."""
    seeded = seed(database_url, NAMESPACE, folder)
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
    acts = write_acts(database_url, NAMESPACE, seeded.county, seeded.point)
    write_acts(database_url, NAMESPACE, mine, _flood_point(seeded, mine))
    every = list(Scope)
    made = {
        "all": make_key(database_url, NAMESPACE, scopes=every),
        "mine": make_key(database_url, NAMESPACE, scopes=every, areas=[mine]),
        "reader": make_key(database_url, NAMESPACE),
        "theirs": make_key(database_url, NAMESPACE, areas=[seeded.county]),
        "no scope": make_key(database_url, NAMESPACE, scopes=[Scope.REPORT]),
        "expired": make_key(database_url, NAMESPACE, made=LONG_AGO, days=1),
        "revoked": make_key(database_url, NAMESPACE),
    }
    revoked = made["revoked"].split("_")[1]
    act(database_url, NAMESPACE, lambda desk: keys.revoke(desk, revoked, by()))
    asked = requests(seeded, acts, made["theirs"].split("_")[1], "theirs")
    app = create_app(database_url, NAMESPACE, DOMAINS, poll_s=0.05, heartbeat_s=0.05)
    app.state.guard = replace(app.state.guard, ask_every_s=0.3)
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


def own_point(city: City) -> str:
    """A flood point of our county."""
    return _flood_point(city.seeded, city.mine)


def _flood_point(seeded: Seeded, area: str) -> str:
    points = seeded.registry.points.values()
    return next(p.id for p in points if p.area == area and p.type == "flood_point")


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
    xml = text.startswith("<")
    return sorted(word for word in words if (word if xml else json.dumps(word)) in text)
