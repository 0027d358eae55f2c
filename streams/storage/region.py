"""The region pipeline's host side: one transaction per step, from the region log to facts.

The log itself is the buffer of the order (`streams.region.order`): a step first reads on to learn
the clocks of the areas, then folds every message that all areas have passed. Position, clocks and
everything computed are stored together, behind the fence of design §6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from streams.alerting.ruleset import RuleSet
from streams.catalog import Profile, Registry, registry_of
from streams.contracts.codec import CONTROL_KINDS
from streams.contracts.domain import Domain
from streams.contracts.outcome import RegionMessage
from streams.contracts.reason import NamespaceKind
from streams.errors import FenceLost, Unavailable
from streams.region.alerts import ORIGINS
from streams.region.order import Clocks
from streams.region.stage import RegionStage
from streams.storage.alerts import write_transitions
from streams.storage.closing import write_closed
from streams.storage.connect import Connection, Cursor, connect, translated
from streams.storage.findings import write_risks
from streams.storage.holders import LOCK_WAIT_MS, ending_silent_holders
from streams.storage.migrate import REGION_TOPIC, namespace_kind
from streams.storage.position import (
    Move,
    adopt_partitions,
    application_name,
    owns,
    pass_fence,
    take_partition,
)
from streams.storage.region_pages import StoredPages
from streams.storage.registry import load_version

CLOCKS = "clocks"
MAX_MESSAGES = 5_000

LOCK_POSITION = """
select next_offset from position
where topic = %s and partition = 0 and owner_epoch = %s for update
"""
# The oldest among the versions that partitions have passed last: every partition is at least there.
ACTIVE_VERSION = """
select v.version from config_active a join config_version v using (version)
where a.kind = %s order by v.created_at, v.version limit 1
"""
READ_CLOCKS = """
select id, area, proc_ms, case when kind = 'clock' then payload else '{}' end, kind
from region_log where id >= %s order by id limit %s
"""
READ_READY = """
select area, sequence, greatest(proc_ms, %(released)s), kind, domain, period, start_ms, payload,
       cause, id
from region_log
where kind <> 'clock' and id < %(before)s
  and (proc_ms >= %(released)s and proc_ms < %(horizon)s
       or proc_ms < %(released)s and id >= %(since)s)
