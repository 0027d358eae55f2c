"""Connections to the store and the translation of the driver's errors, once, at the border.

A connection works inside one namespace (its `search_path`), says who it is, and cannot hold locks
for ever: statements, transactions and idle transactions have a timeout on the server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString, TypeAlias

import psycopg
from psycopg import sql

from streams.errors import Unavailable

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
Cursor: TypeAlias = psycopg.Cursor[tuple[Any, ...]]

TRANSACTION_TIMEOUT_S = 120
CONNECT_TIMEOUT_S = 5
# TimescaleDB ends a statement that opens many compressed rows; late rows of a large area may, and
# are bounded by their sensors and times. Without TimescaleDB nothing reads this name.
UNPACKED = "timescaledb.max_tuples_decompressed_per_dml_transaction"
SINCE_TRANSACTION_TIMEOUT = 170_000  # server_version of PostgreSQL 17
# A server's timeout ended the transaction; the server takes no writes (a standby, a full disk).
BUSY_STATES = ("25P03", "25P04", "25006")
BROKEN_QUERY_STATE = "54"  # program limit exceeded: the same statement will fail again


def connect(
    conninfo: str,
    namespace: str,
    application: str = "citybrain",
    *,
    autocommit: bool = False,
    timeout_s: int = TRANSACTION_TIMEOUT_S,
    lock_wait_ms: int = 0,
) -> Connection:
    """A connection into the namespace; times in UTC. Raises `Unavailable` when nothing answers.

    `lock_wait_ms`: how long a statement waits for a lock; 0 = as long as statements may take.
    """
    with translated():
        connection = psycopg.connect(
            conninfo,
            autocommit=True,
            application_name=application[:63],
            connect_timeout=CONNECT_TIMEOUT_S,
        )
        settings = {
            "search_path": namespace,
            "timezone": "UTC",
            "statement_timeout": f"{timeout_s}s",
            "idle_in_transaction_session_timeout": f"{timeout_s}s",
            "lock_timeout": f"{lock_wait_ms}ms",
            "client_min_messages": "warning",
            UNPACKED: "0",
        }
        if connection.info.server_version >= SINCE_TRANSACTION_TIMEOUT:
            settings["transaction_timeout"] = f"{timeout_s}s"
        connection.execute(
            "select set_config(name, setting, false)"
            " from unnest(%s::text[], %s::text[]) as given (name, setting)",
            (list(settings), list(settings.values())),
        )
        connection.autocommit = autocommit
    return connection


@contextmanager
def translated() -> Iterator[None]:
    """Turns "busy, gone, try again" errors of the driver into `Unavailable`; others stay bugs."""
    try:
        yield
    except psycopg.Error as error:
        if is_transient(error):
            raise Unavailable(f"database: {error}".strip()) from error
        raise


def is_transient(error: psycopg.Error) -> bool:
    """Whether the same work may succeed later."""
    state = error.sqlstate or ""
    if isinstance(error, psycopg.InterfaceError):
        return "closed" in str(error) or "lost" in str(error)
    if state in BUSY_STATES:
        return True
    return isinstance(error, psycopg.OperationalError) and not state.startswith(BROKEN_QUERY_STATE)


def execute_script(connection: Connection, script: str) -> None:
    """Runs several statements of a file of ours in one go, without parameters."""
    connection.execute(sql.SQL(_ours(script)))


def _ours(script: str) -> LiteralString:
    """Marks text that comes from a .sql file of this package, never from data."""
    return script
