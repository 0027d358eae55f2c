"""How to reach the database and the log once they answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Addresses:
    """`kafka` is None where the log is a table. `database` may hold a password:
    never log it."""

    database: str
    kafka: str | None = None
    reader_password: str | None = None  # for the dashboards' role, where one was made
