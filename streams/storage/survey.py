"""What a database holds, for `citybrain up` and `status`: a look at every namespace. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from streams.log import OBSERVATION_TOPIC
from streams.storage.connect import Connection, connect, translated
from streams.storage.fit import Store, StoreKind, detect

_FIND = """
select n.nspname from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relname = 'namespace' and c.relkind = 'r'
  and exists (select from pg_catalog.pg_class o
              where o.relnamespace = n.oid and o.relname = 'log_partition')
order by n.nspname
"""

_FIGURES = """
select
    (select kind from namespace),
    (select count(*) from log_partition where topic = %(topic)s),
    (select coalesce(sum(greatest(l.next_offset, p.next_offset)), 0)::bigint
       from log_partition l left join position p using (topic, partition)
      where l.topic = %(topic)s),
    (select coalesce(sum(next_offset), 0)::bigint from position where topic = %(topic)s),
    (select count(*) from position p join pg_stat_activity a on a.pid = p.owner_pid
      where p.topic = %(topic)s),
    (select max(beat) from worker),
    (select max(decided_at) from area_latest),
    (select coalesce(sum(stored), 0)::bigint from ledger),
    (select count(*) from alert where state = 'firing'),
    (select count(*) from alert where state in ('firing', 'resolved'))
"""

_WORKERS = """
select name, beat, coalesce(detail->'partitions', '[]'::jsonb), (detail->>'behind')::bigint
from worker where beat > clock_timestamp() - interval '15 seconds' order by name
"""


@dataclass(frozen=True, slots=True)
class SeenWorker:
    """A worker that gave a sign of life in the last seconds."""

    name: str
    beat: datetime
    partitions: tuple[int, ...]
    behind: int | None  # records of its partitions, at its last look


@dataclass(frozen=True, slots=True)
class Survey:
    """One namespace at one moment. `log_end` and `position` are sums over the partitions."""

    namespace: str
    kind: str
    partitions: int
    log_end: int
    position: int
    owned: int  # partitions whose owner is connected
    beat: datetime | None  # of the youngest worker, wall clock
    processing_time: datetime | None
    stored: int  # readings
    open_alerts: int
    alerts: int  # that ever fired
    workers: tuple[SeenWorker, ...]


def survey(conninfo: str) -> list[Survey]:
    """All namespaces, by name. `Unavailable` when the database does not answer."""
    with translated(), connect(conninfo, "pg_catalog", "citybrain status") as connection:
        names = [row[0] for row in connection.execute(_FIND)]
        return [_look(connection, name) for name in names]


def _look(connection: Connection, namespace: str) -> Survey:
    connection.execute(sql.SQL("set local search_path to {}").format(sql.Identifier(namespace)))
    row = connection.execute(_FIGURES, {"topic": OBSERVATION_TOPIC}).fetchone()
    assert row is not None
    workers = tuple(
        SeenWorker(name, beat, tuple(partitions), behind)
        for name, beat, partitions, behind in connection.execute(_WORKERS)
    )
    return Survey(*(namespace, *row, workers))


_SERVER = """
select current_setting('server_version'),
    current_setting('fsync') = 'on' and current_setting('synchronous_commit') <> 'off',
    coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false)
"""

_FEATURES = """
select
    (select count(*) from timescaledb_information.hypertables),
    (select count(*) from timescaledb_information.hypertables where compression_enabled),
    (select count(*) from timescaledb_information.jobs where hypertable_name is not null),
    (select count(*) from timescaledb_information.continuous_aggregates)
"""
_FEATURE_NAMES = ("hypertables", "compression", "policies", "continuous aggregates")


@dataclass(frozen=True, slots=True)
class Edition:
    """What the server is."""

    version: str
    durable: bool  # a committed transaction survives a power cut
    encrypted: bool  # this connection was
    store: Store
    on: Mapping[str, int]  # how many of each feature are in use, over all namespaces
    unfitted: tuple[str, ...]  # namespaces that `citybrain migrate` has not yet fitted to it


def edition(conninfo: str) -> Edition:
    """Asks the server. `Unavailable` when it does not answer."""
    with translated(), connect(conninfo, "pg_catalog", "citybrain doctor") as connection:
        row = connection.execute(_SERVER).fetchone()
        assert row is not None
        store = detect(connection)
        counts = None
        if store.kind is not StoreKind.PLAIN:
            counts = connection.execute(_FEATURES).fetchone()
        on = dict(zip(_FEATURE_NAMES, counts or (0, 0, 0, 0), strict=True))
        version, durable, encrypted = row
        names = [found[0] for found in connection.execute(_FIND).fetchall()]
        unfitted = tuple(name for name in names if not _is_fitted(connection, name, store))
        return Edition(version, durable, encrypted, store, on, unfitted)


def _is_fitted(connection: Connection, namespace: str, store: Store) -> bool:
    table = sql.Identifier(namespace, "store")
    there = connection.execute("select to_regclass(%s)", (table.as_string(connection),)).fetchone()
    if there is None or there[0] is None:
        return False
    row = connection.execute(sql.SQL("select kind from {}").format(table)).fetchone()
    return row is not None and row[0] == store.kind
