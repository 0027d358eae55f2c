"""Logging in at an OpenID Connect issuer that is honest, that lies, and that others wrote."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
from joserfc.jwk import RSAKey
from psycopg import sql

from api.access.guard import COOKIE
from api.access.role import ALL, Role
from api.app import create_app
from api.transport import SECURITY
from streams.contracts.reason import NamespaceKind
from streams.storage.migrate import migrate
from tests.support.admission import make_account
from tests.support.issuer import CLIENT, Lying, lying_issuer, mock_provider, settings_for
from tests.support.seed_domains import DOMAINS
from tests.support.served import served

pytestmark = pytest.mark.integration

CALLBACK = "http://127.0.0.1/v1/session/oidc/callback"
GRANTS = {"flood-desk": ["operator@330106"], "province": ["viewer@all"]}


@dataclass(frozen=True)
class Door:
    client: httpx.Client
    issuer: Lying
    conninfo: str
    namespace: str

    def begin(self) -> str:
        """Begins a login; the state that comes back with the code."""
        answer = self.client.get("/v1/session/oidc", params={"to": "/?namespace=play"})
        assert answer.status_code == 303, answer.text
        assert "httponly" in answer.headers["set-cookie"].lower()
        return self.issuer.heed(answer.headers["location"])

    def back(self, state: str, **other: str) -> httpx.Response:
        """Comes back from the issuer."""
        query = {"state": state, "code": "c"} | other
        return self.client.get("/v1/session/oidc/callback", params=query)


@pytest.fixture(scope="module")
def issuer() -> Iterator[Lying]:
    with lying_issuer() as found:
        yield found


@pytest.fixture
def door(database_url: str, namespace: str, issuer: Lying) -> Iterator[Door]:
    issuer.forge, issuer.groups = None, ["flood-desk", "others"]
    migrate(database_url, namespace, NamespaceKind.SIMULATED, domains=DOMAINS)
    settings = settings_for(issuer.url, CALLBACK, GRANTS)
    with served(create_app(database_url, namespace, DOMAINS, settings=settings)) as client:
        yield Door(client, issuer, database_url, namespace)


def test_a_person_comes_in_with_the_grants_of_the_groups(door: Door) -> None:
    answer = door.back(door.begin(), session_state="added by the issuer")
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/?namespace=play"
    who = door.client.get("/v1/session").json()
    assert (who["kind"], who["who"]) == ("person", "li.wei")
    assert who["grants"] == [{"role": "operator", "area": "330106"}]
    assert door.client.get("/v1/namespaces").status_code == 200
    assert door.client.get("/v1/access/accounts").status_code == 403


def test_other_groups_at_the_next_login_are_other_grants(door: Door) -> None:
    door.back(door.begin())
    door.issuer.groups = ["province"]
    door.back(door.begin())
    who = door.client.get("/v1/session").json()
    assert who["grants"] == [{"role": "viewer", "area": "all"}]
    door.issuer.groups = []
    answer = door.back(door.begin())
    assert answer.status_code == 401
    assert "groups" in answer.json()["detail"]


def test_who_is_in_no_group_gets_no_account(door: Door) -> None:
    door.issuer.groups = ["others"]
    assert door.back(door.begin()).status_code == 401
    with psycopg.connect(door.conninfo) as connection:
        where = sql.Identifier(door.namespace, "account")
        assert connection.execute(sql.SQL("select from {}").format(where)).fetchall() == []


def test_a_local_account_of_the_same_name_is_not_taken_over(door: Door) -> None:
    make_account(door.conninfo, door.namespace, "li.wei", (Role.ADMINISTRATOR, ALL))
    assert door.back(door.begin()).status_code == 303
    who = door.client.get("/v1/session").json()
    assert re.fullmatch(r"li\.wei-[0-9a-f]{8}", who["who"])
    assert who["grants"] == [{"role": "operator", "area": "330106"}]


def _coded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def _unsigned(claims: dict[str, Any]) -> str:
    return ".".join(
        [_coded(json.dumps(part).encode()) for part in ({"alg": "none"}, claims)] + [""]
    )


def _by_shared_secret(issuer: Lying) -> Callable[[dict[str, Any]], str]:
    """The public key taken for a shared secret: the classic confusion of algorithms."""
    public = issuer.key.as_pem(private=False)

    def forged(claims: dict[str, Any]) -> str:
        head = {"alg": "HS256", "kid": "one"}
        text = ".".join(_coded(json.dumps(part).encode()) for part in (head, claims))
        return f"{text}.{_coded(hmac.digest(public, text.encode(), 'sha256'))}"

    return forged


FORGED: dict[str, Callable[[Lying], Callable[[dict[str, Any]], str]]] = {
    "no signature": lambda _: _unsigned,
    "shared secret": _by_shared_secret,
    "another key": lambda i: lambda c: i.signed(c, RSAKey.generate_key(2048, {"kid": "one"})),
    "an unknown key": lambda i: lambda c: i.signed(c, RSAKey.generate_key(2048, {"kid": "two"})),
    "another audience": lambda i: lambda c: i.signed(c | {"aud": "another"}),
    "several audiences": lambda i: lambda c: i.signed(c | {"aud": [CLIENT, "another"]}),
    "another party": lambda i: lambda c: i.signed(c | {"azp": "another"}),
    "another issuer": lambda i: lambda c: i.signed(c | {"iss": "https://evil.example"}),
    "expired": lambda i: lambda c: i.signed(c | {"exp": c["iat"] - 600}),
    "for ever": lambda i: lambda c: i.signed({k: v for k, v in c.items() if k != "exp"}),
    "from the future": lambda i: lambda c: i.signed(c | {"iat": c["iat"] + 3600}),
    "not yet": lambda i: lambda c: i.signed(c | {"nbf": c["iat"] + 3600}),
    "of another login": lambda i: lambda c: i.signed(c | {"nonce": "another"}),
    "without a nonce": lambda i: lambda c: i.signed({k: v for k, v in c.items() if k != "nonce"}),
    "of nobody": lambda i: lambda c: i.signed({k: v for k, v in c.items() if k != "sub"}),
    "cut": lambda i: lambda c: i.signed(c)[:-4],
    "changed": lambda i: lambda c: i.signed(c).replace(".", ".e30", 1),
    "no token": lambda _: lambda _: "not a token",
}


@pytest.mark.parametrize("how", FORGED)
def test_a_token_that_is_not_good_lets_nobody_in(door: Door, how: str) -> None:
    state = door.begin()
    door.issuer.forge = FORGED[how](door.issuer)
    answer = door.back(state)
    assert answer.status_code == 401, answer.text
    assert COOKIE not in door.client.cookies
    with psycopg.connect(door.conninfo) as connection:
        where = sql.Identifier(door.namespace, "audit")
        (line,) = connection.execute(
            sql.SQL("select what, outcome, address from {}").format(where)
        ).fetchall()
    assert line == ("GET /v1/session/oidc/callback", "refused", "127.0.0.1")


def test_an_answer_counts_only_in_the_browser_that_began(door: Door) -> None:
    state = door.begin()
    with httpx.Client(base_url=door.client.base_url) as other:
        query = {"state": state, "code": "c"}
        assert other.get("/v1/session/oidc/callback", params=query).status_code == 401
    assert door.back("another").status_code == 401
    assert door.back(state, error="access_denied").status_code == 401
    assert door.back(state).status_code == 303
    assert door.back(state).status_code == 401, "it is used up"


def test_a_code_that_was_stolen_is_worth_nothing_elsewhere(door: Door) -> None:
    """PKCE: another browser's verifier does not fit."""
    door.begin()
    stolen_challenge = door.issuer.challenge
    state = door.begin()
    door.issuer.challenge = stolen_challenge
    answer = door.back(state)
    assert answer.status_code == 401
    assert "invalid_grant" in answer.json()["detail"]


