"""`python -m benchmarks.layout`: layouts of the table of readings, compared on one server.

For every layout, turn and turn about: ingest by binary COPY in batches of 40,000, then what is done
when the day closes, then reads and a late merge, warm. Prints one JSON object a line: name, value,
unit, spread. Processor time of the server is its backend's, from /proc, when it runs here.
The decision is docs/adr/0013-observation-layout.md.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from psycopg import sql

from benchmarks import readings
from benchmarks.layout_frames import FIND_IN_ARRAYS, REVISE_ARRAYS
from benchmarks.layouts import LAYOUTS, Layout
from benchmarks.quick import database, say
from benchmarks.readings import AREA, START_MS, Columns
from streams.contracts.outcome import LateRows
from streams.storage.connect import Connection, connect
from streams.storage.late import merge_late

SCHEMA = "bench_layout"
SENSOR = 36  # one that reports property (36 - 1) % 5 + 1
HOUR_MS = 3_600_000
REPEATS = 5
EXTENSION = """
select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
where e.extname = 'timescaledb'
"""
HYPERTABLE = """
select {0}.create_hypertable(%s, {0}.by_range(%s, interval '1 day'),
    create_default_indexes => false)
"""
CHUNKS = """
select format('%%I.%%I', chunk_schema, chunk_name) from timescaledb_information.chunks
where hypertable_schema = %s and hypertable_name = %s order by range_start
"""
LZ4_IF_IT_CAN = """
select set_config(name, 'lz4', false) from pg_settings
where name = 'default_toast_compression' and 'lz4' = any(enumvals)
"""
HELPERS = """
create or replace function at_ms(ms bigint) returns timestamptz language sql stable parallel safe
return timestamptz 'epoch' + ms * interval '1 millisecond';
create table observation_revision (
    t timestamptz, sensor int, property smallint, old_value bigint, old_flag smallint,
    old_position bigint, value bigint, position bigint)
"""
READ_SENSOR = """
select t, value, flag from observation
where sensor = %s and property = %s and t >= %s and t < %s {also} order by t
"""
READ_AREA = """
select sensor, count(*), sum(value), max(value) from observation
where sensor = any(%s) and t >= %s and t < %s {also} group by sensor
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", help="an existing server instead of an embedded PostgreSQL")
    parser.add_argument("--sensors", type=int, default=1000)
    parser.add_argument("--minutes", type=int, default=720)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="names of layouts")
    given = parser.parse_args(arguments)
    cut = list(readings.batches(given.sensors, given.minutes))
    say("readings", sum(len(b) for b in cut), f"load {os.getloadavg()[0]:.1f}")
    with database(given.database) as conninfo:
        found: dict[tuple[str, str], list[float]] = {}
        chosen = [one for one in LAYOUTS if not given.only or one.name in given.only]
        for _ in range(given.rounds):
            for layout in chosen:
                for name, value, unit in run(conninfo, layout, cut, given.minutes):
                    found.setdefault((f"{layout.name}.{name}", unit), []).append(value)
        for (name, unit), values in found.items():
            spread = f"{min(values):.3g}..{max(values):.3g}"
            say(name, statistics.median(values), unit, spread)


def run(
    conninfo: str, layout: Layout, cut: Sequence[Columns], minutes: int
) -> Iterator[tuple[str, float, str]]:
    """One round of one layout: its figures."""
    total = sum(len(batch) for batch in cut)
    with connect(conninfo, SCHEMA, "citybrain bench", autocommit=True) as connection:
        prepare(connection, layout)
        yield from ingest(connection, layout, cut)
        if layout.closing:
            yield "closing", close(connection, layout) / total * 1e6, "s for a million readings"
        connection.execute(sql.SQL("vacuum analyze {}").format(sql.Identifier(layout.store)))
        yield "size", size(connection, layout) / total, "B/reading"
        yield from reads(connection, layout, minutes)
        if layout.holds_rows or layout.also:
            took = timed(lambda: late(connection, layout, minutes))
            yield "late_merge", took, "ms for 500 rows"
        connection.execute(f"drop schema {SCHEMA} cascade")


def ingest(
    connection: Connection, layout: Layout, cut: Sequence[Columns]
) -> Iterator[tuple[str, float, str]]:
    """Writes all batches, a transaction each."""
    total = sum(len(batch) for batch in cut)
    wal = wal_bytes(connection)
    with stopwatch(connection) as watch:
        for batch in cut:
            with connection.transaction(), connection.cursor() as cursor:
                layout.copy(cursor, batch)
    yield "ingest", total / watch.wall, "readings/s"
    yield "ingest_server", watch.server / total * 1e6, "µs of processor a reading"
    yield "ingest_client", watch.client / total * 1e6, "µs of processor a reading"
    yield "ingest_wal", (wal_bytes(connection) - wal) / total, "B/reading"


