"""The chunks of our hypertables: listed, dropped in pieces, indexed.

All of it needs TimescaleDB, and is content with its Apache edition.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql

from streams.storage.connect import Connection
from streams.storage.fit import HYPERTABLES, Store

# A transaction locks every chunk that it drops, with its indexes; the server's lock table is small.
DEADLOCKS = 5
PIECE = 50
LIST = """
select chunk_schema, chunk_name, ms_of(range_start), ms_of(range_end),
    coalesce(is_compressed, false)
from timescaledb_information.chunks
where hypertable_schema = current_schema() and hypertable_name = %s order by range_start
"""
DROP = "select count(*) from {ts}.drop_chunks({table}::regclass, older_than => at_ms(%s))"
# The reads of one sensor, and late rows, find their way by it. A chunk that still grows has none:
# it would cost more than all the rest of the writing (docs/adr/0013-observation-layout.md).
INDEX = "create index concurrently {name} on {chunk} (sensor, property, t)"
INDEX_STATE = """
select i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid
join pg_namespace n on n.oid = c.relnamespace where n.nspname = %s and c.relname = %s
"""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Rows of start_ms ≤ time < end_ms."""

    schema: str
    name: str
    start_ms: int
    end_ms: int
    compressed: bool


def list_chunks(connection: Connection, table: str) -> list[Chunk]:
    """Oldest first; none on a server without TimescaleDB."""
    there = connection.execute("select to_regclass('timescaledb_information.chunks')").fetchone()
    if there is None or there[0] is None:
        return []
    return [Chunk(*row) for row in connection.execute(LIST, (table,))]


def drop_before(connection: Connection, store: Store, table: str, before_ms: int) -> int:
    """Drops at most `PIECE` of the chunks that lie wholly before; how many."""
    old = [chunk for chunk in list_chunks(connection, table) if chunk.end_ms <= before_ms]
    if not old:
        return 0
    until = old[:PIECE][-1].end_ms
    names = {"ts": sql.Identifier(store.schema), "table": sql.Literal(table)}
    row = connection.execute(sql.SQL(DROP).format(**names), (until,)).fetchone()
    return int(row[0]) if row else 0


def drop_all(connection: Connection, store: Store) -> None:
    """Drops every chunk of the namespace, a piece in each transaction of `connection`.

    It commits by itself. Who still reads them may win a deadlock a few times.
    """
    for hypertable in HYPERTABLES:
        chunks = list_chunks(connection, hypertable.table)
        lost = 0
        while chunks:
            try:
                if not drop_before(connection, store, hypertable.table, chunks[-1].end_ms):
                    break
            except psycopg.errors.DeadlockDetected:
                lost += 1
                if lost == DEADLOCKS:
                    raise


def index_chunk(connection: Connection, chunk: Chunk) -> bool:
    """Gives the chunk its index while others read and write it; false when it had one.

    `connection` commits by itself. What a broken attempt left is removed.
    """
    name = f"{chunk.name}_key"
    state = connection.execute(INDEX_STATE, (chunk.schema, name)).fetchone()
    if state == (True,):
        return False
    if state is not None:
        whole = sql.Identifier(chunk.schema, name)
        connection.execute(sql.SQL("drop index concurrently {}").format(whole))
    connection.execute(
        sql.SQL(INDEX).format(
            name=sql.Identifier(name), chunk=sql.Identifier(chunk.schema, chunk.name)
        )
    )
    return True
