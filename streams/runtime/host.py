"""The part of a worker that owns partitions: reads, processes, commits, keeps checkpoints.

Which partitions those are may change from turn to turn (`take`, `rest`, `resume`, `drop`); who
decides is `streams.runtime.single` (all, until the end) or `streams.runtime.faust_host` (what the
group assigns). While a thread commits one batch, the next is read and processed; what the thread is
given is a snapshot. Nothing here decides about data: that is the pipeline's and the store's. One
thread calls it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from traceback import format_exc
from typing import TypeAlias, TypeVar

import structlog

from streams import metrics
from streams.contracts.frame import Record
from streams.contracts.outcome import Outcome, StateParts
from streams.errors import FenceLost, Misconfigured, Unavailable
from streams.log import Log
from streams.runtime.chores import Chores
from streams.runtime.flight import Flight
from streams.runtime.lane import Lane, Versions, check_log
from streams.runtime.pace import Pace
from streams.runtime.poison import Bisection, PoisonGuard
from streams.runtime.setup import HostSetup, SteppedDown
from streams.storage.commit import Committer, Piece
from streams.storage.host_store import HostStore

LOGGER = structlog.get_logger(__name__)

T = TypeVar("T")
Work: TypeAlias = list[tuple[Lane, list[Record], Versions]]


class Host:
    """Owner of a changing set of partitions. `past` reads the log behind the positions, where
    `log` only goes forward (default: `log`)."""

    def __init__(self, setup: HostSetup, log: Log, past: Log | None = None) -> None:
        self._setup = setup
        self._log = log
        self._past = past or log
        self._store = HostStore(setup.conninfo, setup.namespace)
        self._committer = Committer(setup.conninfo, setup.namespace, setup.topic)
        self._flight = Flight(self._commit)
        self._lanes: dict[int, Lane] = {}
        self._bisection = Bisection(self._retake, self._commit_one, PoisonGuard())
        self._stop = threading.Event()
        self._pace = Pace(setup.max_records)
        self._chores = Chores(setup, log, self._store, self._committer, self.insist)
        self._checkpoint_due = 0.0
        self._saved: dict[int, int] = {}

    def open(self, stop: threading.Event) -> None:
        """Looks the namespace up; `stop` ends every patience."""
        self._stop = stop
        self._chores.open()
        self._checkpoint_due = time.monotonic() + self._setup.checkpoint_s

    def close(self, clean: bool = True, wait_s: float | None = None) -> None:
        """Ends what is in flight, writes a last checkpoint when all is well, lets go.

        Waits for a transaction that hangs at most so long.
        """
        try:
            if clean:
                self.rest()
        finally:
            self._stop.set()
            self._flight.close(wait_s)
            self._committer.close()
            self._store.close()

    def take(self, partitions: Iterable[int]) -> None:
        """Makes these ours and recovers their state.

        Raises `Misconfigured` when the log is not the one that the positions belong to.
        """
        self.settle()
        for partition in sorted(partitions):
            self._retake(partition)
        self._chores.gained(self._lanes)

    def drop(self, partitions: Iterable[int]) -> None:
        """Forgets these; they were let go (`rest`) or lost. Nothing of theirs may be in flight."""
        for partition in list(partitions):
            self._lanes.pop(partition, None)
            self._saved.pop(partition, None)
            self._committer.forget(partition)
            for metric in (metrics.LAG, metrics.RETAINED):
                metric.labels(str(partition)).set(0)
        self._chores.lost(self._lanes)

    def rest(self, checkpoint: bool = True) -> None:
        """Lands, writes a checkpoint and lets every partition go, keeping what is in memory."""
        self.settle(checkpoint)
        self.insist("let go", lambda: self._committer.let_go(self._lanes))

    def resume(self, partitions: Iterable[int]) -> set[int]:
        """After `rest`: goes on with those that nobody took in between; gives and keeps them."""
        wanted = set(partitions) & set(self._lanes)
        held = self.insist("hold again", lambda: self._committer.hold_again(wanted))
        self.drop(set(self._lanes) - held)
        return held

    def turn(self) -> bool:
        """One turn of the loop: a cycle, the followers, ticks, the beat. False: nothing to do.

        Raises `SteppedDown` when the last partition is lost.
        """
        busy = self.step() or self.settle()
        if not busy and time.monotonic() >= self._checkpoint_due:
            self.settle(checkpoint=True)
        busy = self.follow() or busy
        self._chores.number()
        self._chores.tick(self._lanes)
        self.beat()
        return busy

    def step(self) -> bool:
        """One cycle: read, process while the last batch commits, hand over. False: nothing read."""
        metrics.TURN.set_to_current_time()
        work = self.insist("read", self._read)
        if not work:
            return False
        began = time.monotonic()
        with metrics.PROCESS.time():
            pieces, failed = self._process(work)
        records = sum(len(found) for _, found, _ in work)
        self._pace.took(records, len(work), time.monotonic() - began)
        if self._land():
            return True  # the batch before had trouble: what was processed on top of it is void
        activated = any(piece.outcome.activated for piece in pieces)
        due = activated or time.monotonic() >= self._checkpoint_due
        self._launch(pieces, due and failed is None)
        if failed is not None:
            self._search(*failed)
        return True

    def settle(self, checkpoint: bool = False) -> bool:
        """Waits for what is in flight; true when there was something. May write a checkpoint."""
        flying = self._flight.flying
        self._land()
        if checkpoint:
            self._launch([], checkpoint=True)
            self._land()
        return flying

    def follow(self) -> bool:
        """One step of every follower, where partition 0 is ours; true when they did something."""
        try:
            return self._chores.follow(self._lanes)
        except FenceLost as error:
            self.settle()
            self._lose(error)
            self._chores.take_over()
            return True

    def number(self) -> None:
        """Numbers messages that have none yet."""
        self._chores.number()

    def beat(self) -> None:
        """Says that the loop turns, when it is time to."""
        metrics.TURN.set_to_current_time()
        self._chores.beat(self.positions(), self._saved)

    def positions(self) -> dict[int, int]:
        """The next offset of each partition, as processed."""
        return {partition: lane.position for partition, lane in self._lanes.items()}

    def saved(self) -> dict[int, int]:
        """The offset of the last checkpoint of each partition (C)."""
        return dict(self._saved)

    def insist(self, what: str, action: Callable[[], T]) -> T:
        """The answer of the action, with the setup's patience."""
        return self._setup.patience.insist(what, action, self._stop)

    def _read(self) -> Work:
        found = []
        for lane in self._lanes.values():
            records = lane.read(self._pace.records(), self._setup.max_bytes)
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
            self._checkpoint_due = time.monotonic() + self._setup.checkpoint_s
            pieces = with_checkpoints(pieces, self._lanes.values())
        if pieces:
            self._flight.launch(pieces)

    def _commit(self, pieces: Sequence[Piece]) -> None:
        with metrics.COMMIT.time():
            self.insist("commit", lambda: self._committer.commit(pieces))

    def _commit_one(self, piece: Piece) -> None:
        self._commit([piece])
        self._account([piece])

    def _land(self) -> bool:
        """Waits for the flight; true when it failed and the lanes were set back."""
        pieces, error = self._flight.land()
        match error:
            case None:
                self._account(pieces)
                return False
            case FenceLost():
                self._set_back(pieces, error)
            case Unavailable() | Misconfigured():
                raise error
            case Exception():
                LOGGER.error("transaction failed", cause=repr(error), exc_info=error)
                self._reload()
                for piece in pieces:
                    self._search_until(piece.partition, piece.outcome.next_offset)
            case _:
                raise error
        return True

    def _set_back(self, pieces: Sequence[Piece], error: FenceLost) -> None:
        """After a refused commit: what is lost goes, every other piece for itself, then reload."""
        metrics.FENCES.inc()
        self._lose(error)
        for piece in pieces:
            if len(pieces) > 1 and piece.partition in self._lanes:
                self._try_alone(piece)
        LOGGER.warning("fence refused, reloading", cause=str(error), partitions=list(self._lanes))
        self._reload()

    def _lose(self, error: FenceLost) -> None:
        """Drops what is not ours any more (design §6.2). Nothing is in flight."""
        lost = [
            partition
            for partition in self._lanes
            if not self.insist("own", partial(self._committer.owns, partition))
        ]
        if lost:
            LOGGER.warning("partitions belong to another worker now", partitions=lost)
            self.drop(lost)
        if not self._lanes:
            raise SteppedDown(f"partitions {lost} belong to another worker") from error

    def _try_alone(self, piece: Piece) -> None:
        """A piece whose shared transaction was refused; the reload finds out how it went."""
        try:
            self._commit_one(piece)
        except (Misconfigured, Unavailable):
            raise
        except Exception as error:
            LOGGER.warning("a piece failed alone", partition=piece.partition, cause=repr(error))

    def _reload(self) -> None:
        for partition in list(self._lanes):
            self._retake(partition)

    def _retake(self, partition: int) -> Lane:
        identity = self.insist("identity", self._past.identity)
        taken = self.insist("take", partial(self._committer.take, partition, identity))
        self.insist("check", partial(check_log, self._past, taken))
        make = partial(
            Lane,
            self._log,
            taken,
            wanted=self._setup.wanted_versions,
            load=self._store.versions,
            past=self._past,
            version=self._setup.version,
        )
        lane = self.insist("load", lambda: make(self._setup.make_pipeline(partition)))
        self._saved[partition] = taken.checkpoint_offset
        self._lanes[partition] = lane
        if lane.upgraded:
            self._sign(lane)
        return lane

    def _sign(self, lane: Lane) -> None:
        """Before a new program computes anything, the checkpoint is its own."""
        try:
            self._commit_one(empty_piece(lane))
        except FenceLost as error:  # taken from us at once: the next commit will find out
            LOGGER.warning("partition lost again", partition=lane.partition, cause=str(error))

    def _search(self, lane: Lane, records: list[Record]) -> None:
        """Finds what makes the batch fail, from the last committed state on (design §6.7)."""
        if self._land():
            return
        try:
            self._bisection.search(self._retake(lane.partition), records)
        except FenceLost as error:
            self._set_back([], error)

    def _search_until(self, partition: int, end: int) -> None:
        while partition in self._lanes and self._lanes[partition].position < end:
            lane = self._lanes[partition]
            found = self.insist(
                "read", partial(lane.read, self._setup.max_records, self._setup.max_bytes)
            )
            records = [record for record in found if record.offset < end]
            if not records:
                return
            self._search(lane, records)

    def _account(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            partition, outcome = str(piece.partition), piece.outcome
            metrics.RECORDS.labels(partition).inc(outcome.next_offset - piece.old)
            metrics.READINGS.labels(partition).inc(sum(len(r) for r in outcome.readings))
            metrics.LATE.labels(partition).inc(sum(len(r) for r in outcome.late))
            if piece.checkpoint is not None:
                self._saved[piece.partition] = outcome.next_offset
            if outcome.transitions:
                self._chores.unnumbered = True


def with_checkpoints(pieces: Sequence[Piece], lanes: Iterable[Lane]) -> list[Piece]:
    """The pieces with their lanes' checkpoints; a lane without a piece gets an empty one, unless
    its last checkpoint is where it stands."""
    given = {piece.partition: piece for piece in pieces}
    found = []
    for lane in lanes:
        if lane.position == lane.saved and lane.partition not in given:
            continue
        if lane.partition not in given:
            found.append(empty_piece(lane))
            continue
        found.append(replace(given[lane.partition], checkpoint=_checkpoint(lane)))
    return found


def empty_piece(lane: Lane) -> Piece:
    """A checkpoint of the lane where it stands, and nothing else."""
    outcome = Outcome(next_offset=lane.position)
    return Piece(lane.partition, lane.position, outcome, checkpoint=_checkpoint(lane))


def _checkpoint(lane: Lane) -> StateParts:
    state = lane.checkpoint()
    metrics.CHECKPOINT.inc(_size(state))
    return state


def _size(state: StateParts) -> int:
    parts = sum(len(content or b"") for content in state.parts.values())
    return parts + sum(len(content) for _, content in state.segments.values())
