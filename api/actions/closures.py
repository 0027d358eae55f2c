"""Road closures: each step checked, written and audited in one transaction.

A road has at most one closure that runs, beside one of an exercise; further alerts join it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from psycopg.rows import class_row

from api.actions.actor import Actor, OutOfSight
from api.actions.closure import (
    LIMITS,
    NOTHING,
    Given,
    Hazard,
    Limits,
    State,
    Step,
    due,
    next_state,
    worst,
)
from api.actions.expected import expect
from api.actions.known import KnownAlert, alert_of, find_alert, is_exercise
from api.actions.refusal import Conflict, Unknown
from api.actions.trail import record
from streams.storage.connect import Connection

LOCKED = """
select id, area, link, state, exercise, alerts, sequence, since
from closure where id = %s for update
"""
RUNNING = """
select id, area, link, state, exercise, alerts, sequence, since from closure
where link = %s and exercise = %s and state in ('advised', 'ordered', 'confirmed') for update
"""
BEHIND = """
select id, area, link, state, exercise, alerts, sequence, since from closure
where alerts @> array[%s::text] and state in ('advised', 'ordered', 'confirmed')
order by id for update
"""
ADD = """
insert into closure (area, link, state, exercise, alerts, sequence, since, due, created_at)
values (%(area)s, %(link)s, %(state)s, %(exercise)s, %(alerts)s, 1, %(at)s, %(due)s, %(at)s)
on conflict (link, exercise) where state in ('advised', 'ordered', 'confirmed') do nothing
returning id
"""
MOVE = """
update closure set state = %(state)s, sequence = %(number)s, alerts = %(alerts)s,
    since = case when state = %(state)s then since else %(at)s end,
    due = case when state = %(state)s then due else %(due)s end
where id = %(id)s
"""
ADD_STEP = """
insert into closure_step (closure, number, area, step, who, at, alert, event_time, hazard, note,
    reference, despite)
values (%(id)s, %(number)s, %(area)s, %(step)s, %(who)s, %(at)s, %(alert)s, %(event_time)s,
    %(hazard)s, %(note)s, %(reference)s, %(despite)s)
"""
# The alerts behind it, and whatever else is open at a point that names the link.
HAZARDS = """
select state <> 'resolved', stale from alert
where id = any(%(alerts)s) or (state <> 'resolved' and point in (
    select id from point where %(link)s = any(regexp_split_to_array(attributes->>'link', '[, ]+'))))
