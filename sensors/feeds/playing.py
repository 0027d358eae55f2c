"""Plays a prepared log into a namespace at a speed, and turns the worker's host over it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field

from streams.domains import find_domains
from streams.log import Entry, Log
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host

APPEND_RECORDS = 500


@dataclass(frozen=True, slots=True)
class Stamped:
    """A record to append; `at_ms` is the simulated clock (the wall clock in a backfill)."""

    partition: int
    at_ms: int
    entry: Entry


@dataclass(slots=True)
class Pace:
    """Simulated seconds per wall second; None = as fast as it goes."""

    speed: float | None
    clock_s: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _origin: tuple[int, float] | None = None

    def ahead_s(self, at_ms: int) -> float:
        """Wall seconds until this simulated time is due; 0 when it is."""
        if self.speed is None:
            return 0.0
        if self._origin is None:
            self._origin = (at_ms, self.clock_s())
        start_ms, started = self._origin
        return max(0.0, started + (at_ms - start_ms) / 1000 / self.speed - self.clock_s())


@dataclass(slots=True)
class Appender:
    """Collects records per partition and appends them in batches, in their order."""

    log: Log
    appended: int = 0
    _waiting: dict[int, list[Entry]] = field(default_factory=dict)

    def add(self, record: Stamped) -> None:
        batch = self._waiting.setdefault(record.partition, [])
        batch.append(record.entry)
        if len(batch) >= APPEND_RECORDS:
            self._append(record.partition)

    def flush(self) -> None:
        for partition in sorted(self._waiting):
            self._append(partition)

    def _append(self, partition: int) -> None:
        batch = self._waiting.pop(partition)
        self.log.append(partition, batch)
        self.appended += len(batch)


@dataclass(frozen=True)
class Watcher:
    """Told how far things have come: records appended, records processed of how many."""

    appended: Callable[[int], None] = lambda _count: None
    processed: Callable[[int, int], None] = lambda _done, _of: None


def play(
    conninfo: str, namespace: str, records: Iterable[Stamped], pace: Pace, watcher: Watcher
) -> None:
    """Appends at the pace and processes until nothing is left, the region and late data too."""
    with (
        closing(PostgresLog(conninfo, namespace)) as log,
        worker_host(conninfo, namespace, find_domains()) as host,
    ):
        appender = Appender(log)
        for record in records:
            while (wait_s := pace.ahead_s(record.at_ms)) > 0:
                appender.flush()
                host.run_until_idle()
                pace.sleep(min(wait_s, 1.0))
            appender.add(record)
            watcher.appended(appender.appended)
        appender.flush()
        watcher.appended(appender.appended)
        while host.step():
            watcher.processed(sum(host.positions().values()), appender.appended)
        host.run_until_idle()
        watcher.processed(sum(host.positions().values()), appender.appended)
