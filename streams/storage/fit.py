"""Fits a namespace to what its server offers: hypertables, compression, a continuous aggregate.

Runs after every migration and changes only what is missing, so that TimescaleDB that came later, or
its community edition, is taken up by the next `citybrain migrate`. Plain PostgreSQL needs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import LiteralString

from psycopg import sql

from streams.contracts.reason import NamespaceKind
from streams.storage.connect import Connection
from streams.storage.keeping import Keeping

DETECT = """
select e.extversion, n.nspname,
    coalesce((select setting from pg_settings where name = 'timescaledb.license'), 'apache')
from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'timescaledb'
"""
KEEP = """
insert into store (kind, version) values (%s, %s)
on conflict (only_row) do update set
    kind = excluded.kind, version = excluded.version, fitted = now()
where (store.kind, store.version) is distinct from (excluded.kind, excluded.version)
"""
IS_HYPERTABLE = """
select exists (select from timescaledb_information.hypertables
    where hypertable_schema = current_schema() and hypertable_name = %s)
"""
MAKE_HYPERTABLE = """
select {ts}.create_hypertable({table}::regclass, {ts}.by_range({column}, {interval}::interval),
    create_default_indexes => false, migrate_data => true)
"""
IS_COMPRESSED = """
select compression_enabled from timescaledb_information.hypertables
where hypertable_schema = current_schema() and hypertable_name = %s
"""
COMPRESS = """
alter table {table} set (timescaledb.compress,
    timescaledb.compress_segmentby = {by}, timescaledb.compress_orderby = {column})
"""
COMPRESS_AFTER = """
select extract(epoch from (config ->> 'compress_after')::interval)::bigint / 86400
from timescaledb_information.jobs
where hypertable_schema = current_schema() and hypertable_name = %s
    and proc_name in ('policy_compression', 'policy_columnstore')
"""
REMOVE_POLICY = "select {ts}.remove_compression_policy({table}::regclass, if_exists => true)"
ADD_POLICY = """
select {ts}.add_compression_policy({table}::regclass,
    compress_after => make_interval(days => {days}))
"""
# Hours of every sensor, added up to days; what is not yet materialised is read from the windows.
MAKE_AGGREGATE = """
create materialized view sensor_day_recent
with (timescaledb.continuous, timescaledb.materialized_only = false) as
select sensor, property, {ts}.time_bucket('1 day', start, 'Asia/Shanghai') as start,
    sum(n)::bigint as n, sum(bad)::bigint as bad, sum(total)::bigint as total,
    min(low) as low, max(high) as high
from observation_window where size_s = 3600
group by 1, 2, 3 with no data
"""
# Windows leave only when their days are rolled up: the view reads none of those, so that the
# refresh may start at the beginning.
ADD_REFRESH = """
select {ts}.add_continuous_aggregate_policy('sensor_day_recent', start_offset => null,
    end_offset => interval '1 day', schedule_interval => interval '1 hour')
"""
ADDED_UP = """
(select sensor, property, date_trunc('day', start, 'Asia/Shanghai') as start,
    sum(n)::bigint as n, sum(bad)::bigint as bad, sum(total)::bigint as total,
    min(low) as low, max(high) as high
from observation_window where size_s = 3600 group by 1, 2, 3)
"""
VIEW = """
create or replace view sensor_rollup as
select period_s, sensor, property, start, n, bad, total, low, high from observation_rollup
union all
select 3600, sensor, property, start, n::bigint, bad::bigint, total, low, high
from observation_window where size_s = 3600
    and start >= coalesce((select until from rolled where period_s = 3600), '-infinity')
