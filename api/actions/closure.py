"""The run of a road closure: advised → ordered → confirmed → reopened. Pure.

A road that was ordered closed is opened by one step only, and only a person can take it: no
measurement, no program, no time that passes. What the sensors say can forbid that step, never take
it. Roles and deadlines are house conventions (docs/acting.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from api.actions.actor import Actor, Kind, Role
from api.actions.refusal import Conflict, Refused


class State(StrEnum):
    """Where a closure stands."""

    ADVISED = "advised"  # somebody should decide; the road is open
    ORDERED = "ordered"  # closed by order; not yet known to be done
    CONFIRMED = "confirmed"  # closed on the spot
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"  # advice that nobody followed; the road was never closed


class Step(StrEnum):
    """What can be done with it."""

    ADVISE = "advise"
    ORDER = "order"
    CONFIRM = "confirm"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    NOTE = "note"


class Hazard(StrEnum):
    """What the alerts behind it say now, the worst of them."""

    OVER = "over"
    OPEN = "open"
    STALE = "stale"  # open, and its sensor fell silent: nothing is known


CLOSED = frozenset({State.ORDERED, State.CONFIRMED})
RUNNING = CLOSED | {State.ADVISED}


@dataclass(frozen=True, slots=True)
class Rule:
    """From where a step leads (None: nothing is there yet) to where (None: it stays), by whom."""

    before: frozenset[State | None]
    after: State | None
    kinds: frozenset[Kind]
    role: Role


_PEOPLE = frozenset({Kind.PERSON})
_ALL = frozenset(Kind)
RULES: Mapping[Step, Rule] = {
    Step.ADVISE: Rule(
        frozenset({None}), State.ADVISED, frozenset({Kind.PERSON, Kind.SYSTEM}), Role.OPERATOR
    ),
    Step.ORDER: Rule(frozenset({None, State.ADVISED}), State.ORDERED, _PEOPLE, Role.COMMANDER),
    Step.CONFIRM: Rule(
        frozenset({State.ORDERED}),
        State.CONFIRMED,
        frozenset({Kind.PERSON, Kind.PROGRAM}),
        Role.OPERATOR,
    ),
    Step.REOPEN: Rule(CLOSED, State.REOPENED, _PEOPLE, Role.COMMANDER),
    Step.WITHDRAW: Rule(
        frozenset({State.ADVISED}),
        State.WITHDRAWN,
        frozenset({Kind.PERSON, Kind.SYSTEM}),
        Role.COMMANDER,
    ),
    Step.NOTE: Rule(RUNNING, None, _ALL, Role.OPERATOR),
}


@dataclass(frozen=True, slots=True)
class Given:
    """What comes with a step. `despite`: reopen although the hazard is not over."""

    note: str = ""
    reference: str = ""  # of the program or the crew that did it
    despite: bool = False


NOTHING = Given()


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a closure may wait for its next step before it is overdue."""

    order: timedelta = timedelta(minutes=5)
    confirm: timedelta = timedelta(minutes=15)


LIMITS = Limits()


def next_state(
    state: State | None, step: Step, by: Actor, area: str, given: Given, hazard: Hazard
) -> State:
    """The state after the step.

    `NotAllowed` when this actor may not, `Conflict` when the step does not follow from the state,
    `Refused` when something that the step needs is missing.
    """
    rule = RULES[step]
    by.require_kind(rule.kinds, f"to {step} a closure")
    if by.kind is not Kind.SYSTEM:
        by.require(rule.role, area)
    if state not in rule.before:
        raise Conflict(f"a closure that is {state or 'not there'} cannot take the step {step}")
    if mistakes := list(_missing(step, by, given, hazard)):
        raise Refused(mistakes)
    after = rule.after or state
    assert after is not None
    return after


def due(state: State, since: datetime, limits: Limits) -> datetime | None:
    """When the next step is overdue; None when none is awaited."""
    match state:
        case State.ADVISED:
            return since + limits.order
        case State.ORDERED:
            return since + limits.confirm
        case State.CONFIRMED | State.REOPENED | State.WITHDRAWN:
            return None


def worst(hazards: Iterable[Hazard]) -> Hazard:
    """Of several alerts behind one closure; none at all is over."""
    found = set(hazards)
    if Hazard.STALE in found:
        return Hazard.STALE
    return Hazard.OPEN if Hazard.OPEN in found else Hazard.OVER


def _missing(step: Step, by: Actor, given: Given, hazard: Hazard) -> Iterable[str]:
    if step is Step.CONFIRM and by.kind is Kind.PROGRAM and not given.reference.strip():
        yield "reference: a program confirms with its own reference"
    if step in (Step.REOPEN, Step.NOTE) and not given.note.strip():
        yield "note: say what was seen on the spot"
    if step is Step.WITHDRAW and not given.note.strip():
        yield "note: say why the road stays open"
    if step is Step.REOPEN and hazard is not Hazard.OVER and not given.despite:
        why = "its sensor is silent" if hazard is Hazard.STALE else "its alert is still open"
        yield f"despite: {why}; say so explicitly to reopen the road all the same"
