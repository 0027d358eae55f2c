"""What people do with an alert: acknowledge, assign, comment, silence, close by hand. Pure.

A close ends the alert once the stream has taken it; nothing else changes it. What was done holds
for the severity at which it was done: once the alert has risen above it, it stands open in people's
lists again and wants to be acknowledged anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from api.actions.actor import Actor, Kind, Role
from api.actions.refusal import Conflict, Refused
from streams.contracts.closing import Ending

PEOPLE = frozenset({Kind.PERSON})
ORANGE = 3


class Action(StrEnum):
    """What was done."""

    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    COMMENT = "comment"
    SILENCE = "silence"
    UNSILENCE = "unsilence"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Given:
    """What comes with an action; each needs some of it."""

    note: str = ""
    assignee: str = ""
    until: datetime | None = None
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """An action that was taken; `holds` until the alert rises above its severity of that moment."""

    action: Action
    who: str
    given: Given
    holds: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """How an alert stands with people."""

    acknowledged_by: str | None = None
    assigned_to: str | None = None
    silenced_until: datetime | None = None
    closed: Ending | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """House convention: nobody silences for longer than a shift."""

    longest_silence: timedelta = timedelta(hours=12)


LIMITS = Limits()


def standing(done: Sequence[Done], now: datetime) -> Standing:
    """How an alert stands after these actions, in order."""
    found = Standing()
    for each in done:
        found = _after(found, each, now)
    return found


def check(
    action: Action,
    by: Actor,
    area: str,
    severity: int,
    standing: Standing,
    given: Given,
    now: datetime,
    limits: Limits,
) -> None:
    """`NotAllowed`, `Conflict` or `Refused` unless the action may be taken."""
    by.require_kind(PEOPLE, f"to {action} an alert")
    closes_high = action is Action.CLOSE and severity >= ORANGE
    by.require(Role.COMMANDER if closes_high else Role.OPERATOR, area)
    if standing.closed is not None and action is not Action.COMMENT:
        raise Conflict(f"the alert was closed by hand ({standing.closed}); it can be commented on")
    if action is Action.ACKNOWLEDGE and standing.acknowledged_by is not None:
        raise Conflict(f"{standing.acknowledged_by} has acknowledged it already")
    if action is Action.UNSILENCE and standing.silenced_until is None:
        raise Conflict("it is not silenced")
    if missing := list(_missing(action, given, now, limits)):
        raise Refused(missing)


def _after(found: Standing, done: Done, now: datetime) -> Standing:
    match done.action:
        case Action.ACKNOWLEDGE:
            return replace(found, acknowledged_by=done.who if done.holds else None)
        case Action.ASSIGN:
            return replace(found, assigned_to=done.given.assignee)
        case Action.SILENCE:
            until = done.given.until
            lasts = done.holds and until is not None and until > now
            return replace(found, silenced_until=until if lasts else None)
        case Action.UNSILENCE:
            return replace(found, silenced_until=None)
        case Action.CLOSE:
            return replace(found, closed=done.given.ending if done.holds else None)
        case Action.COMMENT:
            return found


def _missing(action: Action, given: Given, now: datetime, limits: Limits) -> Iterable[str]:
    if action in (Action.COMMENT, Action.SILENCE, Action.CLOSE) and not given.note.strip():
        yield "note: say what, or why"
    if action is Action.ASSIGN and not given.assignee.strip():
        yield "assignee: to whom"
    if action is Action.CLOSE and given.ending is None:
        yield f"ending: {' or '.join(Ending)}"
    if action is Action.SILENCE:
        if given.until is None or given.until <= now:
            yield "until: a silence needs an end that lies ahead"
        elif given.until > now + limits.longest_silence:
            yield f"until: at most {limits.longest_silence} from now"
