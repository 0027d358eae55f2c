"""A namespace of its own on some servers, its log, and workers as processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from benchmarks import city
from streams.contracts.codec import encode_control
from streams.contracts.reason import NamespaceKind
from streams.domains import find_domains
from streams.log import Entry, Log
from streams.log.opening import drop_with_log, open_log
from streams.settings import Settings
from streams.storage.connect import Connection, connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_registry

APPENDED = 500  # records of one append
STOP_S = 60.0
LOOK_S = 0.05
LOOK = """
select (select coalesce(sum(next_offset), 0) from position where topic <> 'region')::bigint,
       (select coalesce(sum(stored), 0) from ledger)::bigint
"""


@dataclass
class Stack:
    """One namespace under measurement."""

    settings: Settings
    namespace: str
    size: city.Size
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    output: IO[bytes] = field(default_factory=tempfile.TemporaryFile)

    def fill(self, seconds: Iterable[list[tuple[int, Entry]]]) -> int:
        """Appends everything; gives the number of records."""
        waiting: dict[int, list[Entry]] = {n: [] for n in range(self.size.partitions)}
        count = 0
        with closing(self.log()) as log:
            for second in seconds:
                for partition, entry in second:
                    waiting[partition].append(entry)
                for partition, entries in waiting.items():
                    if len(entries) >= APPENDED:
                        log.append(partition, entries)
                        count += len(entries)
                        waiting[partition] = []
            for partition, entries in waiting.items():
                if entries:
                    log.append(partition, entries)
                    count += len(entries)
        return count

    def log(self) -> Log:
        """The log of the namespace, to be closed."""
        return open_log(self.settings, self.namespace)

    def ends(self) -> int:
        """Records in the log, over all partitions."""
        with closing(self.log()) as log:
            return sum(log.end(n) for n in range(self.size.partitions))

    def connect(self) -> Connection:
        """A connection into the namespace."""
        return connect(
            self.settings.conninfo(), self.namespace, "citybrain benchmark", autocommit=True
        )

    def written_bytes(self) -> int:
        """How much the database server has ever put into its write-ahead log."""
        with self.connect() as connection:
            row = connection.execute("select pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
        return int(row[0]) if row else 0

    def start(self, count: int = 1) -> None:
        """Starts so many more workers."""
        environment = {
            **os.environ,
            "CITYBRAIN_DATABASE": self.settings.conninfo(),
            "CITYBRAIN_KAFKA": self.settings.kafka or "",
            "CITYBRAIN_LOG_LEVEL": "WARNING",
        }
        for _ in range(count):
            self.workers.append(
                subprocess.Popen(
                    [sys.executable, "-m", "deploy.cli", "worker", "--namespace", self.namespace],
                    cwd=Path(__file__).parents[2],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=self.output,
                    stderr=self.output,
                )
            )

    def stop(self) -> None:
        """Ends the workers as an operator would."""
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(STOP_S)
        self.workers.clear()

    def complaints(self) -> str:
        """What the workers have said so far: warnings and worse."""
        self.output.seek(0)
        return self.output.read().decode("utf-8", "replace")

    def check_alive(self) -> None:
        """Raises `RuntimeError` with a worker's last words when one has ended."""
        if any(worker.poll() is not None for worker in self.workers):
            raise RuntimeError(f"a worker ended\n{self.complaints()[-3000:]}")


@contextmanager
def stack(settings: Settings, namespace: str, size: city.Size) -> Iterator[Stack]:
    """A fresh simulated namespace with the city's registry active; dropped at the end."""
    made = Stack(settings, namespace, size)
    drop_with_log(settings, namespace)
    migrate(
        settings.conninfo(),
        namespace,
        NamespaceKind.SIMULATED,
        domains=find_domains(),
        partitions=size.partitions,
        log=settings.log_kind(),
    )
    if settings.kafka:
        from streams.log.kafka_admin import ensure_topics

        ensure_topics(settings, namespace, size.partitions)
    with connect(settings.conninfo(), namespace) as connection:
        version = save_registry(connection, city.registry(size)).version
    control = encode_control("registry", version, city.START_MS - 1000)
    made.fill([[(n, control) for n in range(size.partitions)]])
    try:
        yield made
    finally:
        for worker in made.workers:
            worker.kill()
            worker.wait(STOP_S)
        drop_with_log(settings, namespace)


@dataclass(frozen=True, slots=True)
class Sample:
    """How far the workers were at a moment of the monotonic clock, s."""

    at: float
    position: int
    stored: int


def watch(found: Stack, done: Callable[[Sample], bool], timeout_s: float) -> list[Sample]:
    """Looks about twenty times a second until a sample satisfies; all samples.

    Raises `TimeoutError`, and `RuntimeError` when a worker ends.
    """
    samples: list[Sample] = []
    deadline = time.monotonic() + timeout_s
    with found.connect() as connection:
        while not samples or not done(samples[-1]):
            row = connection.execute(LOOK).fetchone()
            position, stored = row or (0, 0)
            samples.append(Sample(time.monotonic(), position, stored))
            if samples[-1].at > deadline:
                raise TimeoutError(f"no end after {timeout_s:.0f} s: {samples[-1]}")
            found.check_alive()
            time.sleep(LOOK_S)
    return samples


def rate(samples: Sequence[Sample]) -> float:
    """Readings per second from the first sample with a reading to the last that grew."""
    begun = next(s for s in samples if s.stored > 0)
    last = next(s for s in samples if s.stored == samples[-1].stored)
    return (last.stored - begun.stored) / (last.at - begun.at)
