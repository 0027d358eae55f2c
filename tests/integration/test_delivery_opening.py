"""Who follows the present state begins with what is open: nothing twice, nothing missed."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from api.actions.subscription import Wish, change
from streams.contracts.outcome import Transition
from streams.contracts.reason import AlertState, Change, Severity
from streams.storage.connect import connect
from streams.storage.sequencer import number_outbox
from tests.support.deliveries import delivering, put, subscribe, transition, until
from tests.support.receiver import Receiver

pytest_plugins = ["tests.support.subscriber_bench"]
pytestmark = pytest.mark.integration
PATIENCE_S = 30.0
DEVICE = {"mode": "latest_state"}
ENDED: dict[str, Any] = {
    "state": AlertState.RESOLVED,
    "severity": Severity.NONE,
    "change": Change.CLEARED,
}


def came(receiver: Receiver, path: str = "/hook") -> list[tuple[str, int]]:
    found = [one.content["data"] for one in receiver.alerts(path)]
    return [(data["alert"], data["sequence"]) for data in found]


def numbered(conninfo: str, space: str, *transitions: Transition) -> None:
    put(conninfo, space, *transitions)
    with connect(conninfo, space, "citybrain test") as connection:
        number_outbox(connection)


def test_it_begins_with_what_is_open_and_wanted(
    database_url: str, space: str, receiver: Receiver
) -> None:
    old = transition("old").decided_ms - 6 * 3_600_000
    numbered(
        database_url,
        space,
        *(transition("open", n) for n in (1, 2, 3)),
        transition("over", 1),
        transition("over", 2, **ENDED),
        transition("elsewhere", area="330402"),
        transition("slight", severity=Severity.BLUE),
        transition("expired", decided_ms=old, valid_until_ms=old + 600_000),
    )
    wanted = {"areas": ["330106"], "min_severity": 2}
    with delivering(database_url, space):
        subscribe(database_url, space, receiver.url(), filter=wanted, **DEVICE)
        until(lambda: came(receiver) == [("open", 3)])
        put(database_url, space, transition("open", 4, **ENDED), transition("new"))
        until(lambda: len(came(receiver)) == 3)
    assert sorted(came(receiver)) == [("new", 1), ("open", 3), ("open", 4)]
    assert not any(one.content["expired"] for one in receiver.alerts())


def test_who_asks_for_every_transition_gets_what_comes(
    database_url: str, space: str, receiver: Receiver
) -> None:
    numbered(database_url, space, transition("open"))
    subscribe(database_url, space, receiver.url())
    with delivering(database_url, space):
        put(database_url, space, transition("new"))
        until(lambda: came(receiver) == [("new", 1)])


def test_it_begins_once_and_with_the_state_of_the_moment_when_it_is_looked_after(
    database_url: str, space: str, receiver: Receiver
) -> None:
    """Nobody delivers when it is made; two changes later somebody does, and then another."""
    numbered(database_url, space, transition("a", 1), transition("b", 1))
    subscribe(database_url, space, receiver.url(), **DEVICE)
    put(database_url, space, transition("a", 2))
    with delivering(database_url, space):
        until(lambda: sorted(came(receiver)) == [("a", 2), ("b", 1)])
    with delivering(database_url, space):
        put(database_url, space, transition("c", 1))
        until(lambda: len(came(receiver)) == 3)
    assert sorted(came(receiver)) == [("a", 2), ("b", 1), ("c", 1)]


def test_a_wider_filter_begins_with_what_it_adds(
    database_url: str, space: str, receiver: Receiver
) -> None:
    numbered(database_url, space, transition("mine"), transition("theirs", area="330402"))
    near = {"areas": ["330106"]}
    with delivering(database_url, space):
        made = subscribe(database_url, space, receiver.url(), filter=near, **DEVICE)
        until(lambda: came(receiver) == [("mine", 1)])
        wish = Wish.model_validate(
            {"name": "test", "target": receiver.url(), "inner_network": True, "heartbeat": False}
            | DEVICE
        )
        with connect(database_url, space, "citybrain test") as connection:
            change(connection, made.id, wish, "test")
        until(lambda: len(came(receiver)) == 2)
        put(database_url, space, transition("theirs", 2, area="330402"))
        until(lambda: len(came(receiver)) == 3)
    assert came(receiver) == [("mine", 1), ("theirs", 1), ("theirs", 2)]


def test_nothing_is_missed_or_told_twice_while_alerts_move(
    database_url: str, space: str, receiver: Receiver
) -> None:
    """Subscriptions are made while three writers move alerts: each ends with the truth."""
    alerts, steps, subscribers = 12, 30, 8
    numbered(database_url, space, *(transition(f"{n}", 1) for n in range(alerts)))
    newest = {f"{n}": steps for n in range(alerts)}

    def write(numbers: range) -> None:
        for step in range(2, steps + 1):
            put(database_url, space, *(_step(f"{n}", step, steps) for n in numbers))

    writers = [
        threading.Thread(target=write, args=(range(first, alerts, 3),)) for first in range(3)
    ]
    with delivering(database_url, space, timeout_s=PATIENCE_S):  # a slow answer is not sent again
        for writer in writers:
            writer.start()
        for number in range(subscribers):
            subscribe(database_url, space, receiver.url(f"/{number}"), **DEVICE)
        for writer in writers:
            writer.join(PATIENCE_S)
        wanted = {alert: step for alert, step in newest.items() if int(alert) % 4}
        for number in range(subscribers):
            until(lambda path=f"/{number}": _knows(receiver, path, wanted))  # type: ignore[misc]
    for number in range(subscribers):
        told = came(receiver, f"/{number}")
        assert max(Counter(told).values()) == 1, "told twice"
        for alert in newest:
            order = [step for one, step in told if one == alert]
            assert order == sorted(order), "in the order of the alert"


def _knows(receiver: Receiver, path: str, wanted: dict[str, int]) -> bool:
    return wanted.items() <= dict(sorted(came(receiver, path))).items()


def _step(alert: str, step: int, last: int) -> Transition:
    """Every fourth alert ends: who comes after its end need not hear of it."""
    ended = step == last and int(alert) % 4 == 0
    return replace(transition(alert, step), **ENDED) if ended else transition(alert, step)
