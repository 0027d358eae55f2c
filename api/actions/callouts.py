"""Call-outs: begun by alerts, moved on by deadlines, answered by people; every step written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from psycopg.rows import class_row
from pydantic import TypeAdapter

from api.actions import callout
from api.actions.actor import SYSTEM, Actor, Kind, Role
from api.actions.callout import LIMITS, Call, Callout, Event, Happening, Level, Limits, Line
from api.actions.expected import expect
from api.actions.known import KnownAlert, is_exercise
from api.actions.refusal import Unknown
from api.actions.trail import record
from streams.storage.connect import Connection

ACTORS = frozenset({Kind.PERSON, Kind.PROGRAM})
LOCKED = """
select c.alert, c.area, c.lines, c.sequence, c.ended, a.updated as event_time
from callout c join alert a on a.id = c.alert where c.alert = %s for update of c
"""
OVER_DUE = """
select c.alert, c.area, c.lines, c.sequence, c.ended, a.updated as event_time
from callout c join alert a on a.id = c.alert
where c.due <= %s order by c.due, c.alert limit %s for update of c
"""
ADD = """
insert into callout (alert, area, exercise, severity, lines, sequence, due, overdue, ended, started)
values (%(alert)s, %(area)s, %(exercise)s, %(severity)s, '[]', 0, null, false, false, %(at)s)
on conflict (alert) do update set severity = greatest(callout.severity, excluded.severity)
"""
MOVE = """
update callout set lines = %(lines)s, sequence = %(sequence)s, due = %(due)s,
    overdue = %(overdue)s, ended = %(ended)s
where alert = %(alert)s
"""
ADD_STEP = """
insert into callout_step (alert, number, area, event, line, level, post, who, at, event_time, note,
    reference)
values (%(alert)s, %(number)s, %(area)s, %(event)s, %(line)s, %(level)s, %(post)s, %(who)s,
    %(at)s, %(event_time)s, %(note)s, %(reference)s)
