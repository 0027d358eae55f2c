"""`python -m benchmarks.engine`: the engine's main figures in one short run of some minutes.

One run each, too short to be published: frames in msgpack and JSON, one reading a record, latency,
the map's reads under full ingest, recovery from kill -9. Prints one JSON object a line.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Sequence
from dataclasses import replace

from benchmarks import city
from benchmarks.engine import latency, reads, recovery
from benchmarks.engine.servers import add_servers, servers
from benchmarks.engine.throughput import measure, name_of
from benchmarks.quick import say

FRAMES = city.Size(areas=20)
SINGLE = replace(FRAMES, areas=4, single=True)
MAP = city.Size(areas=40)
LATENCY_S = 150  # the storm's first alerts come after a minute


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    add_servers(parser)
    parser.add_argument("--seconds", type=int, default=600, help="length of the storm")
    given = parser.parse_args(arguments)
    say("load", os.getloadavg()[0], f"of {os.cpu_count()} cores, {platform.machine()}")
    with servers(given) as settings:
        for size, seconds in (
            (FRAMES, given.seconds),
            (replace(FRAMES, json=True), given.seconds),
            (SINGLE, given.seconds // 10),
        ):
            found = measure(settings, size, seconds, workers=1)
            say(f"engine_throughput_{name_of(size)}", found, "readings/s, one worker")
        latency.measure(settings, FRAMES, LATENCY_S)
        reads.measure(settings, MAP, given.seconds // 4)
        if settings.kafka:
            recovery.report(recovery.measure(settings, rounds=2), settings.kafka_session_s)


if __name__ == "__main__":
    main()
