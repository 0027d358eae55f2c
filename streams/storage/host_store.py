"""What a host asks of the store besides committing: versions, catalogue, heartbeat, numbering."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from streams.contracts.reason import NamespaceKind
from streams.errors import Unavailable
from streams.storage.alerts import json_text
from streams.storage.connect import Connection, connect, translated
from streams.storage.migrate import namespace_kind, property_ids
from streams.storage.sequencer import number_outbox

BEAT = """
insert into worker (name, pid, started, beat, detail)
values (%s, %s, clock_timestamp(), clock_timestamp(), %s::jsonb)
on conflict (name) do update set
    started = case when worker.pid = excluded.pid then worker.started else excluded.started end,
    pid = excluded.pid, beat = excluded.beat, detail = excluded.detail
"""
FORGET_WORKERS = """
delete from worker where name <> %s and beat < clock_timestamp() - %s * interval '1 second'
"""
KEEP_ENDS = """
update log_partition l
set first_offset = greatest(l.first_offset, f.first), next_offset = greatest(l.next_offset, f.next)
from unnest(%s::int[], %s::bigint[], %s::bigint[]) as f (partition, first, next)
where l.topic = %s and l.partition = f.partition
  and (l.first_offset < f.first or l.next_offset < f.next)
"""
STALE_S = 60.0  # a worker that was silent for so long is gone


class HostStore:
    """One connection of its own, opened on demand. Every method may raise `Unavailable`."""

    def __init__(self, conninfo: str, namespace: str) -> None:
        self._conninfo = conninfo
        self._namespace = namespace
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def kind(self) -> NamespaceKind:
        """What the namespace is for."""
        with self._using() as connection:
            return namespace_kind(connection)

    def property_ids(self) -> dict[str, int]:
        """Property name → catalogue id."""
        with self._using() as connection:
            return property_ids(connection)

    def versions(self, wanted: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """Contents of these versions by hash; what is not stored is left out."""
        hashes = sorted(wanted)
        if not hashes:
            return {}
        with self._using() as connection:
            return dict(
                connection.execute(
                    "select version, content from config_version where version = any(%s)",
                    (hashes,),
                ).fetchall()
            )

    def number_outbox(self) -> int:
        """Numbers committed messages; see `streams.storage.sequencer`."""
        with self._using() as connection:
            return number_outbox(connection)

    def beat(
        self,
        name: str,
        detail: Mapping[str, Any],
        topic: str = "",
        ends: Mapping[int, tuple[int, int]] | None = None,
    ) -> None:
        """Says that the host's loop turns; workers that have been silent for long are forgotten.

        `ends` are first and next offset of partitions of a log that is not in the database.
        """
        with self._using() as connection:
            connection.execute(BEAT, (name, os.getpid(), json_text(detail)))
            connection.execute(FORGET_WORKERS, (name, STALE_S))
            if ends:
                firsts, nexts = zip(*ends.values(), strict=True)
                connection.execute(KEEP_ENDS, (list(ends), list(firsts), list(nexts), topic))

    def close(self) -> None:
        """Gives the connection back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _using(self) -> Iterator[Connection]:
        with self._lock:
            try:
                with translated():
                    yield self._open()
            except Unavailable:
                self.close()
                raise

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(
                self._conninfo,
                self._namespace,
                f"citybrain host {self._namespace}",
                autocommit=True,
            )
        return self._connection
