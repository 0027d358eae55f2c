"""A pool of read-only connections, and a reader that sees one namespace in one snapshot."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg import IsolationLevel
from psycopg.rows import class_row, dict_row

from api.queries.composed import Composed
from api.queries.pool import Connection, Unanswerable, UnknownNamespace, make_pool, translated
from api.queries.scope import REACH, WHOLE, scoped
from api.queries.statements import statements

T = TypeVar("T")

BATCH_ROWS = 500  # turned into text in one go: the event loop waits so long
ORDER_MARK = b"\n-- order\n"
NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
SESSION = {
    "timezone": "UTC",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "30s",
    "default_transaction_read_only": "on",
}


@contextmanager
def _answerable() -> Iterator[None]:
    try:
        yield
    except psycopg.DataError as error:
        raise Unanswerable(str(error.diag.message_primary or error)) from error


class Reader:
    """Runs named statements inside one namespace; everything it reads is of one snapshot.

    With a `reach` (what codes begin with) it sees nothing of other areas: see `api.queries.scope`.
    """

    def __init__(
        self, connection: Connection, namespace: str, reach: Sequence[str] | None = None
    ) -> None:
        self._connection = connection
        self._reach = None if reach is None else list(reach)
        self.namespace = namespace

    @property
    def limited(self) -> bool:
        """Whether rows of some areas are left out."""
        return self._reach is not None

    async def rows(self, kind: type[T], statement: str, /, **given: object) -> list[T]:
        """All rows of the statement as `kind`, whose fields are the columns by name."""
        async with self._connection.cursor(row_factory=class_row(kind)) as cursor:
            await cursor.execute(*self._named(statement, given))
            return await cursor.fetchall()

    async def row(self, kind: type[T], statement: str, /, **given: object) -> T | None:
        """The first row, or None."""
        found = await self.rows(kind, statement, **given)
        return found[0] if found else None

    async def column(self, statement: str, **given: object) -> list[Any]:
        """The first column of all rows."""
        return await self._column(*self._named(statement, given))

    async def count(self, statement: str, most: int, **given: object) -> int:
        """How many rows the statement has beyond its `limit`, counted up to `most`; its text before
        the line `-- order` is what counts."""
        inner = statements()[statement].partition(ORDER_MARK)[0]
        text = b"select count(*) from (%b limit %%(most)s) counted" % inner
        (found,) = await self._column(*self._cut(text, {**given, "most": most}))
        return int(found)

    async def stream(
        self, kind: type[T], statement: str, /, **given: object
    ) -> AsyncIterator[Sequence[T]]:
        """The rows in batches through a cursor of the server: never all in memory."""
        cursor = self._connection.cursor(name="stream", row_factory=class_row(kind))
        async with cursor:
            await cursor.execute(*self._named(statement, given))
            while rows := await cursor.fetchmany(BATCH_ROWS):
                yield rows

    async def page(self, query: Composed, limit: int, offset: int = 0) -> list[dict[str, Any]]:
        """Rows of a composed query. Raises `Unanswerable`, after which nothing more can be read."""
        text, given = self._cut(*query.rows(limit, offset))
        with _answerable():
            async with self._connection.cursor(row_factory=dict_row) as cursor:
                await cursor.execute(text, given)
                return await cursor.fetchall()

    async def total(self, query: Composed) -> int:
        """How many rows a composed query has. Raises `Unanswerable`."""
        with _answerable():
            (found,) = await self._column(*self._cut(*query.count()))
            return int(found)

    def _named(
        self, statement: str, given: Mapping[str, object]
    ) -> tuple[bytes, Mapping[str, object]]:
        text = statements()[statement]
        return (text, given) if statement in WHOLE else self._cut(text, given)

    def _cut(self, text: bytes, given: Mapping[str, object]) -> tuple[bytes, Mapping[str, object]]:
        if self._reach is None:
            return text, given
        return scoped(text, self.namespace), {**given, REACH: self._reach}

    async def _column(self, text: bytes, given: Mapping[str, object]) -> list[Any]:
        cursor = await self._connection.execute(text, given)
        return [row[0] for row in await cursor.fetchall()]


class Database:
    """Owns the pool. Open it before use; an unreachable server shows at the first read."""

    def __init__(self, conninfo: str, *, size: int = 4, wait_s: float = 3.0) -> None:
        self._pool = make_pool(
            conninfo,
            "citybrain api",
            SESSION,
            size=size,
            wait_s=wait_s,
            isolation=IsolationLevel.REPEATABLE_READ,
        )

    async def open(self) -> None:
        """Starts the pool without waiting for the server."""
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Gives all connections back."""
        await self._pool.close()

    @asynccontextmanager
    async def reading(
        self, namespace: str, reach: Sequence[str] | None = None
    ) -> AsyncIterator[Reader]:
        """A reader in this namespace, of all areas or of those whose codes begin with `reach`.

        A reach over all areas of the namespace is no limit. Raises `UnknownNamespace` or
        `Unavailable`.
        """
        if not NAME.fullmatch(namespace):
            raise UnknownNamespace(namespace)
        async with self._session() as connection, connection.transaction():
            await connection.execute("select set_config('search_path', %s, true)", (namespace,))
            reader = Reader(connection, namespace)
            if await reader.column("namespace_table") == [None]:
                raise UnknownNamespace(namespace)
            if reach is not None and await reader.column("covers_all", reach=list(reach)) != [True]:
                reader = Reader(connection, namespace, reach)
            yield reader

    async def namespaces(self) -> list[str]:
        """Names of the schemas that are namespaces and may be read, sorted."""
        async with self._session() as connection:
            return [str(name) for name in await Reader(connection, "").column("namespace_names")]

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Connection]:
        with translated():
            async with self._pool.connection() as connection:
                yield connection