union all
select 86400, sensor, property, start, n, bad, total, low, high from {days} as day
where start >= coalesce((select until from rolled where period_s = 86400), '-infinity')
"""


class StoreKind(StrEnum):
    """Editions, each with all of the one before."""

    PLAIN = "plain"
    APACHE = "apache"  # hypertables, drop_chunks
    COMMUNITY = "community"  # compression, policies, continuous aggregates


@dataclass(frozen=True, slots=True)
class Store:
    """What a server offers; `schema` holds the functions of TimescaleDB."""

    kind: StoreKind
    version: str = ""
    schema: str = ""

    def __str__(self) -> str:
        if self.kind is StoreKind.PLAIN:
            return "plain PostgreSQL"
        return f"TimescaleDB {self.version} ({self.kind})"


@dataclass(frozen=True, slots=True)
class Hypertable:
    """A table that is cut by time. `live` chunks are for a stream that follows the clock, `long`
    ones for a replay of years, whose thousand small chunks would cost more than they save."""

    table: LiteralString
    column: LiteralString
    live: LiteralString
    long: LiteralString
    segment_by: LiteralString


HYPERTABLES = (
    Hypertable("observation", "t", "1 day", "30 days", "sensor, property"),
    Hypertable("observation_window", "start", "7 days", "90 days", "size_s, sensor, property"),
)
FOLLOWS_THE_CLOCK = (NamespaceKind.LIVE, NamespaceKind.SIMULATED, NamespaceKind.DRILL)


def detect(connection: Connection) -> Store:
    """What the server of this connection offers now."""
    row = connection.execute(DETECT).fetchone()
    if row is None:
        return Store(StoreKind.PLAIN)
    version, schema, licence = row
    kind = StoreKind.COMMUNITY if licence == "timescale" else StoreKind.APACHE
    return Store(kind, version, schema)


def fit(connection: Connection, kind: NamespaceKind, keeping: Keeping | None) -> Store:
    """Makes what is missing, in the caller's transaction; gives what the server offers."""
    store = detect(connection)
    if store.kind is not StoreKind.PLAIN:
        for hypertable in HYPERTABLES:
            _make_hypertable(connection, store, hypertable, kind)
    if store.kind is StoreKind.COMMUNITY and kind is NamespaceKind.LIVE:
        for hypertable in HYPERTABLES:
            _compress(connection, store, hypertable, keeping)
        _aggregate(connection, store)
    days = sql.SQL("sensor_day_recent" if _aggregated(connection) else ADDED_UP)
    connection.execute(sql.SQL(VIEW).format(days=days))
    connection.execute(KEEP, (store.kind.value, store.version))
    return store


def _make_hypertable(
    connection: Connection, store: Store, wanted: Hypertable, kind: NamespaceKind
) -> None:
    if connection.execute(IS_HYPERTABLE, (wanted.table,)).fetchone() == (True,):
        return
    interval = wanted.live if kind in FOLLOWS_THE_CLOCK else wanted.long
    connection.execute(
        sql.SQL(MAKE_HYPERTABLE).format(
            ts=sql.Identifier(store.schema),
            table=sql.Literal(wanted.table),
            column=sql.Literal(wanted.column),
            interval=sql.Literal(interval),
        )
    )


def _compress(
    connection: Connection, store: Store, wanted: Hypertable, keeping: Keeping | None
) -> None:
    if connection.execute(IS_COMPRESSED, (wanted.table,)).fetchone() == (False,):
        names = {"table": sql.Identifier(wanted.table), "by": sql.Literal(wanted.segment_by)}
        connection.execute(sql.SQL(COMPRESS).format(column=sql.Literal(wanted.column), **names))
    row = connection.execute(COMPRESS_AFTER, (wanted.table,)).fetchone()
    if keeping is None or (row[0] if row else 0) == keeping.compress_after_days:
        return
    names = {"ts": sql.Identifier(store.schema), "table": sql.Literal(wanted.table)}
    connection.execute(sql.SQL(REMOVE_POLICY).format(**names))
    if keeping.compress_after_days:
        days = sql.Literal(keeping.compress_after_days)
        connection.execute(sql.SQL(ADD_POLICY).format(days=days, **names))


def _aggregate(connection: Connection, store: Store) -> None:
    if not _aggregated(connection):
        names = {"ts": sql.Identifier(store.schema)}
        connection.execute(sql.SQL(MAKE_AGGREGATE).format(**names))
        connection.execute(sql.SQL(ADD_REFRESH).format(**names))


def _aggregated(connection: Connection) -> bool:
    row = connection.execute("select to_regclass('sensor_day_recent') is not null").fetchone()
    return row == (True,)
