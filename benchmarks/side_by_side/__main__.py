"""`python -m benchmarks.side_by_side`: citybrain beside Faust, Quix Streams, Bytewax and Kafka
Streams, on one task, one broker and in one run, round after round.

First every engine solves a small set, and its windows and alerts must equal the reference's: who
differs is reported and not timed. Every timed run is compared too. Prints one JSON object a line,
then a table with all ratios. docs/side-by-side.md says what is fair about it and what is not.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rich.console import Console

from benchmarks.engine.servers import add_servers, servers
from benchmarks.side_by_side import environment
from benchmarks.side_by_side.broker import Broker
from benchmarks.side_by_side.citybrain import (
    ANY_VERSION,
    Namespace,
    broker_process,
    database_process,
    measure,
    records,
)
from benchmarks.side_by_side.data import (
    Readings,
    event_bodies,
    expected_flips,
    expected_sums,
    frame_bodies,
)
from benchmarks.side_by_side.engine import Engine, engines
from benchmarks.side_by_side.report import Report, draw, fill_page, show
from benchmarks.side_by_side.run import Failed, Measured, Results, Run, Watched
from streams.settings import Settings

EVENTS, FRAMES, ROUNDS = 800_000, 2_000_000, 3
QUICK_EVENTS, QUICK_FRAMES = 20_000, 100_000
CHECKED = 10_000  # readings of the first comparison
LEAST = 4_000
PREFIX = "side_by_side"


@dataclass(slots=True)
class Comparison:
    """The topics that are filled, and how one engine is run on them."""

    settings: Settings
    broker: Broker
    prefix: str
    watched: Callable[[], Watched]
    run: Run
    filled: dict[tuple[str, int], str] = field(default_factory=dict)

    def solve(self, engine: Engine, readings: Readings) -> Measured:
        """One run. Raises `Failed`, also when the results are not those of the reference."""
        measured, results = self._measure(engine, readings)
        wrong = differences(results, readings)
        if wrong:
            raise Failed(f"other results than the reference: {wrong}")
        return measured

    def _measure(self, engine: Engine, readings: Readings) -> tuple[Measured, Results]:
        if engine.done != "database":
            return self.run.measure(engine, self._topic(engine, readings), readings)
        space = Namespace(self.settings, self.prefix.replace("-", "_"))
        try:
            goal = space.fill(self.broker, environment.python(), engine, readings)
            return measure(space, goal, readings, self.watched)
        finally:
            space.drop()

    def _topic(self, engine: Engine, readings: Readings) -> str:
        own = engine.family == "citybrain"
        what = f"{'ce-' if own else ''}{engine.shape}-{engine.encoding}"
        name = self.filled.get((what, readings.wanted))
        if name is None:
            name = f"{self.prefix}-{what}-{readings.wanted}"
            if own:
                found = records(engine, readings, ANY_VERSION)
                self.broker.fill(environment.python(), name, found)
            elif engine.shape == "event":
                self.broker.fill(environment.python(), name, event_bodies(readings))
            else:
                bodies = frame_bodies(readings, engine.encoding)
                self.broker.fill(environment.python(), name, bodies)
            self.filled[what, readings.wanted] = name
        return name


def differences(results: Results, readings: Readings) -> str:
    """What is not as the reference has it; empty when all is."""
    wanted, flips = expected_sums(readings), expected_flips(readings)
    bad = [where for where, what in wanted.items() if results.sums.get(where) != what]
    found = []
    if bad:
        where = bad[0]
        example = f"{where} is {results.sums.get(where)}, not {wanted[where]}"
        found.append(f"{len(bad)} of {len(wanted)} windows, {example}")
    if results.flips != flips:
        missing, more = flips - results.flips, results.flips - flips
        found.append(f"{missing.total()} changes of alerts missing, {more.total()} too many")
    return "; ".join(found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs everything; see the module's docstring. Exit code 1 when an engine failed."""
    given = _parser().parse_args(arguments)
    if given.quick:
        given.events, given.frames, given.rounds = QUICK_EVENTS, QUICK_FRAMES, 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # engines end, topics go
    wanted = [e for e in engines() if not given.engines or _named(e, given.engines)]
    with ExitStack() as stack:
        settings = stack.enter_context(servers(given))
        if not settings.kafka:
            raise SystemExit("a broker is needed: --kafka ADDRESS with --database, or neither")
        environment.python()
        file = stack.enter_context(Path(given.json).open("w")) if given.json else None
        report = Report(file)
        _machine(report, settings)
        broker = stack.enter_context(Broker(settings.kafka))
        comparison = _comparison(settings, broker)
        stack.callback(broker.delete, comparison.prefix)
        _compare(comparison, wanted, given, report)
    show(report, Console(width=None if os.isatty(1) else 220))
    if given.page:
        fill_page(report, Path(given.page))
    if given.plot and report.measured():
        draw(report, Path(given.plot))
    return 1 if report.failed else 0


def _compare(
    comparison: Comparison, wanted: Sequence[Engine], given: argparse.Namespace, report: Report
) -> None:
    for engine in () if given.quick else wanted:
        try:
            comparison.solve(engine, Readings(CHECKED))
        except Failed as error:
            report.fail(engine, str(error))
    for number in range(1, given.rounds + 1):
        for engine in wanted:
            if engine.key not in report.failed:
                try:
                    report.add(engine, number, comparison.solve(engine, _share(engine, given)))
                except Failed as error:
                    report.fail(engine, str(error))


def _share(engine: Engine, given: argparse.Namespace) -> Readings:
    whole = given.events if engine.shape == "event" else given.frames
    return Readings(max(LEAST, round(whole * engine.share)))


def _comparison(settings: Settings, broker: Broker) -> Comparison:
    prefix = f"{PREFIX}-{os.getpid()}-{int(time.time())}"
    watched = partial(Watched, broker_process(broker.address), database_process(settings))
    run = Run(broker, environment.command, watched, prefix)
    return Comparison(settings, broker, prefix, watched, run)


def _machine(report: Report, settings: Settings) -> None:
    report.say(
        {
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.platform()}",
            "python": platform.python_version(),
            "packages": [*environment.PACKAGES, f"kafka-streams=={environment.KAFKA_STREAMS}"],
            "broker": settings.kafka,
            "load": os.getloadavg(),
            "note": "broker, database and engines share these cores",
        }
    )


def _named(engine: Engine, names: Sequence[str]) -> bool:
    return engine.key in names or engine.name in names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks.side_by_side", description=__doc__)
    add_servers(parser)
    names = ", ".join(dict.fromkeys(engine.name for engine in engines()))
    shares = "slow engines get a share of it"
    parser.add_argument("--engines", nargs="+", help=f"of: {names}; or NAME/event, NAME/msgpack")
    parser.add_argument("--events", type=int, default=EVENTS, help=f"readings, one each; {shares}")
    parser.add_argument("--frames", type=int, default=FRAMES, help=f"readings in frames; {shares}")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_true", help="one small round, as a smoke test")
    parser.add_argument("--json", help="also write the lines to this file")
    parser.add_argument("--page", help="fill the table of this page (docs/side-by-side.md)")
    parser.add_argument("--plot", help="draw the rates into this file (PNG, SVG)")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
