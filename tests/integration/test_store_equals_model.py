"""The real log, host, store, recomputer and region stage against the model and brute-force SQL.

Hostile input of a small city with the real domains: what the database holds in the end is what the
model says, and every closed window and daily figure is what a plain query over the stored readings
gives, late ones included.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from psycopg import sql

from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.frame import Record
from streams.contracts.reason import NamespaceKind, Origin
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_registry
from tests.support.model_store import ModelStore
from tests.support.small_city import (
    COUNTIES,
    DOMAINS,
    PROPERTY_IDS,
    START_MS,
    Sent,
    frame_of,
    hostile,
    registry,
    run,
)

pytestmark = [pytest.mark.integration, pytest.mark.every_store]

DAY_MS = 86_400_000
MINUTE_MS = 60_000
BRUTE_WINDOWS = """
with sized as (
    select o.*, w.size_s, floor(ms_of(o.t)::numeric / (w.size_s * 1000))::bigint as cell
    from observation o join property p on p.id = o.property
    cross join (values (60), (300), (3600)) w (size_s)
    where p.domain in ('waterlogging', 'weather') or w.size_s = 3600
)
select size_s, sensor, property, cell * size_s * 1000, count(*) filter (where flag <= 2),
       count(*) filter (where flag > 2), coalesce(sum(value) filter (where flag <= 2), 0)::bigint,
       coalesce(min(value) filter (where flag <= 2), 0),
       coalesce(max(value) filter (where flag <= 2), 0)
from sized group by 1, 2, 3, 4
"""
WINDOWS = """
select size_s, sensor, property, ms_of(start), n, bad, total, coalesce(low, 0), coalesce(high, 0)
from observation_window
"""
BRUTE_HEALTH = """
select o.sensor, o.property, d.start, count(*)::int, count(*) filter (where o.flag <= 2)::int,
       count(distinct ms_of(o.t) / case when p.domain = 'air' then 3600000 else 60000 end)::int
from observation o join property p on p.id = o.property
join lateral (
    select (ms_of(o.t) + 28800000) / 86400000 * 86400000 - 28800000 as start
) d on true
group by 1, 2, 3
"""
BRUTE_DAYS = """
with points as (
    select a.area, a.code, o.sensor, max(o.value) as peak
    from observation o join property p on p.id = o.property and p.name = 'depth'
    join point_sensor s on s.sensor = o.sensor join point q on q.id = s.point
    join lateral (
        select q.area, q.area as code union all select q.area, left(q.area, 4) || '00'
        union all select q.area, '330000'
    ) a on true
    where o.flag <= 2 and ms_of(o.t) >= %(start)s and ms_of(o.t) < %(start)s + 86400000
    group by 1, 2, 3
)
select code, count(*) filter (where peak >= 150000)::text, count(*)::int, max(peak)::text
from points group by 1 order by 1
"""
DAYS = """
select f.area, f.value, f.have, (p.value::numeric * 1000000)::bigint::text
from fact f join fact p using (area, period, start)
where f.indicator = 'waterlogging.flooded_points' and p.indicator = 'waterlogging.peak_depth'
  and f.known_to is null and p.known_to is null and ms_of(f.start) = %(start)s