"""
LINES: TypeAdapter[tuple[Line, ...]] = TypeAdapter(tuple[Line, ...])
Moved: TypeAlias = tuple[Callout, list[Happening]]


@dataclass(frozen=True, slots=True)
class Said:
    """What comes with an answer: who it was that answered, and where that is written down."""

    who: str = ""
    note: str = ""
    reference: str = ""


NOTHING = Said()


@dataclass(frozen=True, slots=True)
class _Row:
    alert: str
    area: str
    lines: Sequence[dict[str, Any]]
    sequence: int
    ended: bool
    event_time: datetime

    def callout(self) -> Callout:
        return Callout(LINES.validate_python(self.lines), self.ended)


def begin(
    connection: Connection, now: datetime, alert: KnownAlert, severity: int, limits: Limits
) -> None:
    """Calls out for this alert at this severity; whoever is called already is not called again."""
    area_level = level_of(alert.area)
    if not callout.levels(severity, area_level):
        return
    row = {
        "alert": alert.id,
        "area": alert.area,
        "exercise": is_exercise(connection, alert),
        "severity": severity,
        "at": now,
    }
    connection.execute(ADD, row)
    found = _locked(connection, alert.id)
    passed, before = callout.expire(found.callout(), now, limits)
    called, after = callout.call_out(passed, severity, area_level, now)
    _move(connection, found, (called, before + after), SYSTEM, limits)


def alert_ended(connection: Connection, now: datetime, alert: KnownAlert, limits: Limits) -> None:
    """Nobody is called any more about an alert that is over."""
    with connection.cursor(row_factory=class_row(_Row)) as cursor:
        row = cursor.execute(LOCKED, (alert.id,)).fetchone()
    if row is None or row.ended:
        return
    over = callout.end(row.callout())
    happened = [Happening(Event.ENDED, now, line.level) for line in over.lines[:1]]
    _move(connection, row, (over, happened), SYSTEM, limits)


def expire(connection: Connection, now: datetime, limits: Limits, most: int = 500) -> int:
    """Lets deadlines pass that are behind; gives how many call-outs had one."""
    with connection.cursor(row_factory=class_row(_Row)) as cursor:
        rows = cursor.execute(OVER_DUE, (now, most)).fetchall()
    for row in rows:
        _move(connection, row, callout.expire(row.callout(), now, limits), SYSTEM, limits)
    return len(rows)


def answer(
    connection: Connection,
    by: Actor,
    now: datetime,
    alert: str,
    call: Call,
    said: Said = NOTHING,
    limits: Limits = LIMITS,
    expected: int | None = None,
) -> None:
    """A post that was called has answered. Raises what `callout.answer` and `Actor.require` do,
    and `Overtaken` when another step than `expected` is the newest."""
    who = said.who.strip() or by.who

    def move(state: Callout) -> Moved:
        return callout.answer(state, call, who, now)

    _take(connection, by, now, alert, move, "callout.answered", said, limits, expected)


def confirm(
    connection: Connection,
    by: Actor,
    now: datetime,
    alert: str,
    level: Level,
    said: Said = NOTHING,
    limits: Limits = LIMITS,
    expected: int | None = None,
) -> None:
    """A level acts. Raises like `answer`."""
    who = said.who.strip() or by.who

    def move(state: Callout) -> Moved:
        return callout.confirm(state, level, who, now)

    _take(connection, by, now, alert, move, "callout.acting", said, limits, expected)


def level_of(area: str) -> Level:
    """Of whom an area is, by its code; what lies below a county is called out with it."""
    if len(area) == 6 and area.endswith("0000"):
        return Level.PROVINCE
    return Level.CITY if len(area) == 6 and area.endswith("00") else Level.COUNTY


def _take(
    connection: Connection,
    by: Actor,
    now: datetime,
    alert: str,
    move: Callable[[Callout], Moved],
    what: str,
    said: Said,
    limits: Limits,
    expected: int | None,
) -> None:
    with connection.transaction():
        by.require_kind(ACTORS, "to answer a call-out")
        row = _locked(connection, alert)
        by.require(Role.REPORTER, row.area)
        passed, happened = callout.expire(row.callout(), now, limits)
        expect(expected, row.sequence)
        moved, more = move(passed)
        _move(connection, row, (moved, happened + more), by, limits, said)
        lines = [each.line for each in more]
        detail = {"alert": alert, "area": row.area, "lines": lines, "who": said.who}
        record(connection, by.who, what, {**detail, "note": said.note, "reference": said.reference})


def _locked(connection: Connection, alert: str) -> _Row:
    with connection.cursor(row_factory=class_row(_Row)) as cursor:
        row = cursor.execute(LOCKED, (alert,)).fetchone()
    if row is None:
        raise Unknown(f"nobody was called out for alert {alert!r}")
    return row


def _move(
    connection: Connection,
    row: _Row,
    moved: Moved,
    by: Actor,
    limits: Limits,
    said: Said = NOTHING,
) -> None:
    after, happened = moved
    changed = {
        "alert": row.alert,
        "lines": LINES.dump_json(after.lines).decode(),
        "sequence": row.sequence + len(happened),
        "due": callout.due(after, limits),
        "overdue": callout.is_overdue(after),
        "ended": after.ended,
    }
    connection.execute(MOVE, changed)
    for number, each in enumerate(happened, row.sequence + 1):
        answered = each.event in (Event.ANSWERED, Event.ACTING)
        step = {
            "alert": row.alert,
            "number": number,
            "area": row.area,
            "event": each.event,
            "line": each.line,
            "level": None if each.call is None else each.call.level,
            "post": None if each.call is None else each.call.post,
            "who": each.who or SYSTEM.who,
            "at": each.at,
            "event_time": row.event_time,
            "note": said.note if answered else "",
            "reference": said.reference if answered else "",
        }
        connection.execute(ADD_STEP, step)
