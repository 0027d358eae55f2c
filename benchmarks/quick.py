"""`python -m benchmarks.quick`: readings per second from the log to committed rows, in minutes.

One process, embedded PostgreSQL with every durability setting on, both domains and all checks. The
log is filled before the clock starts; the clock stops when the last row is committed and the
followers are drained. Prints one JSON object a line: name, value, unit, spread (of the rounds).
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import platform
import pstats
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import patch

import structlog

from benchmarks import city
from benchmarks.trivial import TrivialPipeline
from deploy.postgres import EmbeddedPostgres
from streams.contracts.codec import encode_control
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.log import Entry
from streams.log.postgres import PostgresLog
from streams.runtime.setup import HostSetup
from streams.runtime.single import SingleHost
from streams.runtime.worker import worker_host
from streams.storage.commit import Committer, Piece
from streams.storage.connect import connect
from streams.storage.migrate import drop_namespace, migrate
from streams.storage.registry import save_registry

ROUNDS = 3
SECONDS = 200
APPENDED = 100  # records of one append
STAGES = {  # (file, function) → stage
    ("commit.py", "commit"): "whole",
    ("columns.py", "binary_rows"): "build",
    ("columns.py", "copy_columns"): "copy",
    ("readings.py", "write_windows"): "windows",
    ("late.py", "merge_late"): "late",
    ("findings.py", "write_findings"): "findings",
    ("position.py", "save_checkpoint"): "checkpoint",
    ("transaction.py", "__exit__"): "transaction_end",
}
Records = list[tuple[int, Entry]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="length of the storm")
    parser.add_argument("--database", help="an existing PostgreSQL instead of one of our own")
    given = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    say("machine", os.cpu_count() or 0, f"cores, {platform.machine()}, {platform.python_version()}")
    records = [record for second in city.seconds(given.seconds) for record in second]
    say("log", sum(len(body) for _, (_, body) in records) / 1e6, f"MB in {len(records)} records")
    with database(given.database) as conninfo:
        measure(conninfo, "pipeline_to_rows", records, given.rounds, run_worker)
        measure(conninfo, "trivial_pipeline_to_rows", records, given.rounds, run_trivial)
        profile(conninfo, records)
        profile_commits(conninfo, records)


def measure(
    conninfo: str,
    name: str,
    records: Records,
    rounds: int,
    run: Callable[[str, str], None],
) -> None:
    """Prints the median rate of the rounds and how far they lie apart."""
    rates = []
    for number in range(rounds):
        namespace = f"bench_{number}"
        fill(conninfo, namespace, records)
        began = time.perf_counter()
        run(conninfo, namespace)
        took = time.perf_counter() - began
        rates.append(count(conninfo, namespace) / took)
        drop_namespace(conninfo, namespace)
    rates.sort()
    spread = f"{rates[0]:.0f}..{rates[-1]:.0f} in {rounds} rounds"
    say(name, rates[len(rates) // 2], "readings/s", spread)


def run_worker(conninfo: str, namespace: str) -> None:
    """The real thing."""
    with worker_host(conninfo, namespace, find_domains()) as host:
        host.run_until_idle()


def run_trivial(conninfo: str, namespace: str) -> None:
    """Decoding and storing only: what log and storage can carry."""
    setup = HostSetup(
        conninfo,
        namespace,
        make_pipeline=lambda _: TrivialPipeline(),
        wanted_versions=lambda _: set(),
    )
    with closing(PostgresLog(conninfo, namespace)) as log, SingleHost(setup, log) as host:
        host.run_until_idle()


def profile(conninfo: str, records: Records) -> None:
    """One round under the profiler: share of the main thread by room, and the dearest functions."""
    fill(conninfo, "bench_profile", records)
    profiler = cProfile.Profile()
    with worker_host(conninfo, "bench_profile", find_domains()) as host:
        profiler.runcall(host.run_until_idle)
    drop_namespace(conninfo, "bench_profile")
    say_profile(profiler)


def say_profile(profiler: cProfile.Profile) -> None:
    """Prints the rooms' shares and the dearest functions."""
    found = pstats.Stats(profiler)
    stats: Mapping[tuple[str, int, str], tuple[int, int, float, float, object]]
    stats = found.stats  # type: ignore[attr-defined]
    total = sum(row[2] for row in stats.values())
    rooms: dict[str, float] = {}
    for (file, _, function), row in stats.items():
        room = room_of(file, function)
        rooms[room] = rooms.get(room, 0.0) + row[2]
    for room, spent in sorted(rooms.items(), key=lambda item: -item[1]):
        if spent > 0.005 * total:
            say(f"profile_{room}", 100 * spent / total, "% of the main thread's own time")
    dearest = sorted(stats.items(), key=lambda item: -item[1][2])[:15]
    for (file, line, function), row in dearest:
        say("profile_function", row[2], "s", f"{Path(file).name}:{line} {function} ×{row[0]}")


