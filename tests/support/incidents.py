"""Alerts of a day for grouping, and what became of them."""

from __future__ import annotations

import random
from typing import Any

from streams.contracts.outcome import Transition
from streams.contracts.reason import AlertState, Change, Severity
from streams.storage.connect import Connection
from tests.support.deliveries import transition

MINUTE_MS = 60_000
AREAS = ("330106", "330108", "330100")
ALL = "select * from incident order by id"
MEMBERS = "select * from incident_alert order by alert"
STEPS = "select * from incident_step order by incident, number"


def life(seed: int, start_ms: int, alerts: int = 25) -> list[list[Transition]]:
    """Transitions in stretches, in event order: alerts of some places begin, move and end."""
    chance = random.Random(seed)
    told: list[tuple[int, Transition]] = []
    for number in range(alerts):
        at_ms = start_ms + chance.randint(0, 600) * MINUTE_MS
        steps = chance.randint(1, 5)
        for step in range(1, steps + 1):
            over = step == steps and chance.random() < 0.9
            one = transition(
                f"alert-{seed}-{number}",
                step,
                area=AREAS[number % len(AREAS)],
                event_ms=at_ms,
                decided_ms=at_ms,
                onset_ms=at_ms,
                severity=Severity(chance.randint(1, 4)),
                state=AlertState.RESOLVED if over else AlertState.FIRING,
                change=Change.CLEARED if over else Change.RAISED,
                suppressed_by="parent" if chance.random() < 0.2 else None,
            )
            told.append((at_ms, one))
            at_ms += chance.randint(1, 20) * MINUTE_MS
    told.sort(key=lambda each: (each[0], each[1].alert))
    size = chance.randint(1, 9)
    return [[one for _, one in told[n : n + size]] for n in range(0, len(told), size)]


def contents(connection: Connection) -> dict[str, list[Any]]:
    """Everything that grouping has written, but for the wall clock."""
    return {
        "incident": connection.execute(ALL).fetchall(),
        "incident_alert": connection.execute(MEMBERS).fetchall(),
        "incident_step": connection.execute(STEPS).fetchall(),
    }
