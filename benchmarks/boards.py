"""`python -m benchmarks.boards`: how long the dashboards' queries take with a month of data.

Fills a namespace with the windows of 10,000 sensors of one domain as they stand at the end of a
month (hours for a month, five minutes for half a day, minutes for six hours), 20,000 alerts with
their transitions and messages, incidents, closures, call-outs, official warnings, days of health,
then asks every panel of the boards that show it, all areas chosen, over 6 hours, a day and 30
days. Prints the spread and the slowest, and drops the namespace.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.engine.servers import add_servers, servers
from benchmarks.quick import say
from dashboards.grafana.ask import Asked, ask_all
from dashboards.grafana.boards import boards
from dashboards.grafana.macros import TimeRange
from deploy.city.zhejiang.boundaries import load_boundaries
from deploy.city.zhejiang.build import build_registry
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.storage.boards import reading
from streams.storage.connect import connect
from streams.storage.migrate import drop_namespace, migrate
from streams.storage.registry import save_registry

NAMESPACE = "bench_boards"
UNTIL = datetime(2026, 8, 31, tzinfo=UTC)
RANGES = {"6h": timedelta(hours=6), "24h": timedelta(hours=24), "30d": timedelta(days=30)}
SLOWEST = 5
EMPTY = ("domain-air", "domain-shelter", "domain-traffic", "domain-weather")  # would flatter
PARTITIONS = 8
FILL = Path(__file__).with_suffix(".sql")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.boards", description=__doc__)
    add_servers(parser)
    parser.add_argument("--sensors", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fill", action="store_true", help="only fill, and keep the namespace")
    parser.add_argument("--ask", action="store_true", help="only ask what was filled and kept")
    given = parser.parse_args(arguments)
    with servers(given) as settings:
        conninfo = settings.conninfo()
        if not given.ask:
            fill(conninfo, given.sensors)
        if not given.fill:
            for name, length in RANGES.items():
                measure(conninfo, name, TimeRange(UNTIL - length, UNTIL), given.rounds)
        if not given.fill and not given.ask:
            drop_namespace(conninfo, NAMESPACE)


def fill(conninfo: str, sensors: int) -> None:
    """A namespace with a month of data."""
    domains = find_domains()
    migrate(conninfo, NAMESPACE, NamespaceKind.SIMULATED, domains=domains, partitions=PARTITIONS)
    with tempfile.TemporaryDirectory() as folder:
        boundaries = load_boundaries(Path(folder))
    own = [domains["waterlogging"]]
    registry = build_registry(boundaries, sensors, 1, PARTITIONS, own)
    begun = time.perf_counter()
    with connect(conninfo, NAMESPACE) as connection:
        save_registry(connection, registry)
    with connect(conninfo, NAMESPACE, autocommit=True) as connection:
        connection.execute("set statement_timeout = 0")
        connection.execute(f"set boards.until = '{UNTIL.isoformat()}'")
        for statement in FILL.read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                connection.execute(statement.encode())
        rows = connection.execute("select count(*) from observation_window").fetchall()[0][0]
    say("boards_windows", rows, f"rows, filled in {time.perf_counter() - begun:.0f} s")


def measure(conninfo: str, name: str, seen: TimeRange, rounds: int) -> None:
    """Every panel's query so many times; a panel counts with its median."""
    shown = [b for b in boards(find_domains(), NAMESPACE) if b.slug not in EMPTY]
    took: dict[str, list[float]] = defaultdict(list)
    with reading(conninfo, NAMESPACE) as session:
        for _ in range(rounds):
            for board in shown:
                for number, asked in enumerate(ask_all(board, session, seen)):
                    took[f"{board.slug} {number} {asked.panel.title.en}"].append(told(asked))
    medians = {panel: statistics.median(times) for panel, times in took.items()}
    found = list(medians.values())
    for share in (50, 95, 100):
        say(
            f"boards_{name}_p{share}",
            float(np.percentile(found, share)),
            f"ms; {len(found)} panels",
        )
    for panel in sorted(medians, key=medians.__getitem__, reverse=True)[:SLOWEST]:
        say(f"boards_{name}_slow", medians[panel], f"ms; {panel}")


def told(asked: Asked) -> float:
    """How long it took; a query that fails is no measurement."""
    if asked.answer.error is not None:
        raise RuntimeError(f"{asked.panel.title.en}: {asked.answer.error}")
    return asked.ms


if __name__ == "__main__":
    main()
