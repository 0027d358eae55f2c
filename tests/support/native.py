"""One Apache Kafka and one PostgreSQL with TimescaleDB for the whole test run, started natively.

`CITYBRAIN_TEST_KAFKA` (host:port) and `CITYBRAIN_TEST_TIMESCALE` (libpq connection string of a
superuser) name running servers instead; a database of our own is made there. Where neither can be
had the test is skipped with the reason, and fails where everything must be there (CI=true).
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from deploy.native_kafka import NativeKafka
from deploy.native_settings import NativeSettings
from deploy.native_timescale import NativeTimescale
from deploy.process import ProcessIdentity
from streams.errors import Misconfigured, Unavailable
from tests.support.postgres import own_process

PREFIX = "citybrain-native-"
_OWNER = "owner.json"


@pytest.fixture(scope="session")
def native_kafka() -> Iterator[str]:
    """The bootstrap address of a broker. Name your own topics and groups, e.g. by uuid."""
    given = os.environ.get("CITYBRAIN_TEST_KAFKA")
    if given:
        yield given
        return
    var_dir = make_var_dir()
    server = NativeKafka(var_dir, free_settings())
    try:
        yield start_or_skip(server)
    finally:
        server.purge()
        shutil.rmtree(var_dir)


@pytest.fixture(scope="session")
def native_timescale() -> Iterator[str]:
    """The libpq connection string of a database with the extension. Make your own namespaces."""
    given = os.environ.get("CITYBRAIN_TEST_TIMESCALE")
    if given:
        yield from _database_in(given)
        return
    var_dir = make_var_dir()
    server = NativeTimescale(var_dir, free_settings())
    try:
        yield start_or_skip(server)
    finally:
        server.purge()
        shutil.rmtree(var_dir)


def start_or_skip(server: NativeKafka | NativeTimescale) -> str:
    """Its address once it answers; see the module for what happens where it can't be had."""
    try:
        return server.start(timeout_s=180.0)
    except (Misconfigured, Unavailable) as error:
        not_here(f"no {server.name} by `--infra native` here: {error}")


def not_here(reason: str) -> NoReturn:
    """Skips; fails where everything must be there (CI=true)."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def free_settings() -> NativeSettings:
    """Ports that nobody uses at this moment."""
    kafka, controller, postgres = _free_ports(3)
    return NativeSettings(
        kafka_port=kafka, kafka_controller_port=controller, postgres_port=postgres
    )


def make_var_dir() -> Path:
    """A temporary var folder; what killed test runs left in theirs is stopped and removed."""
    sweep()
    var_dir = Path(tempfile.mkdtemp(prefix=PREFIX))
    own_process().save(var_dir / _OWNER)
    return var_dir


def sweep() -> None:
    """Removes servers and folders of test runs that no longer live."""
    for var_dir in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            dead = (var_dir / _OWNER).exists() and ProcessIdentity.load(var_dir / _OWNER) is None
            if dead:
                NativeKafka(var_dir, NativeSettings()).purge()
                NativeTimescale(var_dir, NativeSettings()).purge()
                shutil.rmtree(var_dir)
        except PermissionError:  # another user's run
            continue


def _database_in(server: str) -> Iterator[str]:
    name = f"citybrain_test_{uuid.uuid4().hex[:12]}"
    conninfo = make_conninfo(server, dbname=name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            with psycopg.connect(conninfo, autocommit=True) as inside:
                inside.execute("create extension if not exists timescaledb")
            yield conninfo
        finally:
            connection.execute(
                sql.SQL("drop database {} with (force)").format(sql.Identifier(name))
            )


def _free_ports(count: int) -> list[int]:
    """Different ones: all are held until the last is known."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
