"""The log in memory, for tests. The same contract as the embedded one, without durability."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Sequence

from streams.contracts.frame import Record
from streams.log import Entry


class MemoryLog:
    """A `Log` in memory. `clock_ms` gives the append time."""

    def __init__(self, partitions: int = 4, clock_ms: Callable[[], int] = lambda: 0) -> None:
        self._records: list[list[Record]] = [[] for _ in range(partitions)]
        self._clock_ms = clock_ms
        self._identity = str(uuid.uuid4())
        self._changed = threading.Condition()
        self._appends = 0
        self._seen = 0

    def append(self, partition: int, entries: Sequence[Entry]) -> int:
        if not entries:
            raise ValueError("nothing to append")
        if not 0 <= partition < len(self._records):
            raise ValueError(f"no partition {partition}")
        with self._changed:
            records = self._records[partition]
            first = len(records)
            append_ms = self._clock_ms()
            records.extend(
                Record(first + i, append_ms, dict(headers), bytes(body))
                for i, (headers, body) in enumerate(entries)
            )
            self._appends += 1
            self._changed.notify_all()
        return first

    def read(
        self, partition: int, offset: int, max_records: int = 1000, max_bytes: int = 8 << 20
    ) -> list[Record]:
        found: list[Record] = []
        size = 0
        for record in self._records[partition][offset : offset + max_records]:
            if found and size + len(record.body) > max_bytes:
                break
            found.append(record)
            size += len(record.body)
        return found

    def first(self, partition: int) -> int:
        return 0 if 0 <= partition < len(self._records) else self._unknown(partition)

    def end(self, partition: int) -> int:
        return len(self._records[partition])

    def partitions(self) -> int:
        return len(self._records)

    def identity(self) -> str:
        return self._identity

    def wait(self, timeout_s: float) -> bool:
        with self._changed:
            came = self._changed.wait_for(lambda: self._appends > self._seen, timeout_s)
            self._seen = self._appends
        return came

    def close(self) -> None:
        """Nothing is held."""

    def _unknown(self, partition: int) -> int:
        raise ValueError(f"no partition {partition}")
