"""What a fault strikes: a database, a log that grows, workers; and how to see that work goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from streams.contracts.codec import encode_control
from streams.errors import Unavailable
from streams.log import Log
from streams.storage.connect import connect, translated
from streams.storage.registry import save_registry
from tests.chaos.database import Database
from tests.chaos.feed import Feeder, Step, append_step
from tests.chaos.fleet import Fleet
from tests.chaos.hosts import Host
from tests.support.storm import START_MS, storm, storm_registry

PARTITIONS = 4
GO_ON_S = 120.0
DRAIN_S = 400.0
STEPS_PER_S = 2.0
AHEAD = 200  # records of the log that are not committed: more do not come before some are
STEP_MS = 30_000  # a minute of the city in a second
ENDLESS = 1_000_000
POLL_S = 0.05


@dataclass(frozen=True)
class World:
    """One namespace under load, with its workers."""

    host: Host
    database: Database
    namespace: str
    fleet: Fleet
    feeder: Feeder

    def positions(self) -> dict[int, int]:
        """How far each partition is committed."""
        rows = self.query("select partition, next_offset from {}.position where topic <> 'region'")
        return {partition: offset for partition, offset in rows}

    def query(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        """Rows of the namespace, which `{}` names; beside every wire."""
        filled = sql.SQL(statement).format(sql.Identifier(self.namespace))
        with psycopg.connect(self.database.conninfo) as connection:
            return connection.execute(filled).fetchall()

    def wait_progress(self, after: str) -> float:
        """Until every partition has committed something new; gives how long it took."""
        before, began = self.positions(), time.monotonic()

        def goes_on() -> bool:
            now = self.positions()
            return all(now[p] > before.get(p, 0) for p in range(PARTITIONS) if p in now) and (
                len(now) == PARTITIONS
            )

        self.wait(goes_on, f"work does not go on after {after}", GO_ON_S + self.host.detection_s)
        return time.monotonic() - began

    def wait(self, condition: Callable[[], bool], complaint: str, timeout_s: float) -> None:
        """Until the condition holds; otherwise the test fails with what the workers said."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.feeder.check()
            for worker in self.fleet.members:
                assert worker.ended_well(), f"{complaint}; a worker ended: {worker.last_words()}"
            assert time.monotonic() < deadline, f"{complaint}: {self.complaints()}"
            time.sleep(POLL_S)

    def complaints(self) -> str:
        """Where everything stands and what the workers said last."""
        words = [worker.stacks() for worker in self.fleet.alive]
        return "\n".join([f"positions {self.positions()}", *words])

    def drain(self) -> None:
        """Until all that is in the log is committed, folded, recomputed and numbered."""
        log = self.host.open_log(self.database.conninfo, self.namespace)
        try:
            ends = {p: log.end(p) for p in range(PARTITIONS)}
        finally:
            log.close()

        def drained() -> bool:
            done = all(self.positions().get(p, 0) >= end for p, end in ends.items())
            return done and self.query(LEFT)[0] == (0, 0, 0)

        self.wait(drained, f"the rest of the log ({ends}) is not worked off", DRAIN_S)


LEFT = """
select (select count(*) from {0}.late_mark),
       (select count(*) from {0}.outbox where sequence is null),
       (select l.next_offset - coalesce(max(p.next_offset), 0)
        from {0}.log_partition l left join {0}.position p on p.topic = 'region'
        where l.topic = 'region' group by l.next_offset)
"""


def make_world(host: Host, database: Database, namespace: str, folder: Path, seed: int) -> World:
    """A namespace with an active registry, load that grows, and workers that have begun."""
    host.prepare(database.conninfo, namespace, PARTITIONS)
    registry = storm_registry(partitions=PARTITIONS)
    with connect(database.conninfo, namespace) as connection:
        version = save_registry(connection, registry).version
    log = host.open_log(database.conninfo, namespace)
    control = encode_control("registry", version, START_MS - 1000)
    begin: Step = [(partition, control) for partition in range(PARTITIONS)]
    append_step(log, begin)
    log.close()
    feeder = Feeder(
        lambda: host.open_log(database.conninfo, namespace),
        storm(registry, ENDLESS, seed, STEP_MS),
        STEPS_PER_S,
        lambda log: has_room(log, database, namespace),
    )
    fleet = Fleet(host, database.conninfo, namespace, folder)
    return World(host, database, namespace, fleet, feeder)


def has_room(log: Log, database: Database, namespace: str) -> bool:
    """Whether the workers are not too far behind; no while the log or the database is away."""
    try:
        with translated(), connect(database.conninfo, namespace) as connection:
            row = connection.execute(
                "select coalesce(sum(next_offset), 0)::bigint from position where topic <> 'region'"
            ).fetchone()
        assert row is not None
        return sum(log.end(n) for n in range(PARTITIONS)) - int(row[0]) < AHEAD
    except Unavailable:
        return False
