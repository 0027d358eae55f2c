"""A namespace with alerts in its outbox, subscriptions, and a deliverer beside the test."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp.abc import AbstractResolver

from api.actions.subscription import Made, Wish, create
from api.delivery.process import Order, deliver
from api.delivery.settings import DeliverSettings
from deploy.process import wait_until
from streams.contracts.outcome import Transition
from streams.contracts.reason import AlertState, Change, NamespaceKind, Origin, Severity
from streams.storage.alerts import write_transitions
from streams.storage.connect import connect
from tests.support.receiver import PATIENCE_S

LOOPBACK = "127.0.0.0/8"
QUICK: dict[str, Any] = {
    "allow_networks": (LOOPBACK,),
    "first_pause_s": 0.05,
    "most_pause_s": 0.2,
    "timeout_s": 2.0,
    "people_every_s": 0.0,
}
HOUR_MS = 3_600_000


def until(condition: Callable[[], bool]) -> None:
    """Waits for a condition, with a deadline."""
    assert wait_until(condition, PATIENCE_S, 0.02)


def transition(alert: str, sequence: int = 1, **given: Any) -> Transition:
    """A step of an alert of Xihu, live, decided now and valid for an hour."""
    now_ms = time.time_ns() // 1_000_000
    values: dict[str, Any] = {
        "alert": alert,
        "sequence": sequence,
        "rule": "waterlogging.depth",
        "rule_version": "1",
        "domain": "waterlogging",
        "area": "330106",
        "point": "wl-1",
        "subject": "wl-1",
        "onset_ms": now_ms,
        "event_ms": now_ms,
        "decided_ms": now_ms,
        "state": AlertState.FIRING,
        "severity": Severity.ORANGE,
        "stale": False,
        "unverified": False,
        "change": Change.RAISED,
        "value": "0.312",
        "threshold": "0.27",
        "unit": "m",
        "origin": Origin.LIVE,
        "position": 0,
        "valid_until_ms": now_ms + HOUR_MS,
        "evidence": {},
    }
    return Transition(**(values | given))


def put(
    conninfo: str,
    namespace: str,
    *transitions: Transition,
    kind: NamespaceKind = NamespaceKind.LIVE,
) -> None:
    """Commits transitions as the pipeline does."""
    with connect(conninfo, namespace, "citybrain test") as connection:
        write_transitions(connection.cursor(), kind, "city.observation.v1", 0, transitions)


def subscribe(conninfo: str, namespace: str, target: str, **given: Any) -> Made:
    """A webhook's subscription that may reach loopback."""
    wish = {"name": "test", "target": target, "inner_network": True, "heartbeat": False} | given
    with connect(conninfo, namespace, "citybrain test") as connection:
        return create(connection, Wish.model_validate(wish), "test")


def states(conninfo: str, namespace: str) -> dict[str, int]:
    """How many deliveries are in which state."""
    with connect(conninfo, namespace, "citybrain test") as connection:
        return dict(
            connection.execute(
                "select state, count(*)::int from delivery group by state"
            ).fetchall()
        )


@contextmanager
def delivering(
    conninfo: str, namespace: str, resolver: AbstractResolver | None = None, **given: Any
) -> Iterator[None]:
    """A deliverer in a thread; it is stopped gently at the end, and its bugs fail the test."""
    settings = DeliverSettings(**(QUICK | given))
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    failures: list[BaseException] = []
    loop.set_exception_handler(lambda _, told: failures.append(told.get("exception") or _bug(told)))

    def run() -> None:
        try:
            order = Order(conninfo, namespace, settings, resolver=resolver)
            loop.run_until_complete(deliver(order, stop))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="deliverer")
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(PATIENCE_S)
        loop.close()
    assert failures == []


def _bug(told: dict[str, Any]) -> RuntimeError:
    return RuntimeError(str(told))
