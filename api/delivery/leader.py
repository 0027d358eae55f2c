"""One deliverer at a time: who holds an advisory lock, on a session of its own, leads.

The server gives the lock free when the session ends, so after a kill -9 another takes over at
once. Taking over raises the epoch; what the one before still wants to write is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg.conninfo import make_conninfo

from api.delivery import metrics
from api.delivery.store import take_epoch
from streams.errors import FenceLost
from streams.runtime.health import Health
from streams.storage.connect import Connection, connect, translated

RETRY_S = 0.5
CHECK_S = 1.0
LOCK = "select pg_try_advisory_lock(hashtextextended('citybrain deliver ' || %s, 0))"
ALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}


@asynccontextmanager
async def leading(
    conninfo: str, namespace: str, stop: asyncio.Event, health: Health
) -> AsyncIterator[tuple[Connection, int] | None]:
    """Waits until nobody else delivers; gives the session and the epoch, or None when told to stop
    before. Raises `Unavailable`."""
    session = await asyncio.to_thread(_open, conninfo, namespace)
    try:
        while not await asyncio.to_thread(_try_lock, session, namespace):
            health.turned()
            if await _within(stop, RETRY_S):
                yield None
                return
        epoch = await asyncio.to_thread(take_epoch, session)
        metrics.LEADING.set(1)
        yield session, epoch
    finally:
        metrics.LEADING.set(0)
        await asyncio.to_thread(session.close)


async def watch(session: Connection) -> None:
    """Raises as soon as the session, and with it the lock, is gone."""
    while True:
        await asyncio.sleep(CHECK_S)
        await asyncio.to_thread(_check, session)


def _open(conninfo: str, namespace: str) -> Connection:
    kept = make_conninfo(conninfo, **ALIVE)
    return connect(kept, namespace, "citybrain deliver lock", autocommit=True)


def _try_lock(session: Connection, namespace: str) -> bool:
    with translated():
        row = session.execute(LOCK, (namespace,)).fetchone()
    return row is not None and bool(row[0])


def _check(session: Connection) -> None:
    if session.closed:
        raise FenceLost("the session that holds the lock is gone")
    with translated():
        session.execute("select 1")


async def _within(stop: asyncio.Event, seconds: float) -> bool:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return False
    return True
