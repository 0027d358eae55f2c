"""Logging in and out, passwords, throttling, links, accounts and keys over HTTP; their audit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from api.access import guard as guards
from api.access import secret
from api.access.role import ALL, Role, Scope
from api.access.throttle import Limits
from api.actions import accounts
from api.app import create_app
from streams.contracts.reason import NamespaceKind
from streams.storage.migrate import migrate
from tests.support.admission import (
    OPEN,
    PASSWORD,
    act,
    bearer,
    by,
    make_account,
    make_key,
    make_session,
)
from tests.support.seed_domains import DOMAINS
from tests.support.served import served

pytestmark = pytest.mark.integration
NEW = "a quite different phrase"


@dataclass(frozen=True)
class Door:
    """A served namespace with accounts `boss` (administers all) and `west` (administers 330106)."""

    client: httpx.Client
    conninfo: str
    namespace: str

    def log_in(self, login: str, password: str = PASSWORD) -> httpx.Response:
        """With this client's cookies."""
        given = {"login": login, "password": password}
        return self.client.post("/v1/session", json=given)

    def enter(self, login: str) -> None:
        """Logs in and sends the word against forgery from now on."""
        answer = self.log_in(login)
        assert answer.status_code == 200, answer.text
        self.client.headers[guards.CSRF_HEADER] = answer.json()["csrf"]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Everything in a table."""
        with psycopg.connect(self.conninfo, row_factory=dict_row) as connection:
            where = sql.Identifier(self.namespace, table)
            return connection.execute(sql.SQL("select * from {}").format(where)).fetchall()

    def audit(self, what: str) -> list[tuple[str, str]]:
        """Who, and how it ended, in order."""
        lines = sorted(self.rows("audit"), key=lambda line: line["id"])
        return [(line["who"], line["outcome"]) for line in lines if line["what"] == what]


@pytest.fixture
def door(database_url: str, namespace: str) -> Iterator[Door]:
    migrate(database_url, namespace, NamespaceKind.SIMULATED, domains=DOMAINS)
    make_account(database_url, namespace, "boss", (Role.ADMINISTRATOR, ALL))
    make_account(database_url, namespace, "west", (Role.ADMINISTRATOR, "330106"))
    with served(create_app(database_url, namespace, DOMAINS)) as client:
        yield Door(client, database_url, namespace)


def test_a_person_logs_in_reads_and_logs_out(door: Door) -> None:
    nobody = door.client.get("/v1/session").json()
    assert (nobody["kind"], nobody["who"], nobody["csrf"]) == ("nobody", None, None)
    answer = door.log_in("Boss ")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "secure" not in cookie  # plain http, on loopback
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["grants"] == [{"role": "administrator", "area": "all"}]
    assert door.client.get("/v1/session").json() == answer.json()
    assert door.client.get("/v1/namespaces").status_code == 200
    token = door.client.cookies[guards.COOKIE]
    headers = {guards.CSRF_HEADER: answer.json()["csrf"]}
    assert door.client.delete("/v1/session", headers=headers).status_code == 204
    old = {"cookie": f"{guards.COOKIE}={token}"}
    assert door.client.get("/v1/namespaces", headers=old).status_code == 401
    assert door.audit("session.begin") == [("account:boss", "done")]
    assert door.audit("session.end") == [("account:boss", "done")]


def test_over_https_the_cookie_is_bound_to_the_host(door: Door) -> None:
    """As behind a proxy on this machine that ends TLS."""
    forwarded = {"x-forwarded-proto": "https"}
    answer = door.client.post(
        "/v1/session", json={"login": "boss", "password": PASSWORD}, headers=forwarded
    )
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"__Host-{guards.COOKIE}=")
    assert "secure" in cookie.lower()
    token = re.split("[=;]", cookie)[1]
    # A cookie without the prefix may come from a neighbouring host: it is not looked at.
    plain = forwarded | {"cookie": f"{guards.COOKIE}={token}"}
    assert door.client.get("/v1/namespaces", headers=plain).status_code == 401
    host = forwarded | {"cookie": f"__Host-{guards.COOKIE}={token}"}
    assert door.client.get("/v1/namespaces", headers=host).status_code == 200


def test_nothing_that_lets_in_is_stored(door: Door) -> None:
    door.enter("boss")
    token = door.client.cookies[guards.COOKIE]
    made = door.client.post(
        "/v1/access/keys", json={"name": "signals", "scopes": ["read"], "areas": ["330106"]}
    ).json()
    stored = repr([door.rows(t) for t in ("account", "session", "api_key", "audit", "login_link")])
    for word in (PASSWORD, token, made["key"], secret.derived(token, guards.CSRF)):
        assert word not in stored
    assert "$argon2id$" in stored


def test_a_token_that_the_browser_brought_is_never_used(door: Door) -> None:
    """Session fixation: the session after a login has a new token, whatever was planted."""
    planted = secret.make_token()
    door.client.cookies.set(guards.COOKIE, planted, domain="127.0.0.1", path="/")
    answer = door.log_in("boss")
    begun = re.split("[=;]", answer.headers["set-cookie"])[1]
    assert begun != planted
    old = {"cookie": f"{guards.COOKIE}={planted}"}
    door.client.cookies.clear()
    assert door.client.get("/v1/namespaces", headers=old).status_code == 401
    assert len(door.rows("session")) == 1


def test_wrong_logins_are_told_alike_and_noted(door: Door) -> None:
    wrong = door.log_in("boss", "not the password")
    unknown = door.log_in("nobody", "not the password")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    (line,) = [row for row in door.rows("audit") if row["outcome"] == "refused"]
    assert (line["what"], line["who"]) == ("POST /v1/session", "anonymous")
    assert (line["detail"]["status"], line["detail"]["login"]) == (401, "boss")
    assert line["address"] == "127.0.0.1"


def test_logins_are_throttled_by_account_and_address(door: Door) -> None:
    limit = Limits().pair
    assert [door.log_in("boss", f"wrong {n}").status_code for n in range(limit)] == [401] * limit
    closed = door.log_in("boss")
    assert closed.status_code == 429
    assert int(closed.headers["retry-after"]) > 60
    assert door.log_in("west").status_code == 200, "another account is not locked out"
    with psycopg.connect(door.conninfo, autocommit=True) as connection:
        where = sql.Identifier(door.namespace, "login_failure")
        connection.execute(sql.SQL("update {} set at = at - interval '16 minutes'").format(where))
    assert door.log_in("boss").status_code == 200
    assert door.rows("login_failure") == []


def test_a_disabled_account_is_out_at_once(door: Door) -> None:
    door.enter("boss")
    token = make_session(door.conninfo, door.namespace, "west")
    headers = {"cookie": f"{guards.COOKIE}={token}"}
    assert door.client.get("/v1/namespaces", headers=headers).status_code == 200
    answer = door.client.patch("/v1/access/accounts/west", json={"disabled": True})
    assert answer.status_code == 200
    assert answer.json()["disabled"] is not None
    assert door.client.get("/v1/namespaces", headers=headers).status_code == 401
    assert door.log_in("west").status_code == 401
    door.client.cookies.clear()
    door.enter("boss")
    door.client.patch("/v1/access/accounts/west", json={"disabled": False})
    assert door.log_in("west").status_code == 200


def test_a_new_account_must_change_its_password_first(door: Door) -> None:
    door.enter("boss")
    given = {
        "login": "li.wei",
        "password": "the first password",
        "grants": [{"role": "viewer", "area": "330106"}],
    }
    assert door.client.post("/v1/access/accounts", json=given).status_code == 201
    assert door.client.post("/v1/access/accounts", json=given).status_code == 409
    with httpx.Client(base_url=door.client.base_url) as person:
        login = {"login": "li.wei", "password": "the first password"}
        who = person.post("/v1/session", json=login).json()
        assert who["must_change_password"] is True
        assert person.get("/v1/namespaces").status_code == 403
        headers = {guards.CSRF_HEADER: who["csrf"]}
        for new, status in (("short", 422), ("the first password", 422), (NEW, 204)):
            body = {"old": "the first password", "new": new}
            answer = person.post("/v1/session/password", json=body, headers=headers)
            assert answer.status_code == status, answer.text
        assert person.get("/v1/namespaces").status_code == 200
    assert door.log_in("li.wei", "the first password").status_code == 401
    assert door.log_in("li.wei", NEW).json()["must_change_password"] is False


def test_a_changed_password_ends_the_other_sessions(door: Door) -> None:
    door.enter("boss")
    other = make_session(door.conninfo, door.namespace, "boss")
    body = {"old": PASSWORD, "new": NEW}
    assert door.client.post("/v1/session/password", json=body).status_code == 204
    assert door.client.get("/v1/namespaces").status_code == 200
    headers = {"cookie": f"{guards.COOKIE}={other}"}
    door.client.cookies.clear()
    assert door.client.get("/v1/namespaces", headers=headers).status_code == 401


def test_a_link_lets_in_once_and_not_for_long(door: Door) -> None:
    def link(lasts: timedelta) -> str:
        token = secret.make_token()
        act(
            door.conninfo,
            door.namespace,
            lambda desk: accounts.make_link(desk, "boss", secret.digest(token), by(), lasts),
        )
        return token

    good = {"token": link(timedelta(minutes=1))}
    assert door.client.post("/v1/session/link", json=good).json()["who"] == "boss"
    assert door.client.post("/v1/session/link", json=good).status_code == 401
    late = {"token": link(timedelta(seconds=-1))}
    assert door.client.post("/v1/session/link", json=late).status_code == 401


def test_an_administrator_of_a_county_gives_only_what_is_its_own(door: Door) -> None:
    door.enter("west")

    def post(path: str, **given: Any) -> int:
        return door.client.post(f"/v1/access/{path}", json=given).status_code

    def account(login: str, area: str) -> int:
        grants = [{"role": "operator", "area": area}]
        return post("accounts", login=login, password="a long enough word", grants=grants)

    assert account("own", "330106") == 201
    assert account("town", "330106001") == 201
    for beyond in ("330100", "330105", "all"):
        assert account("other", beyond) == 403
        assert post("keys", name="k", scopes=["read"], areas=[beyond]) == 403
        assert post("accounts/own/grants", role="viewer", area=beyond) == 403
    assert post("accounts/boss/grants", role="viewer", area="330106") == 404
    assert door.client.patch("/v1/access/accounts/boss", json={"disabled": True}).status_code == 404
    listed = door.client.get("/v1/access/accounts").json()["items"]
    assert [item["login"] for item in listed] == ["own", "town", "west"]


def test_the_last_administrator_of_everything_stays(door: Door) -> None:
    door.enter("boss")
    answer = door.client.patch("/v1/access/accounts/boss", json={"disabled": True})
    assert answer.status_code == 409
    assert "last administrator" in answer.json()["detail"]
    path = "/v1/access/accounts/boss/grants/administrator/all"
    assert door.client.delete(path).status_code == 409
    body = {"role": "administrator", "area": "all"}
    assert door.client.post("/v1/access/accounts/west/grants", json=body).status_code == 201
    assert door.client.delete(path).status_code == 200
    assert door.client.get("/v1/access/accounts").status_code == 403, "at once, in this session"


def test_a_key_is_shown_once_and_ends_at_once(door: Door) -> None:
    door.enter("boss")
    order = {"name": "signals", "scopes": ["read"], "areas": ["330106"], "expires_days": 30}
    made = door.client.post("/v1/access/keys", json=order).json()
    with httpx.Client(base_url=door.client.base_url, headers=bearer(made["key"])) as program:
        who = program.get("/v1/session").json()
        assert (who["kind"], who["who"], who["scopes"]) == ("program", made["made"]["id"], ["read"])
        assert program.get("/v1/namespaces").status_code == 200
        (listed,) = door.client.get("/v1/access/keys").json()["items"]
        assert listed["used"] is not None
        assert made["key"] not in str(listed)
        assert door.client.delete(f"/v1/access/keys/{listed['id']}").json()["state"] == "revoked"
        assert program.get("/v1/namespaces").status_code == 401
    assert door.audit("key.create") == door.audit("key.revoke") == [("account:boss", "done")]


def test_every_change_is_in_the_audit(door: Door) -> None:
    door.enter("boss")
    door.client.patch("/v1/access/accounts/west", json={"name": "West", "password": NEW})
    body = {"role": "viewer", "area": "330100"}
    door.client.post("/v1/access/accounts/west/grants", json=body)
    door.client.delete("/v1/access/accounts/west/grants/viewer/330100")
    page = door.client.get("/v1/access/audit", params={"limit": 4, "outcome": "done"}).json()
    assert [(line["what"], line["who"], line["address"]) for line in page["items"]] == [
        ("account.revoke", "account:boss", "127.0.0.1"),
        ("account.grant", "account:boss", "127.0.0.1"),
        ("account.password", "account:boss", "127.0.0.1"),
        ("account.rename", "account:boss", "127.0.0.1"),
    ]
    older = {"limit": 4, "outcome": "done", "cursor": page["next"]}
    rest = door.client.get("/v1/access/audit", params=older).json()["items"]
    assert rest[0]["what"] == "session.begin"


def test_where_reading_is_open_nobody_writes(door: Door) -> None:
    app = create_app(door.conninfo, door.namespace, DOMAINS, settings=OPEN)
    with served(app) as client:
        assert client.get("/v1/session").json()["kind"] == "anybody"
        assert client.get("/v1/namespaces").status_code == 200
        assert client.get("/v1/access/accounts").status_code == 403
        assert client.post("/v1/access/keys", json={}).status_code == 403
        bad = client.get("/v1/namespaces", headers=bearer("cb_000000000000_" + "A" * 43))
        assert bad.status_code == 401, "what is shown and wrong is not ignored"


def test_the_first_account_is_made_once(database_url: str, namespace: str) -> None:
    migrate(database_url, namespace, NamespaceKind.LIVE, domains=DOMAINS)
    first = act(database_url, namespace, lambda desk: accounts.make_first(desk, None, by()))
    again = act(database_url, namespace, lambda desk: accounts.make_first(desk, None, by()))
    assert (first, again) == ("admin", None)


def test_a_key_used_again_within_a_minute_is_not_written_again(door: Door) -> None:
    key = make_key(door.conninfo, door.namespace, scopes=[Scope.READ])
    for _ in range(3):
        assert door.client.get("/v1/namespaces", headers=bearer(key)).status_code == 200
    (row,) = door.rows("api_key")
    assert datetime.now(UTC) - row["used_at"] < timedelta(minutes=1)
    used = row["used_at"]
    door.client.get("/v1/namespaces", headers=bearer(key))
    assert door.rows("api_key")[0]["used_at"] == used
