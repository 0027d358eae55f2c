"""A namespace with its log in Kafka, workers that share it, and the pass that they must equal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from streams.contracts.codec import encode_control
from streams.contracts.reason import LogKind, NamespaceKind
from streams.domains import find_domains
from streams.log import Entry, Log
from streams.log.catalogue import topic_name
from streams.log.kafka import KafkaLog
from streams.log.kafka_admin import ensure_topics, remove_topics
from streams.log.postgres import PostgresLog
from streams.runtime.worker import worker_host
from streams.settings import Settings
from streams.storage.canonical import canonical_dump
from streams.storage.connect import connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_registry
from tests.support.storm import START_MS, storm, storm_registry

Dump = dict[str, list[tuple[Any, ...]]]
PARTITIONS = 4
WAIT_S = 180.0  # only a broken worker takes so long, also on a machine that is busy


class SharedCity:
    """A simulated namespace whose log is in Kafka. `close` removes topic and group."""

    def __init__(self, conninfo: str, namespace: str, kafka: str) -> None:
        self.conninfo = conninfo
        self.namespace = namespace
        self.settings = Settings(kafka=kafka, database=conninfo)
        self.topic = topic_name(namespace)
        ensure_topics(self.settings, namespace, PARTITIONS)
        self._registry = storm_registry(partitions=PARTITIONS)
        self._written: list[tuple[int, Entry]] = []
        self._steps: list[list[tuple[int, Entry]]] = []
        self._workers: list[subprocess.Popen[bytes]] = []
        make(conninfo, namespace, LogKind.KAFKA)
        self._log = KafkaLog(self.settings, self.topic)
        self.write(self._activation(namespace))

    def storm(self, steps: int, seed: int) -> None:
        """Prepares so many steps of the storm."""
        self._steps = list(storm(self._registry, steps, seed))

    def feed(self, steps: int) -> bool:
        """Appends the next steps; false when nothing is left."""
        now, self._steps = self._steps[:steps], self._steps[steps:]
        self.write([record for step in now for record in step])
        return bool(now)

    def write(self, records: list[tuple[int, Entry]]) -> None:
        """Appends to both the log and what the straight pass will read."""
        append(self._log, records)
        self._written += records

    def wrote(self, records: list[tuple[int, Entry]]) -> None:
        """Somebody else appended these: the straight pass will read them too."""
        self._written += records

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        """Starts a worker process."""
        worker = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.chaos.kafka_worker"),
                *(self.conninfo, self.namespace, *options),
            ],
            stdout=subprocess.PIPE,
            env=os.environ | {"CITYBRAIN_KAFKA": self.settings.kafka or ""},
        )
        self._workers.append(worker)
        return worker

    def behind(self) -> int:
        """Records that are not committed yet."""
        done = dict(self.query("select partition, next_offset from position where topic like 'c%'"))
        return sum(self._log.end(n) - done.get(n, 0) for n in range(PARTITIONS))

    def query(self, statement: Any) -> list[tuple[Any, ...]]:
        with connect(self.conninfo, self.namespace) as connection:
            return connection.execute(statement).fetchall()

    def dump(self) -> Dump:
        with connect(self.conninfo, self.namespace) as connection:
            return canonical_dump(connection)

    def straight(self, namespace: str) -> Dump:
        """What one undisturbed pass over the same records gives."""
        make(self.conninfo, namespace, LogKind.TABLE)
        self._activation(namespace)
        with closing(PostgresLog(self.conninfo, namespace)) as log:
            append(log, self._written)
        with worker_host(self.conninfo, namespace, find_domains()) as host:
            host.run_until_idle()
        with connect(self.conninfo, namespace) as connection:
            return canonical_dump(connection)

    def close(self) -> None:
        """Ends workers that a failed test left behind; removes the topics."""
        for worker in self._workers:
            if worker.poll() is None:
                worker.kill()
                worker.wait(30)
            if worker.stdout is not None:
                worker.stdout.close()
        self._log.close()
        remove_topics(self.settings, self.namespace)

    def _activation(self, namespace: str) -> list[tuple[int, Entry]]:
        with connect(self.conninfo, namespace) as connection:
            version = save_registry(connection, self._registry).version
        control = encode_control("registry", version, START_MS - 1000)
        return [(partition, control) for partition in range(PARTITIONS)]


@pytest.fixture
def shared_city(
    database_url: str, kafka_address: str, make_namespace: Callable[[], str]
) -> Iterator[SharedCity]:
    """One city, gone when the test ends."""
    city = SharedCity(database_url, make_namespace(), kafka_address)
    try:
        yield city
    finally:
        city.close()


def make(conninfo: str, namespace: str, log: LogKind) -> None:
    """Migrates a simulated namespace."""
    migrate(conninfo, namespace, NamespaceKind.SIMULATED, partitions=PARTITIONS, log=log)


def append(log: Log, records: list[tuple[int, Entry]]) -> None:
    """Appends records in their order, partition by partition."""
    for partition in range(PARTITIONS):
        own = [entry for number, entry in records if number == partition]
        if own:
            log.append(partition, own)


def wait_until(holds: Callable[[], bool], what: str, timeout_s: float = WAIT_S) -> None:
    """Waits for a condition, with a deadline."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)


def end(worker: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> int:
    """Ends a worker; its exit code."""
    worker.send_signal(number)
    code = worker.wait(WAIT_S)
    assert worker.stdout is not None
    worker.stdout.close()
    return code
