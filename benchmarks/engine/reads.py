"""`python -m benchmarks.engine.reads`: the map's 20,000 latest values while workers run flat out.

The log is filled, the worker works it off, and meanwhile a reader fetches the latest values of all
areas again and again, as the map does. Prints how long a read takes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np

from benchmarks import city
from benchmarks.engine.servers import add_servers, servers
from benchmarks.engine.stack import Stack, rate, stack, watch
from benchmarks.quick import say
from streams.settings import Settings

START_S = 120.0
EVERY_S = 0.2
LATEST = "select area, domain, as_of, decided_at, payload::text from area_latest"
END = "select coalesce(sum(next_offset), 0)::bigint from position where topic <> 'region'"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_servers(parser)
    parser.add_argument("--areas", type=int, default=40)
    parser.add_argument("--seconds", type=int, default=300, help="length of the storm")
    given = parser.parse_args(arguments)
    with servers(given) as settings:
        measure(settings, city.Size(areas=given.areas), given.seconds)


def measure(settings: Settings, size: city.Size, seconds: int) -> None:
    """One storm of so many seconds worked off; prints how long the reads took."""
    with stack(settings, "bench_reads", size) as found:
        found.fill(city.seconds(seconds, size=size))
        end = found.ends()
        found.start()
        begun = watch(found, lambda s: s.stored > 0, START_S)
        took_ms, kilobytes = read_until(found, end)
        after = watch(found, lambda s: s.position >= end, START_S)
        found.stop()
    say("reads_values", size.areas * size.sensors, f"depth sensors, {kilobytes:.0f} KB a read")
    say("reads_ingest", rate(begun[-1:] + after), "readings/s meanwhile")
    for name, share in (("p50", 50), ("p99", 99), ("max", 100)):
        say(f"reads_{name}", float(np.percentile(took_ms, share)), f"ms; {len(took_ms)} reads")


def read_until(found: Stack, end: int) -> tuple[list[float], float]:
    """Reads until the log is worked off; times in ms, and the size of the last answer in KB."""
    took_ms: list[float] = []
    kilobytes = 0.0
    with found.connect() as connection:
        while (connection.execute(END).fetchone() or (0,))[0] < end:
            found.check_alive()
            begun = time.perf_counter()
            rows = connection.execute(LATEST).fetchall()
            took_ms.append(1000 * (time.perf_counter() - begun))
            kilobytes = sum(len(row[4]) for row in rows) / 1000
            time.sleep(EVERY_S)
    return took_ms, kilobytes


if __name__ == "__main__":
    main()
