"""What a late reading would have changed, by what had been decided when it came."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.contracts.late_reading import LateReading
from streams.contracts.reason import AlertState, Change, Severity
from streams.storage.alert_late import Kind, Move, Past, judge

MINUTE = 60_000
READING = LateReading(
    rule="waterlogging.depth",
    area="330106",
    subject="p0",
    sensor=1,
    property=1,
    time_ms=0,
    scaled=310_000,
    value="31",
    unit="cm",
    severity=Severity.ORANGE,
    threshold="30",
    clear_ms=10 * MINUTE,
    decided_ms=100 * MINUTE,
    position=50,
    accepted=True,
)


def move(minute: float, change: Change, severity: Severity, decided: float | None = None) -> Move:
    ended = change in (Change.CLEARED, Change.WITHDRAWN, Change.CLOSED, Change.RETIRED)
    state = AlertState.RESOLVED if ended else AlertState.FIRING
    state = AlertState.PENDING if change is Change.ONSET else state
    at = round(minute * MINUTE)
    when = at if decided is None else round(decided * MINUTE)
    return Move(at, state, int(severity), change, when, 7)


BLUE = Past(
    "a",
    (
        move(20, Change.ONSET, Severity.BLUE),
        move(21, Change.CONFIRMED, Severity.BLUE),
        move(40, Change.CLEARED, Severity.BLUE),
    ),
)


def at(minute: float, **change: object) -> LateReading:
    return replace(READING, time_ms=round(minute * MINUTE), **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("minute", "wanted"),
    [
        (5, (Kind.RAISED, None)),  # more than ten minutes before: it would have ended by then
        (9.99, (Kind.RAISED, None)),
        (10, (Kind.EARLIER, "a")),
        (19, (Kind.EARLIER, "a")),
        (20, (Kind.HIGHER, "a")),  # while it was pending
        (25, (Kind.HIGHER, "a")),
        (30, (Kind.HIGHER, "a")),
        (30.1, (Kind.LONGER, "a")),
        (40, (Kind.LONGER, "a")),
        (40.1, (Kind.RAISED, None)),
    ],
)
def test_by_when_it_was_measured(minute: float, wanted: object) -> None:
    assert judge(at(minute), [BLUE]) == wanted


def test_without_any_alert_one_never_was() -> None:
    assert judge(at(5), []) == (Kind.RAISED, None)


def test_what_was_so_anyway_changes_nothing() -> None:
    assert judge(at(25, severity=Severity.BLUE), [BLUE]) is None


def test_only_what_had_been_decided_before_counts() -> None:
    """So that it does not matter how the log is cut into commits."""
    assert judge(at(25, decided_ms=19 * MINUTE), [BLUE]) == (Kind.RAISED, None)
    open_then = at(35, decided_ms=39 * MINUTE)
    assert judge(open_then, [BLUE]) == (Kind.HIGHER, "a")
    same_moment = at(35, decided_ms=40 * MINUTE)
    assert judge(replace(same_moment, position=6), [BLUE]) == (Kind.HIGHER, "a")
    assert judge(replace(same_moment, position=7), [BLUE]) == (Kind.LONGER, "a")


def test_an_alert_that_a_registry_retires_at_that_moment_counts_as_open() -> None:
    retired = Past("a", (*BLUE.moves[:2], move(30, Change.RETIRED, Severity.BLUE, 100)))
    assert judge(at(29, decided_ms=100 * MINUTE), [retired]) == (Kind.HIGHER, "a")


def test_a_rule_that_counts_readings_says_nothing_of_the_end() -> None:
    assert judge(at(39, clear_ms=None), [BLUE]) == (Kind.HIGHER, "a")
    assert judge(at(19, clear_ms=None), [BLUE]) == (Kind.EARLIER, "a")


def test_the_nearest_alert_would_have_begun_earlier() -> None:
    second = Past("b", tuple(replace(m, event_ms=m.event_ms + 5 * MINUTE) for m in BLUE.moves))
    assert judge(at(16), [second, BLUE]) == (Kind.EARLIER, "a")