"""


@dataclass(frozen=True, slots=True)
class Closure:
    """A closure as it stands."""

    id: int
    area: str
    link: str
    state: State
    exercise: bool
    alerts: Sequence[str]
    sequence: int
    since: datetime


def begin(
    connection: Connection,
    by: Actor,
    now: datetime,
    step: Step,
    link: str,
    alert: str | None,
    given: Given = NOTHING,
    limits: Limits = LIMITS,
) -> int:
    """A new closure, advised or ordered; gives its id.

    Raises `Unknown` for a link or alert that is not there, `Conflict` when the road has a closure
    that runs, and what `closure.next_state` raises.
    """
    with connection.transaction():
        known = None if alert is None else alert_of(connection, alert)
        area = _area_of(connection, link, known)
        alerts = [] if known is None else [known.id]
        hazard = _hazard(connection, link, alerts)
        try:
            state = next_state(None, step, by, area, given, hazard)
        except OutOfSight:
            raise _no_road(link) from None
        row = connection.execute(
            ADD,
            {
                "area": area,
                "link": link,
                "state": state,
                "exercise": is_exercise(connection, known),
                "alerts": alerts,
                "at": now,
                "due": due(state, now, limits),
            },
        ).fetchone()
        if row is None:
            raise Conflict(f"the road {link} has a closure already; take its next step instead")
        made = Closure(row[0], area, link, state, False, alerts, 0, now)
        _note(connection, made, 1, step, by, now, known, hazard, given)
    return int(row[0])


def take(
    connection: Connection,
    by: Actor,
    now: datetime,
    id: int,
    step: Step,
    given: Given = NOTHING,
    limits: Limits = LIMITS,
    expected: int | None = None,
) -> State:
    """The next step of a closure; gives its state afterwards.

    Raises `Unknown`, `Overtaken` when another step than `expected` is the newest, and what
    `closure.next_state` raises.
    """
    with connection.transaction():
        found = _locked(connection, LOCKED, id)
        if not found:
            raise Unknown(f"there is no closure {id}")
        return _move(connection, found[0], by, now, step, given, limits, expected)


def advise(
    connection: Connection, by: Actor, now: datetime, link: str, alert: KnownAlert, limits: Limits
) -> int | None:
    """Advises to close the road; an alert on a road whose closure runs joins it. The new id."""
    running = _locked(connection, RUNNING, link, is_exercise(connection, alert))
    if not running:
        return begin(connection, by, now, Step.ADVISE, link, alert.id, limits=limits)
    if alert.id not in running[0].alerts:
        said = Given(f"alert {alert.id} also asks for it")
        _move(connection, running[0], by, now, Step.NOTE, said, limits, None, alert)
    return None


def alert_ended(
    connection: Connection, by: Actor, now: datetime, alert: KnownAlert, change: str, limits: Limits
) -> None:
    """Advice falls away with its last alert. A closed road stays closed: it is only noted."""
    for closure in _locked(connection, BEHIND, alert.id):
        over = _hazard(connection, None, closure.alerts) is Hazard.OVER
        falls = over and closure.state is State.ADVISED
        step = Step.WITHDRAW if falls else Step.NOTE
        said = Given(f"alert {alert.id} ended: {change}")
        _move(connection, closure, by, now, step, said, limits, None, alert)


def _move(
    connection: Connection,
    closure: Closure,
    by: Actor,
    now: datetime,
    step: Step,
    given: Given,
    limits: Limits,
    expected: int | None,
    alert: KnownAlert | None = None,
) -> State:
    expect(expected, closure.sequence)
    hazard = _hazard(connection, closure.link, closure.alerts)
    state = next_state(closure.state, step, by, closure.area, given, hazard)
    joined = () if alert is None or alert.id in closure.alerts else (alert.id,)
    number = closure.sequence + 1
    changed = {
        "id": closure.id,
        "state": state,
        "number": number,
        "alerts": [*closure.alerts, *joined],
        "at": now,
        "due": due(state, now, limits),
    }
    connection.execute(MOVE, changed)
    if alert is None and closure.alerts:
        alert = find_alert(connection, closure.alerts[-1])
    _note(connection, closure, number, step, by, now, alert, hazard, given)
    return state


def _note(
    connection: Connection,
    closure: Closure,
    number: int,
    step: Step,
    by: Actor,
    now: datetime,
    alert: KnownAlert | None,
    hazard: Hazard,
    given: Given,
) -> None:
    row = {
        "id": closure.id,
        "number": number,
        "area": closure.area,
        "step": step,
        "who": by.who,
        "at": now,
        "alert": None if alert is None else alert.id,
        "event_time": None if alert is None else alert.updated,
        "hazard": hazard,
        "note": given.note,
        "reference": given.reference,
        "despite": given.despite,
    }
    connection.execute(ADD_STEP, row)
    kept = ("number", "area", "alert", "hazard", "note", "reference", "despite")
    detail = {"closure": closure.id, "link": closure.link} | {name: row[name] for name in kept}
    record(connection, by.who, f"closure.{step}", detail)


def _locked(connection: Connection, statement: LiteralString, *key: int | str) -> list[Closure]:
    with connection.cursor(row_factory=class_row(Closure)) as cursor:
        rows = cursor.execute(statement, key).fetchall()
    return [_typed(row) for row in rows]


def _typed(row: Closure) -> Closure:
    state = State(row.state)
    return Closure(
        row.id, row.area, row.link, state, row.exercise, row.alerts, row.sequence, row.since
    )


def _area_of(connection: Connection, link: str, alert: KnownAlert | None) -> str:
    row = connection.execute("select area from point where id = %s", (link,)).fetchone()
    if row is not None:
        return str(row[0])
    if alert is None:
        raise _no_road(link)
    return alert.area


def _no_road(link: str) -> Unknown:
    return Unknown(f"the registry has no road {link!r}")


def _hazard(connection: Connection, link: str | None, alerts: Sequence[str]) -> Hazard:
    """Of these alerts and, with a link, of all that is open at points which name it."""
    rows = connection.execute(HAZARDS, {"link": link, "alerts": list(alerts)}).fetchall()
    return worst(
        Hazard.OVER if not is_open else Hazard.STALE if stale else Hazard.OPEN
        for is_open, stale in rows
    )
