"""`python -m benchmarks.engine.growth`: readings per second and memory for cities of growing size.

1,000, 10,000 and 100,000 sensors with one worker; then 1, 2 and 4 workers for the middle one. On a
machine with few cores more workers show correctness and overhead, not speed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from benchmarks import city
from benchmarks.engine.servers import add_servers, servers
from benchmarks.engine.throughput import measure
from benchmarks.quick import say

SENSORS = 500  # of an area
READINGS = 3_000_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_servers(parser)
    parser.add_argument("--sensors", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--readings", type=int, default=READINGS, help="in each run")
    given = parser.parse_args(arguments)
    middle = sorted(given.sensors)[len(given.sensors) // 2]
    runs = [(sensors, 1) for sensors in given.sensors]
    runs += [(middle, workers) for workers in given.workers if workers > 1]
    with servers(given) as settings:
        for sensors, workers in runs:
            size = city.Size(areas=max(1, sensors // SENSORS), sensors=min(sensors, SENSORS))
            seconds = max(10, given.readings // sensors)
            found = measure(settings, size, seconds, workers)
            name = f"growth_{sensors}_sensors_{workers}_workers"
            say(name, found, f"readings/s, {seconds} s of storm")


if __name__ == "__main__":
    main()
