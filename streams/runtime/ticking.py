"""Ticks into a log that takes its time to answer: a thread appends them, the host never waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import Full, Queue

import structlog

from streams import metrics
from streams.contracts.codec import encode_tick
from streams.errors import Misconfigured, Unavailable
from streams.log import Log

LOGGER = structlog.get_logger(__name__)


class TickThread:
    """Appends a tick to each partition that it is given. While one round is on its way, a second
    waits; further ones are left out and counted (another tick comes in a second)."""

    def __init__(
        self, log: Log, now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    ) -> None:
        self._log = log
        self._now_ms = now_ms
        self._waiting: Queue[Sequence[int] | None] = Queue(1)
        self._in_trouble = False
        self._thread = threading.Thread(target=self._work, name="tick", daemon=True)
        self._thread.start()

    def tick(self, partitions: Sequence[int]) -> None:
        """Asks for a tick in each; returns at once."""
        try:
            self._waiting.put_nowait(partitions)
        except Full:
            metrics.TICKS_LOST.inc(len(partitions))

    def close(self, timeout_s: float = 5.0) -> None:
        """Ends the thread; waits at most so long for the append that is on its way."""
        try:
            self._waiting.put(None, timeout=timeout_s)
        except Full:
            return
        self._thread.join(timeout_s)

    def _work(self) -> None:
        while (partitions := self._waiting.get()) is not None:
            self._append(partitions)

    def _append(self, partitions: Sequence[int]) -> None:
        for number, partition in enumerate(partitions):
            try:
                self._log.append(partition, [encode_tick(self._now_ms())])
            except (Unavailable, Misconfigured) as error:
                metrics.TICKS_LOST.inc(len(partitions) - number)
                if not self._in_trouble:
                    LOGGER.warning("ticks cannot be appended", error=str(error))
                self._in_trouble = True
                return
        if self._in_trouble:
            LOGGER.info("ticks are appended again")
        self._in_trouble = False
