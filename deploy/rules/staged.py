"""What the stages of people's lists said of a transition, in words (docs/rules.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, timezone

from streams.contracts.reason import Change, Severity
from streams.contracts.ticket import PREFIX, by_ticket
from streams.storage.explaining import Move, Named, Told


def stage_lines(
    one: Told,
    moves: Sequence[Move],
    others: Mapping[str, Named],
    within: timedelta,
    zone: timezone,
) -> Iterator[str]:
    """A line for each stage that had something to say."""
    if one.held is not None:
        yield _damped(one, moves, within, zone)
    if one.suppressed_by is not None:
        yield f"hidden in people's lists by {_by(one.suppressed_by, others)}"
    elif one.change == Change.SHOWN:
        yield f"in people's lists again; before by {_by(str(one.evidence.get('was')), others)}"


def _damped(one: Told, moves: Sequence[Move], within: timedelta, zone: timezone) -> str:
    held = one.held or {}
    near = [m for m in moves if one.event_time - within <= m.event_time <= one.event_time]
    said = [f"{_at(m.event_time, zone)} {m.change} {_colour(m.severity)}" for m in near]
    until = datetime.fromtimestamp(held["until_ms"] / 1000, zone)
    return (
        f"damped: {_colour(held['severity'])} is held until {_at(until, zone)}, because its colour "
        f"moves too often: {', '.join(said) or 'until a moment ago'}"
    )


def _by(hider: str, others: Mapping[str, Named]) -> str:
    if by_ticket(hider):
        return f"ticket {hider.removeprefix(PREFIX)}: its sensor is not believed"
    other = others.get(hider)
    if other is None:
        return f"alert {hider}"
    now = f"now {other.state} {_colour(other.severity)}"
    return f"alert {hider[:12]}, {other.rule} at {other.subject} ({now})"


def _colour(severity: int) -> str:
    return Severity(severity).name.lower()


def _at(moment: datetime, zone: timezone) -> str:
    return moment.astimezone(zone).strftime("%H:%M:%S")
