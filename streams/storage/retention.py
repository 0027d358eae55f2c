"""Keeps the embedded log and the region log from growing for ever.

Records go when they are older than the topic's retention AND before the checkpoint: a restart never
misses one. The last record before the checkpoint stays, the log is recognised by it. Clock rows of
the region log go once the region stage has passed them; the newest stay, they are the areas' clock.
"""

from __future__ import annotations

import time

from streams.contracts.topics import OBSERVATION, TOPICS
from streams.storage.connect import Connection, connect, translated

EVERY_S = 600.0
AGAIN_S = 1.0  # after a full batch
BATCH = 20_000
KEEP_MS = next(t.retention_ms for t in TOPICS if t.name == OBSERVATION)

DELETE_RECORDS = """
with old as (
    select r.topic, r.partition, r."offset"
    from log_record r join position p using (topic, partition)
    where r."offset" < p.checkpoint_offset - 1
      and r.append_ms < (extract(epoch from now()) * 1000)::bigint - %s
    order by r.topic, r.partition, r."offset" limit %s
), gone as (
    delete from log_record r using old
    where (r.topic, r.partition, r."offset") = (old.topic, old.partition, old."offset")
    returning r.topic, r.partition, r."offset"
), moved as (
    update log_partition l set first_offset = greatest(l.first_offset, g.last + 1)
    from (select topic, partition, max("offset") as last from gone group by topic, partition) g
    where (l.topic, l.partition) = (g.topic, g.partition)
)
select count(*) from gone
"""
DELETE_CLOCKS = """
delete from region_log where id in (
    select r.id from region_log r join position p on p.topic = 'region' and p.partition = 0
    where r.kind = 'clock' and r.id < p.next_offset - 1000 order by r.id limit %s
)
"""


class Retention:
    """A follower of the host: at most one short transaction every `every_s` seconds."""

    def __init__(
        self,
        conninfo: str,
        namespace: str,
        keep_ms: int | None = KEEP_MS,
        every_s: float = EVERY_S,
    ) -> None:
        self._conninfo, self._namespace = conninfo, namespace
        self._keep_ms, self._every_s = keep_ms, every_s
        self._connection: Connection | None = None
        self._next = time.monotonic() + every_s

    def step(self) -> int:
        """Deletes one batch when it is time; 0, for nothing waits for it."""
        if time.monotonic() >= self._next:
            more = self.prune()
            self._next = time.monotonic() + (AGAIN_S if more else self._every_s)
        return 0

    def prune(self) -> bool:
        """Deletes at most `BATCH` rows of each kind; whether more may wait."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._conninfo, self._namespace, "citybrain retention")
        with translated(), self._connection.transaction():
            gone = 0
            if self._keep_ms is not None:
                found = self._connection.execute(DELETE_RECORDS, (self._keep_ms, BATCH)).fetchone()
                gone = int(found[0]) if found is not None else 0
            return max(gone, self._connection.execute(DELETE_CLOCKS, (BATCH,)).rowcount) >= BATCH

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
