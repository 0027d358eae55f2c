"""Alerts that writers tell the store of, as the pipeline would, and what is read of them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias

from streams.contracts.completeness import Completeness
from streams.contracts.outcome import Held, Transition
from streams.contracts.reason import AlertState, Change, NamespaceKind, Severity
from streams.storage.alerts import write_transitions
from streams.storage.connect import Connection
from tests.support.fake_pipeline import toy_transition

AREAS = ("330106", "330108", "330203")
COMPLETE = Completeness(points=4, reporting=3, unknown=False)
# alert: sequence, state, severity, change, peak, hidden by, colour held, until (ms)
State: TypeAlias = dict[str, tuple[Any, ...]]


def life(number: int, length: int, seed: int = 0) -> list[Transition]:
    """The transitions of one alert: it begins, moves as the seed says, and perhaps ends."""
    chance = random.Random(f"{number} {seed}")
    found = []
    for step in range(1, length + 1):
        over = step == length and chance.random() < 0.5
        one = toy_transition(number, 60_000 * number, step, 60_000 * (number + step))
        state = AlertState.PENDING if step == 1 else AlertState.FIRING
        change = Change.ONSET if step == 1 else chance.choice([Change.RAISED, Change.LOWERED])
        found.append(
            replace(
                one,
                area=AREAS[number % len(AREAS)],
                state=AlertState.RESOLVED if over else state,
                change=Change.CLEARED if over else change,
                severity=Severity(chance.randint(1, 4)),
                value=str(step),
                completeness=COMPLETE,
                suppressed_by=chance.choice([None, "a1", "ticket:s1/depth/unit/5"]),
                held=chance.choice([None, Held(Severity.RED, 60_000 * (number + step + 9))]),
            )
        )
    return found


def tell(connection: Connection, transitions: Iterable[Transition], partition: int = 0) -> None:
    """Writes them in a transaction that is left open: commit when it is time."""
    with connection.cursor() as cursor:
        write_transitions(
            cursor, NamespaceKind.SIMULATED, "city.observation.v1", partition, list(transitions)
        )


def of_item(item: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a list of alerts says of one."""
    return (
        item["sequence"],
        item["state"],
        item["severity"]["rank"],
        item["change"],
        item["peak_severity"]["rank"],
        item["suppressed_by"],
        item["held"] and item["held"]["severity"]["rank"],
        item["held"] and round(datetime.fromisoformat(item["held"]["until"]).timestamp() * 1000),
    )


def followed(state: State, events: Iterable[Mapping[str, Any]]) -> State:
    """The state after these events: of each alert the highest number counts."""
    found = dict(state)
    for one in events:
        alert = one["alert"]
        known = found.get(alert["alert"], (0,))
        if alert["sequence"] > known[0]:
            found[alert["alert"]] = (
                alert["sequence"],
                alert["state"],
                alert["severity"],
                alert["change"],
                one["peak_severity"],
                one["suppressed_by"],
                one["held"] and one["held"]["severity"],
                one["held"] and one["held"]["until_ms"],
            )
    return found
