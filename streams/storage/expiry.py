"""Lets go of what is older than it is kept: whole chunks, or rows in bounded pieces.

First the boundary is moved, in a transaction of its own, so that the recomputer makes no day anew
from half of its readings; then what lies before it goes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from streams.contracts.domain import DAY_MS
from streams.storage.chunks import drop_before
from streams.storage.connect import Connection, Cursor
from streams.storage.fit import Store, StoreKind

ROWS = 50_000  # about as many as one transaction deletes
SHORTEST_MS = 60_000
# A newer boundary, and nobody between who read the old one and works by it.
MOVE = "update kept set since = at_ms(%s) where what = %s and coalesce(since < at_ms(%s), true)"
READ_SINCE = "select ms_of(since) from kept where what = %s for share"
FIRST = "select ms_of(min({column})) from {table} where {column} < at_ms(%s)"
DELETE = "delete from {table} where {column} >= at_ms(%s) and {column} < at_ms(%s)"


@dataclass(frozen=True, slots=True)
class Expiring:
    """A table whose old rows go; `what` names its boundary in `kept`."""

    what: LiteralString
    table: LiteralString
    column: LiteralString
    chunked: bool = True


READINGS = (
    Expiring("observation", "observation", "t"),
    Expiring("observation", "observation_revision", "t", chunked=False),
)
WINDOWS = (Expiring("observation_window", "observation_window", "start"),)
HEALTH = (Expiring("sensor_health", "sensor_health", "day_start", chunked=False),)


def kept_since(cursor: Cursor, what: str) -> int | None:
    """Before which time nothing is kept; stays so until the caller's transaction ends."""
    row = cursor.execute(READ_SINCE, (what,)).fetchone()
    return None if row is None or row[0] is None else int(row[0])


def expire(
    connection: Connection,
    store: Store,
    tables: tuple[Expiring, ...],
    before_ms: int,
    stopped: Callable[[], bool],
) -> int:
    """Moves the boundary and lets go of what lies before it; how many chunks and rows.

    `connection` commits by itself. Ends early when it is told to stop; call it again.
    """
    connection.execute(MOVE, (before_ms, tables[0].what, before_ms))
    gone = 0
    for table in tables:
        if table.chunked and store.kind is not StoreKind.PLAIN:
            while dropped := drop_before(connection, store, table.table, before_ms):
                gone += dropped
        else:
            gone += _delete(connection, table, before_ms, stopped)
    return gone


def _delete(
    connection: Connection, table: Expiring, before_ms: int, stopped: Callable[[], bool]
) -> int:
    """Piece by piece of time, as long as about `ROWS` rows are in it."""
    names = {"table": sql.Identifier(table.table), "column": sql.Identifier(table.column)}
    row = connection.execute(sql.SQL(FIRST).format(**names), (before_ms,)).fetchone()
    delete = sql.SQL(DELETE).format(**names)
    start, length, gone = (row[0] if row else None), SHORTEST_MS, 0
    while start is not None and start < before_ms and not stopped():
        end = min(start + length, before_ms)
        rows = connection.execute(delete, (start, end)).rowcount
        gone += rows
        start = end
        if rows < ROWS // 2:
            length = min(2 * length, DAY_MS)
        elif rows > ROWS:
            length = max(length // 2, SHORTEST_MS)
    return gone
