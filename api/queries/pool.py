"""How the API's pools of connections are made, and how the driver's errors are told, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeAlias

import psycopg
from psycopg import IsolationLevel
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from streams.errors import Unavailable

Connection: TypeAlias = psycopg.AsyncConnection[TupleRow]
Pool: TypeAlias = AsyncConnectionPool[Connection]
SET = (
    "select set_config(name, setting, false)"
    " from unnest(%s::text[], %s::text[]) as given (name, setting)"
)


class UnknownNamespace(LookupError):
    """No such namespace, or it is not migrated to what this program reads."""


class Unanswerable(ValueError):
    """The question has no answer for these values: a division by zero, a number out of range."""


def make_pool(
    conninfo: str,
    application: str,
    session: Mapping[str, str],
    *,
    size: int,
    wait_s: float,
    isolation: IsolationLevel | None = None,
) -> Pool:
    """A pool that is not open yet. `session`: settings of every connection, by name."""

    async def configure(connection: Connection) -> None:
        await connection.set_isolation_level(isolation)
        await connection.execute(SET, (list(session), list(session.values())))

    return AsyncConnectionPool(
        conninfo,
        open=False,
        min_size=1,
        max_size=size,
        timeout=wait_s,
        reconnect_timeout=60,
        kwargs={"autocommit": True, "application_name": application, "connect_timeout": 3},
        configure=configure,
        check=AsyncConnectionPool.check_connection,
    )


@contextmanager
def translated() -> Iterator[None]:
    """What may pass becomes `Unavailable`, a missing table `UnknownNamespace`, values that the
    database refuses `Unanswerable`; others stay bugs."""
    try:
        yield
    except (PoolTimeout, PoolClosed) as error:
        raise Unavailable("the database does not answer") from error
    except psycopg.errors.UndefinedTable as error:
        raise UnknownNamespace(f"not migrated to this version: {error}") from error
    except psycopg.DataError as error:
        raise Unanswerable(str(error).partition("\n")[0]) from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise Unavailable(f"database: {error}".strip()) from error
