"""The thread that turns the host of a group's member: obeys assignments, works, gives back.

The group's loop tells it what changed; it never waits for the group. Whoever waits for it (at a
revocation, at the end) waits a bounded time: the next owner takes the partition anyway and
processes again what was not in the checkpoint.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Protocol, TypeAlias

import structlog

from streams import metrics
from streams.runtime.fetched import FetchedLog
from streams.runtime.health import Health
from streams.runtime.setup import SteppedDown

LOGGER = structlog.get_logger(__name__)

RECLAIM_S = 3.0  # a partition that is ours by the group and another's by the database: try again

Open: TypeAlias = Callable[[int, int, int], None]  # partition, offset, generation


class PartitionHost(Protocol):
    """What is turned; `streams.runtime.host.Host`."""

    def open(self, stop: threading.Event) -> None: ...

    def close(self, clean: bool = True, wait_s: float | None = None) -> None: ...

    def take(self, partitions: Iterable[int]) -> None: ...

    def rest(self, checkpoint: bool = True) -> None: ...

    def resume(self, partitions: Iterable[int]) -> set[int]: ...

    def turn(self) -> bool: ...

    def beat(self) -> None: ...

    def positions(self) -> dict[int, int]: ...

    def saved(self) -> dict[int, int]: ...


@dataclass(frozen=True, slots=True)
class Change:
    """Assigned partitions; None when everything is revoked. `done` is set when it is obeyed."""

    assigned: frozenset[int] | None
    generation: int = 0
    done: threading.Event = field(default_factory=threading.Event)


class Turner:
    """Owns the host's thread from `start` to its end; `error` says why it ended."""

    def __init__(
        self,
        host: PartitionHost,
        log: FetchedLog,
        health: Health,
        open_partition: Open,
        *,
        idle_s: float,
        until_idle: bool = False,
    ) -> None:
        self._host = host
        self._log = log
        self._health = health
        self._open_partition = open_partition
        self._idle_s = idle_s
        self._until_idle = until_idle
        self._changes: SimpleQueue[Change] = SimpleQueue()
        self._assigned: frozenset[int] | None = None
        self._generation = 0
        self._reclaim_at: float | None = None
        self._ending = threading.Event()
        self._impatient = threading.Event()
        self.ended = threading.Event()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="host", daemon=True)

    def start(self) -> None:
        """Starts the thread; it waits for an assignment."""
        self._thread.start()

    def change(self, change: Change) -> None:
        """Tells the thread; returns at once."""
        self._changes.put(change)
        self._log.ring()

    def end(self, wait_s: float) -> bool:
        """Ends the thread with a last checkpoint; false when it took longer than that."""
        self._ending.set()
        self._log.ring()
        if self.ended.wait(wait_s):
            return True
        self._impatient.set()  # no more second tries; a call that hangs is left alone
        return self.ended.wait(1.0)

    def saved(self) -> dict[int, int]:
        """C of what is held."""
        return self._host.saved()

    def _work(self) -> None:
        try:
            self._host.open(self._impatient)
            while not self._ending.is_set():
                self._health.turned()
                busy = self._turn()
                if not busy and self._until_idle and self._is_idle():
                    break
                if not busy:
                    self._log.wait(self._idle_s)
            self._host.close()
        except BaseException as error:
            self.error = error
            self._host.close(clean=False, wait_s=1.0)
        finally:
            self.ended.set()

    def _turn(self) -> bool:
        self._obey()
        if self._assigned is None:
            self._host.beat()
            return False
        try:
            self._reclaim()
            return self._host.turn()
        except SteppedDown as error:
            LOGGER.warning("nothing left", cause=str(error))
            return False
        finally:
            self._tell()

    def _obey(self) -> None:
        """Does what the group said. What was said before the last word is only acknowledged."""
        pending = []
        try:
            while True:
                pending.append(self._changes.get_nowait())
        except Empty:
            pass
        if not pending:
            return
        if self._assigned is not None:
            self._assigned = None
            self._rest()
        for change in pending:
            if change.assigned is None:
                change.done.set()
        last = pending[-1]
        if last.assigned is not None:
            self._assign(last.assigned, last.generation)
        for change in pending:
            change.done.set()
        self._tell()

    def _rest(self) -> None:
        try:
            self._host.rest()
        except SteppedDown as error:
            LOGGER.warning("nothing to give back", cause=str(error))

    def _assign(self, assigned: frozenset[int], generation: int) -> None:
        self._assigned, self._generation = assigned, generation
        kept = self._host.resume(assigned)
        for partition, position in self._host.positions().items():
            self._open_partition(partition, position, generation)
        self._take(assigned - kept)

    def _reclaim(self) -> None:
        """Takes back, after a while, what the group gives us and somebody else took: a worker that
        woke up late, and learns from the group in the meantime that it is none of its business."""
        assert self._assigned is not None
        missing = self._assigned - set(self._host.positions())
        if not missing:
            self._reclaim_at = None
        elif self._reclaim_at is None:
            self._reclaim_at = time.monotonic() + RECLAIM_S
        elif time.monotonic() >= self._reclaim_at:
            self._reclaim_at = None
            LOGGER.warning("taking assigned partitions back", partitions=sorted(missing))
            self._take(missing)

    def _take(self, partitions: Collection[int]) -> None:
        """Takes one by one, each opened at once; a new word of the group ends it early."""
        for partition in sorted(partitions):
            if not self._changes.empty() or self._ending.is_set():
                return
            self._health.turned()
            self._host.take([partition])
            position = self._host.positions()[partition]
            self._open_partition(partition, position, self._generation)

    def _is_idle(self) -> bool:
        if self._assigned is None or not self._changes.empty():
            return False
        positions = self._host.positions()
        return set(positions) == self._assigned and all(
            self._log.is_worked_off(n, position) for n, position in positions.items()
        )

    def _tell(self) -> None:
        held = self._host.positions()
        self._health.partitions = tuple(sorted(held))
        metrics.PAUSED.set(self._log.paused())
