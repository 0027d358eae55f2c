"""Runs a dashboard's query as Grafana does: as the reading role, with no schema assumed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, sql

from streams.errors import Misconfigured
from streams.storage.connect import Connection, connect, translated
from streams.storage.reader import ROLE

SET_ROLE = sql.SQL("set role {}").format(sql.Identifier(ROLE))


@dataclass(frozen=True, slots=True)
class Answer:
    """Columns and rows of a query, or why the server refused it."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    error: str | None = None


class Reading:
    """Asks queries one by one; a refused one does not end the session."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ask(self, query: str) -> Answer:
        """The text goes to the server as it is, as from Grafana: it must be one of ours."""
        try:
            cursor = self._connection.execute(query.encode())
            columns = tuple(column.name for column in cursor.description or ())
            return Answer(columns, tuple(cursor.fetchall()))
        except psycopg.Error as error:
            if error.sqlstate is None:  # the connection itself
                raise
            return Answer((), (), str(error).splitlines()[0])


@contextmanager
def reading(conninfo: str, namespace: str) -> Iterator[Reading]:
    """A read-only session of the role that dashboards have; `Misconfigured` when it is missing."""
    with (
        translated(),
        connect(conninfo, namespace, "citybrain dashboards", autocommit=True) as open_,
    ):
        try:
            open_.execute(SET_ROLE)
        except (errors.InvalidParameterValue, errors.UndefinedObject, errors.InsufficientPrivilege):
            raise Misconfigured(
                [
                    f"role {ROLE} is missing, or this account is no member of it: run `citybrain "
                    f"migrate`, or let an administrator run `grant {ROLE} to {open_.info.user}`"
                ]
            ) from None
        open_.execute("set search_path = ''")
        open_.execute("set default_transaction_read_only = on")
        open_.execute("set jit = off")
        yield Reading(open_)
