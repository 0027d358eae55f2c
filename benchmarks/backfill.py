"""`python -m benchmarks.backfill`: what a backfill and late rows cost, on one machine.

1. `citybrain replay --backfill` of a year of hourly air, as a command, beside a live worker, into
   an empty store: readings/s until every day is rebuilt, and the largest memory of the command.
2. The same command again: everything is a duplicate.
3. Late rows merged into a store that holds rows of the whole year: rows of one day, and rows
   spread over the year.
4. The recomputer: seconds for one marked day of an area, and what it rewrites when nothing differs.

Embedded PostgreSQL with every durability setting on, or `--database`. One JSON object a line.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import structlog

from benchmarks.quick import database
from deploy.live_city import ensure_areas
from streams.contracts.domain import DAY_MS, HOUR_MS
from streams.contracts.outcome import LateRows
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.runtime.worker import worker_host
from streams.settings import Settings
from streams.storage.connect import Connection, connect
from streams.storage.late import merge_late
from streams.storage.migrate import migrate
from streams.storage.recompute import Recomputer

HEADER = "city,Date,Hour,WatchPoint,AQI,Level,PrimaryPollution,PM2.5,PM10,CO,NO2,O3_1h,O3_8h,SO2"
CITIES = ("杭州", "宁波", "温州", "嘉兴")
YEAR_MS = 1_704_038_400_000  # 2024-01-01T00:00+08:00
NAMESPACE = "bench_backfill"
STORED_EVERY_S = 300  # of the store that late rows are merged into


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=12)
    parser.add_argument("--days", type=int, default=366)
    parser.add_argument("--sensors", type=int, default=50, help="of the store in part 3")
    parser.add_argument("--database", help="an existing PostgreSQL instead of one of our own")
    parser.add_argument("--only", choices=("command", "merge"))
    given = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    say("load", os.getloadavg()[0], f"of {os.cpu_count()} cores")
    with database(given.database) as conninfo, tempfile.TemporaryDirectory() as folder:
        try:
            if given.only != "merge":
                measure_command(conninfo, Path(folder), given.stations, given.days)
                measure_days(conninfo)
            if given.only != "command":
                measure_merge(conninfo, given.sensors)
        finally:
            drop_schema(conninfo)


def write_year(path: Path, stations: int, days: int) -> int:
    """Hourly rows of stations in four cities, station after station; how many."""
    draw = random.Random(1)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        print(HEADER, file=file)
        for station in range(stations):
            city = CITIES[station % len(CITIES)]
            for day in range(days):
                date = time.strftime("%Y%m%d", time.gmtime((YEAR_MS + day * DAY_MS) / 1000 + 28800))
                for hour in range(24):
                    values = [draw.randrange(5, 150) for _ in range(5)]
                    pm25, pm10, no2, o3, so2 = values
                    row = f"{city},{date},{hour:02d},站{station},60,良,NaN,{pm25},{pm10},0.8"
                    print(f"{row},{no2},{o3},{o3},{so2}", file=file)
    return stations * days * 24


def measure_command(conninfo: str, folder: Path, stations: int, days: int) -> None:
    """Parts 1 and 2."""
    file = folder / "year.csv.gz"
    rows = write_year(file, stations, days)
    say("backfill_file", file.stat().st_size / 1e6, f"MB, {rows} rows, {stations} stations")
    settings = Settings(var_dir=folder)
    migrate(conninfo, NAMESPACE, NamespaceKind.LIVE, partitions=2)
    ensure_areas(conninfo, NAMESPACE, settings, lambda: time.time_ns() // 1_000_000)
    environment = os.environ | {
        "CITYBRAIN_DATABASE": conninfo,
        "CITYBRAIN_NAMESPACE": NAMESPACE,
        "CITYBRAIN_VAR_DIR": str(folder),
    }
    command = [sys.executable, "-m", "deploy.cli", "replay", "cnemc_2020", str(file), "--backfill"]
    with working(conninfo):
        for name in ("backfill_into_empty_store", "backfill_again"):
            began = time.perf_counter()
            done = subprocess.run(
                [*command, "--speed", "max", "--json"],
                env=environment,
                check=True,
                capture_output=True,
                text=True,
            )
            took = time.perf_counter() - began
            ledger = json.loads(done.stdout)["ledger"]
            say(name, ledger["received"] / took, f"readings/s, {took:.1f} s, {ledger}")
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    say("backfill_command_memory", children.ru_maxrss / 1024, "MB, the largest of its processes")


def measure_days(conninfo: str) -> None:
    """Part 4: all marked days of one area again, when nothing differs."""
    with connect(conninfo, NAMESPACE, autocommit=True) as connection:
        before = _rewritten(connection)
        connection.execute(
            "insert into late_mark select distinct on (1, 2, 3) area, domain, at_ms(start_ms),"
            " topic, partition, position from region_log where period = 'day' and kind = 'partial'"
            " and domain = 'air' order by 1, 2, 3 limit 200"
        )
        with closing(Recomputer(conninfo, NAMESPACE, find_domains())) as recomputer:
            began, days = time.perf_counter(), 0
            while recomputer.step():
                days += 1
        took = time.perf_counter() - began
        rewritten = _rewritten(connection) - before
    say("recompute_day", took / max(days, 1), f"s a day, {days} days, {rewritten} rows rewritten")


def measure_merge(conninfo: str, sensors: int) -> None:
    """Part 3."""
    drop_schema(conninfo)
    migrate(conninfo, NAMESPACE, NamespaceKind.REPLAY, partitions=1)
    with connect(conninfo, NAMESPACE, autocommit=True, timeout_s=600) as connection:
        connection.execute(
            "insert into observation select at_ms(s.ms), 0, 1, sensor, 1, 1"
            " from generate_series(%s::bigint, %s::bigint, %s) as s (ms),"
            " generate_series(1, %s) as sensor order by s.ms",  # as it comes
            (YEAR_MS, YEAR_MS + 365 * DAY_MS, STORED_EVERY_S * 1000, sensors),
        )
        connection.execute("vacuum analyze observation")
        count = connection.execute("select count(*) from observation").fetchone()
        say("merge_store", count[0] if count else 0, "rows of a year")
        for name, days, each in (
            ("merge_rows_of_a_day", 1, 1000),
            ("merge_one_row_of_every_day", 365, 1),
            ("merge_ten_rows_of_every_day", 365, 10),
        ):
            rows = late_rows(days, each, sensors)
            times = []
            for _ in range(3):
                with connection.transaction(force_rollback=True), connection.cursor() as cursor:
                    began = time.perf_counter()
                    merge_late(cursor, rows)
                    times.append(time.perf_counter() - began)
            say(name, len(rows) / sorted(times)[1], f"rows/s, {sorted(times)[1]:.3f} s")


def late_rows(days: int, each: int, sensors: int) -> LateRows:
    """Rows at odd seconds (new) and at stored times (revisions), half and half."""
    n = days * each
    day = np.repeat(np.arange(days), each)
    slot = np.tile(np.arange(each), days) * STORED_EVERY_S * 1000 % DAY_MS + 7 * HOUR_MS
    number = np.arange(n)
    return LateRows(
        (("330100", "air", "bench"),),
        np.zeros(n, np.int16),
        (number % sensors + 1).astype(np.int32),
        np.ones(n, np.int16),
        YEAR_MS + day * DAY_MS + slot + number % 2 * 1000,
        np.full(n, 2, np.int64),
        np.ones(n, np.int8),
        np.ones(n, np.int64),
    )


@contextmanager
def working(conninfo: str) -> Iterator[None]:
    """A live worker in a thread of this process."""
    stop = threading.Event()

    def work() -> None:
        with worker_host(conninfo, NAMESPACE, find_domains()) as host:
            host.run_forever(stop)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def drop_schema(conninfo: str) -> None:
    """The namespace of this benchmark, whatever its kind."""
    with connect(conninfo, "public", autocommit=True) as connection:
        connection.execute(f"drop schema if exists {NAMESPACE} cascade".encode())


def say(name: str, value: float, what: str) -> None:
    """One result."""
    print(json.dumps({"name": name, "value": round(value, 3), "what": what}), flush=True)


def _rewritten(connection: Connection) -> int:
    connection.execute("select pg_stat_force_next_flush()")
    row = connection.execute(
        "select coalesce(sum(n_tup_upd + n_tup_ins), 0)::bigint from pg_stat_user_tables"
        " where schemaname = %s and relname in"
        " ('observation_window', 'point_result', 'sensor_health', 'fact', 'partial')",
        (NAMESPACE,),
    ).fetchone()
    return 0 if row is None else int(row[0])


if __name__ == "__main__":
    main()
