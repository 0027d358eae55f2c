"""Groups the numbered outbox into incidents, with a cursor of its own, moved in the transaction of
what it writes: nothing is missed and nothing counted twice, whenever the process dies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from api.actions.advance import Advanced
from api.actions.incident import GAP_MS, Grouping, Held, Incident, Member, Phase, Taken, Told
from streams.contracts.message_status import message_status
from streams.contracts.reason import Origin
from streams.log import ALERT_TOPIC
from streams.storage.connect import Connection
from streams.storage.migrate import namespace_kind

log = structlog.get_logger(__name__)

MOST = 5000  # messages in one transaction
MOST_ADOPTED = 5000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LOCK = "select sequence, adopted from incident_position for update skip locked"
# Read before the outbox: what was decided by then has its message there, numbered or not.
AS_OF = """
select greatest((select max(decided_at) from area_latest), (select max(decided_at) from area_risk)),
    exists (select from outbox where sequence is null)
"""
READ = """
select sequence, key, (content ->> 'sequence')::int, status, content ->> 'domain', area,
    (content ->> 'event_ms')::bigint, content ->> 'state', (content ->> 'severity')::int,
    content ->> 'suppressed_by', (content #>> '{held,severity}')::int,
    (content #>> '{held,until_ms}')::bigint, topic
from outbox where sequence > %s order by sequence limit %s
"""
MOVE = "update incident_position set sequence = %s"
MEMBERS = """
select alert, incident, area, began, ended, severity, hidden_by, held_severity, held_until, shown,
    sequence
from incident_alert where alert = any(%s)
"""
HELD = """
select alert, incident, area, began, ended, severity, hidden_by, held_severity, held_until, shown,
    sequence
from incident_alert where held_until is not null and incident = any(%s)
"""
NEWEST = """
select n.* from (
    select distinct status, domain, area
    from unnest(%s::text[], %s::text[], %s::text[]) as k (status, domain, area)
) k
cross join lateral (
    select id, status, domain, area, began, changed, severity, peak_severity, by_severity, open,
        hidden, ended, quiet_since, closed, steps, opened, upto
    from incident i
    where i.status = k.status and i.domain = k.domain and i.area = k.area
    order by i.opened desc limit 1
) n
"""
BY_ID = """
select id, status, domain, area, began, changed, severity, peak_severity, by_severity, open,
    hidden, ended, quiet_since, closed, steps, opened, upto
from incident where id = any(%s)
"""
DUE = """
select id, status, domain, area, began, changed, severity, peak_severity, by_severity, open,
    hidden, ended, quiet_since, closed, steps, opened, upto
from incident where closed is null and (quiet_since < %(quiet)s or id in (
    select incident from incident_alert where held_until <= %(now)s))
"""
# Those that fire and are of before what the outbox holds, or wait for their number.
UNKNOWN = """
select al.id, al.sequence, al.domain, al.area, coalesce((
        select min(t.event_time) from alert_transition t
        where t.alert = al.id and t.state = 'firing'), al.onset), al.severity, al.origin,
    al.suppressed_by, al.held_severity, ms_of(al.held_until)
from alert al
where al.state = 'firing' and not exists (select from incident_alert m where m.alert = al.id)
order by 5, 1 limit %s
"""
ADOPTED = "update incident_position set adopted = true"
SET_INCIDENTS = """
insert into incident (id, status, domain, area, began, changed, severity, peak_severity,
    by_severity, open, hidden, ended, quiet_since, closed, steps, opened, upto)
select id, status, domain, area, began, changed, severity, peak,
    array[none, blue, yellow, orange, red], open, hidden, ended, quiet, closed, steps, opened, upto
from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[],
    %s::smallint[], %s::smallint[], %s::int[], %s::int[], %s::int[], %s::int[], %s::int[],
    %s::int[], %s::int[], %s::int[], %s::timestamptz[], %s::timestamptz[], %s::int[], %s::bigint[],
    %s::bigint[])
    as n (id, status, domain, area, began, changed, severity, peak, none, blue, yellow, orange, red,
        open, hidden, ended, quiet, closed, steps, opened, upto)
order by closed nulls last
on conflict (id) do update set
    began = excluded.began, changed = excluded.changed, severity = excluded.severity,
    peak_severity = excluded.peak_severity, by_severity = excluded.by_severity,
    open = excluded.open, hidden = excluded.hidden, ended = excluded.ended,
    quiet_since = excluded.quiet_since, closed = excluded.closed, steps = excluded.steps,
    upto = excluded.upto
"""
SET_MEMBERS = """
insert into incident_alert (alert, incident, area, began, ended, severity, hidden_by, held_severity,
    held_until, shown, sequence)
select * from unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[],
    %s::smallint[], %s::text[], %s::smallint[], %s::timestamptz[], %s::smallint[], %s::int[])