def close(connection: Connection, layout: Layout) -> float:
    """Does to every chunk what belongs to a closed day; the seconds that it took."""
    began = time.perf_counter()
    for number, part in enumerate(parts(connection, layout)):
        schema, key = (
            sql.Identifier(part.split(".")[0]),
            sql.Identifier(f"observation_key_{number}"),
        )
        for statement in layout.closing:
            connection.execute(sql.SQL(statement).format(sql.SQL(part), schema=schema, key=key))
    return time.perf_counter() - began


def prepare(connection: Connection, layout: Layout) -> None:
    """A fresh schema with the table, a hypertable where there is TimescaleDB."""
    connection.execute(f"drop schema if exists {SCHEMA} cascade; create schema {SCHEMA}")
    connection.execute(LZ4_IF_IT_CAN)
    connection.execute(sql.SQL(layout.table + ";" + HELPERS))
    if layout.index:
        connection.execute(sql.SQL(layout.index))
    for (schema,) in connection.execute(EXTENSION).fetchall():
        column = "t" if layout.store == "observation" else "t0"
        make = sql.SQL(HYPERTABLE).format(sql.Identifier(schema))
        connection.execute(make, (f"{SCHEMA}.{layout.store}", column))
    connection.execute("checkpoint")


def parts(connection: Connection, layout: Layout) -> list[str]:
    """The tables that hold the rows: the chunks, or the table itself."""
    found = []
    if connection.execute(EXTENSION).fetchone():
        found = connection.execute(CHUNKS, (SCHEMA, layout.store)).fetchall()
    return [row[0] for row in found] or [f"{SCHEMA}.{layout.store}"]


def size(connection: Connection, layout: Layout) -> float:
    """Bytes with indexes and TOAST."""
    row = connection.execute(
        "select sum(pg_total_relation_size(p::regclass)) from unnest(%s::text[]) p",
        (parts(connection, layout),),
    ).fetchone()
    assert row is not None
    return float(row[0])


def reads(connection: Connection, layout: Layout, minutes: int) -> Iterator[tuple[str, float, str]]:
    """Warm reads, the best of some."""
    middle = START_MS + minutes // 2 * 60_000
    bounds = {
        "hour": (moment(connection, middle), moment(connection, middle + HOUR_MS)),
        "all": (moment(connection, START_MS), moment(connection, START_MS + minutes * 60_000)),
    }
    for length, (start, end) in bounds.items():
        again = (start, end) if layout.also else ()

        def ask(query: str, *values: Any, again: Any = again) -> None:
            text = query.format(also=layout.also)
            connection.execute(text.encode(), (*values, *again)).fetchall()

        one = partial(ask, READ_SENSOR, SENSOR, (SENSOR - 1) % 5 + 1, start, end)
        yield f"one_sensor_{length}", timed(one), "ms"
        area = partial(ask, READ_AREA, list(range(1, AREA + 1)), start, end)
        yield f"area_{length}", timed(area), "ms"


def late(connection: Connection, layout: Layout, minutes: int) -> None:
    """500 rows of one area and five minutes: half of them revise; then undone."""
    count = AREA * 5
    start = START_MS + minutes // 2 * 60_000
    sensor = np.tile(np.arange(1, AREA + 1, dtype=np.int32), 5)
    rows = LateRows(
        time_ms=start + np.repeat(np.arange(5, dtype=np.int64), AREA) * 60_000,
        sensor=sensor,
        property=((sensor - 1) % 5 + 1).astype(np.int16),
        value=np.where(np.arange(count) % 2, 0, 7).astype(np.int64),
        flag=np.ones(count, np.int8),
        position=np.full(count, 1 << 40, np.int64),
        name=np.zeros(count, np.int32),
        names=(("330102", "waterlogging", "s"),),
    )
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        if layout.holds_rows:
            merge_late(cursor, rows)
        else:
            low, high = moment(connection, start), moment(connection, start + 4 * 60_000)
            cursor.execute(FIND_IN_ARRAYS, (sensor.tolist(), low, high, low, high)).fetchall()
            cursor.execute(REVISE_ARRAYS, (low, high, low, high, sensor.tolist()))


def timed(work: Callable[[], None]) -> float:
    """Milliseconds, the best of some after one to warm up."""
    work()
    found = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found) * 1000


def moment(connection: Connection, ms: int) -> Any:
    row = connection.execute("select at_ms(%s)", (ms,)).fetchone()
    assert row is not None
    return row[0]


def wal_bytes(connection: Connection) -> int:
    row = connection.execute("select pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
    assert row is not None
    return int(row[0])


@dataclass(slots=True)
class Watch:
    wall: float = 0.0
    client: float = 0.0
    server: float = 0.0


@contextmanager
def stopwatch(connection: Connection) -> Iterator[Watch]:
    """Wall time, and processor seconds of this process and of the backend."""
    watch = Watch()
    pid = connection.info.backend_pid
    began = time.perf_counter(), time.process_time(), backend_s(pid)
    yield watch
    watch.wall = time.perf_counter() - began[0]
    watch.client = time.process_time() - began[1]
    watch.server = backend_s(pid) - began[2]


def backend_s(pid: int) -> float:
    """Processor seconds of a backend; NaN when it is not ours to see."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
