"""`python -m benchmarks.engine.throughput`: readings per second, sustained, from a filled log.

Broker, workers and database share this machine. The log is filled first; the clock runs from the
first committed reading to the last. Every reading is stored, all domains, checks and rules on.
Prints one JSON object a line.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks import city
from benchmarks.engine.costs import Meter
from benchmarks.engine.servers import add_servers, servers
from benchmarks.engine.stack import Sample, Stack, rate, stack, watch
from benchmarks.quick import say
from streams.settings import Settings

START_S = 120.0
TIMEOUT_S = 3600.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_servers(parser)
    parser.add_argument("--areas", type=int, default=20)
    parser.add_argument("--sensors", type=int, default=500, help="of an area, at 1 Hz")
    parser.add_argument("--bundle", type=int, default=1, help="seconds of an area in one frame")
    parser.add_argument("--seconds", type=int, default=300, help="length of the storm")
    parser.add_argument("--workers", type=int, nargs="+", default=[1])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="frames in JSON, not msgpack")
    parser.add_argument("--single", action="store_true", help="one reading a record")
    given = parser.parse_args(arguments)
    size = city.Size(
        given.areas, given.sensors, bundle=given.bundle, json=given.json, single=given.single
    )
    with servers(given) as settings:
        for workers in given.workers:
            results = sorted(
                measure(settings, size, given.seconds, workers) for _ in range(given.rounds)
            )
            say(
                f"engine_throughput_{name_of(size)}_{workers}_workers",
                results[len(results) // 2],
                "readings/s",
                f"{results[0]:.0f}..{results[-1]:.0f} in {given.rounds} rounds",
            )


def name_of(size: city.Size) -> str:
    """What distinguishes this load."""
    shape = "single" if size.single else f"{size.sensors * size.bundle}_rows"
    return f"{size.areas * size.sensors}_sensors_{shape}_{'json' if size.json else 'msgpack'}"


def measure(settings: Settings, size: city.Size, seconds: int, workers: int) -> float:
    """One round; prints what it cost."""
    with stack(settings, "bench_engine", size) as found:
        found.fill(city.seconds(seconds, size=size))
        end = found.ends()
        samples = run(found, end, workers)
        say("stored", samples[-1].stored, f"readings in {end} records")
    return rate(samples)


def run(found: Stack, end: int, workers: int) -> list[Sample]:
    """Starts workers and follows them to the end of the log; prints their costs."""
    found.start(workers)
    samples = watch(found, lambda s: s.stored > 0, START_S)
    begun = samples[-1].stored
    meter = Meter(found)
    meter.start()
    written = found.written_bytes()
    samples += watch(found, lambda s: s.position >= end, TIMEOUT_S)
    costs = meter.stop()
    stored = samples[-1].stored
    for part, spent in costs.items():
        say(f"cpu_{part}", 1e6 * spent / (stored - begun), "µs a reading")
    wal = (found.written_bytes() - written) / (stored - begun)
    say("written", wal, "B of the database's write-ahead log a reading")
    say("rss_workers", max((mb for _, mb in meter.rss_mb), default=0.0), "MB at most, all workers")
    found.stop()
    return samples


if __name__ == "__main__":
    main()