def profile_commits(conninfo: str, records: Records) -> None:
    """One more round, with the profiler on the committing thread: where a transaction goes."""
    fill(conninfo, "bench_profile", records)
    profiler = cProfile.Profile()
    plain = Committer.commit

    def watched(owner: Committer, pieces: Sequence[Piece]) -> None:
        profiler.runcall(plain, owner, pieces)

    with patch.object(Committer, "commit", watched):
        run_worker(conninfo, "bench_profile")
    drop_namespace(conninfo, "bench_profile")
    found = pstats.Stats(profiler)
    stats: Mapping[tuple[str, int, str], tuple[int, int, float, float, object]]
    stats = found.stats  # type: ignore[attr-defined]
    spent: dict[str, float] = dict.fromkeys(STAGES.values(), 0.0)
    for (file, _, function), row in stats.items():
        stage = STAGES.get((Path(file).name, function))
        if stage is not None:
            spent[stage] += row[3]
    spent["copy"] -= spent["build"]
    for stage, seconds in spent.items():
        say(f"commit_{stage}", seconds, "s of the committing thread, all that it calls included")


def room_of(file: str, function: str) -> str:
    """The room that a profiled function belongs to; waiting for PostgreSQL apart."""
    if "lock" in function and "acquire" in function:
        return "waiting_for_commit"
    if "psycopg" in file or "psycopg" in function:
        return "database_driver"
    parts = Path(file).parts
    if "streams" in parts:
        inside = parts[parts.index("streams") + 1]
        return inside.removesuffix(".py")
    return "numpy_and_python" if "numpy" in function + file else "python"


def fill(conninfo: str, namespace: str, records: Records) -> None:
    """A fresh namespace with the registry activated and the log written."""
    drop_namespace(conninfo, namespace)
    migrate(conninfo, namespace, NamespaceKind.SIMULATED, partitions=city.DEFAULT.partitions)
    with connect(conninfo, namespace) as connection:
        version = save_registry(connection, city.registry()).version
    with closing(PostgresLog(conninfo, namespace)) as log:
        for partition in range(city.DEFAULT.partitions):
            log.append(partition, [encode_control("registry", version, city.START_MS - 1000)])
            own = [entry for number, entry in records if number == partition]
            for start in range(0, len(own), APPENDED):
                log.append(partition, own[start : start + APPENDED])
    with connect(conninfo, namespace, autocommit=True) as connection:
        connection.execute("checkpoint")


def count(conninfo: str, namespace: str) -> int:
    """Readings stored."""
    with connect(conninfo, namespace) as connection:
        row = connection.execute("select count(*) from observation").fetchone()
    return int(row[0]) if row else 0


def say(name: str, value: float, unit: str, spread: str = "") -> None:
    """One line of the result."""
    print(
        json.dumps(
            {"name": name, "value": round(value, 3), "unit": unit, "spread": spread},
            ensure_ascii=False,
        ),
        flush=True,
    )


@contextmanager
def database(given: str | None) -> Iterator[str]:
    """The connection string of the given server, or of a throwaway embedded one."""
    if given:
        yield given
        return
    var_dir = Path(tempfile.mkdtemp(prefix="citybrain-bench-"))
    server = EmbeddedPostgres(var_dir)
    try:
        server.start()
        yield server.conninfo
    finally:
        server.purge()
        shutil.rmtree(var_dir)


if __name__ == "__main__":
    main()
