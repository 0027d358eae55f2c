"""Messages to the public: drafted, signed by another, sent or refused; each step audited."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from api.actions.actor import Actor, Role
from api.actions.expected import expect
from api.actions.known import alert_of, is_exercise, must_be_area
from api.actions.message import (
    ANYBODY,
    LIMITS,
    NOTHING,
    Draft,
    Given,
    Limits,
    Message,
    State,
    Step,
    digest,
    mistakes,
    next_state,
)
from api.actions.refusal import Conflict, Refused, Unknown
from api.actions.trail import record
from streams.storage.connect import Connection

LOCKED = """
select state, author, area, expires, exercise, digest, sequence
from public_message where id = %s for update
"""
ADD = """
insert into public_message (area, alert, corrects, text_zh, text_en, digest, expires, exercise,
    author, state, sequence, created_at, event_time)
values (%(area)s, %(alert)s, %(corrects)s, %(text_zh)s, %(text_en)s, %(digest)s, %(expires)s,
    %(exercise)s, %(author)s, 'draft', 1, %(at)s, %(event_time)s)
returning id
"""
MOVE = "update public_message set state = %s, sequence = %s where id = %s"
ADD_STEP = """
insert into message_step (message, number, area, step, who, at, digest, note, reference)
values (%(message)s, %(number)s, %(area)s, %(step)s, %(who)s, %(at)s, %(digest)s, %(note)s,
    %(reference)s)
"""
DRAFT_STEP = "draft"


@dataclass(frozen=True, slots=True)
class _Row:
    state: str
    author: str
    area: str
    expires: datetime
    exercise: bool
    digest: str
    sequence: int

    def message(self) -> Message:
        return Message(
            State(self.state), self.author, self.area, self.expires, self.exercise, self.digest
        )


def draft(
    connection: Connection, by: Actor, now: datetime, wanted: Draft, limits: Limits = LIMITS
) -> int:
    """A new draft; gives its id.

    `NotAllowed` when this actor may not, `Refused` listing what is wrong with it, `Unknown` for an
    area, an alert or a corrected message that is not there.
    """
    with connection.transaction():
        by.require_kind(ANYBODY, "to write a message")
        by.require(Role.OPERATOR, wanted.area)
        if found := mistakes(wanted, now, limits):
            raise Refused(found)
        must_be_area(connection, wanted.area)
        alert = None if wanted.alert is None else alert_of(connection, wanted.alert)
        if wanted.corrects is not None:
            _must_be_out(connection, wanted.corrects)
        row = connection.execute(
            ADD,
            {
                "area": wanted.area,
                "alert": wanted.alert,
                "corrects": wanted.corrects,
                "text_zh": wanted.text_zh,
                "text_en": wanted.text_en,
                "digest": digest(wanted),
                "expires": wanted.expires,
                "exercise": is_exercise(connection, alert),
                "author": by.who,
                "at": now,
                "event_time": None if alert is None else alert.updated,
            },
        ).fetchone()
        assert row is not None
        _note(connection, by, now, row[0], 1, DRAFT_STEP, wanted.area, digest(wanted), NOTHING)
    return int(row[0])


def take(
    connection: Connection,
    by: Actor,
    now: datetime,
    id: int,
    step: Step,
    given: Given = NOTHING,
    expected: int | None = None,
) -> State:
    """The next step of a message; gives its state afterwards.

    Raises `Unknown`, `Overtaken` when another step than `expected` is the newest, and what
    `message.next_state` raises.
    """
    with connection.transaction():
        row = _locked(connection, id)
        expect(expected, row.sequence)
        state = next_state(row.message(), step, by, now, given)
        number = row.sequence + 1
        connection.execute(MOVE, (state, number, id))
        _note(connection, by, now, id, number, step, row.area, row.digest, given)
    return state


def _must_be_out(connection: Connection, id: int) -> None:
    if _locked(connection, id).state not in (State.SIGNED, State.SENT):
        raise Conflict(f"message {id} never went out; there is nothing to correct")


def _locked(connection: Connection, id: int) -> _Row:
    with connection.cursor(row_factory=class_row(_Row)) as cursor:
        row = cursor.execute(LOCKED, (id,)).fetchone()
    if row is None:
        raise Unknown(f"there is no message {id}")
    return row


def _note(
    connection: Connection,
    by: Actor,
    now: datetime,
    id: int,
    number: int,
    step: str,
    area: str,
    signed: str,
    given: Given,
) -> None:
    row = {
        "message": id,
        "number": number,
        "area": area,
        "step": step,
        "who": by.who,
        "at": now,
        "digest": signed,
        "note": given.note,
        "reference": given.reference,
    }
    connection.execute(ADD_STEP, row)
    detail = {name: row[name] for name in ("message", "area", "digest", "note", "reference")}
    record(connection, by.who, f"message.{step}", detail)