order by 1
"""


def sent_and_closed(seed: int) -> list[Sent]:
    """Hostile hours, then a day later one reading everywhere, late rows for the day, and ticks."""
    sent = hostile(seed, minutes=90)
    after = START_MS + DAY_MS + 2 * 3_600_000
    for number, county in enumerate(COUNTIES):
        rows = [(f"{county}-p{n}", "depth", after, 0.0) for n in range(3)]
        sent.append(Sent(frame_of(county, "waterlogging", 90_000 + number, after + 500, rows)))
    sent.append(Sent(None, tick_ms=after + 10 * MINUTE_MS))
    for number, county in enumerate(COUNTIES):
        late = [
            (f"{county}-p{n}", "depth", START_MS + hour * 3_600_000 + n * 1000, depth)
            for n in range(3)
            for hour, depth in ((1, 0.123456), (5, 0.15), (20, 0.8 + n / 10))
        ]
        ingest = after + 11 * MINUTE_MS + number
        sent.append(Sent(frame_of(county, "waterlogging", 91_000 + number, ingest, late)))
    sent.append(Sent(None, tick_ms=after + 30 * MINUTE_MS))
    sent.append(Sent(None, tick_ms=after + 31 * MINUTE_MS))
    return sent


class Played:
    """A namespace through which everything went, and the model of the same records."""

    def __init__(self, conninfo: str, namespace: str, seed: int) -> None:
        self.conninfo, self.namespace = conninfo, namespace
        migrate(conninfo, namespace, NamespaceKind.LIVE, domains=DOMAINS, partitions=2)
        with connect(conninfo, namespace) as connection:
            held = save_registry(connection, registry(2))
        logs: dict[int, list[Record]] = {0: [], 1: []}
        with closing(PostgresLog(conninfo, namespace)) as log:
            for partition in logs:
                log.append(partition, [encode_control("registry", held.version, START_MS)])
            for one in sent_and_closed(seed):
                if one.frame is not None:
                    log.append(held.partitions[one.frame.area], [encode(one.frame)])
                else:
                    for partition in logs:
                        log.append(partition, [encode_tick(one.tick_ms)])
            logs = {n: log.read(n, 0, max_records=100_000) for n in logs}
        with worker_host(conninfo, namespace, DOMAINS, max_records=37) as host:
            host.run_until_idle()
        self.model: ModelStore = run(logs, held)

    def query(self, statement: Any, parameters: Any = None) -> list[tuple[Any, ...]]:
        with connect(self.conninfo, self.namespace) as connection:
            return connection.execute(statement, parameters).fetchall()


@pytest.fixture(scope="module", params=[11, 12])
def played(request: pytest.FixtureRequest, database_url: str) -> Iterator[Played]:
    name = f"test_{uuid.uuid4().hex[:16]}"
    yield Played(database_url, name, request.param)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(name)))


def test_the_catalogue_numbers_are_the_same(played: Played) -> None:
    """Otherwise the comparisons below would be of different things."""
    assert dict(played.query("select name, id from property")) == PROPERTY_IDS


def test_readings_ledger_and_revisions(played: Played) -> None:
    stored = played.query("select sensor, property, ms_of(t), value, flag from observation")
    assert {r[:3]: r[3:] for r in stored} == played.model.observation
    assert len(stored) == len(played.model.observation)
    columns = "received, rejected, quarantined, duplicate, stored, on_time, late, revised"
    ledger = played.query(f"select area, domain, source, {columns} from ledger")
    assert {r[:3]: list(r[3:]) for r in ledger} == {
        name: list(counts.values()) for name, counts in played.model.ledger.items()
    }
    revised = played.query(
        "select sensor, property, ms_of(t), old_value, value from observation_revision"
    )
    assert sorted(revised) == sorted(played.model.revisions)
    assert sum(r[-2] for r in ledger) >= 36, "late rows were stored"


def test_alerts_episodes_and_results(played: Played) -> None:
    stored = played.query(
        "select t.alert, t.sequence, ms_of(t.event_time), ms_of(t.decided_at), t.state, t.severity,"
        " t.stale, t.change, t.value, t.suppressed_by, t.held from alert_transition t"
        " where t.topic <> 'region' order by t.alert, t.sequence"
    )
    wanted = [
        (t["alert"], t["sequence"], t["event_ms"], t["decided_ms"], t["state"], t["severity"],
         t["stale"], t["change"], t["value"], t["suppressed_by"], t["held"])
        for _, held in sorted(played.model.transitions.items())
        for t in held
    ]  # fmt: skip
    assert stored == wanted
    assert {r[0] for r in played.query("select id from episode")} == set(played.model.episodes)
    assert {t["change"] for held in played.model.transitions.values() for t in held} >= {"hidden"}
    newest = [held[-1] for _, held in sorted(played.model.transitions.items())]
    stages = "suppressed_by, held_severity, ms_of(held_until)"
    assert played.query(
        f"select id, {stages} from alert where id = any(%s) order by id",
        [[t["alert"] for t in newest]],
    ) == [
        (
            t["alert"],
            t["suppressed_by"],
            *((t["held"] or {}).get(n) for n in ("severity", "until_ms")),
        )
        for t in newest
    ]
    open_now = played.query("select count(*) from alert where state <> 'resolved'")[0][0]
    ends = [held[-1]["state"] for held in played.model.transitions.values()]
    assert open_now >= sum(state != "resolved" for state in ends)
    assert played.query("select distinct status from outbox") == [("Actual",)], "a live namespace"


def test_every_closed_window_is_what_the_stored_readings_give(played: Played) -> None:
    brute = {r[:4]: r[4:] for r in played.query(BRUTE_WINDOWS)}
    stored = {r[:4]: r[4:] for r in played.query(WINDOWS)}
    wrong = {k: (stored.get(k), brute.get(k)) for k in stored if stored[k] != brute.get(k)}
    assert wrong == {}
    newest = START_MS + DAY_MS + 2 * 3_600_000
    missing = [
        k for k in brute if k not in stored and k[3] + k[0] * 1000 <= newest and k[2] in _depths()
    ]
    assert missing == []


def test_health_of_closed_days_is_what_the_stored_readings_give(played: Played) -> None:
    brute = {r[:3]: r[3:] for r in played.query(BRUTE_HEALTH)}
    stored = played.query(
        "select sensor, property, ms_of(day_start), received, good, covered, late, intervals"
        " from sensor_health"
    )
    assert len(stored) > 40, "every sensor of the closed days"
    wrong = [r for r in stored if r[3:6] != brute.get(r[:3], (0, 0, 0))]
    assert wrong == []
    assert sum(r[6] for r in stored) > 0, "late ones were counted"
    assert {r[7] for r in stored} <= {1440, 24}


def test_tickets_are_those_of_the_model_and_one_of_a_kind_is_open(played: Played) -> None:
    stored = played.query(
        "select area, sensor, subject, property, kind, ms_of(opened), ms_of(closed) from ticket"
    )
    wanted: dict[tuple[object, ...], int | None] = {}
    held: dict[tuple[object, ...], int] = {}
    for area, sensor, prop, kind, time_ms, closed, _, subject in played.model.tickets:
        name = (area, sensor, subject, prop, kind)
        if closed:
            wanted[*name, held.pop(name)] = time_ms
        else:
            wanted[*name, held.setdefault(name, time_ms)] = None
    assert {r[:6]: r[6] for r in stored} == wanted
    assert len(stored) == len(wanted) > 10


def test_daily_figures_are_what_the_stored_readings_give(played: Played) -> None:
    for start in (START_MS, START_MS - DAY_MS):
        wanted = played.query(BRUTE_DAYS, {"start": start})
        assert wanted
        assert played.query(DAYS, {"start": start}) == wanted
    causes = played.query("select distinct cause from fact where indicator like 'waterlogging.%'")
    assert ("late",) in causes


def test_nothing_waits(played: Played) -> None:
    assert played.query("select count(*) from late_mark") == [(0,)]
    assert played.query("select count(*) from outbox where sequence is null") == [(0,)]
    assert Origin.LIVE.value in {r[0] for r in played.query("select origin from alert")}


def _depths() -> set[int]:
    return {PROPERTY_IDS["depth"]}
