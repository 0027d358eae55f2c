"""The servers to measure on: those that are named, else Kafka and TimescaleDB started natively.

Native ones live in a temporary folder and are removed at the end. `--infra embedded` measures the
embedded PostgreSQL with the log in a table.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.native_kafka import NativeKafka
from deploy.native_timescale import NativeTimescale
from deploy.postgres import EmbeddedPostgres
from streams.settings import Settings
from tests.support.native import free_settings

START_S = 180.0


def add_servers(parser: argparse.ArgumentParser) -> None:
    """The options that say where to measure."""
    parser.add_argument("--database", help="libpq connection string of a running server")
    parser.add_argument("--kafka", help="bootstrap addresses; with --database alone: a table")
    parser.add_argument("--infra", choices=("native", "embedded"), default="native")


@contextmanager
def servers(given: argparse.Namespace) -> Iterator[Settings]:
    """Settings that name the servers, which run inside the block."""
    if given.database:
        yield Settings(database=given.database, kafka=given.kafka)
        return
    var_dir = Path(tempfile.mkdtemp(prefix="citybrain-bench-"))
    try:
        yield from _own(var_dir, given.infra)
    finally:
        shutil.rmtree(var_dir, ignore_errors=True)


def _own(var_dir: Path, infra: str) -> Iterator[Settings]:
    if infra == "embedded":
        embedded = EmbeddedPostgres(var_dir)
        try:
            yield Settings(database=embedded.start(), kafka=None)
        finally:
            embedded.purge()
        return
    native = free_settings()
    broker, database = NativeKafka(var_dir, native), NativeTimescale(var_dir, native)
    try:
        yield Settings(database=database.start(START_S), kafka=broker.start(START_S))
    finally:
        broker.purge()
        database.purge()
