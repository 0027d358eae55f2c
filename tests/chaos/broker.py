"""A Kafka of a test's own, which may be killed; and its records as a log in a table."""

from __future__ import annotations

import os
import signal

import msgpack
from psycopg import sql

from deploy.native_kafka import NativeKafka
from deploy.process import wait_until
from streams.contracts.frame import Record
from streams.log import OBSERVATION_TOPIC, Log
from streams.storage.connect import connect
from tests.support.namespace import COPIED

READ_RECORDS = 500
ADD_RECORD = """
insert into log_record (topic, partition, "offset", append_ms, headers, body)
values (%s, %s, %s, %s, %s, %s)
"""
SET_BOUNDS = """
update log_partition set next_offset = %s where topic = %s and partition = %s
"""


class Broker:
    """One node. What it acknowledged survives its kill -9: the operating system holds it."""

    def __init__(self, server: NativeKafka) -> None:
        self._server = server

    @property
    def address(self) -> str:
        return self._server.address

    def start(self) -> None:
        """Starts it, or starts it again; returns when it answers."""
        self._server.start()

    def kill(self) -> None:
        """kill -9; returns when it is gone."""
        process = self._server.process()
        assert process is not None, "the broker does not run"
        os.kill(process.pid, signal.SIGKILL)
        assert wait_until(lambda: self._server.process() is None, 10.0), "the broker lives on"

    def purge(self) -> None:
        """Removes everything."""
        self._server.purge()


def copy_kafka_log(conninfo: str, log: Log, source: str, target: str) -> None:
    """Gives the target, whose log is in a table, the records, offsets and catalogue of the source.

    The target has just been migrated with as many partitions, and nothing else was done to it.
    """
    with connect(conninfo, target, "citybrain test") as connection:
        for table in COPIED[:-1]:
            names = {"table": sql.Identifier(table), "source": sql.Identifier(source)}
            connection.execute(sql.SQL("delete from {table}").format(**names))
            connection.execute(
                sql.SQL(
                    "insert into {table} overriding system value select * from {source}.{table}"
                ).format(**names)
            )
        for partition in range(log.partitions()):
            with connection.cursor() as cursor:
                cursor.executemany(
                    ADD_RECORD,
                    [
                        (
                            OBSERVATION_TOPIC,
                            partition,
                            record.offset,
                            record.append_ms,
                            msgpack.packb(dict(record.headers)),
                            record.body,
                        )
                        for record in all_records(log, partition)
                    ],
                )
            end = log.end(partition)
            connection.execute(SET_BOUNDS, (end, OBSERVATION_TOPIC, partition))


def all_records(log: Log, partition: int) -> list[Record]:
    """Every record that can be read, in order."""
    found: list[Record] = []
    offset = log.first(partition)
    while offset < log.end(partition) and (more := log.read(partition, offset, READ_RECORDS)):
        found += more
        offset = more[-1].offset + 1
    return found
