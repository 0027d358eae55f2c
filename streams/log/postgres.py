"""The embedded log: a table in the namespace's schema.

Offsets are given under the row lock of `log_partition`, which is held until the append is
committed: a reader that sees offset n sees everything before it (a bare sequence would become
visible out of order and a cursor would skip). NOTIFY is an empty wake-up beside polling.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgpack
from psycopg import sql

from streams.contracts.frame import Record
from streams.errors import Unavailable
from streams.log import OBSERVATION_TOPIC, Entry
from streams.storage.connect import Connection, connect, translated

APPEND = """
with taken as (
    update log_partition set next_offset = next_offset + %(count)s
    where topic = %(topic)s and partition = %(partition)s
    returning next_offset - %(count)s as first
), stored as (
    insert into log_record (topic, partition, "offset", append_ms, headers, body)
    select %(topic)s, %(partition)s, taken.first + entry.number - 1,
           (extract(epoch from clock_timestamp()) * 1000)::bigint, entry.headers, entry.body
    from taken, unnest(%(headers)b::bytea[], %(bodies)b::bytea[])
         with ordinality as entry (headers, body, number)
)
select first from taken
"""

# octet_length of an external value reads its length from the pointer, not the value.
READ = """
select "offset", append_ms, headers, body
from (
    select r.*, sum(octet_length(body)) over (order by "offset") - octet_length(body) as before
    from (
        select * from log_record
        where topic = %(topic)s and partition = %(partition)s and "offset" >= %(offset)s
        order by "offset" limit %(count)s
    ) r
) sized
where before < %(bytes)s
order by "offset"
"""

BOUNDS = """
select p.first_offset, p.next_offset
from log_partition p where p.topic = %s and p.partition = %s
"""


class PostgresLog:
    """A `Log` in PostgreSQL. Safe to share between threads; one call at a time."""

    def __init__(self, conninfo: str, namespace: str, topic: str = OBSERVATION_TOPIC) -> None:
        self._conninfo = conninfo
        self._namespace = namespace
        self._topic = topic
        self._connection: Connection | None = None
        self._listener: Connection | None = None
        self._lock = threading.Lock()
        self._listening = threading.Lock()

    def append(self, partition: int, entries: Sequence[Entry]) -> int:
        if not entries:
            raise ValueError("nothing to append")
        values = {
            "topic": self._topic,
            "partition": partition,
            "count": len(entries),
            "headers": [msgpack.packb(dict(headers)) for headers, _ in entries],
            "bodies": [body for _, body in entries],
        }
        with self._lock, self._using() as connection, connection.transaction():
            row = connection.execute(APPEND, values).fetchone()
            if row is None:
                raise ValueError(f"no partition {partition}")
            connection.execute("select pg_notify(%s, '')", (self._channel(),))
        return int(row[0])

    def read(
        self, partition: int, offset: int, max_records: int = 1000, max_bytes: int = 8 << 20
    ) -> list[Record]:
        values = {
            "topic": self._topic,
            "partition": partition,
            "offset": offset,
            "count": max_records,
            "bytes": max_bytes,
        }
        with self._lock, self._using() as connection:
            rows = connection.execute(READ, values, binary=True).fetchall()
        unpack = msgpack.unpackb
        return [Record(number, ms, unpack(headers), body) for number, ms, headers, body in rows]

    def first(self, partition: int) -> int:
        return self._bounds(partition)[0]

    def end(self, partition: int) -> int:
        return self._bounds(partition)[1]

    def partitions(self) -> int:
        with self._lock, self._using() as connection:
            row = connection.execute(
                "select count(*) from log_partition where topic = %s", (self._topic,)
            ).fetchone()
        return int(row[0]) if row else 0

    def identity(self) -> str:
        with self._lock, self._using() as connection:
            row = connection.execute("select log_id::text from namespace").fetchone()
        if row is None:
            raise ValueError(f"namespace {self._namespace} has no identity: migrate it first")
        return str(row[0])

    def wait(self, timeout_s: float) -> bool:
        """Waits on a connection of its own. An append before the first call is not announced."""
        with self._listening:
            try:
                with translated():
                    listener = self._listen()
                    return any(True for _ in listener.notifies(timeout=timeout_s, stop_after=1))
            except Unavailable:
                self._drop_listener()
                raise

    def close(self) -> None:
        with self._lock:
            self._drop()
        with self._listening:
            self._drop_listener()

    def _bounds(self, partition: int) -> tuple[int, int]:
        with self._lock, self._using() as connection:
            row = connection.execute(BOUNDS, (self._topic, partition)).fetchone()
        if row is None:
            raise ValueError(f"no partition {partition}")
        return int(row[0]), int(row[1])

    def _channel(self) -> str:
        return f"{self._namespace}_log"

    @contextmanager
    def _using(self) -> Iterator[Connection]:
        """The connection, opened on demand, dropped when it broke."""
        try:
            with translated():
                if self._connection is None or self._connection.closed:
                    self._connection = connect(
                        self._conninfo,
                        self._namespace,
                        f"citybrain log {self._namespace}",
                        autocommit=True,
                    )
                yield self._connection
        except Unavailable:
            self._drop()
            raise

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _listen(self) -> Connection:
        if self._listener is None or self._listener.closed:
            self._listener = connect(
                self._conninfo, self._namespace, f"citybrain log {self._namespace}", autocommit=True
            )
            self._listener.execute(sql.SQL("listen {}").format(sql.Identifier(self._channel())))
        return self._listener

    def _drop_listener(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
