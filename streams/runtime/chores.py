"""What a host does besides its partitions: followers, numbers, ticks, beats.

Followers (region runner, recomputer, retention) work where observation partition 0 is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any

import structlog

from streams import metrics
from streams.contracts.codec import encode_tick
from streams.contracts.reason import NamespaceKind
from streams.errors import Unavailable
from streams.log import Log
from streams.runtime.setup import Fenced, HostSetup, worker_name
from streams.storage.commit import Committer
from streams.storage.host_store import HostStore

LOGGER = structlog.get_logger(__name__)

SHARED_PARTITION = 0  # its owner runs what the workers share
NEAR_RETENTION = 10  # of so many parts of what the log keeps, the checkpoint is in the oldest

Insist = Callable[[str, Callable[[], Any]], Any]


class Chores:
    """Called by the host's thread in every turn; does each thing when it is due."""

    def __init__(
        self, setup: HostSetup, log: Log, store: HostStore, committer: Committer, insist: Insist
    ) -> None:
        self._setup = setup
        self._log = log
        self._store = store
        self._committer = committer
        self._insist = insist
        self._kind = NamespaceKind.REPLAY
        self._due = {"tick": 0.0, "beat": 0.0}
        self._leading = False
        self._near: set[int] = set()
        self.unnumbered = True  # messages that nobody gave a number yet may wait

    def open(self) -> None:
        """Looks the namespace up."""
        self._kind = self._insist("open", self._store.kind)

    def gained(self, held: Collection[int]) -> None:
        """Partitions were taken: whoever had them may have left messages without numbers."""
        self.unnumbered = True
        if SHARED_PARTITION in held and not self._leading:
            self._leading = True
            self.take_over()

    def lost(self, held: Collection[int]) -> None:
        """Partitions went: followers stop when the shared one is not among the rest."""
        if self._leading and SHARED_PARTITION not in held:
            self._leading = False
            LOGGER.info("region pipeline given up")

    def take_over(self) -> None:
        """Makes the fences of the followers ours, when they are to run here."""
        if not self._leading:
            return
        for follower in self._setup.followers:
            if isinstance(follower, Fenced):
                self._insist("take over", follower.takeover)

    def follow(self, held: Collection[int]) -> bool:
        """One step of each follower; true when one did something. Raises `FenceLost`."""
        if SHARED_PARTITION not in held:
            return False
        done = 0
        for follower in self._setup.followers:
            done += self._insist("follow", follower.step)
        self.unnumbered = self.unnumbered or done > 0
        return done > 0

    def number(self) -> None:
        """Gives committed messages their numbers."""
        if self.unnumbered:
            self._insist("number", self._store.number_outbox)
            self.unnumbered = False

    def tick(self, held: Iterable[int]) -> None:
        """Appends a tick to every partition that we hold, in a live namespace."""
        if self._kind is not NamespaceKind.LIVE or not self._is_due("tick", self._setup.tick_s):
            return
        if self._setup.ticker is not None:
            self._setup.ticker(list(held))
            return
        for partition in held:
            entry = encode_tick(time.time_ns() // 1_000_000)
            self._insist("tick", partial(self._log.append, partition, [entry]))

    def beat(self, positions: Mapping[int, int], saved: Mapping[int, int]) -> None:
        """Tells metrics and database how far we are."""
        if not self._is_due("beat", self._setup.beat_s):
            return
        ends = {n: self._insist("lag", partial(self._bounds, n)) for n in positions}
        behind = 0
        for partition, position in positions.items():
            first, end = ends[partition]
            behind += end - position
            metrics.LAG.labels(str(partition)).set(end - position)
            self._watch_retention(partition, saved.get(partition, position), first, end)
        detail = {
            "partitions": sorted(positions),
            "positions": dict(positions),
            "behind": behind,
            "leading": self._leading,
        }
        kept = ends if self._setup.keeps_ends else {}
        beat = partial(self._store.beat, worker_name(), detail, self._setup.topic, kept)
        try:
            beat()
        except Unavailable as error:  # a sign of life must not wait: the next one comes soon
            LOGGER.warning("no beat", error=str(error))

    def _bounds(self, partition: int) -> tuple[int, int]:
        return self._log.first(partition), self._log.end(partition)

    def _watch_retention(self, partition: int, saved: int, first: int, end: int) -> None:
        """Warns once when the log is about to delete what a restart needs (design §6.6)."""
        metrics.RETAINED.labels(str(partition)).set(saved - first)
        near = first > 0 and (saved - first) * NEAR_RETENTION < end - first
        if near and partition not in self._near:
            LOGGER.warning(
                "the checkpoint is near the oldest record that the log keeps",
                partition=partition,
                checkpoint=saved,
                first=first,
                end=end,
            )
        (self._near.add if near else self._near.discard)(partition)

    def _is_due(self, what: str, every_s: float) -> bool:
        now = time.monotonic()
        if now < self._due[what]:
            return False
        self._due[what] = now + every_s
        return True
