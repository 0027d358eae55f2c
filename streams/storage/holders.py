"""Processes that were stopped while they held a lock: whoever waits for it ends them.

A stopped process keeps locks that everybody needs: of rows, in its recomputer, region runner or
numbering; of the new chunk of a hypertable, which every other COPY of that day waits for, in its
commit; of a table, in its upkeep. Whoever holds more than a reader's lock and leaves the server
waiting for its next word is ended: a process that is only slow connects again and loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from streams.storage.connect import Connection

LOCK_WAIT_MS = 3_000  # one waits so long for a lock before one looks who holds it
SILENT_MS = 2_000  # and ends holders that have said nothing for so long
END_SILENT_HOLDERS = """
select pg_terminate_backend(a.pid, 5000)
from pg_stat_activity a
where a.pid in (select l.pid
                from pg_locks l join pg_class c on c.oid = l.relation
                join pg_namespace n on n.oid = c.relnamespace
                where l.granted and l.mode <> 'AccessShareLock'
                  and n.nspname in (current_schema(), '_timescaledb_internal'))
  and a.datname = current_database() and a.pid <> pg_backend_pid()
  and starts_with(a.application_name, 'citybrain ')
  and a.wait_event = 'ClientRead'
  and a.state_change < clock_timestamp() - %(silent_ms)s * interval '1 millisecond'
"""


def wait_briefly(connection: Connection) -> None:
    """Until the end of this transaction no statement waits longer than `LOCK_WAIT_MS`."""
    connection.execute("select set_config('lock_timeout', %s, true)", (str(LOCK_WAIT_MS),))


@contextmanager
def ending_silent_holders(connection: Connection) -> Iterator[None]:
    """Around a transaction that waits briefly. Raises its `LockNotAvailable`: say the same again,
    nobody silent is in the way then."""
    try:
        yield
    except psycopg.errors.LockNotAvailable:
        end_silent_holders(connection)
        raise


def end_silent_holders(connection: Connection) -> None:
    """Ends the backends whose process was stopped in a transaction that others wait for."""
    connection.execute(END_SILENT_HOLDERS, {"silent_ms": SILENT_MS})
    connection.commit()
