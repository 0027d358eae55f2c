"""Acknowledge, assign, comment, silence, close: one row each, in the audit, in one transaction.

What a close does beyond its row stands in `api.actions.closing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from api.actions.actor import Actor
from api.actions.alert_action import (
    LIMITS,
    Action,
    Done,
    Given,
    Limits,
    Standing,
    check,
    standing,
)
from api.actions.expected import expect
from api.actions.known import KnownAlert, alert_of, lock
from api.actions.trail import record
from streams.contracts.closing import Ending
from streams.storage.connect import Connection

DONE = """
select a.number, a.action, a.who, a.note, coalesce(a.assignee, '') as assignee, a.until, a.ending,
    not exists (select from alert_transition t where t.alert = a.alert
        and t.sequence > a.alert_sequence and t.severity > a.severity)
        and (a.action <> 'close' or a.sent) as holds
from alert_action a where a.alert = %s order by a.number
"""
ADD = """
insert into alert_action (alert, number, area, action, who, at, alert_sequence, event_time,
    severity, note, assignee, until, ending, sent)
values (%(alert)s, %(number)s, %(area)s, %(action)s, %(who)s, %(at)s, %(alert_sequence)s,
    %(event_time)s, %(severity)s, %(note)s, %(assignee)s, %(until)s, %(ending)s,
    %(ending)s::text is not null)
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert, how it stands with people, the number of the newest action and of the newest close
    (0: none)."""

    alert: KnownAlert
    standing: Standing
    newest: int
    closed: int


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    action: str
    who: str
    note: str
    assignee: str
    until: datetime | None
    ending: str | None
    holds: bool

    def done(self) -> Done:
        ending = None if self.ending is None else Ending(self.ending)
        given = Given(self.note, self.assignee, self.until, ending)
        return Done(Action(self.action), self.who, given, self.holds)


def act(
    connection: Connection,
    by: Actor,
    now: datetime,
    alert: str,
    action: Action,
    given: Given,
    limits: Limits = LIMITS,
    expected: int | None = None,
) -> int:
    """Takes an action other than a close; gives its number among the actions on this alert.

    Raises as `look`, and what `alert_action.check` raises.
    """
    assert action is not Action.CLOSE, "a close goes into the log"
    with connection.transaction():
        seen = look(connection, now, alert, expected)
        known = seen.alert
        check(action, by, known.area, known.severity, seen.standing, given, now, limits)
        add(connection, by.who, now, known, seen.newest + 1, action, given)
    return seen.newest + 1


def look(connection: Connection, now: datetime, alert: str, expected: int | None) -> Seen:
    """How the alert stands; nobody else acts on it until the caller's transaction ends.

    Raises `Unknown`, `Overtaken` when another action than `expected` is the newest.
    """
    lock(connection, f"alert {alert}")
    known = alert_of(connection, alert)
    with connection.cursor(row_factory=class_row(_Row)) as cursor:
        rows = cursor.execute(DONE, (alert,)).fetchall()
    newest = rows[-1].number if rows else 0
    expect(expected, newest)
    closes = [row.number for row in rows if row.action == Action.CLOSE]
    return Seen(known, standing([row.done() for row in rows], now), newest, max(closes, default=0))


def add(
    connection: Connection,
    who: str,
    now: datetime,
    known: KnownAlert,
    number: int,
    action: Action,
    given: Given,
) -> None:
    """The row and its line in the audit, in the caller's transaction."""
    row = {
        "alert": known.id,
        "number": number,
        "area": known.area,
        "action": action,
        "who": who,
        "at": now,
        "alert_sequence": known.sequence,
        "event_time": known.updated,
        "severity": known.severity,
        "note": given.note,
        "assignee": given.assignee if action is Action.ASSIGN else None,
        "until": given.until if action is Action.SILENCE else None,
        "ending": given.ending if action is Action.CLOSE else None,
    }
    connection.execute(ADD, row)
    detail = {k: str(row[k]) for k in ("alert", "number", "note", "assignee", "until", "ending")
              if row[k] not in (None, "")}  # fmt: skip
    record(connection, who, f"alert.{action}", {**detail, "area": known.area})
