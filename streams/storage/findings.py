"""What the domains found: results, episodes, tickets, and the newest state of areas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from streams.contracts.domain import Episode, Result, Ticket
from streams.contracts.outcome import AreaLatest, AreaRisk, Outcome, SensorHealth
from streams.storage.alerts import json_text
from streams.storage.connect import Cursor

# Long columns go in binary (%b): as text each byte would be looked at in Python.
SET_RESULTS = """
insert into point_result (kind, point, start, period_s, payload)
select kind, point, at_ms(start_ms), period_s, payload::jsonb
from unnest(%s::text[], %s::text[], %s::bigint[], %s::int[], %b::text[])
     as t (kind, point, start_ms, period_s, payload)
on conflict (kind, point, start, period_s) do update set payload = excluded.payload
where point_result.payload is distinct from excluded.payload
"""
SET_EPISODES = """
insert into episode (id, kind, area, point, start, "end", payload)
select id, kind, area, point, at_ms(start_ms), at_ms(end_ms), payload::jsonb
from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %b::text[])
     as t (id, kind, area, point, start_ms, end_ms, payload)
on conflict (id) do update set
    kind = excluded.kind, area = excluded.area, point = excluded.point, start = excluded.start,
    "end" = excluded."end", payload = excluded.payload
"""
OPEN_TICKET = """
insert into ticket (area, sensor, subject, property, kind, opened, evidence)
values (%s, %s, %s, %s, %s, at_ms(%s), %s::jsonb)
on conflict (sensor, subject, property, kind, opened) do update set
    evidence = ticket.evidence || excluded.evidence
"""
CLOSE_TICKET = """
update ticket set closed = at_ms(%s), evidence = evidence || %s::jsonb
where sensor = %s and subject = %s and property = %s and kind = %s and closed is null
"""
SET_HEALTH = """
insert into sensor_health
    (sensor, property, day_start, expected, received, good, late, intervals, covered, gap_s, score)
select sensor, property, at_ms(day_ms), expected, received, good, late, intervals, covered, gap_s,
       score
from unnest(%s::int[], %s::smallint[], %s::bigint[], %s::int[], %s::int[], %s::int[], %s::int[],
            %s::int[], %s::int[], %s::int[], %s::smallint[])
     as t (sensor, property, day_ms, expected, received, good, late, intervals, covered, gap_s,
           score)
on conflict (sensor, property, day_start) do update set
    expected = excluded.expected, received = excluded.received, good = excluded.good,
    late = excluded.late, intervals = excluded.intervals, covered = excluded.covered,
    gap_s = excluded.gap_s, score = excluded.score
where (sensor_health.expected, sensor_health.received, sensor_health.good, sensor_health.late,
       sensor_health.intervals, sensor_health.covered, sensor_health.gap_s, sensor_health.score)
    is distinct from (excluded.expected, excluded.received, excluded.good, excluded.late,
                      excluded.intervals, excluded.covered, excluded.gap_s, excluded.score)
"""
SET_LATEST = """
insert into area_latest (area, domain, as_of, decided_at, payload)
select area, domain, at_ms(as_of_ms), at_ms(decided_ms), payload::jsonb
from unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %b::text[])
     as t (area, domain, as_of_ms, decided_ms, payload)
on conflict (area, domain) do update set
    as_of = excluded.as_of, decided_at = excluded.decided_at, payload = excluded.payload
"""
SET_RISKS = """
insert into area_risk
    (area, severity, led_by, unknown, stale_alerts, open_alerts, as_of, decided_at, detail)
select area, severity, led_by, unknown, stale_alerts, open_alerts,
       at_ms(as_of_ms), at_ms(decided_ms), detail::jsonb
from unnest(%s::text[], %s::smallint[], %s::text[], %s::bool[], %s::int[], %s::int[],
            %s::bigint[], %s::bigint[], %b::text[])
     as t (area, severity, led_by, unknown, stale_alerts, open_alerts, as_of_ms, decided_ms, detail)
on conflict (area) do update set
    severity = excluded.severity, led_by = excluded.led_by, unknown = excluded.unknown,
    stale_alerts = excluded.stale_alerts, open_alerts = excluded.open_alerts,
    as_of = excluded.as_of, decided_at = excluded.decided_at, detail = excluded.detail
"""


def write_findings(cursor: Cursor, outcome: Outcome) -> None:
    """Everything that is upserted by its own key; the last word on each counts."""
    write_results(cursor, outcome.results)
    write_episodes(cursor, outcome.episodes)
    _write_tickets(cursor, outcome.tickets)
    write_health(cursor, outcome.health)
    _write_latest(cursor, outcome.latest)
    write_risks(cursor, outcome.risks.values())


def write_results(cursor: Cursor, results: Sequence[Result]) -> None:
    """Upserts by (kind, point, start, period)."""
    last = {(r.kind, r.point, r.start_ms, r.period_s): r.payload for r in results}
    if last:
        payloads = [json_text(payload) for payload in last.values()]
        cursor.execute(SET_RESULTS, (*_columns(last), payloads))


def write_episodes(cursor: Cursor, episodes: Sequence[tuple[str, Episode]]) -> None:
    """Upserts by id; an episode that a revision undid goes."""
    last = {episode.id: (area, episode) for area, episode in episodes}
    gone = [number for number, (_, episode) in last.items() if episode.removed]
    rows = [
        (e.id, e.kind, area, e.point, e.start_ms, e.end_ms, json_text(e.payload))
        for area, e in last.values()
        if not e.removed
    ]
    if rows:
        cursor.execute(SET_EPISODES, _columns(rows))
    if gone:
        cursor.execute("delete from episode where id = any(%s)", (gone,))


def write_health(cursor: Cursor, told: Sequence[SensorHealth]) -> None:
    """Upserts by (sensor, property, day)."""
    columns = [[getattr(h, f.name) for h in told] for f in fields(SensorHealth)]
    rows = zip(*(np.concatenate(c).tolist() for c in columns), strict=True) if told else ()
    last = {row[:3]: row for row in rows}
    if last:
        cursor.execute(SET_HEALTH, _columns(last.values()))


def _write_tickets(cursor: Cursor, tickets: Sequence[tuple[str, Ticket]]) -> None:
    for area, t in tickets:
        evidence, name = json_text(t.evidence), (t.sensor, t.subject, t.property, t.kind)
        if t.closed:
            cursor.execute(CLOSE_TICKET, (t.time_ms, evidence, *name))
        else:
            cursor.execute(OPEN_TICKET, (area, *name, t.time_ms, evidence))


def _write_latest(cursor: Cursor, latest: Mapping[tuple[str, str], AreaLatest]) -> None:
    rows = [
        (v.area, v.domain, v.as_of_ms, v.decided_ms, json_text(v.payload)) for v in latest.values()
    ]
    if rows:
        cursor.execute(SET_LATEST, _columns(rows))


def write_risks(cursor: Cursor, risks: Iterable[AreaRisk]) -> None:
    """Colours: counties' by the first stage, cities' and the province's by the region stage."""
    rows = [
        (
            r.area,
            int(r.severity),
            r.led_by,
            r.unknown,
            r.stale_alerts,
            r.open_alerts,
            r.as_of_ms,
            r.decided_ms,
            json_text(r.detail),
        )
        for r in risks
    ]
    if rows:
        cursor.execute(SET_RISKS, _columns(rows))


def _columns(rows: Any) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
