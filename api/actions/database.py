"""A pool of writing connections: one transaction for each thing that somebody does.

What was done and its line in the audit are committed together, or not at all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from api.queries.database import NAME
from api.queries.pool import Connection, UnknownNamespace, make_pool, translated
from api.queries.statements import statements_of

T = TypeVar("T")
SESSION = {
    "timezone": "UTC",
    "statement_timeout": "15s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "30s",
}


class Desk:
    """One transaction in one namespace, in which named statements of `api/actions/sql` run."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        self.connection = connection
        self.namespace = namespace

    async def run(self, statement: str, /, **given: object) -> int:
        """How many rows the statement touched."""
        cursor = await self.connection.execute(_text(statement), given)
        return cursor.rowcount

    async def rows(self, kind: type[T], statement: str, /, **given: object) -> list[T]:
        """All rows as `kind`, whose fields are the columns by name."""
        async with self.connection.cursor(row_factory=class_row(kind)) as cursor:
            await cursor.execute(_text(statement), given)
            return await cursor.fetchall()

    async def row(self, kind: type[T], statement: str, /, **given: object) -> T | None:
        """The first row, or None."""
        found = await self.rows(kind, statement, **given)
        return found[0] if found else None

    async def value(self, statement: str, /, **given: object) -> Any:
        """The first column of the first row; None when there is no row."""
        cursor = await self.connection.execute(_text(statement), given)
        row = await cursor.fetchone()
        return None if row is None else row[0]

    async def column(self, statement: str, /, **given: object) -> list[Any]:
        """The first column of all rows."""
        cursor = await self.connection.execute(_text(statement), given)
        return [row[0] for row in await cursor.fetchall()]

    async def note(
        self, who: str, what: str, detail: Mapping[str, Any], *, address: str | None = None
    ) -> None:
        """A line of the audit: who did what."""
        await self.run("note", who=who, what=what, detail=Jsonb(dict(detail)), address=address)

    async def note_refused(
        self,
        who: str,
        what: str,
        detail: Mapping[str, Any],
        *,
        address: str | None = None,
        times: int = 1,
    ) -> None:
        """A line of the audit: what somebody tried, so many times."""
        content = Jsonb(dict(detail))
        await self.run("refused", who=who, what=what, detail=content, address=address, times=times)


class ActionDatabase:
    """Owns the pool. Open it before use; an unreachable server shows at the first action."""

    def __init__(self, conninfo: str, *, size: int = 4, wait_s: float = 3.0) -> None:
        self._pool = make_pool(conninfo, "citybrain actions", SESSION, size=size, wait_s=wait_s)

    async def open(self) -> None:
        """Starts the pool without waiting for the server."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Gives all connections back."""
        await self._pool.close()

    @asynccontextmanager
    async def acting(self, namespace: str) -> AsyncIterator[Desk]:
        """A transaction in this namespace. Raises `UnknownNamespace` or `Unavailable`."""
        if not NAME.fullmatch(namespace):
            raise UnknownNamespace(namespace)
        with translated():
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute("select set_config('search_path', %s, true)", (namespace,))
                yield Desk(connection, namespace)


@asynccontextmanager
async def opened(conninfo: str) -> AsyncIterator[ActionDatabase]:
    """A database for one call, closed at the end."""
    database = ActionDatabase(conninfo, size=1, wait_s=10.0)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


def _text(statement: str) -> bytes:
    return statements_of(str(__package__))[statement]
