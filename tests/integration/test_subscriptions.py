"""Subscriptions over HTTP and at the terminal: made, seen without secrets, tried, audited."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from api.access.role import ALL, Role
from api.app import create_app
from api.delivery.settings import DeliverSettings
from deploy import cli
from deploy.process import wait_until
from streams.contracts.reason import Severity
from streams.storage.connect import connect
from tests.support.admission import as_person, make_account, make_session
from tests.support.deliveries import LOOPBACK, delivering, put, states, subscribe, transition
from tests.support.receiver import Receiver, accept, status
from tests.support.served import served

pytest_plugins = ["tests.support.subscriber_bench"]
pytestmark = pytest.mark.integration


@pytest.fixture
def api(database_url: str, space: str) -> Iterator[httpx.Client]:
    settings = DeliverSettings(allow_networks=(LOOPBACK,), timeout_s=2.0)
    make_account(database_url, space, "boss", (Role.OPERATOR, ALL), (Role.ADMINISTRATOR, ALL))
    with served(create_app(database_url, space, {}, deliver=settings)) as client:
        client.headers.update(as_person(make_session(database_url, space, "boss")))
        yield client


def wish(receiver: Receiver, **given: Any) -> dict[str, Any]:
    return {
        "name": "signals",
        "target": receiver.url("/hook?key=hush"),
        "inner_network": True,
        "heartbeat": False,
    } | given


def test_the_life_of_a_subscription(
    database_url: str, space: str, api: httpx.Client, receiver: Receiver
) -> None:
    made = api.post("/v1/subscriptions", json=wish(receiver))
    assert made.status_code == 201, made.text
    id, secret = made.json()["id"], made.json()["secret"]
    path = f"/v1/subscriptions/{id}"

    seen = api.get(path)
    assert seen.json()["target"] == f"http://127.0.0.1:{receiver.port}/…"
    assert "hush" not in seen.text + api.get("/v1/subscriptions").text
    assert secret not in seen.text

    tried = api.post(f"{path}/test").json()
    assert tried == {"delivered": True, "status": 204, "error": None, "receipt": None}
    (one,) = receiver.received
    assert Webhook(secret).verify(one.body, one.headers)["type"] == "citybrain.test.v1"

    rotated = api.post(f"{path}/rotate").json()["secret"]
    assert rotated != secret
    api.post(f"{path}/test")
    for each in (secret, rotated):
        assert Webhook(each).verify(receiver.received[1].body, receiver.received[1].headers)

    assert api.post(f"{path}/pause").status_code == 204
    with delivering(database_url, space):
        put(database_url, space, transition("a"))
        assert wait_until(lambda: states(database_url, space) == {"waiting": 1}, 10.0)
        assert api.get(path).json()["waiting"] == 1
        assert receiver.alerts() == []
        assert api.post(f"{path}/resume").status_code == 204
        assert wait_until(lambda: states(database_url, space) == {"sent": 1}, 10.0)
    assert api.put(path, json=wish(receiver, name="other")).json()["secret"] is None
    assert api.get(path).json()["name"] == "other"
    assert api.delete(path).status_code == 204
    for gone in (
        api.get(path),
        api.post(f"{path}/pause"),
        api.delete(path),
        api.put(path, json=wish(receiver)),
    ):
        assert gone.status_code == 404

    with connect(database_url, space, "citybrain test") as connection:
        rows = connection.execute(
            "select who, what, detail::text from audit where what like 'subscription.%' order by id"
        ).fetchall()
    assert [what.removeprefix("subscription.") for _, what, _ in rows] == [
        "create", "test", "rotate", "test", "pause", "resume", "change", "remove",
    ]  # fmt: skip
    assert {who for who, _, _ in rows} == {"account:boss"}
    told = json.dumps(rows)
    assert not any(hidden in told for hidden in (secret, rotated, "hush"))


def test_dead_letters_are_listed_and_retried(
    database_url: str, space: str, api: httpx.Client, receiver: Receiver
) -> None:
    id = api.post("/v1/subscriptions", json=wish(receiver)).json()["id"]
    receiver.answer = status(410)
    with delivering(database_url, space):
        put(database_url, space, transition("a"), transition("b"), transition("c"))
        assert wait_until(lambda: states(database_url, space) == {"dead": 3}, 10.0)
        listed = api.get(f"/v1/subscriptions/{id}/deliveries?state=dead&limit=2").json()
        assert [item["sequence"] for item in listed["items"]] == [2, 1]
        assert listed["items"][0]["error"].startswith("410 Gone")
        assert listed["subscription"]["dead"] == 3
        receiver.answer = accept
        assert api.post(f"/v1/deliveries/{id}-1/retry").json() == {"retried": 1}
        assert wait_until(lambda: states(database_url, space) == {"dead": 2, "sent": 1}, 10.0)
        assert api.post(f"/v1/subscriptions/{id}/retry").json() == {"retried": 2}
        assert wait_until(lambda: states(database_url, space) == {"sent": 3}, 10.0)
    again = receiver.alerts()[-3:]
    assert {r.id for r in again} == {f"{id}-{n}" for n in range(3)}
    assert all(r.content["retried"] for r in again)
    for none in (
        f"/v1/deliveries/{id}-1/retry",
        "/v1/deliveries/x/retry",
        "/v1/deliveries/-/retry",
    ):
        assert api.post(none).status_code == 404


def test_what_would_i_have_got(
    database_url: str, space: str, api: httpx.Client, receiver: Receiver
) -> None:
    week = 8 * 86_400_000
    old = transition("old").decided_ms - week
    put(
        database_url,
        space,
        transition("old", decided_ms=old),
        transition("a"),
        transition("a", 2, severity=Severity.BLUE),
        transition("b", area="330402"),
        transition("c", severity=Severity.BLUE),
    )
    with delivering(database_url, space):
        made = subscribe(
            database_url, space, receiver.url(), filter={"areas": ["330100"], "min_severity": 3}
        )
        assert wait_until(lambda: _numbered(database_url, space), 10.0)
    seen = api.get(f"/v1/subscriptions/{made.id}/preview").json()
    assert (seen["looked_at"], seen["matched"], seen["alerts"]) == (4, 2, 1)
    assert [item["sequence"] for item in seen["newest"]] == [2, 1]
    assert seen["by_severity"] == {"3": 1, "1": 1}
    everywhere = api.post("/v1/subscriptions/preview?days=10", json={}).json()
    assert everywhere["matched"] == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"target": "http://127.0.0.1/", "name": "x"},
        {"target": "https://a.example", "name": "x", "secret": "mine"},
        {"target": "https://a.example", "name": "x", "filter": {"areas": ["abc"]}},
        {"target": "https://a.example"},
    ],
)
def test_a_wrong_wish_is_refused_whole(api: httpx.Client, wrong: dict[str, Any]) -> None:
    answer = api.post("/v1/subscriptions", json=wrong)
    assert answer.status_code == 422
    assert answer.json()["errors"]
    assert api.get("/v1/subscriptions").json()["items"] == []


def test_the_same_at_the_terminal(
    database_url: str,
    space: str,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CITYBRAIN_DATABASE", database_url)
    monkeypatch.setenv("CITYBRAIN_NAMESPACE", space)
    monkeypatch.setenv("CITYBRAIN_DELIVER_ALLOW_NETWORKS", LOOPBACK)

    def call(*arguments: str, code: int = 0) -> str:
        assert cli.run(list(arguments)) == code
        told = capsys.readouterr()
        return told.out + told.err

    wanted = '{"areas": ["330106"]}'
    made = json.loads(
        call("subscription", "add", "signals", receiver.url(), "--inner-network",
             "--filter", wanted, "--json")
    )  # fmt: skip
    id = made["id"]
    assert made["secret"].startswith("whsec_")
    assert id in call("subscription", "list")
    assert json.loads(call("subscription", "show", id))["filter"]["areas"] == ["330106"]
    assert "delivered: status 204" in call("subscription", "test", id)
    receiver.answer = status(500)
    assert "500" in call("subscription", "test", id, code=1)
    assert "0 of 0 transitions" in call("subscription", "preview", id)
    call("subscription", "pause", id)
    call("subscription", "resume", id)
    assert "whsec_" in call("subscription", "rotate", id)
    assert "alert" in call("delivery", "list", id)
    assert "no dead letter" in call("delivery", "retry", f"{id}-0", code=2)
    assert "min_severity" in call(
        "subscription", "add", "x", "https://a.example", "--filter", '{"min_severity": 9}', code=2
    )
    call("subscription", "remove", id)
    assert "no subscription" in call("subscription", "pause", id, code=2)


def _numbered(conninfo: str, namespace: str) -> bool:
    with connect(conninfo, namespace, "citybrain test") as connection:
        row = connection.execute("select bool_and(sequence is not null) from outbox").fetchone()
    return bool(row and row[0])