on conflict (alert) do update set
    ended = excluded.ended, severity = excluded.severity, hidden_by = excluded.hidden_by,
    held_severity = excluded.held_severity, held_until = excluded.held_until,
    shown = excluded.shown, sequence = excluded.sequence
"""
ADD_STEPS = """
insert into incident_step (incident, number, area, step, at, severity, alert)
select * from unnest(%s::text[], %s::int[], %s::text[], %s::text[], %s::timestamptz[],
    %s::smallint[], %s::text[])
"""


def group(connection: Connection, gap_ms: int = GAP_MS, most: int = MOST) -> Advanced:
    """Groups the next messages in one transaction, and lets time pass once all are grouped; one
    process at a time."""
    with connection.transaction():
        held = connection.execute(LOCK).fetchone()
        if held is None:
            return Advanced(busy=True)
        position, adopted = held
        as_of, unnumbered = connection.execute(AS_OF).fetchall()[0]
        rows = connection.execute(READ, (position, most)).fetchall()
        if rows:
            _group(connection, [_told(row) for row in rows if row[-1] == ALERT_TOPIC], gap_ms)
            connection.execute(MOVE, (rows[-1][0],))
        more = len(rows) == most
        if not more and not adopted:
            more = _adopt(connection, position, gap_ms)
        if not more and not unnumbered and as_of is not None:
            _pass(connection, _ms(as_of), gap_ms)
    return Advanced(len(rows), more=more)


def _group(connection: Connection, told: Sequence[Told], gap_ms: int) -> None:
    """Counts the transitions and writes what has changed."""
    members = _members(connection.execute(MEMBERS, (list({t.alert for t in told}),)).fetchall())
    keys = sorted({t.key for t in told})
    columns = [[key[n] for key in keys] for n in range(3)]
    incidents = _incidents(connection.execute(NEWEST, columns).fetchall())
    grouping = _grouping(connection, incidents, members, gap_ms)
    for each in told:
        grouping.take(each)
    _write(connection, grouping)


def _grouping(
    connection: Connection, incidents: list[Incident], members: list[Member], gap_ms: int
) -> Grouping:
    """With the incidents of all members, and all members of them that are held."""
    known = {each.id for each in incidents}
    missing = list({each.incident for each in members} - known)
    if missing:
        incidents = incidents + _incidents(connection.execute(BY_ID, (missing,)).fetchall())
    ids = [each.id for each in incidents]
    held = _members(connection.execute(HELD, (ids,)).fetchall())
    return Grouping(incidents, [*held, *members], gap_ms)


def _adopt(connection: Connection, position: int, gap_ms: int) -> bool:
    """Takes in alerts that fire and of which no message tells; whether there may be more."""
    rows = connection.execute(UNKNOWN, (MOST_ADOPTED,)).fetchall()
    kind = namespace_kind(connection)
    told = [
        Told(
            position, alert, sequence, message_status(kind, Origin(origin)), domain, area,
            _ms(began), Phase.FIRING, severity, hidden_by,
            None if held is None else Held(held, until_ms),
        )
        for alert, sequence, domain, area, began, severity, origin, hidden_by, held, until_ms
        in rows
    ]  # fmt: skip
    if told:
        _group(connection, told, gap_ms)
        log.info("incidents.adopted", alerts=len(told))
    if len(rows) == MOST_ADOPTED:
        return True
    connection.execute(ADOPTED)
    return False


def _pass(connection: Connection, now_ms: int, gap_ms: int) -> None:
    """Holds and quiets end that are over by the city's own time."""
    given = {"quiet": _at(now_ms - gap_ms), "now": _at(now_ms)}
    incidents = _incidents(connection.execute(DUE, given).fetchall())
    if not incidents:
        return
    grouping = _grouping(connection, incidents, [], gap_ms)
    grouping.pass_time(now_ms)
    _write(connection, grouping)


