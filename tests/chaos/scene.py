"""Servers for one test that breaks them: an embedded PostgreSQL, or Kafka and TimescaleDB."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from deploy.native_kafka import NativeKafka
from deploy.native_timescale import NativeTimescale
from deploy.postgres import EmbeddedPostgres
from tests.chaos.broker import Broker
from tests.chaos.database import Database
from tests.chaos.hosts import FaustHost, Host, TableHost
from tests.support.native import free_settings, make_var_dir, start_or_skip


@contextmanager
def scene_of(name: str) -> Iterator[tuple[Host, Database]]:
    """`table`: one process on the log in a table; `faust`: a group on Kafka, into TimescaleDB.

    Skips where the native servers can't be had (fails with CI=true).
    """
    var_dir = make_var_dir()
    settings = free_settings()
    server = EmbeddedPostgres(var_dir) if name == "table" else NativeTimescale(var_dir, settings)
    kafka = NativeKafka(var_dir, settings)
    database = Database(server)
    try:
        if isinstance(server, NativeTimescale):
            start_or_skip(server)
            start_or_skip(kafka)
            host: Host = FaustHost(Broker(kafka))
        else:
            database.start()
            host = TableHost()
        database.make_disk()
        yield host, database
    finally:
        kafka.purge()
        database.purge()
        shutil.rmtree(var_dir)
