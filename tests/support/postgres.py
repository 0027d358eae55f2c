"""One embedded PostgreSQL for the whole test run, and a namespace of its own for every test.

What an earlier run left because it was killed is removed at the next start.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from deploy.postgres import EmbeddedPostgres
from deploy.process import ProcessIdentity

_PREFIX = "citybrain-test-"
_OWNER = "owner.json"


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A running server in a temporary var folder (`postgres.home.var_dir`), removed at the end."""
    sweep()
    var_dir = Path(tempfile.mkdtemp(prefix=_PREFIX))
    own_process().save(var_dir / _OWNER)
    server = EmbeddedPostgres(var_dir)
    try:
        server.start()
        yield server
    finally:
        server.purge()
        shutil.rmtree(var_dir)


@pytest.fixture(scope="session")
def database_url(request: pytest.FixtureRequest) -> str:
    """The libpq connection string of the run's server; `every_store` tests get two in turn."""
    if getattr(request, "param", "plain") == "timescale":
        return str(request.getfixturevalue("native_timescale"))
    server = request.getfixturevalue("postgres")
    assert isinstance(server, EmbeddedPostgres)
    return server.conninfo


@pytest.fixture
def make_namespace(database_url: str) -> Iterator[Callable[[], str]]:
    """Gives unused schema names; the schemas are dropped when the test ends. Makes no schema."""
    given: list[str] = []

    def make() -> str:
        given.append(f"test_{uuid.uuid4().hex[:16]}")
        return given[-1]

    yield make
    with psycopg.connect(database_url, autocommit=True) as connection:
        for name in given:
            connection.execute(
                sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(name))
            )


@pytest.fixture
def namespace(make_namespace: Callable[[], str]) -> str:
    """One unused schema name, dropped when the test ends."""
    return make_namespace()


def own_process() -> ProcessIdentity:
    """This test run, in a form that a later one can ask whether it still lives."""
    identity = ProcessIdentity.of(os.getpid())
    assert identity is not None
    return identity


def sweep() -> None:
    """Removes servers and folders of test runs that no longer live."""
    for var_dir in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            dead = (var_dir / _OWNER).exists() and ProcessIdentity.load(var_dir / _OWNER) is None
            if dead:
                EmbeddedPostgres(var_dir).purge()
                shutil.rmtree(var_dir)
        except PermissionError:  # another user's run
            continue
