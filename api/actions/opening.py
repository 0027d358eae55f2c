"""Connections that write: a few, each lent for one thing that somebody does in one namespace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg_pool import ConnectionPool

from api.actions.database import SESSION
from api.actions.trail import act_from
from api.queries.database import NAME
from api.queries.pool import SET, UnknownNamespace, translated
from streams.storage.connect import Connection
from streams.storage.connect import translated as transient


class WritingPool:
    """Owns the connections. Blocking: use it in a thread. An unreachable server shows at use."""

    def __init__(self, conninfo: str, *, size: int = 4, wait_s: float = 3.0) -> None:
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            conninfo,
            open=False,
            min_size=0,
            max_size=size,
            timeout=wait_s,
            reconnect_timeout=60,
            kwargs={
                "autocommit": True,
                "application_name": "citybrain acting",
                "connect_timeout": 3,
            },
            configure=_configure,
            check=ConnectionPool.check_connection,
        )

    def open(self) -> None:
        """Starts the pool without waiting for the server."""
        self._pool.open(wait=False)

    def close(self) -> None:
        """Gives all connections back."""
        self._pool.close()

    @contextmanager
    def writing(self, namespace: str, address: str = "") -> Iterator[Connection]:
        """A connection in this namespace, for who asks from this address.

        Raises `UnknownNamespace`, `Unavailable`, or `Unanswerable` for what cannot be stored.
        """
        if not NAME.fullmatch(namespace):
            raise UnknownNamespace(namespace)
        with translated(), transient(), self._pool.connection() as connection:
            connection.execute("select set_config('search_path', %s, false)", (namespace,))
            act_from(connection, address)
            yield connection


def _configure(connection: Connection) -> None:
    connection.execute(SET, (list(SESSION), list(SESSION.values())))
