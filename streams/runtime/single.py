"""The single-process host: every partition of a namespace, one transaction in flight.

While a thread commits one batch, the next is read and processed; what the thread is given is a
snapshot. The loop also turns the followers (region runner, recomputer) and, in a live namespace,
appends ticks. Nothing here decides about data: that is the pipeline's and the store's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from traceback import format_exc
from types import TracebackType
from typing import Protocol, TypeAlias, TypeVar

import structlog

from streams import metrics
from streams.contracts.codec import encode_tick
from streams.contracts.frame import Record
from streams.contracts.outcome import Outcome, StateParts
from streams.contracts.reason import NamespaceKind
from streams.errors import FenceLost, Misconfigured, Unavailable
from streams.log import OBSERVATION_TOPIC, Log
from streams.runtime.lane import (
    Lane,
    PipelineFactory,
    Versions,
    WantedVersions,
    check_log,
)
from streams.runtime.poison import PoisonGuard, give_up
from streams.runtime.retry import Patience
from streams.storage.commit import Committer, Piece
from streams.storage.host_store import HostStore

LOGGER = structlog.get_logger(__name__)
WORKER_NAME = "worker"

T = TypeVar("T")
Work: TypeAlias = list[tuple[Lane, list[Record], Versions]]


class SteppedDown(Exception):
    """Another worker took a partition of ours: this one has to end, nothing is lost."""


class Follower(Protocol):
    """Something that works behind the commits, in transactions and under a fence of its own."""

    def step(self) -> int:
        """Does a bounded piece of work; 0 = nothing left for now."""


@dataclass(frozen=True, slots=True)
class HostSetup:
    """How a host works. Sizes are per partition and cycle."""

    conninfo: str
    namespace: str
    make_pipeline: PipelineFactory
    wanted_versions: WantedVersions
    followers: Sequence[Follower] = ()
    topic: str = OBSERVATION_TOPIC
    max_records: int = 100
    max_bytes: int = 2 << 20
    checkpoint_s: float = 5.0
    tick_s: float = 1.0
    beat_s: float = 2.0
    idle_s: float = 0.2
    patience: Patience = field(default_factory=Patience)


class SingleHost:
    """Owns all partitions from `open` to `close`; one thread calls it."""

    def __init__(self, setup: HostSetup, log: Log) -> None:
        self._setup = setup
        self._log = log
        self._store = HostStore(setup.conninfo, setup.namespace)
        self._committer = Committer(setup.conninfo, setup.namespace, setup.topic)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commit")
        self._flight: tuple[Future[None], list[Piece]] | None = None
        self._lanes: dict[int, Lane] = {}
        self._guard = PoisonGuard()
        self._stop = threading.Event()
        self._kind = NamespaceKind.REPLAY
        self._due = {"checkpoint": 0.0, "tick": 0.0, "beat": 0.0}
        self._unnumbered = True

    def __enter__(self) -> SingleHost:
        try:
            self.open()
        except BaseException:
            self.close(clean=False)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(clean=kind is None)

    def open(self) -> None:
        """Takes every partition and recovers its state.

        Raises `Misconfigured` when the log is not the one that the positions belong to.
        """
        self._kind = self._insist("open", self._store.kind)
        for partition in range(self._insist("open", self._log.partitions)):
            self._lanes[partition] = self._take(partition)
        self._due["checkpoint"] = time.monotonic() + self._setup.checkpoint_s

    def close(self, clean: bool = True) -> None:
        """Ends what is in flight, writes a last checkpoint when all is well, lets go."""
        try:
            if clean:
                self.settle(checkpoint=True)
        finally:
            self._stop.set()
            self._thread.shutdown()
            self._committer.close()
            self._store.close()

    def run_until_idle(self) -> None:
        """Works until the end of the log is committed and the followers have nothing left."""
        while self.step() or self.settle() or self._follow():
            pass
        self._number()

    def run_forever(self, stop: threading.Event) -> None:
        """Works until told to stop. Raises `SteppedDown` when another worker took over."""
        self._stop = stop
        while not stop.is_set():
            if not self._turn():
                self._insist("wait", lambda: self._log.wait(self._setup.idle_s))

    def step(self) -> bool:
        """One cycle: read, process while the last batch commits, hand over. False: nothing read."""
        metrics.TURN.set_to_current_time()
        work = self._insist("read", self._read)
        if not work:
            return False
        with metrics.PROCESS.time():
            pieces, failed = self._process(work)
        if self._land():
            return True  # the batch before had trouble: what was processed on top of it is void
        activated = any(piece.outcome.activated for piece in pieces)
        due = activated or self._is_due("checkpoint", self._setup.checkpoint_s)
        self._launch(pieces, due and failed is None)
        if failed is not None:
            self._search(*failed)
        return True

    def settle(self, checkpoint: bool = False) -> bool:
        """Waits for what is in flight; true when there was something. May write a checkpoint."""
        flying = self._flight is not None
        self._land()
        if checkpoint:
            self._launch([], checkpoint=True)
            self._land()
        return flying

    def positions(self) -> dict[int, int]:
        """The next offset of each partition, as processed."""
        return {partition: lane.position for partition, lane in self._lanes.items()}

    def _turn(self) -> bool:
        busy = self.step() or self.settle()
        if not busy and self._is_due("checkpoint", self._setup.checkpoint_s):
            self.settle(checkpoint=True)
        busy = self._follow() or busy
        self._number()
        self._tick()
        self._beat()
        return busy

    def _read(self) -> Work:
        found = []
        for lane in self._lanes.values():
            records = lane.read(self._setup.max_records, self._setup.max_bytes)
            if records:
                found.append((lane, records, lane.versions_for(records)))
        return found

    def _process(self, work: Work) -> tuple[list[Piece], tuple[Lane, list[Record]] | None]:
        """Pieces of the lanes that went well, and the first lane that did not."""
        pieces: list[Piece] = []
        for lane, records, versions in work:
            try:
                pieces.append(lane.process(records, versions))
            except Exception:
                LOGGER.error("batch failed", partition=lane.partition, trace=format_exc())
                return pieces, (lane, records)  # the lanes after it will read the same again
        return pieces, None

    def _launch(self, pieces: list[Piece], checkpoint: bool) -> None:
        if checkpoint:
            pieces = with_checkpoints(pieces, self._lanes.values())
        if pieces:
            self._flight = (self._thread.submit(self._commit, pieces), pieces)

    def _commit(self, pieces: list[Piece]) -> None:
        with metrics.COMMIT.time():
            self._insist("commit", lambda: self._committer.commit(pieces))

    def _land(self) -> bool:
        """Waits for the flight; true when it failed and the lanes were set back."""
        if self._flight is None:
            return False
        future, pieces = self._flight
        self._flight = None
        try:
            future.result()
        except FenceLost as error:
            self._set_back(error)
            return True
        except (Unavailable, Misconfigured):
            raise
        except Exception:
            LOGGER.error("transaction failed", trace=format_exc())
            self._retake()
            for piece in pieces:
                self._search_until(piece.partition, piece.outcome.next_offset)
            return True
        self._account(pieces)
        return False

    def _set_back(self, error: FenceLost) -> None:
        """After a refused commit: reload and go on, or step down (design §6.2)."""
        metrics.FENCES.inc()
        for partition in self._lanes:
            if not self._insist("own", partial(self._committer.owns, partition)):
                raise SteppedDown(f"partition {partition} belongs to another worker") from error
        LOGGER.warning("fence refused, reloading", cause=str(error))
        self._retake()

    def _retake(self) -> None:
        for partition in self._lanes:
            self._lanes[partition] = self._take(partition)

    def _take(self, partition: int) -> Lane:
        identity = self._insist("identity", self._log.identity)
        taken = self._insist("take", partial(self._committer.take, partition, identity))
        self._insist("check", partial(check_log, self._log, taken))
        make = partial(
            Lane,
            self._log,
            taken,
            wanted=self._setup.wanted_versions,
            load=self._store.versions,
        )
        return self._insist("load", lambda: make(self._setup.make_pipeline(partition)))

    def _search(self, lane: Lane, records: list[Record]) -> None:
        """Finds what makes the batch fail, from the last committed state on (design §6.7)."""
        if self._land():
            return
        self._lanes[lane.partition] = self._take(lane.partition)
        try:
            self._halve(lane.partition, records)
        except FenceLost as error:
            self._set_back(error)

    def _search_until(self, partition: int, end: int) -> None:
        lane = self._lanes[partition]
        while lane.position < end:
            records = [
                r
                for r in lane.read(self._setup.max_records, self._setup.max_bytes)
                if r.offset < end
            ]
            self._search(lane, records)
            lane = self._lanes[partition]

    def _halve(self, partition: int, records: list[Record]) -> None:
        lane = self._lanes[partition]
        try:
            piece = lane.process(records, lane.versions_for(records))
            self._commit([piece])
        except (FenceLost, Misconfigured, Unavailable):
            raise
        except Exception as error:
            lane = self._lanes[partition] = self._take(partition)
            if len(records) > 1:
                middle = len(records) // 2
                self._halve(partition, records[:middle])
                self._halve(partition, records[middle:])
            else:
                self._guard.bad(records[0], error)
                self._commit([give_up(partition, lane.position, records[0], error)])
                lane.position = records[0].offset + 1
        else:
            self._guard.good(len(records))
            self._account([piece])

    def _account(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            partition, outcome = str(piece.partition), piece.outcome
            metrics.RECORDS.labels(partition).inc(outcome.next_offset - piece.old)
            metrics.READINGS.labels(partition).inc(sum(len(r) for r in outcome.readings))
            metrics.LATE.labels(partition).inc(sum(len(r) for r in outcome.late))
            self._unnumbered = self._unnumbered or bool(outcome.transitions)

    def _follow(self) -> bool:
        done = 0
        for follower in self._setup.followers:
            done += self._insist("follow", follower.step)
        self._unnumbered = self._unnumbered or done > 0
        return done > 0

    def _number(self) -> None:
        if self._unnumbered:
            self._insist("number", self._store.number_outbox)
            self._unnumbered = False

    def _tick(self) -> None:
        if self._kind is NamespaceKind.LIVE and self._is_due("tick", self._setup.tick_s):
            entry = encode_tick(time.time_ns() // 1_000_000)
            for partition in self._lanes:
                self._insist("tick", partial(self._log.append, partition, [entry]))

    def _beat(self) -> None:
        if self._is_due("beat", self._setup.beat_s):
            behind = 0
            for partition, lane in self._lanes.items():
                lag = self._insist("lag", partial(self._log.end, partition)) - lane.position
                metrics.LAG.labels(str(partition)).set(lag)
                behind += lag
            detail = {"positions": self.positions(), "behind": behind}
            self._insist("beat", partial(self._store.beat, WORKER_NAME, detail))

    def _is_due(self, what: str, every_s: float) -> bool:
        now = time.monotonic()
        if now < self._due[what]:
            return False
        self._due[what] = now + every_s
        return True

    def _insist(self, what: str, action: Callable[[], T]) -> T:
        return self._setup.patience.insist(what, action, self._stop)


def with_checkpoints(pieces: Sequence[Piece], lanes: Iterable[Lane]) -> list[Piece]:
    """The pieces with their lanes' checkpoints; a lane without a piece gets an empty one, unless
    its last checkpoint is where it stands."""
    given = {piece.partition: piece for piece in pieces}
    found = []
    for lane in lanes:
        if lane.position == lane.saved and lane.partition not in given:
            continue
        empty = Piece(lane.partition, lane.position, Outcome(next_offset=lane.position))
        state = lane.checkpoint()
        metrics.CHECKPOINT.inc(_size(state))
        found.append(replace(given.get(lane.partition, empty), checkpoint=state))
    return found


def _size(state: StateParts) -> int:
    parts = sum(len(content or b"") for content in state.parts.values())
    return parts + sum(len(content) for _, content in state.segments.values())