def _write(connection: Connection, grouping: Grouping) -> None:
    incidents = [grouping.incidents[id] for id in sorted(grouping.touched)]
    if incidents:
        connection.execute(SET_INCIDENTS, _columns(map(_incident_row, incidents)))
    if grouping.moved:
        moved = [grouping.members[alert] for alert in sorted(grouping.moved)]
        connection.execute(SET_MEMBERS, _columns(map(_member_row, moved)))
    if grouping.steps:
        connection.execute(ADD_STEPS, _columns(map(_step_row, grouping.steps)))


def _told(row: tuple[Any, ...]) -> Told:
    number, alert, sequence, status, domain, area, at_ms, state, severity, hidden = row[:10]
    held = None if row[10] is None else Held(row[10], row[11])
    return Told(
        number, alert, sequence, status, domain, area, at_ms, Phase(state), severity, hidden, held
    )


def _incidents(rows: Iterable[tuple[Any, ...]]) -> list[Incident]:
    return [
        Incident(
            id, (status, domain, area), _ms(began), _ms(changed), severity, peak, list(counts),
            open, hidden, ended, _ms_or_none(quiet), _ms_or_none(closed), steps, opened,
            upto,
        )
        for id, status, domain, area, began, changed, severity, peak, counts, open, hidden, ended,
        quiet, closed, steps, opened, upto in rows
    ]  # fmt: skip


def _members(rows: Iterable[tuple[Any, ...]]) -> list[Member]:
    return [
        Member(
            alert, incident, area, _ms(began), _ms_or_none(ended), severity, hidden_by,
            None if held is None else Held(held, _ms(until)), shown, sequence,
        )
        for alert, incident, area, began, ended, severity, hidden_by, held, until, shown, sequence
        in rows
    ]  # fmt: skip


def _incident_row(each: Incident) -> tuple[Any, ...]:
    return (
        each.id, *each.key, _at(each.began_ms), _at(each.changed_ms), each.severity, each.peak,
        *each.by_severity, each.open, each.hidden, each.ended, _at_or_none(each.quiet_ms),
        _at_or_none(each.closed_ms), each.steps, each.opened, each.upto,
    )  # fmt: skip


def _member_row(each: Member) -> tuple[Any, ...]:
    held = each.held
    return (
        each.alert, each.incident, each.area, _at(each.began_ms), _at_or_none(each.ended_ms),
        each.severity, each.hidden_by, None if held is None else held.severity,
        None if held is None else _at(held.until_ms), each.shown, each.sequence,
    )  # fmt: skip


def _step_row(each: Taken) -> tuple[Any, ...]:
    return (
        each.incident, each.number, each.area, each.step.value, _at(each.at_ms), each.severity,
        each.alert,
    )  # fmt: skip


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _ms(at: datetime) -> int:
    return (at - EPOCH) // timedelta(milliseconds=1)


def _at(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)


def _ms_or_none(at: datetime | None) -> int | None:
    return None if at is None else _ms(at)


def _at_or_none(ms: int | None) -> datetime | None:
    return None if ms is None else _at(ms)