order by greatest(proc_ms, %(released)s), proc_ms, area, sequence
limit %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one step takes: log ids [since, before), messages up to `released_ms`, in order."""

    since: int
    before: int
    clocks: Clocks
    messages: list[RegionMessage]


class RegionRunner:
    """Owner of the region log's position in one namespace, on one connection, for one thread."""

    def __init__(
        self,
        conninfo: str,
        namespace: str,
        domains: Mapping[str, Domain],
        max_messages: int = MAX_MESSAGES,
    ) -> None:
        self._conninfo = conninfo
        self._namespace = namespace
        self._domains = domains
        self._max_messages = max_messages
        self._connection: Connection | None = None
        self._epoch: int | None = None
        self._pages = StoredPages()
        self._versions: tuple[str | None, ...] = ()
        self._registry: Registry | None = None
        self._stage: RegionStage | None = None

    def takeover(self) -> None:
        """Makes the region log ours; the previous owner's next step fails."""
        self._epoch = None  # what we had before may be another's by now
        with self._trouble():
            taken = take_partition(self._open(), self._namespace, REGION_TOPIC, 0, None)
        self._epoch = taken.epoch

    def step(self) -> int:
        """One transaction; how many messages it read or folded (0 = drained).

        Raises `FenceLost` when somebody else took over, `Unavailable` when the database failed
        (then simply call again). Without an active registry there is nothing to fold.
        """
        if self._epoch is None:
            self.takeover()
        with self._trouble():
            connection = self._open()
            with (
                ending_silent_holders(connection),
                connection.transaction(),
                connection.cursor() as cursor,
            ):
                return self._step(cursor)

    def close(self) -> None:
        """Gives the connection back; the log stays ours until somebody takes it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _step(self, cursor: Cursor) -> int:
        self._pages.begin(cursor)
        since = self._lock(cursor)
        stage = self._prepare(cursor)
        if stage is None or self._registry is None:
            return 0
        stretch = self._read(cursor, since, self._registry)
        result = stage.apply(stretch.messages)
        self._pages.put_state(CLOCKS, stretch.clocks.to_dict())
        self._pages.flush()
        kind = namespace_kind(cursor.connection)
        write_transitions(cursor, kind, REGION_TOPIC, 0, result.transitions)
        write_closed(cursor, REGION_TOPIC, 0, result.closed)
        write_risks(cursor, result.risks.values())
        self._move(cursor, since, stretch.before)
        return stretch.before - since + len(stretch.messages)

    def _lock(self, cursor: Cursor) -> int:
        row = cursor.execute(LOCK_POSITION, (REGION_TOPIC, self._epoch)).fetchone()
        if row is None:
            raise FenceLost("region log: another owner took over")
        return int(row[0])

    def _move(self, cursor: Cursor, old: int, new: int) -> None:
        move = Move(0, self._epoch or 0, old, new, None, saved=True)
        if not pass_fence(cursor, REGION_TOPIC, [move]):
            raise FenceLost("region log: the position moved under its lock")

    # -- configuration ---------------------------------------------------------------------------

    def _prepare(self, cursor: Cursor) -> RegionStage | None:
        versions = tuple(_active(cursor, kind) for kind in CONTROL_KINDS)
        if versions != self._versions or self._stage is None:
            registry, profile, rules = versions
            if registry is None:
                return None
            connection = cursor.connection
            self._registry = registry_of(registry, load_version(connection, registry))
            values: Mapping[str, str] = {}
            if profile is not None:
                values = Profile.from_dict(load_version(connection, profile)).values
            said = None if rules is None else RuleSet.from_dict(load_version(connection, rules))
            origin = ORIGINS[NamespaceKind(namespace_kind(connection))]
            self._stage = RegionStage(
                self._registry, self._domains, values, self._pages, origin, said
            )
            self._versions = versions
        return self._stage

    # -- the order -------------------------------------------------------------------------------

    def _read(self, cursor: Cursor, since: int, registry: Registry) -> Stretch:
        stored = self._pages.state(CLOCKS)
        clocks = Clocks.from_dict(stored) if stored else Clocks()
        released = clocks.released_ms
        before = self._raise_clocks(cursor, since, clocks)
        horizon = clocks.horizon_ms(registry.partitions)
        bounds = {"released": released, "since": since, "before": before}
        rows = _read_ready(cursor, bounds | {"horizon": horizon}, self._max_messages)
        if len(rows) > self._max_messages:
            horizon, rows = self._cut(cursor, rows, bounds)
        clocks.released_ms = horizon
        return Stretch(since, before, clocks, rows)

    def _raise_clocks(self, cursor: Cursor, since: int, clocks: Clocks) -> int:
        before = since
        rows = cursor.execute(READ_CLOCKS, (since, self._max_messages)).fetchall()
        for number, area, proc_ms, payload, kind in rows:
            clocks.observe(RegionMessage(area, 0, proc_ms, kind, "", "", 0, payload, "", number))
            before = number + 1
        return before

    def _cut(
        self, cursor: Cursor, rows: list[RegionMessage], bounds: Mapping[str, int]
    ) -> tuple[int, list[RegionMessage]]:
        """A shorter stretch of whole moments; the whole first moment when it alone is too long."""
        last = rows[-1].proc_ms
        whole = [m for m in rows if m.proc_ms < last]
        if whole:
            return last, whole
        return last + 1, _read_ready(cursor, {**bounds, "horizon": last + 1}, None)

    # -- connection --------------------------------------------------------------------------------

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            name = application_name(self._namespace, REGION_TOPIC)
            self._connection = connect(
                self._conninfo, self._namespace, name, lock_wait_ms=LOCK_WAIT_MS
            )
            if self._epoch is not None:
                self._adopt(self._connection, self._epoch)
        return self._connection

    def _adopt(self, connection: Connection, epoch: int) -> None:
        """After a reconnect. A new owner's backend must not be taken for our stuck one."""
        ours = owns(connection, REGION_TOPIC, 0, epoch)
        connection.rollback()
        if not ours:
            raise FenceLost("region log: another owner took over")
        adopt_partitions(connection, self._namespace, REGION_TOPIC, {0: epoch})

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        """After any failure memory may be ahead of the store: it is dropped."""
        try:
            with translated():
                yield
        except Unavailable:
            self._pages.forget()
            self.close()
            raise
        except BaseException:
            self._pages.forget()
            raise


def _active(cursor: Cursor, kind: str) -> str | None:
    row = cursor.execute(ACTIVE_VERSION, (kind,)).fetchone()
    return None if row is None else str(row[0])


def _read_ready(
    cursor: Cursor, bounds: Mapping[str, int], limit: int | None
) -> list[RegionMessage]:
    """Messages in order, their position being the log id; one more than the limit when cut."""
    parameters: dict[str, Any] = {**bounds, "limit": None if limit is None else limit + 1}
    rows = cursor.execute(READ_READY, parameters).fetchall()
    return [RegionMessage(*row) for row in rows]
