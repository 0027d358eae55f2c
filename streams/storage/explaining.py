"""Reads back why an alert did what it did, and the alerts of a run. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from streams.alerting.stages.flap import MOVES as MOVING
from streams.errors import Misconfigured
from streams.storage.connect import Connection

ALERTS = """
select id, rule, domain, area, point, subject, state, severity, onset, ended, unit, origin
from alert where starts_with(id, %s) order by id limit 3
"""
TRANSITIONS = """
select sequence, event_time, decided_at, state, severity, change, value, threshold, unit,
       rule_version, topic, partition, position, stale, unverified, evidence, suppressed_by, held
from alert_transition where alert = %s order by sequence
"""
# Colour moves of a rule and subject, over its alerts.
MOVES = """
select t.event_time, t.change, t.severity
from alert_transition t join alert a on a.id = t.alert
where a.rule = %s and a.subject = %s and t.event_time >= %s and t.event_time <= %s
      and t.change = any(%s)
order by t.event_time, a.onset, t.sequence
"""
NAMED = "select id, rule, subject, severity, state from alert where id = any(%s)"
READINGS = """
select o.t, o.value, p.scale, p.unit, o.flag, o.position, s.name
from observation o
join property p on p.id = o.property
join point_sensor ps on ps.sensor = o.sensor
join sensor s on s.id = o.sensor
where ps.point = %s and p.name = %s and o.t >= %s and o.t <= %s
order by o.t, s.name limit %s
"""
EPISODES = """
select id, kind, start, "end" from episode
where point = %s and start <= %s and ("end" is null or "end" >= %s) order by start, id
"""
# When an alert became firing, and the worst that it was while it did.
FIRED = """
select a.rule, a.subject, a.area, min(t.event_time), a.ended, max(t.severity)
from alert a join alert_transition t on t.alert = a.id
where t.state = 'firing' and t.severity > 0
group by a.id, a.rule, a.subject, a.area, a.ended
order by a.rule, a.subject, min(t.event_time)
"""
LATE = """
select l.kind, l.readings, l.first_time, l.first_value, l.worst_time, l.worst_value, l.unit,
    l.threshold, l.severity, s.name, l.topic, l.partition, l.position, l.decided_at
from alert al
join alert_late l on l.rule = al.rule and l.subject = al.subject
join sensor s on s.id = l.sensor
where al.id = %s and (l.alert = al.id or l.alert is null
    and l.first_time >= al.onset - interval '1 day'
    and l.first_time <= coalesce(al.ended, al.updated) + interval '1 day')
order by l.first_time, l.kind
"""
MOST_READINGS = 20_000
AROUND = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class AlertHead:
    """The alert as it is now."""

    id: str
    rule: str
    domain: str
    area: str
    point: str | None
    subject: str
    state: str
    severity: int
    onset: datetime
    ended: datetime | None
    unit: str
    origin: str


@dataclass(frozen=True, slots=True)
class Told:
    """One transition as stored."""

    sequence: int
    event_time: datetime
    decided_at: datetime
    state: str
    severity: int
    change: str
    value: str | None
    threshold: str | None
    unit: str
    rule_version: str
    topic: str
    partition: int
    position: int
    stale: bool
    unverified: bool
    evidence: Mapping[str, Any]
    suppressed_by: str | None
    held: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class Move:
    """The colour of a rule and subject became another one."""

    event_time: datetime
    change: str
    severity: int


@dataclass(frozen=True, slots=True)
class Named:
    """An alert that another one speaks of, as it is now."""

    id: str
    rule: str
    subject: str
    severity: int
    state: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A stored value around the alert."""

    t: datetime
    value: int
    scale: int
    unit: str
    flag: int
    position: int
    sensor: str


@dataclass(frozen=True, slots=True)
class Late:
    """Readings that came too late to be judged, by what they would have changed."""

    kind: str
    readings: int
    first_time: datetime
    first_value: str
    worst_time: datetime
    worst_value: str
    unit: str
    threshold: str
    severity: int
    sensor: str
    topic: str
    partition: int
    position: int
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class Hazard:
    """An episode at the alert's point in its time."""

    id: str
    kind: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Fired:
    """An alert that became firing: since when, until when (None: open), how bad at worst."""

    rule: str
    subject: str
    area: str
    since: datetime
    ended: datetime | None
    peak: int


def find_alert(connection: Connection, beginning: str) -> AlertHead:
    """The alert whose id begins so; `Misconfigured` when there is none, or there are several."""
    rows = connection.execute(ALERTS, (beginning,)).fetchall()
    if len(rows) != 1:
        found = "no alert" if not rows else "several alerts"
        raise Misconfigured([f"{beginning!r} begins the id of {found}"])
    return AlertHead(*rows[0])


def transitions_of(connection: Connection, alert: str) -> list[Told]:
    """Everything that it did, in order."""
    return [Told(*row) for row in connection.execute(TRANSITIONS, (alert,)).fetchall()]


def moves_of(
    connection: Connection, alert: AlertHead, told: Sequence[Told], before: timedelta
) -> list[Move]:
    """Colour moves of the alert's rule and subject from so long before it to its end."""
    bounds = (told[0].event_time - before, max(one.event_time for one in told))
    kinds = sorted(change.value for change in MOVING)
    rows = connection.execute(MOVES, (alert.rule, alert.subject, *bounds, kinds)).fetchall()
    return [Move(*row) for row in rows]


def named(connection: Connection, told: Sequence[Told]) -> dict[str, Named]:
    """The alerts that hid it, by id."""
    told_by = [*(one.suppressed_by for one in told), *(one.evidence.get("was") for one in told)]
    ids = sorted({one for one in told_by if isinstance(one, str)})
    return {row[0]: Named(*row) for row in connection.execute(NAMED, (ids,)).fetchall()}


def readings_around(
    connection: Connection, point: str, name: str, told: Sequence[Told]
) -> list[Reading]:
    """The point's values of a property from half an hour before to half an hour after it all."""
    bounds = (told[0].event_time - AROUND, told[-1].event_time + AROUND)
    rows = connection.execute(READINGS, (point, name, *bounds, MOST_READINGS)).fetchall()
    return [Reading(*row) for row in rows]


def late_beside(connection: Connection, alert: str) -> list[Late]:
    """Of this alert, and where within a day of it there would have been another one."""
    return [Late(*row) for row in connection.execute(LATE, (alert,)).fetchall()]


def hazards_around(connection: Connection, point: str, told: Sequence[Told]) -> list[Hazard]:
    """The point's episodes of that time."""
    bounds = (told[-1].event_time, told[0].event_time)
    return [Hazard(*row) for row in connection.execute(EPISODES, (point, *bounds)).fetchall()]


def fired_alerts(connection: Connection) -> list[Fired]:
    """Every alert of the namespace that fired, by rule, subject and time."""
    return [Fired(*row) for row in connection.execute(FIRED).fetchall()]
