"""What the deliverer reads of incidents, and what it keeps of what people were told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

from api.delivery.event import Event
from api.delivery.line import Item
from api.delivery.telling import Before, IncidentNow, Known
from streams.storage.connect import Connection, translated

T = TypeVar("T")
Call: TypeAlias = Callable[[Connection], T]

UPTO = "select sequence from incident_position"
INCIDENT_OF = "select alert, incident from incident_alert where alert = any(%s)"
INCIDENTS = """
select id, status, domain, area, began, severity, peak_severity, by_severity, open, hidden, ended,
    closed is not null
from incident where id = any(%s)
"""
TOLD = """
select incident, severity, extract(epoch from at)::float8, over, upto
from incident_told where subscription = %s and incident = any(%s)
"""
# Few alerts have such actions; only these are looked at in full.
QUIET = """
select id from alert_with_actions
where id = any(array(
        select distinct a.alert from alert_action a
        where a.alert = any(%s) and a.action in ('silence', 'close')))
    and (silenced_until > now() or close_state in ('beside', 'closing', 'closed'))
"""
# Those that people have silenced or closed are not shown as the worst.
WORST = """
select m.incident, al.id, al.area, i.status, jsonb_build_object(
    'alert', al.id, 'sequence', al.sequence, 'rule', al.rule,
    'rule_version', al.rule_version, 'evidence', coalesce(t.evidence, '{}'),
    'area', al.area, 'point', al.point,
    'subject', al.subject, 'state', al.state, 'change', al.change, 'value', al.value,
    'severity', case when al.state = 'resolved' then al.peak_severity
        else greatest(m.shown, 0) end,
    'threshold', al.threshold, 'unit', al.unit, 'unverified', al.unverified, 'stale', al.stale,
    'origin', al.origin, 'event_ms', (extract(epoch from al.updated) * 1000)::bigint,
    'valid_until_ms', coalesce((extract(epoch from t.valid_until) * 1000)::bigint, 9e15::bigint))
from unnest(%(incidents)s::text[]) as k (id) join incident i on i.id = k.id
cross join lateral (
    select m.incident, m.alert, m.shown from incident_alert m
    where m.incident = k.id and m.hidden_by is null
    order by m.shown desc, m.began desc, m.alert desc limit %(most)s
) m
join alert al on al.id = m.alert
left join alert_transition t on t.alert = al.id and t.sequence = al.sequence
where not exists (
    select from alert_action a join alert_with_actions w on w.id = a.alert
    where a.alert = al.id and a.action in ('silence', 'close')
        and (w.silenced_until > now() or w.close_state in ('beside', 'closing', 'closed')))
order by m.incident, m.shown desc, al.peak_severity desc, al.id
"""
SET_TOLD = """
insert into incident_told (subscription, incident, severity, at, over, upto)
select %s, id, severity, to_timestamp(%s), over, %s
from unnest(%s::text[], %s::smallint[], %s::bool[]) as t (id, severity, over)
on conflict (subscription, incident) do update set
    severity = excluded.severity, at = excluded.at, over = excluded.over, upto = excluded.upto
"""
OVER = """
select t.subscription, t.incident from incident_told t join incident i on i.id = t.incident
where not t.over and i.closed is not null order by t.subscription, i.peak_severity desc, t.incident
"""
GIVE_UP = "update incident_told set over = true where not over and subscription = any(%s)"
MOST_WORST = 3


def read_known(connection: Connection, subscription: str, items: Sequence[Item]) -> Known:
    """Of the alerts in hand."""
    alerts = [item.event.alert for item in items]
    upto = read_upto(connection)  # first: what is grouped by then is in what is read after it
    with translated(), connection.transaction():
        incident_of: dict[str, str] = dict(connection.execute(INCIDENT_OF, (alerts,)).fetchall())
        ids = sorted(set(incident_of.values()))
        incidents = read_incidents(connection, ids)
        told = read_told(connection, subscription, ids)
        quiet = frozenset(id for (id,) in connection.execute(QUIET, (alerts,)))
    return Known(upto, incident_of, incidents, told, quiet)


def read_upto(connection: Connection) -> int:
    """Up to where the outbox is grouped."""
    with translated():
        row = connection.execute(UPTO).fetchone()
    return -1 if row is None else int(row[0])


def read_incidents(connection: Connection, ids: Sequence[str]) -> dict[str, IncidentNow]:
    """As they stand, by id."""
    with translated():
        rows = connection.execute(INCIDENTS, (list(ids),)).fetchall()
    return {row[0]: IncidentNow(*row) for row in rows}


def read_told(connection: Connection, subscription: str, ids: Sequence[str]) -> dict[str, Before]:
    """What this subscriber was told of them."""
    rows = connection.execute(TOLD, (subscription, list(ids))).fetchall()
    return {id: Before(*rest) for id, *rest in rows}


def read_worst(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[Event, ...]]:
    """A few of the worst alerts of each incident, as events."""
    found: dict[str, list[Event]] = {}
    given: dict[str, Any] = {"incidents": list(ids), "most": MOST_WORST}
    with translated():
        rows = connection.execute(WORST, given).fetchall()
    for incident, alert, area, status, content in rows:
        event = Event(content["sequence"], alert, area, status, True, content)
        found.setdefault(incident, []).append(event)
    return {incident: tuple(events) for incident, events in found.items()}


def write_told(
    connection: Connection,
    subscription: str,
    at_s: float,
    upto: int,
    told: Mapping[str, IncidentNow],
) -> None:
    """They were told of now, as they were read."""
    if told:
        # Of a deliverer that was overtaken, too: the message has gone out.
        severities = [each.severity for each in told.values()]
        overs = [each.over for each in told.values()]
        with translated():
            connection.execute(SET_TOLD, (subscription, at_s, upto, list(told), severities, overs))


def read_over(connection: Connection) -> dict[str, list[str]]:
    """Incidents that are over, by the subscriptions that were told of them and not of that."""
    found: dict[str, list[str]] = {}
    with translated():
        for subscription, incident in connection.execute(OVER).fetchall():
            found.setdefault(subscription, []).append(incident)
    return found


def give_up(connection: Connection, subscriptions: Sequence[str]) -> None:
    """Nobody is there any more to be told that something is over."""
    with translated():
        connection.execute(GIVE_UP, (list(subscriptions),))
