"""Who acts, subscribes and follows, by the roles and scopes that they have."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.access.role import ALL, Role, Scope
from api.actions import keys
from api.events.cursor import Cursor, parse
from tests.support.admission import act, as_person, bearer, by, make_account, make_key, make_session
from tests.support.guarded_city import NAMESPACE, City, guarded_city, own_point

pytestmark = pytest.mark.integration
WISH: dict[str, Any] = {"name": "signals", "target": "https://example.org/hook"}


@pytest.fixture(scope="module")
def city(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with guarded_city(database_url, tmp_path_factory.mktemp("boundaries")) as found:
        yield found


def person(city: City, login: str, *grants: tuple[Role, str]) -> dict[str, str]:
    """The headers of a new person's session."""
    make_account(city.conninfo, NAMESPACE, login, *grants)
    return as_person(make_session(city.conninfo, NAMESPACE, login))


def program(city: City, *scopes: Scope) -> dict[str, str]:
    """The headers of a new program of our county."""
    key = make_key(city.conninfo, NAMESPACE, scopes=scopes, areas=[city.mine])
    return bearer(key)


def post(city: City, headers: dict[str, str], path: str, **body: Any) -> httpx.Response:
    return city.client.post(f"/v1/{path}", json=body, headers=headers)


def test_an_operator_a_commander_and_a_program_close_a_road_together(city: City) -> None:
    operator = person(city, "op", (Role.OPERATOR, city.mine))
    commander = person(city, "co", (Role.COMMANDER, city.mine))
    signals = program(city, Scope.ACT)
    alert = f"acted-{city.mine}"
    points = city.seeded.registry.points.values()
    link = next(p.id for p in points if p.area == city.mine and p.id != own_point(city))
    made = post(city, operator, "closures", link=link, alert=alert)
    assert made.status_code == 201, made.text
    path = f"closures/{made.json()['id']}/steps"
    assert post(city, operator, path, step="order").status_code == 403
    assert post(city, signals, path, step="order").status_code == 403
    assert post(city, commander, path, step="order").json()["state"] == "ordered"
    done = post(city, signals, path, step="confirm", reference="gate 7")
    assert done.json()["state"] == "confirmed"
    assert post(city, signals, path, step="reopen", note="dry").status_code == 403
    steps = city.client.get(f"/v1/{path.removesuffix('/steps')}", headers=operator).json()["steps"]
    assert [step["who"].partition(":")[0] for step in steps] == ["account", "account", "key"]
    assert steps[0]["who"] == "account:op"
    lines = [line for line in city.audit() if line["what"].startswith("closure.")][-3:]
    assert [line["what"] for line in lines] == [
        "closure.advise",
        "closure.order",
        "closure.confirm",
    ]
    assert [line["who"] for line in lines] == [step["who"] for step in steps]
    assert {line["address"] for line in lines} == {"127.0.0.1"}


def test_an_administrator_gives_no_orders(city: City) -> None:
    administrator = person(city, "admin.only", (Role.ADMINISTRATOR, ALL))
    alert = f"acted-{city.mine}"
    answer = post(city, administrator, f"alerts/{alert}/actions", action="comment", note="x")
    assert answer.status_code == 403
    both = person(city, "both", (Role.ADMINISTRATOR, ALL), (Role.OPERATOR, city.mine))
    answer = post(city, both, f"alerts/{alert}/actions", action="comment", note="x")
    assert answer.status_code == 201
    assert answer.json()["who"] == "account:both"


def test_who_sees_a_county_and_may_not_act_there_is_told_so(city: City) -> None:
    mixed = person(city, "mixed", (Role.OPERATOR, city.mine), (Role.VIEWER, city.seeded.county))
    theirs = f"alerts/acted-{city.seeded.county}/actions"
    assert city.client.get(f"/v1/{theirs}", headers=mixed).status_code == 200
    answer = post(city, mixed, theirs, action="comment", note="x")
    assert answer.status_code == 403
    assert "operator" in answer.json()["detail"]


def test_a_road_of_another_county_is_as_one_that_is_not_there(city: City) -> None:
    desk = city.as_("desk")
    said = []
    for link in (city.seeded.point, "no-such-road"):
        answer = post(city, desk, "closures", link=link)
        said.append((answer.status_code, answer.json()["detail"].replace(link, "…")))
    assert said[0] == said[1]
    assert said[0][0] == 404
    answer = post(
        city, desk, "messages", area=city.mine, text_zh="积水", expires="2099-01-01T00:00:00+08:00",
        alert=f"acted-{city.seeded.county}",
    )  # fmt: skip
    assert answer.status_code == 404


def test_a_program_that_reports_does_nothing_else(city: City) -> None:
    reporter = program(city, Scope.REPORT)
    event = _event(city)
    me = reporter["authorization"].split("_")[1]
    said = {"outcome": "failed", "reference": "1", "reason": "no power"}
    answer = post(city, reporter, f"events/{event}/answers", subscription=f"key:{me}", **said)
    assert answer.status_code == 201, answer.text
    alert = f"acted-{city.mine}"
    assert post(city, reporter, f"alerts/{alert}/actions", action="comment").status_code == 403
    assert city.client.get("/v1/events", headers=reporter).status_code == 403


