"""Roles, reach, the table of needs, passwords, keys, and statements cut down to areas."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access import password, secret
from api.access.caller import Caller
from api.access.need import NEEDS, PUBLIC, differences
from api.access.role import ALL, IMPLIED, Grant, Reach, Role, Scope, holds, reach_of, read_grant
from api.access.settings import AccessSettings
from api.access.throttle import Failures, Limits, is_closed
from api.app import create_app
from api.queries.scope import CONDITIONS, SHARED, WHOLE, scoped, tables
from api.queries.statements import statements
from api.routers.oidc import own_path

CODES = st.sampled_from(
    ["all", "330000", "330100", "330106", "330105", "330200", "330106001", "310000"]
)
REACHES = st.lists(CODES, max_size=3).map(reach_of)


@given(REACHES, CODES)
def test_a_reach_covers_what_its_stems_begin(reach: Reach, code: str) -> None:
    """What the database does with the stems is what `covers` says."""
    stems = reach.stems()
    if code == ALL:
        assert reach.covers(code) == (stems is None)
    else:
        assert reach.covers(code) == (stems is None or any(code.startswith(s) for s in stems))


@given(REACHES, REACHES, CODES)
def test_a_reach_within_another_covers_no_more(one: Reach, other: Reach, code: str) -> None:
    if one.within(other) and one.covers(code):
        assert other.covers(code)


@given(REACHES, CODES)
def test_what_is_covered_is_met(reach: Reach, code: str) -> None:
    assert reach.meets(code) or not reach.covers(code)


def test_who_has_everything_has_all_and_nobody_else() -> None:
    assert holds(ALL, "330106")
    assert holds(ALL, ALL)
    assert not holds("330000", ALL)


def test_giving_access_is_not_giving_orders() -> None:
    assert Role.COMMANDER not in IMPLIED[Role.ADMINISTRATOR]
    assert all(Role.ADMINISTRATOR not in IMPLIED[role] for role in Role if role != "administrator")
    assert all(Role.VIEWER in IMPLIED[role] for role in Role)


@given(st.sampled_from(sorted(NEEDS)), st.lists(st.sampled_from(list(Role)), max_size=4))
def test_more_roles_never_take_anything_away(route: str, roles: list[Role]) -> None:
    need = NEEDS[route]
    grants = tuple(Grant(role, "330106") for role in roles)
    more = Caller("account:x", "", (*grants, Grant(Role.VIEWER, "330100")))
    assert Caller("account:x", "", grants).reach(need).within(more.reach(need))


@pytest.mark.parametrize("route", sorted(NEEDS))
def test_a_caller_with_nothing_reaches_nothing(route: str) -> None:
    need = NEEDS[route]
    key = Caller("key:x", "", key=(frozenset(), Reach((ALL,))))
    assert need.public or not key.reach(need).areas
    person = Caller("account:x", "")
    assert need.public or need.own or not person.reach(need).areas


@pytest.mark.parametrize("route", [r for r, n in NEEDS.items() if n.scope is None and not n.public])
def test_no_scope_gives_what_is_for_people(route: str) -> None:
    key = Caller("key:x", "", key=(frozenset(Scope), Reach((ALL,))))
    assert not key.reach(NEEDS[route]).areas


def test_a_route_that_says_nowhere_what_it_needs_stops_the_app() -> None:
    short = {route: need for route, need in NEEDS.items() if route != "GET /v1/alerts"}
    with pytest.raises(LookupError, match=r"GET /v1/alerts says nowhere what it needs"):
        create_app("", "citybrain", needs=short)
    with pytest.raises(LookupError, match="declared, but not served"):
        create_app("", "citybrain", needs=dict(NEEDS) | {"GET /v1/gone": PUBLIC})
    assert differences(NEEDS, NEEDS) == []


def test_only_logging_in_is_public() -> None:
    public = {route for route, need in NEEDS.items() if need.public}
    assert public == {
        "GET /v1/session",
        "POST /v1/session",
        "POST /v1/session/link",
        "GET /v1/session/oidc",
        "GET /v1/session/oidc/callback",
    }


OF_CALLERS = {"session_of", "key_of"}  # who asks is found out before anything is cut


@pytest.mark.parametrize("name", sorted(statements().keys() - WHOLE - OF_CALLERS))
def test_of_every_table_that_is_read_it_is_said_who_may(name: str) -> None:
    text = statements()[name].decode()
    cut = scoped(text.encode(), "some").decode()
    plain = re.sub(r"--[^\n]*", "", text)
    for table in tables(plain) & CONDITIONS.keys():
        assert f'{table} as not materialized (select * from "some".{table} where' in cut
    assert tables(plain) <= CONDITIONS.keys() | SHARED


def test_a_table_of_which_nothing_is_said_is_not_read() -> None:
    for text in ("select * from account", "select 1 from point p join account a on true"):
        with pytest.raises(LookupError, match="account"):
            scoped(text.encode(), "some")


def test_a_statement_with_expressions_of_its_own_keeps_them() -> None:
    text = b"-- about\nwith recursive below as (select 1 from alert) select * from below, point"
    cut = scoped(text, "some").decode()
    assert cut.startswith("with recursive alert as not materialized")
    assert cut.count("with ") == 1
    assert "point as not materialized" in cut
    assert cut.endswith("below as (select 1 from alert) select * from below, point")


def test_keys_are_told_apart_from_those_of_gateways() -> None:
    key = secret.make_key()
    assert secret.key_id(key.text) == key.id
    assert secret.digest(key.text) == key.digest
    assert secret.key_id("cb1_" + key.text.removeprefix("cb_")) is None
    assert secret.key_id(key.text + "\n") is None
    assert secret.key_id(key.text[:-1]) is None


@given(st.text(), st.text())
def test_words_for_other_purposes_or_sessions_differ(one: str, other: str) -> None:
    assert (secret.derived(one, "csrf") == secret.derived(other, "csrf")) == (one == other)
    assert secret.derived(one, "csrf") != secret.derived(one, "state")


def test_passwords_that_are_easy_to_guess_are_refused() -> None:
    assert password.mistake_of("short", "x")
    assert password.mistake_of("aaaaaaaaaaaaaaa", "x")
    assert password.mistake_of("administrator", "Administrator")
    assert password.mistake_of("x" * 300, "x")
    assert password.mistake_of(password.generated(), "admin") is None


def test_a_stored_password_is_argon2id_and_verified() -> None:
    stored = password.hashed("correct horse battery")
    assert stored.startswith("$argon2id$")
    assert password.verified("correct horse battery", stored) == (True, None)
    assert password.verified("correct horse batterz", stored)[0] is False
    assert password.verified("anything", None) == (False, None)


def test_the_door_closes_at_each_limit() -> None:
    limits = Limits()
    none = Failures(0, 0, 0)
    assert not is_closed(none, limits)
    for name in ("pair", "address", "login"):
        limit = getattr(limits, name)
        assert is_closed(replace(none, **{name: limit}), limits)
        assert not is_closed(replace(none, **{name: limit - 1}), limits)


@pytest.mark.parametrize("text", ["", "viewer", "viewer@", "king@330106", "viewer@33", "@all"])
def test_a_grant_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="role@area"):
        read_grant(text)


def test_all_mistakes_of_the_settings_are_listed() -> None:
    wrong = AccessSettings.model_construct(
        oidc_issuer="http://sso.example", oidc_grants='{"a": ["king@1"]}'
    )
    assert len(wrong.mistakes()) == 4
    right = AccessSettings.model_construct(
        oidc_issuer="https://sso.example",
        oidc_client_id="citybrain",
        oidc_redirect="https://city.example/v1/session/oidc/callback",
        oidc_grants='{"flood-desk": ["operator@330106", "viewer@330100"]}',
    )
    assert right.mistakes() == []
    assert len(right.grants_of_groups()["flood-desk"]) == 2


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("/?namespace=play", "/?namespace=play"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/a\nb", "/"),
        ("", "/"),
    ],
)
def test_after_a_login_the_browser_stays_here(given_: str, kept: str) -> None:
    assert own_path(given_) == kept
