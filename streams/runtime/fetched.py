"""A log whose records come from a consumer that fetches ahead: one bounded queue per partition.

The host reads forward from the queues; where it goes back (after trouble), a direct reader serves.
Offsets may have gaps, never steps back: what is below the expected offset is dropped. Between
threads: the consumer's opens, offers and closes, the host's reads.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from streams import metrics
from streams.contracts.frame import Record
from streams.log import Entry, Log

HEADER_BYTES = 300  # about what a record costs beside its body


@dataclass(frozen=True, slots=True)
class Marks:
    """When to pause a partition and when to go on. Bytes over all partitions, records each."""

    high_bytes: int = 64 << 20
    high_records: int = 20_000
    least_bytes: int = 1 << 20  # a partition's share is never smaller

    def is_high(self, size: int, records: int, partitions: int) -> bool:
        """Whether fetching should pause."""
        return size >= self._share(partitions) or records >= self.high_records

    def is_low(self, size: int, records: int, partitions: int) -> bool:
        """Whether a paused partition should go on."""
        return size <= self._share(partitions) // 2 and records <= self.high_records // 2

    def _share(self, partitions: int) -> int:
        return max(self.high_bytes // max(partitions, 1), self.least_bytes)


@dataclass(slots=True)
class _Queue:
    start: int  # the records hold everything of the log from here ...
    tail: int  # ... up to here
    records: deque[Record] = field(default_factory=deque)
    size: int = 0
    paused: bool = False
    end: int | None = None  # of the log, at the last look
    reached: bool = False  # the consumer stood at that end: what lies before it has come

    def take(self) -> Record:
        record = self.records.popleft()
        self.size -= _size(record)
        self.start = record.offset + 1
        return record


class FetchedLog:
    """A `Log`. `on_room` is called, from the reading thread, with a partition that may go on."""

    def __init__(
        self,
        direct: Log,
        marks: Marks | None = None,
        on_room: Callable[[int], None] = lambda partition: None,
    ) -> None:
        self._direct = direct
        self._marks = marks or Marks()
        self._on_room = on_room
        self._queues: dict[int, _Queue] = {}
        self._firsts: dict[int, int] = {}
        self._changed = threading.Condition()
        self._rang = False

    # -- the consumer's side -------------------------------------------------------------------

    def open(self, partition: int, offset: int) -> None:
        """From now on records of the partition come, from this offset on, without omission."""
        with self._changed:
            self._queues[partition] = _Queue(offset, offset)

    def shut(self, partition: int) -> None:
        """Nothing comes any more; what waits is thrown away."""
        with self._changed:
            self._queues.pop(partition, None)
        metrics.QUEUED.labels(str(partition)).set(0)

    def opened(self) -> set[int]:
        """The partitions whose records come."""
        return set(self._queues)

    def offer(self, partition: int, records: Sequence[Record]) -> bool:
        """Takes what was fetched; true when the partition should be paused now."""
        with self._changed:
            queue = self._queues.get(partition)
            if queue is None:
                return True
            for record in records:
                if record.offset >= queue.tail:
                    queue.records.append(record)
                    queue.size += _size(record)
                    queue.tail = record.offset + 1
            queue.reached = False
            queue.paused = self._marks.is_high(queue.size, len(queue.records), len(self._queues))
            self._ring()
            return queue.paused

    def mark(self, partition: int, end: int, fetched_to: int, first: int | None = None) -> None:
        """What the consumer knows of the log's bounds, and up to where it has fetched."""
        with self._changed:
            if first is not None:
                self._firsts[partition] = first
            queue = self._queues.get(partition)
            if queue is not None:
                queue.end = max(end, queue.tail)
                queue.reached = fetched_to >= end
                self._ring()

    def ring(self) -> None:
        """Wakes whoever waits."""
        with self._changed:
            self._ring()

    def paused(self) -> int:
        """How many partitions are paused."""
        return sum(queue.paused for queue in self._queues.values())

    # -- the host's side -----------------------------------------------------------------------

    def read(
        self, partition: int, offset: int, max_records: int = 1000, max_bytes: int = 8 << 20
    ) -> list[Record]:
        with self._changed:
            queue = self._queues.get(partition)
            if queue is None:
                return []
            start = queue.start
            if offset >= start:
                return self._forward(partition, queue, offset, max_records, max_bytes)
        found = self._direct.read(partition, offset, max_records, max_bytes)
        behind = [record for record in found if record.offset < start]
        if behind or not found:
            return behind
        return self.read(partition, start, max_records, max_bytes)

    def first(self, partition: int) -> int:
        known = self._firsts.get(partition)
        return self._direct.first(partition) if known is None else known

    def end(self, partition: int) -> int:
        """What the consumer last saw; where it has fetched all there is, where the queue ends (the
        markers of transactions behind the last record are nobody's work)."""
        with self._changed:
            queue = self._queues.get(partition)
            if queue is not None and queue.end is not None:
                return queue.tail if queue.reached else queue.end
        return self._direct.end(partition)

    def is_worked_off(self, partition: int, position: int) -> bool:
        """Whether everything up to the log's end has come and lies before the position."""
        with self._changed:
            queue = self._queues.get(partition)
            return queue is not None and queue.reached and position >= queue.tail

    def append(self, partition: int, entries: Sequence[Entry]) -> int:
        return self._direct.append(partition, entries)

    def partitions(self) -> int:
        return self._direct.partitions()

    def identity(self) -> str:
        return self._direct.identity()

    def wait(self, timeout_s: float) -> bool:
        with self._changed:
            rang = self._changed.wait_for(lambda: self._rang, timeout_s)
            self._rang = False
            return rang

    def close(self) -> None:
        """The direct reader belongs to who gave it."""

    def _forward(
        self, partition: int, queue: _Queue, offset: int, max_records: int, max_bytes: int
    ) -> list[Record]:
        while queue.records and queue.records[0].offset < offset:
            queue.take()
        queue.start, queue.tail = max(queue.start, offset), max(queue.tail, offset)
        found: list[Record] = []
        size = 0
        while queue.records and len(found) < max_records:
            size += len(queue.records[0].body)
            if found and size > max_bytes:
                break
            found.append(queue.take())
        metrics.QUEUED.labels(str(partition)).set(queue.size)
        low = self._marks.is_low(queue.size, len(queue.records), len(self._queues))
        if queue.paused and low:
            queue.paused = False
            self._on_room(partition)
        return found

    def _ring(self) -> None:
        self._rang = True
        self._changed.notify_all()


def _size(record: Record) -> int:
    return len(record.body) + HEADER_BYTES
