"""A pool of writing connections: one transaction for each thing that somebody does.

What was done and its line in the audit are committed together, or not at all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from api.queries.database import NAME, UnknownNamespace
from api.queries.statements import statements_of
from streams.errors import Unavailable

T = TypeVar("T")
Connection = psycopg.AsyncConnection[TupleRow]
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
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            conninfo,
            open=False,
            min_size=1,
            max_size=size,
            timeout=wait_s,
            reconnect_timeout=60,
            kwargs={
                "autocommit": True,
                "application_name": "citybrain actions",
                "connect_timeout": 3,
            },
            configure=_configure,
            check=AsyncConnectionPool.check_connection,
        )

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
        try:
            async with self._pool.connection() as connection, connection.transaction():
                await connection.execute("select set_config('search_path', %s, true)", (namespace,))
                yield Desk(connection, namespace)
        except (PoolTimeout, PoolClosed) as error:
            raise Unavailable("the database does not answer") from error
        except psycopg.errors.UndefinedTable as error:
            raise UnknownNamespace(f"not migrated to this version: {error}") from error
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise Unavailable(f"database: {error}".strip()) from error


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


async def _configure(connection: Connection) -> None:
    await connection.execute(
        "select set_config(name, setting, false)"
        " from unnest(%s::text[], %s::text[]) as given (name, setting)",
        (list(SESSION), list(SESSION.values())),
    )