def test_a_program_answers_for_no_subscription_but_its_own(city: City) -> None:
    event = _event(city)
    said = {"outcome": "executed", "reference": "1"}
    path = f"events/{event}/answers"
    ours = {"filter": {"areas": [city.mine]}}
    maker = program(city, Scope.SUBSCRIBE, Scope.REPORT)
    own = post(city, maker, "subscriptions", **WISH, **ours).json()["id"]
    assert post(city, maker, path, subscription=own, **said).status_code == 201
    stranger, desk = program(city, Scope.REPORT), city.as_("desk")
    before = len(city.audit())
    for named in (own, "no-such-one", f"key:{maker['authorization'].split('_')[1]}"):
        answer = post(city, stranger, path, subscription=named, **said)
        assert answer.status_code == 403, named
    (refused, *_) = [line for line in city.audit()[before:] if line["outcome"] == "refused"]
    assert refused["what"] == "POST /v1/events/{event}/answers"
    assert refused["who"] == f"key:{stranger['authorization'].split('_')[1]}"
    assert post(city, desk, path, subscription=own, **said).status_code == 200, "may manage it"
    everywhere = post(city, bearer(city.keys["all"]), "subscriptions", **WISH, filter={})
    wide = everywhere.json()["id"]
    for county in (desk, maker, bearer(city.keys["mine"])):
        assert post(city, county, path, subscription=wide, **said).status_code == 403
    me = f"key:{stranger['authorization'].split('_')[1]}"
    wish = WISH | ours | {"answered_by": me}
    assert city.client.put(f"/v1/subscriptions/{own}", json=wish, headers=desk).status_code == 200
    assert post(city, stranger, path, subscription=own, **said).status_code == 200
    shown = city.client.get(f"/v1/subscriptions/{own}", headers=desk).json()
    assert shown["answered_by"] == me
    actor = program(city, Scope.ACT)
    assert post(city, actor, path, subscription=own, **said).status_code == 403


def _event(city: City) -> int:
    """The number of an event of our county."""
    page = city.client.get(
        f"/v1/events?area={city.mine}&after={_first(city)}", headers=bearer(city.keys["all"])
    ).json()
    return int(page["events"][0]["sequence"])


def test_a_subscription_reaches_no_further_than_its_owner(city: City) -> None:
    own = program(city, Scope.SUBSCRIBE)
    ours, theirs = city.mine, city.seeded.county
    box = {
        "type": "Polygon",
        "coordinates": [[[118, 27], [123, 27], [123, 31], [118, 31], [118, 27]]],
    }
    for wanted in (
        {},
        {"areas": [theirs]},
        {"areas": [ours, theirs]},
        {"areas": [ours], "polygon": box},
        {"areas": [ours], "near": {"area": ours, "within_m": 1000}},
    ):
        assert post(city, own, "subscriptions", **WISH, filter=wanted).status_code == 403, wanted
        assert post(city, own, "subscriptions/preview", **wanted).status_code == 403, wanted
    made = post(city, own, "subscriptions", **WISH, filter={"areas": [ours]})
    assert made.status_code == 201, made.text
    path = f"/v1/subscriptions/{made.json()['id']}"
    wider = WISH | {"filter": {"areas": [ours, theirs]}}
    assert city.client.put(path, json=wider, headers=own).status_code == 403
    whole = bearer(city.keys["all"])
    assert city.client.put(path, json=wider, headers=whole).status_code == 200
    assert city.client.get(path, headers=own).status_code == 404, "it tells of theirs now"
    assert city.client.get(path, headers=whole).status_code == 200
    changes = [line for line in city.audit() if line["what"] == "subscription.change"][-1:]
    assert [line["address"] for line in changes] == ["127.0.0.1"]


def test_only_an_administrator_lets_a_subscription_into_the_inner_network(city: City) -> None:
    inner = WISH | {
        "target": "http://10.0.0.1/hook",
        "inner_network": True,
        "filter": {"areas": [city.mine]},
    }
    operator = person(city, "op.net", (Role.OPERATOR, city.mine))
    assert post(city, operator, "subscriptions", **inner).status_code == 403
    assert post(city, bearer(city.keys["all"]), "subscriptions", **inner).status_code == 403
    both = person(city, "op.adm", (Role.OPERATOR, city.mine), (Role.ADMINISTRATOR, city.mine))
    assert post(city, both, "subscriptions", **inner).status_code == 201


def test_events_of_a_larger_area_are_those_of_the_own_county(city: City) -> None:
    mine = bearer(city.keys["mine"])
    for where in ("", f"&area={city.mine[:4]}00", "&area=330000"):
        page = city.client.get(f"/v1/events?after={_first(city)}{where}", headers=mine).json()
        assert [one["alert"]["area"] for one in page["events"]] == [city.mine]
        assert {each["area"] for each in page["completeness"]} == {city.mine}
        everything = city.client.get("/v1/events", headers=bearer(city.keys["all"])).json()
        assert page["next"] == everything["next"], "a county's cursor stands where all stand"


def test_a_stream_of_events_ends_with_its_key(city: City) -> None:
    key = make_key(city.conninfo, NAMESPACE, areas=[city.mine])
    timer = threading.Timer(0.2, lambda: act(
        city.conninfo, NAMESPACE, lambda desk: keys.revoke(desk, key.split("_")[1], by())
    ))  # fmt: skip
    until = time.monotonic() + 20
    with city.client.stream("GET", "/v1/events/stream", headers=bearer(key)) as answer:
        assert answer.status_code == 200
        timer.start()
        beats = 0
        for line in answer.iter_lines():  # until it ends by itself
            beats += line == "event: heartbeat"
            assert time.monotonic() < until, "it goes on"
    assert beats
    timer.join()


def _first(city: City) -> str:
    """The cursor before all events."""
    page = city.client.get("/v1/events", headers=bearer(city.keys["all"])).json()
    return Cursor(parse(page["next"]).log, 0).text()
