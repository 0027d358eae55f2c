"""Answers of subscribers to events, kept and audited; the same again changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from api.actions.acting import Answer, Outcome, is_late, mistakes, repeated
from api.actions.actor import Actor, Kind, NotAllowed, Role
from api.actions.known import city_time, lock
from api.actions.refusal import Refused, Unknown
from api.actions.subscription import may_answer
from api.actions.trail import record
from streams.storage.connect import Connection

EVENT = """
select key as alert, area, (content->>'sequence')::int as sequence,
    at_ms((content->>'event_ms')::bigint) as event_time,
    at_ms((content->>'valid_until_ms')::bigint) as valid_until
from outbox where sequence = %s
"""
EARLIER = """
select outcome, reference, reason from acting_answer
where event = %s and subscription = %s order by number
"""
ADD = """
insert into acting_answer (event, subscription, number, alert, alert_sequence, area, outcome,
    reference, reason, late, who, at, event_time)
values (%(event)s, %(subscription)s, %(number)s, %(alert)s, %(alert_sequence)s, %(area)s,
    %(outcome)s, %(reference)s, %(reason)s, %(late)s, %(who)s, %(at)s, %(event_time)s)
"""
ACTORS = frozenset({Kind.PERSON, Kind.PROGRAM})


@dataclass(frozen=True, slots=True)
class Kept:
    """The number of the answer among this subscription's to this event; whether it is news."""

    number: int
    new: bool
    late: bool


@dataclass(frozen=True, slots=True)
class _Event:
    alert: str
    area: str
    sequence: int
    event_time: datetime
    valid_until: datetime


def answer(
    connection: Connection,
    by: Actor,
    now: datetime,
    event: int,
    subscription: str,
    said: Answer,
) -> Kept:
    """Keeps the answer to the event with this number.

    `NotAllowed` when this actor may not, `Refused` listing what is missing, `Unknown` when there is
    no such event (any more).
    """
    with connection.transaction():
        by.require_kind(ACTORS, "to answer an event")
        found = _event(connection, event)
        by.require(Role.REPORTER, found.area)
        wrong = mistakes(said)
        if not subscription.strip():
            wrong.append("subscription: which one was told")
        if wrong:
            raise Refused(wrong)
        if not may_answer(connection, by, subscription):
            raise NotAllowed(f"{by.who} does not answer for subscription {subscription!r}")
        lock(connection, f"answer {event} {subscription}")
        earlier = [
            Answer(Outcome(outcome), reference, reason)
            for outcome, reference, reason in connection.execute(EARLIER, (event, subscription))
        ]
        late = is_late(city_time(connection, now), found.valid_until)
        same = repeated(earlier, said)
        if same is not None:
            return Kept(same + 1, False, late)
        row = {
            "event": event,
            "subscription": subscription,
            "number": len(earlier) + 1,
            "alert": found.alert,
            "alert_sequence": found.sequence,
            "area": found.area,
            "outcome": said.outcome,
            "reference": said.reference,
            "reason": said.reason,
            "late": late,
            "who": by.who,
            "at": now,
            "event_time": found.event_time,
        }
        connection.execute(ADD, row)
        detail = {k: v for k, v in row.items() if k not in ("at", "event_time", "who")}
        record(connection, by.who, f"answer.{said.outcome}", detail)
    return Kept(len(earlier) + 1, True, late)


def _event(connection: Connection, sequence: int) -> _Event:
    with connection.cursor(row_factory=class_row(_Event)) as cursor:
        row = cursor.execute(EVENT, (sequence,)).fetchone()
    if row is None:
        raise Unknown(f"there is no event {sequence}, or it is kept no longer")
    return row
