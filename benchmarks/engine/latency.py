"""`python -m benchmarks.engine.latency`: from append to committed alert, under a steady load.

A feeder appends the storm in real time, its clock being the wall clock; an observer looks for new
transitions every few milliseconds. Latency of a transition = when the observer saw it committed −
the append time of the record that made it: the frame it rests on or, where a window closed or a
timer ran out, its area's first record whose ingest time reaches that moment (whichever is later).
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from benchmarks import city
from benchmarks.engine.costs import Meter
from benchmarks.engine.servers import add_servers, servers
from benchmarks.engine.stack import Stack, stack, watch
from benchmarks.quick import say
from streams.contracts.codec import decode
from streams.contracts.frame import Frame, Int64
from streams.log import OBSERVATION_TOPIC
from streams.settings import Settings

LOOK_S = 0.003
START_S = 120.0
DRAIN_S = 60.0
Columns: TypeAlias = tuple[Int64, Int64, Int64]
WORST = 40
# One worker commits one transaction at a time, and the table only grows: places are an order.
NEW = """
select ctid::text, partition, position, (extract(epoch from decided_at) * 1000)::bigint,
       (select area from alert a where a.id = t.alert)
from alert_transition t where topic = %s and ctid > %s::tid order by ctid
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One transition as the observer saw it; times in epoch ms."""

    partition: int
    position: int
    decided_ms: int
    area: str
    seen_ms: float


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs everything; see the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_servers(parser)
    parser.add_argument("--areas", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=300)
    given = parser.parse_args(arguments)
    with servers(given) as settings:
        measure(settings, city.Size(areas=given.areas), given.seconds)


def measure(settings: Settings, size: city.Size, seconds: int) -> None:
    """Feeds one worker for so long; prints percentiles and what it cost."""
    with stack(settings, "bench_latency", size) as found:
        found.start()
        watch(found, lambda s: s.position >= size.partitions, START_S)
        meter = Meter(found)
        meter.start()
        seen = observe(found, seconds)
        costs = meter.stop()
        ages = np.concatenate([ages_ms(found, n, seen) for n in range(size.partitions)])
        in_order = sorted(seen, key=lambda one: one.partition)  # stable: as the ages are
        found.stop()
    report(ages, seconds * size.areas * size.sensors)
    at_ms = np.array([one.seen_ms for one in in_order])
    report_worst(ages, at_ms - at_ms.min())
    for part, spent in costs.items():
        say(f"latency_cpu_{part}", spent / seconds, "cores")


def report(ages_ms: np.typing.NDArray[np.float64], readings: int) -> None:
    """Percentiles in ms."""
    say("latency_readings", readings, "depth readings fed in real time")
    say("latency_transitions", len(ages_ms), "transitions")
    if not len(ages_ms):
        raise SystemExit("no alert was seen: the storm's first come after a minute, give --seconds")
    for name, share in (("p50", 50), ("p90", 90), ("p99", 99), ("max", 100)):
        say(f"latency_{name}", float(np.percentile(ages_ms, share)), "ms from append to committed")


def report_worst(ages_ms: np.typing.NDArray[np.float64], after_ms: Any) -> None:
    """When the slowest were seen: what is slow all the time, or at certain moments."""
    worst = np.argsort(-ages_ms)[:WORST]
    for moment in sorted({int(after_ms[n] // 1000) for n in worst.tolist()}):
        of_it = ages_ms[worst][after_ms[worst] // 1000 == moment]
        say(
            "latency_worst", float(of_it.max()), f"ms, {len(of_it)} of the slowest, second {moment}"
        )


def observe(found: Stack, seconds: int) -> list[Seen]:
    """Feeds in a thread and looks until everything that was fed is committed."""
    seen: list[Seen] = []
    fed = threading.Event()
    feeder = threading.Thread(target=feed, args=(found, seconds, fed))
    feeder.start()
    last, quiet_since = "(0,0)", 0.0
    with found.connect() as connection:
        while not fed.is_set() or time.monotonic() - quiet_since < DRAIN_S / 10:
            rows = connection.execute(NEW, (OBSERVATION_TOPIC, last)).fetchall()
            now_ms = time.time() * 1000
            seen += [Seen(n, position, at, area, now_ms) for _, n, position, at, area in rows]
            if rows or not fed.is_set():
                last, quiet_since = (rows[-1][0] if rows else last), time.monotonic()
            time.sleep(LOOK_S)
    feeder.join()
    return seen


def feed(found: Stack, seconds: int, fed: threading.Event) -> None:
    """Appends each second of the storm when it is due, area by area over the second."""
    start_ms = time.time_ns() // 1_000_000 // 1000 * 1000 + 2000
    size = found.size
    with closing(found.log()) as log:
        for second, records in enumerate(city.seconds(seconds, size=size, start_ms=start_ms)):
            begun = (start_ms + second * 1000 + 800) / 1000
            for number, (partition, entry) in enumerate(records):
                due = begun + 0.9 * number / len(records)
                time.sleep(max(0.0, due - time.time()))
                log.append(partition, [entry])
    fed.set()


def ages_ms(found: Stack, partition: int, seen: Sequence[Seen]) -> np.typing.NDArray[np.float64]:
    """How old the transitions of a partition were when they were seen."""
    records = records_of(found, partition)
    ages = []
    for one in seen:
        if one.partition == partition:
            offsets, appended, passed = records[one.area]
            evidence = int(np.searchsorted(offsets, one.position))
            trigger = int(np.searchsorted(passed, one.decided_ms))
            ages.append(one.seen_ms - appended[min(max(evidence, trigger), len(appended) - 1)])
    return np.array(ages, np.float64)


def records_of(found: Stack, partition: int) -> dict[str, Columns]:
    """Of each area's records, read from the log itself: offset, append time, and the latest ingest
    time up to it."""
    rows: dict[str, list[tuple[int, int, int]]] = {}
    with closing(found.log()) as log:
        offset, end = log.first(partition), log.end(partition)
        while offset < end:
            for record in log.read(partition, offset):
                event = decode(record)
                if isinstance(event, Frame):
                    row = record.offset, record.append_ms, event.ingest_ms
                    rows.setdefault(event.area, []).append(row)
                offset = record.offset + 1
    columns = {area: np.array(of_area, np.int64).T for area, of_area in rows.items()}
    return {a: (c[0], c[1], np.maximum.accumulate(c[2])) for a, c in columns.items()}


if __name__ == "__main__":
    main()
