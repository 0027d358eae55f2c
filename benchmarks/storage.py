"""`python -m benchmarks.storage`: bytes of a stored reading and window, and of a year of a city.

Raw = the heap alone, stored = with what a growing chunk has, indexed = with the index of a closed
one; on the server that is given, or an embedded PostgreSQL. Compressed = by the community edition
of TimescaleDB, in the WebAssembly build that the tests use, for sensors that report every minute,
five minutes, hour; left out where that can't be had. The year is derived: 10,000 sensors that all
report at one interval.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks import readings
from benchmarks.layouts import copy_wide
from benchmarks.quick import database, say
from benchmarks.readings import START_MS, STEP_MS, Columns
from streams.contracts.reason import NamespaceKind
from streams.storage.chunks import list_chunks
from streams.storage.connect import Connection, connect
from streams.storage.migrate import drop_namespace, migrate
from tests.support.community import NotHere, community_server

NAMESPACE = "bench_storage"
YEAR_S = 365 * 86_400
CITY = 10_000  # sensors
INTERVALS_S = (60, 300, 3600)
SIZES = """
select sum(pg_relation_size(part::regclass)), sum(pg_total_relation_size(part::regclass))
from unnest(%s::text[]) as part
"""
INDEX = "create index bench_key on observation (sensor, property, t)"
INSERT = """
insert into observation (t, position, value, sensor, property, flag)
select at_ms(t), position, value, sensor, property, flag
from unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::int[], %s::smallint[], %s::smallint[])
    as row (t, position, value, sensor, property, flag)
"""
WINDOWS = """
insert into observation_window (size_s, sensor, property, start, n, bad, total, low, high)
select size.s, sensor, property, date_bin(size.s * interval '1 second', t, 'epoch'), count(*), 0,
    sum(value), min(value), max(value)
from observation, (values (300), (3600)) as size (s)
group by 1, 2, 3, 4 order by 4, 1, 2
"""
COMPRESS = "select public.compress_chunk(chunk) from public.show_chunks('{}') as chunk"
COMPRESSED = "select after_compression_total_bytes from public.hypertable_compression_stats('{}')"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", help="an existing server instead of an embedded PostgreSQL")
    parser.add_argument("--sensors", type=int, default=200, help="in hundreds")
    parser.add_argument("--days", type=int, default=1)
    given = parser.parse_args(arguments)
    whole = readings.columns(given.sensors, given.days * 1440)
    with database(given.database) as conninfo:
        measure_rows(conninfo, whole)
    try:
        with community_server() as conninfo:
            for interval_s in INTERVALS_S:
                measure_compressed(conninfo, every(whole, interval_s), interval_s)
    except NotHere as error:
        say("compressed", 0, "not measured", str(error))


def measure_rows(conninfo: str, rows: Columns) -> None:
    """Prints what one reading and one window take, by what is built over them."""
    with namespace(conninfo, NamespaceKind.REPLAY) as connection:
        with connection.transaction(), connection.cursor() as cursor:
            copy_wide(cursor, rows)
        connection.execute("vacuum (analyze) observation")
        heap, stored = sizes(connection, "observation")
        tell("reading_raw", heap / len(rows), INTERVALS_S)
        tell("reading_stored", stored / len(rows), INTERVALS_S)
        connection.execute(INDEX)
        tell("reading_indexed", sizes(connection, "observation")[1] / len(rows), INTERVALS_S)
        windows = connection.execute(WINDOWS).rowcount
        heap, stored = sizes(connection, "observation_window")
        say("window_raw", heap / windows, "B")
        say("window_stored", stored / windows, "B, with its key")


def measure_compressed(conninfo: str, rows: Columns, interval_s: int) -> None:
    """Prints what they take in compressed chunks."""
    with namespace(conninfo, NamespaceKind.LIVE) as connection:
        for start in range(0, len(rows), 20_000):
            part = rows.part(start, start + 20_000)
            names = ("time_ms", "position", "value", "sensor", "property", "flag")
            connection.execute(INSERT, [getattr(part, name).tolist() for name in names])
        windows = connection.execute(WINDOWS).rowcount
        taken = {}
        for table in ("observation", "observation_window"):
            connection.execute(COMPRESS.format(table).encode())
            row = connection.execute(COMPRESSED.format(table).encode()).fetchone()
            assert row is not None
            taken[table] = int(row[0])
        tell("reading_compressed", taken["observation"] / len(rows), (interval_s,))
        say(f"window_compressed_at_{interval_s}_s", taken["observation_window"] / windows, "B")
        connection.execute("update namespace set kind = 'drill'")


def every(rows: Columns, interval_s: int) -> Columns:
    """Those of sensors that report so rarely."""
    wanted = (rows.time_ms - START_MS) // STEP_MS % (interval_s * 1000 // STEP_MS) == 0
    return Columns(*(getattr(rows, name)[wanted] for name in Columns.__slots__))


def tell(name: str, size: float, intervals_s: Sequence[int]) -> None:
    """Bytes of one reading, and of a city-year at each interval."""
    one = f"of sensors that report every {intervals_s[0]} s" if len(intervals_s) == 1 else ""
    say(name, size, "B", one)
    for interval_s in intervals_s:
        count = CITY * YEAR_S / interval_s
        spread = f"{count / 1e9:.2f} billion readings: {CITY} sensors, every {interval_s} s"
        say(f"{name}_city_year_at_{interval_s}_s", size * count / 1e9, "GB", spread)


def sizes(connection: Connection, table: str) -> tuple[float, float]:
    """Bytes of the heap, and with indexes, TOAST and maps."""
    chunks = [f"{chunk.schema}.{chunk.name}" for chunk in list_chunks(connection, table)]
    row = connection.execute(SIZES, (chunks or [table],)).fetchone()
    assert row is not None
    return float(row[0]), float(row[1])


@contextmanager
def namespace(conninfo: str, kind: NamespaceKind) -> Iterator[Connection]:
    """A fresh namespace, dropped at the end."""
    migrate(conninfo, NAMESPACE, kind)
    with connect(conninfo, NAMESPACE, "citybrain bench", autocommit=True) as connection:
        yield connection
    drop_namespace(conninfo, NAMESPACE)


if __name__ == "__main__":
    main()
