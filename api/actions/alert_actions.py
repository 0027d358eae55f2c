"""Acknowledge, assign, comment, silence, close: one row each, in the audit, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from api.actions.actor import Actor
from api.actions.alert_action import LIMITS, Action, Done, Ending, Given, Limits, check, standing
from api.actions.expected import expect
from api.actions.known import alert_of, lock
from api.actions.trail import record
from streams.storage.connect import Connection

DONE = """
select a.number, a.action, a.who, a.note, coalesce(a.assignee, '') as assignee, a.until, a.ending,
    not exists (select from alert_transition t where t.alert = a.alert
        and t.sequence > a.alert_sequence and t.severity > a.severity) as holds
from alert_action a where a.alert = %s order by a.number
"""
ADD = """
insert into alert_action (alert, number, area, action, who, at, alert_sequence, event_time,
    severity, note, assignee, until, ending)
values (%(alert)s, %(number)s, %(area)s, %(action)s, %(who)s, %(at)s, %(alert_sequence)s,
    %(event_time)s, %(severity)s, %(note)s, %(assignee)s, %(until)s, %(ending)s)
"""


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
    """Takes the action; gives its number among the actions on this alert.

    Raises `Unknown`, `Overtaken` when another action than `expected` is the newest, and what
    `alert_action.check` raises.
    """
    with connection.transaction():
        lock(connection, f"alert {alert}")
        known = alert_of(connection, alert)
        rows = _done(connection, alert)
        newest = rows[-1].number if rows else 0
        expect(expected, newest)
        stands = standing([row.done() for row in rows], now)
        check(action, by, known.area, known.severity, stands, given, now, limits)
        row = {
            "alert": alert,
            "number": newest + 1,
            "area": known.area,
            "action": action,
            "who": by.who,
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
        record(connection, by.who, f"alert.{action}", {**detail, "area": known.area})
    return newest + 1


def _done(connection: Connection, alert: str) -> list[_Row]:
    with connection.cursor(row_factory=class_row(_Row)) as cursor:
        return cursor.execute(DONE, (alert,)).fetchall()
