"""Stores of the tests: suites marked `every_store` run on plain PostgreSQL and on TimescaleDB."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

STORES = ("plain", "timescale")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives a marked test both servers in turn."""
    marked = metafunc.definition.get_closest_marker("every_store") is not None
    if marked and "database_url" in metafunc.fixturenames:
        metafunc.parametrize("database_url", STORES, indirect=True, scope="session")


@pytest.fixture
def bare_database(native_timescale: str) -> Iterator[str]:
    """A database where TimescaleDB is not yet, but could be."""
    name = f"citybrain_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(native_timescale, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template template0").format(sql.Identifier(name))
        )
        yield make_conninfo(native_timescale, dbname=name)
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def add_extension(conninfo: str) -> None:
    """Makes the database one with TimescaleDB."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("create extension if not exists timescaledb")
