"""Ticks never keep the host waiting, and trouble with the log does not end them."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from streams.contracts.codec import encode_tick
from streams.errors import Misconfigured, Unavailable
from streams.log import Entry
from streams.log.memory import MemoryLog
from streams.runtime.ticking import TickThread

NOW = 1_785_600_000_000


class Slow(MemoryLog):
    """Lets the test see and hold each append; the first one fails."""

    def __init__(self, first_error: Exception) -> None:
        super().__init__(2)
        self.began = threading.Semaphore(0)
        self.go = threading.Semaphore(0)
        self._errors = [first_error]

    def append(self, partition: int, entries: Sequence[Entry]) -> int:
        self.began.release()
        assert self.go.acquire(timeout=10)
        if self._errors:
            raise self._errors.pop()
        return super().append(partition, entries)


def test_every_partition_gets_one() -> None:
    log = MemoryLog(3)
    thread = TickThread(log, now_ms=lambda: NOW)
    thread.tick([0, 2])
    thread.close()
    assert [log.end(n) for n in range(3)] == [1, 0, 1]
    headers, body = encode_tick(NOW)
    assert log.read(0, 0)[0].headers["ce_time"] == headers["ce_time"]
    assert log.read(0, 0)[0].body == body


def test_goes_on_after_trouble_and_leaves_out_what_is_too_late() -> None:
    for error in (Unavailable("away"), Misconfigured(["refused"])):
        log = Slow(error)
        thread = TickThread(log, now_ms=lambda: NOW)
        thread.tick([0, 1])
        assert log.began.acquire(timeout=10)
        thread.tick([0, 1])  # waits
        thread.tick([0, 1])  # is left out
        for _ in range(3):
            log.go.release()
        thread.close()
        assert [log.end(n) for n in range(2)] == [1, 1]
