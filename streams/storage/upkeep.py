"""Upkeep of what grows with time in a live namespace: roll up, let go, index.

A follower of the host that works in a thread of its own, because an index over a day of a city
takes its time. One worker of a namespace at a time, by an advisory lock; every piece is a
transaction that may be done again. Other namespaces are thrown away as a whole and need none of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

import psycopg
import structlog

from streams.contracts.domain import DAY_MS, Domain
from streams.contracts.reason import NamespaceKind
from streams.errors import Unavailable
from streams.storage.chunks import index_chunk, list_chunks
from streams.storage.connect import Connection, connect, translated
from streams.storage.expiry import HEALTH, READINGS, WINDOWS, Expiring, expire
from streams.storage.fit import Store, StoreKind, detect
from streams.storage.keeping import FOR_EVER, Keeping, boundary, settled
from streams.storage.migrate import namespace_kind
from streams.storage.outbox_expiry import expire_messages
from streams.storage.rollup import PERIODS, roll_day
from streams.storage.warning_expiry import expire_warnings

LOGGER = structlog.get_logger(__name__)
EVERY_S = 600.0
CANCEL_TIMEOUT_S = 5.0
STATEMENT_TIMEOUT_S = 6 * 3600
CLOSED_MS = DAY_MS  # a chunk is written no more when it ended so long ago, late rows apart
TRY_LOCK = "select pg_try_advisory_lock(hashtextextended('citybrain upkeep ' || %s, 0))"
UNLOCK = "select pg_advisory_unlock(hashtextextended('citybrain upkeep ' || %s, 0))"
LONGEST_HORIZON = """
select coalesce(max(value.value::bigint), 0) from config_version v
cross join lateral jsonb_each_text(v.content -> 'values') as value
where v.kind = 'profile' and value.key like '%.timing.horizon_s'
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """What one round did."""

    days_rolled: int = 0
    gone: int = 0  # chunks and rows
    indexed: int = 0  # chunks


class Upkeep:
    """One round every `every_s` seconds; the first comes after that time."""

    def __init__(
        self,
        conninfo: str,
        namespace: str,
        domains: Mapping[str, Domain],
        keeping: Keeping = FOR_EVER,
        *,
        every_s: float = EVERY_S,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._conninfo, self._namespace = conninfo, namespace
        self._domains, self._keeping = domains, keeping
        self._every_s, self._now_ms = every_s, now_ms
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="upkeep")
        self._round: Future[Kept] | None = None
        self._connection: Connection | None = None
        self._stop = Event()
        self._next = time.monotonic() + every_s

    def step(self) -> int:
        """Begins a round when it is time, and looks after one that runs; 0: nothing waits for it.

        What goes wrong for a while is told and tried again; a bug is raised.
        """
        if self._round is None:
            if time.monotonic() >= self._next:
                self._round = self._thread.submit(self.run)
        elif self._round.done():
            done, self._round = self._round, None
            self._next = time.monotonic() + self._every_s
            try:
                LOGGER.debug("upkeep done", kept=done.result())
            except Unavailable as error:
                LOGGER.warning("upkeep failed, tried again later", cause=str(error))
        return 0

    def run(self) -> Kept:
        """One round, now. Does nothing in a namespace that is not live, or when another worker is
        at it. Raises `Unavailable`."""
        with translated():
            connection = self._open()
            if namespace_kind(connection) is not NamespaceKind.LIVE:
                return Kept()
            if connection.execute(TRY_LOCK, (self._namespace,)).fetchone() != (True,):
                return Kept()
            try:
                return self._work(connection)
            finally:
                if not connection.closed:
                    connection.execute(UNLOCK, (self._namespace,))

    def close(self) -> None:
        """Ends a round that runs, and gives the connection back."""
        self._stop.set()
        if self._round is not None and not self._round.done():
            self._interrupt()
        self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _interrupt(self) -> None:
        if self._connection is not None and not self._connection.closed:
            try:
                self._connection.cancel_safe(timeout=CANCEL_TIMEOUT_S)
            except psycopg.OperationalError as error:
                LOGGER.warning("upkeep is waited for, it could not be stopped", cause=str(error))

    def _work(self, connection: Connection) -> Kept:
        now_ms, store = self._now_ms(), detect(connection)
        horizon_ms = longest_horizon_ms(connection, self._domains.values())
        rolled = self._roll(connection, settled(now_ms, horizon_ms))
        gone = 0
        for tables, days in (
            (READINGS, self._keeping.readings_days),
            (WINDOWS, self._keeping.windows_days),
            (HEALTH, self._keeping.health_days),
        ):
            gone += self._expire(connection, store, tables, boundary(now_ms, days, horizon_ms))
        if self._keeping.events_days and not self._stop.is_set():
            before_ms = now_ms - self._keeping.events_days * DAY_MS
            gone += expire_messages(connection, before_ms, self._stop.is_set)
        over_ms = boundary(now_ms, self._keeping.warnings_days, 0)
        if over_ms is not None:
            gone += expire_warnings(connection, over_ms, self._stop.is_set)
        return Kept(rolled, gone, self._index(connection, store, now_ms))

    def _roll(self, connection: Connection, settled_ms: int) -> int:
        """Days always; hours when their windows will go."""
        days = 0
        for period_s in PERIODS:
            if period_s == 3600 and not self._keeping.windows_days:
                continue
            while not self._stop.is_set() and roll_day(connection, period_s, settled_ms):
                days += 1
        return days

    def _expire(
        self,
        connection: Connection,
        store: Store,
        tables: tuple[Expiring, ...],
        before_ms: int | None,
    ) -> int:
        if before_ms is None or self._stop.is_set():
            return 0
        return expire(connection, store, tables, before_ms, self._stop.is_set)

    def _index(self, connection: Connection, store: Store, now_ms: int) -> int:
        """Compressed chunks need no index, and those that will be soon are worth none."""
        if store.kind is StoreKind.COMMUNITY and self._keeping.compress_after_days:
            return 0
        indexed = 0
        for chunk in list_chunks(connection, "observation"):
            closed = chunk.end_ms <= now_ms - CLOSED_MS and not chunk.compressed
            if closed and not self._stop.is_set():
                indexed += index_chunk(connection, chunk)
        return indexed

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(
                self._conninfo,
                self._namespace,
                f"citybrain upkeep {self._namespace}",
                autocommit=True,
                timeout_s=STATEMENT_TIMEOUT_S,
            )
        return self._connection


def longest_horizon_ms(connection: Connection, domains: Iterable[Domain]) -> int:
    """How far back the pipeline may revise, by the domains and by every profile it ever had."""
    row = connection.execute(LONGEST_HORIZON).fetchone()
    told_s = int(row[0]) if row else 0
    return 1000 * max([told_s, *(domain.timing.horizon_s for domain in domains)])