def test_without_an_issuer_the_way_is_not_there(database_url: str, namespace: str) -> None:
    migrate(database_url, namespace, NamespaceKind.SIMULATED, domains=DOMAINS)
    with served(create_app(database_url, namespace, DOMAINS)) as client:
        assert client.get("/v1/session/oidc").status_code == 404
        assert client.get("/v1/session").json()["oidc"] is None


def test_a_browser_gets_a_page_in_both_languages(door: Door) -> None:
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    hostile = "<script>alert(1)</script>"
    state = door.begin()
    query = {"state": state, "error": hostile}
    answer = door.client.get("/v1/session/oidc/callback", params=query, headers=browser)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "<script" not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "身份提供方未放行" in answer.text
    assert {name: answer.headers[name] for name in SECURITY} == SECURITY
    assert answer.headers["cache-control"] == "no-store"
    door.issuer.groups = []
    query = {"state": state, "code": "c"}
    shut = door.client.get("/v1/session/oidc/callback", params=query, headers=browser)
    assert shut.status_code == 401
    assert "请联系管理员" in shut.text
    assert "none of your groups" in shut.text
    long = door.client.get("/v1/session/oidc", params={"to": "x" * 501}, headers=browser)
    assert (long.status_code, long.headers["content-type"][:9]) == (422, "text/html")
    program = door.client.get("/v1/session/oidc/callback")
    assert program.headers["content-type"] == "application/problem+json"


def test_an_issuer_that_is_away_is_a_503(database_url: str, namespace: str) -> None:
    migrate(database_url, namespace, NamespaceKind.SIMULATED, domains=DOMAINS)
    settings = settings_for("http://127.0.0.1:9", CALLBACK, GRANTS)
    with served(create_app(database_url, namespace, DOMAINS, settings=settings)) as client:
        answer = client.get("/v1/session/oidc")
    assert answer.status_code == 503
    assert "OpenID Connect" in answer.json()["detail"]


def test_a_provider_that_others_wrote_lets_in(database_url: str, namespace: str) -> None:
    migrate(database_url, namespace, NamespaceKind.SIMULATED, domains=DOMAINS)
    user = {"sub": "wang", "preferred_username": "wang.fang", "groups": ["flood-desk"]}
    with mock_provider([user]) as url:
        settings = settings_for(url, CALLBACK, GRANTS, secret="s/e c+r")
        with served(create_app(database_url, namespace, DOMAINS, settings=settings)) as client:
            there = client.get("/v1/session/oidc").headers["location"]
            agreed = httpx.post(there, data={"sub": "wang"})
            assert agreed.status_code in (302, 303), agreed.text[:300]
            query = parse_qs(urlsplit(agreed.headers["location"]).query)
            answer = client.get("/v1/session/oidc/callback", params=query)
            assert answer.status_code == 303, answer.text
            assert client.get("/v1/session").json()["who"] == "wang.fang"
