"""Keeps what follows from the outbox going beside the API, in a thread at a time: grouping into
incidents, then what follows from alerts by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from api.actions.advance import Plan, advance
from api.actions.incident import GAP_MS
from api.actions.incidents import group
from api.actions.opening import WritingPool
from api.queries.pool import UnknownNamespace
from streams.errors import Unavailable

log = structlog.get_logger(__name__)

TROUBLED_S = 5.0
LOOK_S = 30.0  # how often other namespaces are looked for
# Replays and verifications tell nobody, so nothing follows from them.
NAMESPACES = """
select n.nspname from pg_namespace n join pg_class c on c.relnamespace = n.oid
where c.relname = 'acting_position' and n.nspname ~ '^[a-z][a-z0-9_]{0,40}$'
    and has_schema_privilege(n.oid, 'usage')
order by n.nspname
"""
KIND = "select kind in ('live', 'simulated', 'drill') from namespace"


def wall_clock() -> datetime:
    """Now: people's deadlines run by the wall clock, also in a city that is simulated."""
    return datetime.now(UTC)


class Follower:
    """Turns for ever over its own namespace and, with `others`, all that people may watch.

    Several processes may; in each namespace one at a time does the work.
    """

    def __init__(
        self,
        pool: WritingPool,
        namespace: str,
        plan: Plan,
        every_s: float,
        *,
        others: bool = False,
        gap_ms: int = GAP_MS,
        clock: Callable[[], datetime] = wall_clock,
    ) -> None:
        self._pool = pool
        self._own = namespace
        self._plan = plan
        self._every_s = every_s
        self._others = others
        self._gap_ms = gap_ms
        self._clock = clock
        self._names: tuple[str, ...] = (namespace,)
        self._looked_s: float | None = None
        self._troubled: set[str] = set()

    async def run(self) -> None:
        """Until cancelled. What goes wrong is told once, tried again, and told when it is over."""
        while True:
            more = False
            for name in self._names:
                try:
                    more |= await asyncio.to_thread(self._turn, name)
                except Exception:  # a bug: the API goes on, and everybody shall see it
                    log.exception("acting.failed", namespace=name)
                    self._troubled.add(name)
            if not more:
                await asyncio.sleep(TROUBLED_S if self._troubled else self._every_s)

    def _turn(self, name: str) -> bool:
        """Whether there is more to do at once."""
        try:
            if self._others and name == self._own:
                self._look()
            with self._pool.writing(name) as connection:
                grouped = group(connection, self._gap_ms)
                done = advance(connection, self._clock(), self._plan)
        except (Unavailable, UnknownNamespace) as error:
            if name not in self._troubled:
                log.warning("acting.waits", namespace=name, why=str(error))
            self._troubled.add(name)
            return False
        if name in self._troubled:
            log.info("acting.goes_on", namespace=name)
            self._troubled.discard(name)
        return grouped.more or done.more

    def _look(self) -> None:
        """Learns which other namespaces there are, now and then."""
        now_s = time.monotonic()
        if self._looked_s is not None and now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        with self._pool.writing(self._own) as connection:
            names = [str(name) for (name,) in connection.execute(NAMESPACES)]
        followed = [name for name in names if name != self._own and self._is_watched(name)]
        self._names = (self._own, *followed)
        self._troubled &= set(self._names)

    def _is_watched(self, name: str) -> bool:
        try:
            with self._pool.writing(name) as connection:
                row = connection.execute(KIND).fetchone()
        except UnknownNamespace:
            return False
        return row is not None and bool(row[0])
