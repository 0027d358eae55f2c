"""Closing an alert by hand: the row and the audit beside it, and the record in the log.

The row is written first and committed last, the record is appended in between. When the log does
not answer, nothing stays. A death between record and commit leaves the record alone: the stream
ends the alert, its transition says who closed it and why, and `make_up` writes the row from that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.actions.actor import Actor
from api.actions.alert_action import LIMITS, Action, Given, Limits, check
from api.actions.alert_actions import add, look
from api.actions.known import KnownAlert
from api.actions.refusal import Conflict, Refused
from streams.contracts.closing import Close, Ending, encode_close
from streams.contracts.reason import Severity
from streams.log import Entry
from streams.storage.connect import Connection
from streams.storage.migrate import REGION_TOPIC

Append = Callable[[int, Entry], object]  # partition, record; raises `Unavailable`

WHERE = """
select topic, partition from alert_transition where alert = %s order by sequence desc limit 1
"""
# An area whose part of the log can carry it: itself, else one of its city, else any.
CARRIER = """
select given.area, given.place::int
from config_active a
join config_version v on v.version = a.version
cross join lateral jsonb_each_text(v.content->'partitions') as given (area, place)
where a.kind = 'registry' and a.partition = given.place::int
order by given.area <> %(area)s, left(given.area, 4) <> left(%(area)s, 4), given.area limit 1
"""
HAS_CLOSE = (
    "select exists (select from alert_action where alert = %s and action = 'close' and sent)"
)
NEWEST = "select coalesce(max(number), 0) from alert_action where alert = %s"


@dataclass(frozen=True, slots=True)
class Taken:
    """The number of the close among the actions; not `new`: it had been said before."""

    number: int
    new: bool


def close(
    connection: Connection,
    append: Append,
    by: Actor,
    now: datetime,
    alert: str,
    given: Given,
    limits: Limits = LIMITS,
    expected: int | None = None,
) -> Taken:
    """Hands the close to the stream. The same close again changes nothing.

    Raises as `alert_actions.act`, `Conflict` when the alert has ended, and `Unavailable` when the
    log does not answer: then nothing was done, or the stream makes it known.
    """
    with connection.transaction():
        seen = look(connection, now, alert, expected)
        known, stands = seen.alert, seen.standing
        if given.ending is not None and stands.closed is given.ending:
            check(Action.COMMENT, by, known.area, known.severity, stands, given, now, limits)
            return Taken(seen.closed, new=False)
        check(Action.CLOSE, by, known.area, known.severity, stands, given, now, limits)
        if not known.open:
            raise Conflict("the alert has ended")
        number = seen.newest + 1
        add(connection, by.who, now, known, number, Action.CLOSE, given)
        partition, record = _record(connection, known, number, by.who, given, now)
        append(partition, record)
    return Taken(number, new=True)


def make_up(
    connection: Connection, now: datetime, alert: KnownAlert, evidence: Mapping[str, Any]
) -> bool:
    """Writes the row of a close that only reached the log; whether there was one to write."""
    look(connection, now, alert.id, None)
    row = connection.execute(HAS_CLOSE, (alert.id,)).fetchone()
    if row is None or row[0]:
        return False
    given = Given(str(evidence["reason"]), ending=Ending(evidence["as"]))
    newest = connection.execute(NEWEST, (alert.id,)).fetchone()
    number = 1 + (newest[0] if newest else 0)
    add(connection, str(evidence["by"]), now, alert, number, Action.CLOSE, given)
    return True


def _record(
    connection: Connection, alert: KnownAlert, number: int, who: str, given: Given, now: datetime
) -> tuple[int, Entry]:
    """The partition that holds the alert, and what is appended there."""
    row = connection.execute(WHERE, (alert.id,)).fetchone()
    region = row is not None and row[0] == REGION_TOPIC
    area, partition = alert.area, row[1] if row else 0
    if region:
        found = connection.execute(CARRIER, {"area": alert.area}).fetchone()
        if found is None:
            raise Refused(["no part of the log is active yet: it cannot be closed"])
        area, partition = found
    assert given.ending is not None
    close = Close(
        area,
        alert.id,
        alert.subject,
        region,
        Severity(max(alert.severity, Severity.BLUE)),
        number,
        who,
        given.ending,
        given.note,
        int(now.timestamp() * 1000),
    )
    try:
        return partition, encode_close(close)
    except ValueError as error:
        raise Refused([f"note: {error}"]) from error
