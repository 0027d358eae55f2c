"""From the outbox to a webhook and back: real PostgreSQL, real HTTP on loopback."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook

from api.actions.delivery import retry
from api.delivery.outcome import Result, State
from api.delivery.store import DeliveryStore, now_utc, take_epoch
from streams.contracts.reason import AlertState, Change, Origin, Severity
from streams.errors import FenceLost
from streams.storage.connect import connect
from tests.support.deliveries import delivering, put, states, subscribe, transition, until
from tests.support.receiver import Answer, Receiver, accept, status

pytest_plugins = ["tests.support.subscriber_bench"]
pytestmark = pytest.mark.integration


def sequences(receiver: Receiver, path: str = "/hook") -> list[tuple[str, int]]:
    found = [r.content["data"] for r in receiver.alerts(path)]
    return [(data["alert"], data["sequence"]) for data in found]


def test_a_transition_arrives_signed_whole_and_once(
    database_url: str, space: str, receiver: Receiver
) -> None:
    made = subscribe(database_url, space, receiver.url())
    with delivering(database_url, space):
        put(database_url, space, transition("a"))
        until(lambda: states(database_url, space) == {"sent": 1})
    (one,) = receiver.alerts()
    assert made.secret is not None
    verified = Webhook(made.secret).verify(one.body, one.headers)
    assert verified == one.content
    assert one.id == f"{made.id}-0" == one.content["id"]
    assert one.content["data"]["severity"] == 3
    assert (one.content["status"], one.content["origin"]) == ("Actual", "live")
    assert one.content["expired"] is False


def test_what_is_older_than_the_subscription_is_not_sent(
    database_url: str, space: str, receiver: Receiver
) -> None:
    put(database_url, space, transition("old"))
    with delivering(database_url, space):
        until(lambda: _position(database_url, space) == 0)
        subscribe(database_url, space, receiver.url())
        put(database_url, space, transition("new"))
        until(lambda: len(receiver.alerts()) == 1)
    assert sequences(receiver) == [("new", 1)]


def test_failures_are_repeated_with_the_same_key_and_in_order(
    database_url: str, space: str, receiver: Receiver
) -> None:
    subscribe(database_url, space, receiver.url())
    receiver.answer = _fails(3)
    with delivering(database_url, space):
        put(database_url, space, *(transition("a", n) for n in range(1, 6)), transition("b"))
        until(lambda: states(database_url, space) == {"sent": 6})
    arrived = sequences(receiver)
    assert len(arrived) == 9
    assert len({r.id for r in receiver.alerts()}) == 6
    steps = [n for alert, n in arrived if alert == "a"]
    assert steps == sorted(steps)


def test_a_dead_letter_is_told_of_and_can_be_sent_again(
    database_url: str, space: str, receiver: Receiver
) -> None:
    made = subscribe(database_url, space, receiver.url())
    receiver.answer = status(500)
    with delivering(database_url, space, attempts=2):
        put(database_url, space, transition("a", 1))
        until(lambda: states(database_url, space) == {"dead": 1})
        receiver.answer = accept
        put(database_url, space, transition("a", 2))
        until(lambda: states(database_url, space) == {"dead": 1, "sent": 1})
        put(database_url, space, transition("a", 3))
        until(lambda: states(database_url, space) == {"dead": 1, "sent": 2})
    told = [r.content["missed"] for r in receiver.alerts()]
    assert told == [[], [], [0], []]
    assert made.id


def test_who_was_told_of_an_alert_is_told_of_its_end(
    database_url: str, space: str, receiver: Receiver
) -> None:
    subscribe(database_url, space, receiver.url(), filter={"min_severity": 3})
    with delivering(database_url, space):
        put(database_url, space, transition("low", severity=Severity.BLUE))
        put(database_url, space, transition("high"))
        until(lambda: len(receiver.alerts()) == 1)
    with delivering(database_url, space):  # another one, which must remember
        end = {"state": AlertState.RESOLVED, "severity": Severity.NONE, "change": Change.CLEARED}
        put(database_url, space, transition("low", 2, **end), transition("high", 2, **end))
        until(lambda: len(receiver.alerts()) == 2)
    assert sequences(receiver) == [("high", 1), ("high", 2)]


def test_exercises_come_only_to_who_asks_for_them(
    database_url: str, space: str, receiver: Receiver
) -> None:
    subscribe(database_url, space, receiver.url("/live"))
    subscribe(database_url, space, receiver.url("/drill"), filter={"statuses": ["Exercise"]})
    with delivering(database_url, space):
        put(database_url, space, transition("d", origin=Origin.DRILL), transition("l"))
        until(lambda: states(database_url, space) == {"sent": 2})
    assert sequences(receiver, "/live") == [("l", 1)]
    assert sequences(receiver, "/drill") == [("d", 1)]
    assert receiver.alerts("/drill")[0].content["status"] == "Exercise"


def test_an_expired_event_says_so(database_url: str, space: str, receiver: Receiver) -> None:
    subscribe(database_url, space, receiver.url())
    with delivering(database_url, space):
        put(database_url, space, transition("a", decided_ms=1_000, valid_until_ms=2_000))
        until(lambda: len(receiver.alerts()) == 1)
    assert receiver.alerts()[0].content["expired"] is True


def test_a_device_gets_the_present_state_after_hours_away(
    database_url: str, space: str, receiver: Receiver
) -> None:
    """Six hours away: one message for each alert, as of now; an unknown present is not claimed."""
    subscribe(database_url, space, receiver.url(), mode="latest_state")
    hours_ago = transition("a").decided_ms - 6 * 3_600_000
    old = {"decided_ms": hours_ago, "valid_until_ms": hours_ago + 600_000}
    steps = [transition(alert, n, **old) for n in (1, 2, 3) for alert in ("a", "b")]
    unknown = transition("c", area="330108", **old)
    put(database_url, space, *steps, unknown)
    with connect(database_url, space, "citybrain test") as connection:
        connection.execute(
            "insert into area_risk (area, severity, unknown, stale_alerts, open_alerts, as_of,"
            " decided_at) values ('330106', 3, false, 0, 0, now(), now()),"
            " ('330108', 3, true, 0, 0, now(), now())"
        )
    with delivering(database_url, space):
        until(lambda: len(receiver.alerts()) == 2)
    assert sorted(sequences(receiver)) == [("a", 3), ("b", 3)]
    for one in receiver.alerts():
        assert one.content["expired"] is False
        assert one.content["data"]["decided_ms"] > hours_ago
    assert states(database_url, space) == {"superseded": 4, "sent": 2, "waiting": 1}


def test_one_that_hangs_holds_up_nobody_else(
    database_url: str, space: str, receiver: Receiver
) -> None:
    async def hang(request: web.Request) -> web.StreamResponse:
        if request.path == "/slow":
            await asyncio.sleep(30)
        return web.Response(status=204)

    receiver.answer = hang
    subscribe(database_url, space, receiver.url("/slow"))
    subscribe(database_url, space, receiver.url("/well"))
    with delivering(database_url, space, timeout_s=1.0):
        put(database_url, space, *(transition(f"x{n}") for n in range(50)))
        until(lambda: len(receiver.alerts("/well")) == 50)
    assert len(receiver.alerts("/slow")) <= 10


def _fails(times: int) -> Answer:
    left = [times]

    async def answer(_: web.Request) -> web.StreamResponse:
        left[0] -= 1
        return web.Response(status=503 if left[0] >= 0 else 200, text='{"receipt": "r-1"}')

    return answer


def _position(conninfo: str, namespace: str) -> int:
    with connect(conninfo, namespace, "citybrain test") as connection:
        row = connection.execute("select sequence from delivery_position").fetchone()
    return -1 if row is None else int(row[0])


def test_heartbeats_tell_no_danger_no_data_and_death_apart(
    database_url: str, space: str, receiver: Receiver
) -> None:
    """Of the areas that the subscription looks at; nobody works first, then somebody does."""
    with connect(database_url, space, "citybrain test") as connection:
        connection.execute(
            "insert into area (code, level, parent, name, name_en) values"
            " ('330106', 'county', '330100', '西湖区', 'Xihu'),"
            " ('330402', 'county', '330400', '南湖区', 'Nanhu')"
        )
        connection.execute(
            "insert into area_latest (area, domain, as_of, decided_at, payload)"
            """ values ('330106', 'air', now(), now(), '{"silent": ["s1", "s2"]}')"""
        )
    subscribe(database_url, space, receiver.url(), heartbeat=True, filter={"areas": ["330100"]})
    with delivering(database_url, space, heartbeat_s=0.2):
        until(lambda: len(receiver.received) >= 2)
        assert [a["unknown"] for a in receiver.received[-1].content["areas"]] == [True]
        with connect(database_url, space, "citybrain test") as connection:
            connection.execute(
                "insert into worker (name, pid, started, beat, detail)"
                " values ('w', 1, now(), now(), '{}')"
            )
        put(database_url, space, transition("a"))
        until(lambda: receiver.received[-1].content.get("sequence") == 0)
        until(lambda: receiver.received[-1].content.get("working") is True)
    beat = receiver.received[-1].content
    assert beat["type"] == "citybrain.heartbeat.v1"
    (area,) = beat["areas"]
    assert (area["area"], area["silent_sensors"], area["unknown"]) == ("330106", 2, False)
    assert len({r.id for r in receiver.received}) == len(receiver.received)


def test_one_delivers_and_another_takes_over(
    database_url: str, space: str, receiver: Receiver
) -> None:
    subscribe(database_url, space, receiver.url())
    with delivering(database_url, space):
        until(lambda: _epoch(database_url, space) == 1)
        with delivering(database_url, space):
            put(database_url, space, transition("a", 1))
            until(lambda: len(receiver.alerts()) == 1)
            assert _epoch(database_url, space) == 1, "the second one waits"
    with delivering(database_url, space):
        put(database_url, space, transition("a", 2))
        until(lambda: len(receiver.alerts()) == 2)
    assert sequences(receiver) == [("a", 1), ("a", 2)]


def test_one_that_was_overtaken_writes_nothing_more(database_url: str, space: str) -> None:
    with connect(database_url, space, "citybrain test", autocommit=True) as connection:
        old = DeliveryStore(database_url, space, take_epoch(connection))
        take_epoch(connection)
    try:
        with pytest.raises(FenceLost):
            old.fan_out(-1, 0, (), now_utc())
        with pytest.raises(FenceLost):
            old.write([Result("s", 0, "a", State.SENT, 1)])
        with pytest.raises(FenceLost):
            old.move("kafka", 5)
        assert old.position() == -1
    finally:
        old.close()


def test_a_device_does_not_get_an_old_dead_letter_after_a_newer_state(
    database_url: str, space: str, receiver: Receiver
) -> None:
    made = subscribe(database_url, space, receiver.url(), mode="latest_state")
    receiver.answer = status(410)
    with delivering(database_url, space):
        put(database_url, space, transition("a", 1))
        until(lambda: states(database_url, space) == {"dead": 1})
        receiver.answer = accept
        put(database_url, space, transition("a", 2))
        until(lambda: states(database_url, space) == {"dead": 1, "sent": 1})
        with connect(database_url, space, "citybrain test") as connection:
            assert retry(connection, made.id, None, "test") == 1
        until(lambda: states(database_url, space) == {"superseded": 1, "sent": 1})
    assert sequences(receiver) == [("a", 1), ("a", 2)]


def _epoch(conninfo: str, namespace: str) -> int:
    with connect(conninfo, namespace, "citybrain test") as connection:
        row = connection.execute("select epoch from delivery_position").fetchone()
    return 0 if row is None else int(row[0])
