"""How far the workers of a namespace are behind its log, and up to when its outputs are complete.

Reads only. `D` and `C` are the positions of the database (committed outputs, last checkpoint).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.contracts.reason import LogKind
from streams.log import Log
from streams.log.catalogue import DAY_MS
from streams.settings import Settings
from streams.storage.progress import Position

if TYPE_CHECKING:
    from streams.log.kafka_group import Member

NEAR = 2  # a checkpoint older than retention / NEAR is a warning


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """One partition. `complete_ms` is None while nothing of it was ever processed."""

    partition: int
    first: int
    end: int
    done: int  # D
    checkpoint: int  # C
    complete_ms: int | None
    warning: str | None = None

    @property
    def behind(self) -> int:
        """Records whose outputs are not committed; in Kafka also markers of transactions."""
        return self.end - self.done


@dataclass(frozen=True, slots=True)
class Lag:
    """All partitions of a namespace at one moment."""

    namespace: str
    log: LogKind
    partitions: tuple[PartitionLag, ...]
    members: tuple[Member, ...] | None  # None: no consumer group, or its log is no topic

    @property
    def behind(self) -> int:
        """Records over all partitions."""
        return sum(each.behind for each in self.partitions)

    @property
    def complete_ms(self) -> int | None:
        """Up to when all of them are complete."""
        times = [each.complete_ms for each in self.partitions if each.complete_ms is not None]
        return min(times) if len(times) == len(self.partitions) else None


def look(settings: Settings, namespace: str, now_ms: int) -> Lag:
    """Asks the log, the database and, for Kafka, the group. Raises as `open_log`."""
    from streams.log.opening import open_log
    from streams.log.postgres import PostgresLog
    from streams.storage.connect import connect, translated
    from streams.storage.progress import positions

    conninfo = settings.conninfo()
    log = open_log(settings, namespace, conninfo)
    try:
        with translated(), connect(conninfo, namespace, "citybrain topics") as connection:
            known = positions(connection)
        if isinstance(log, PostgresLog):
            return Lag(namespace, LogKind.TABLE, compare(log, known, now_ms, None), None)
        retention_ms, members = _kafka(settings, namespace)
        found = compare(log, known, now_ms, retention_ms)
        return Lag(namespace, LogKind.KAFKA, found, members)
    finally:
        log.close()


def compare(
    log: Log, known: Mapping[int, Position], now_ms: int, retention_ms: int | None
) -> tuple[PartitionLag, ...]:
    """Every partition of the log beside its position; `retention_ms` None: nothing is lost."""
    return tuple(
        _partition(log, number, known.get(number, Position(0, 0, None)), now_ms, retention_ms)
        for number in range(log.partitions())
    )


def _partition(
    log: Log, number: int, position: Position, now_ms: int, retention_ms: int | None
) -> PartitionLag:
    first, end = log.first(number), log.end(number)
    complete = now_ms if position.next_offset >= end else position.last_append_ms
    warning = _broken(position, first, end)
    if warning is None and retention_ms is not None and retention_ms > 0:
        warning = _near(log, number, position, end, now_ms, retention_ms)
    return PartitionLag(
        number, first, end, position.next_offset, position.checkpoint_offset, complete, warning
    )


def _broken(position: Position, first: int, end: int) -> str | None:
    if position.checkpoint_offset < first and position != Position(0, 0, None):
        return (
            f"records {position.checkpoint_offset} to {first - 1} are needed and no longer kept: "
            "the worker will not start"
        )
    if position.next_offset > end:
        return f"the log ends before {position.next_offset}: it was cut off, or made again"
    return None


def _near(
    log: Log, number: int, position: Position, end: int, now_ms: int, retention_ms: int
) -> str | None:
    """A checkpoint whose record will soon be deleted; a worker needs it to start."""
    if position.checkpoint_offset >= end:
        return None
    record = next(iter(log.read(number, position.checkpoint_offset, 1)), None)
    if record is None or (now_ms - record.append_ms) * NEAR < retention_ms:
        return None
    age, kept = (now_ms - record.append_ms) / DAY_MS, retention_ms / DAY_MS
    return (
        f"the checkpoint is {age:.1f} days old and records are kept {kept:.1f} days: start the "
        "worker, or keep them longer (CITYBRAIN_KAFKA_RETENTION_DAYS)"
    )


def _kafka(settings: Settings, namespace: str) -> tuple[int, tuple[Member, ...] | None]:
    """How long the log's topic keeps records (-1: for ever), and who is in the group."""
    from streams.log.catalogue import topic_name
    from streams.log.kafka_admin import administration, describe
    from streams.log.kafka_group import group_members
    from streams.log.kafka_trouble import translated

    name = topic_name(namespace)
    with administration(settings) as admin:
        with translated(name):
            topic = describe(admin, [name])[name]
        return int(topic.config["retention.ms"]), group_members(admin, namespace) or None
