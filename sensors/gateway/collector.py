"""Rows wait here for company and for the log; a request is answered when the log has its frames.

Bounded: rows that wait, in all and of one gateway. One round of appends at a time, in threads, one
append for a partition: while it runs the next rows gather, so a slow log gets bigger appends, and
past the bound clients are told to come back. Nothing is kept for a client that was told so.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sensors.gateway.checking import Piece
from sensors.gateway.framing import frame_pieces
from sensors.gateway.metrics import GatewayMetrics
from sensors.gateway.settings import GatewaySettings
from streams.contracts.codec import encode
from streams.errors import Unavailable
from streams.log import Entry, Log

FIRST_BACKOFF_S = 0.05
LONGEST_BACKOFF_S = 1.0
PARALLEL = 4  # partitions whose acknowledgement is waited for at once
_log = logging.getLogger(__name__)


class Busy(Exception):
    """Too much waits already: come back later. `own` = it is this gateway's own share."""

    def __init__(self, detail: str, *, own: bool) -> None:
        super().__init__(detail)
        self.own = own


@dataclass(slots=True)
class _Waiting:
    """One request's pieces and who waits for them."""

    pieces: Sequence[Piece]
    rows: int
    done: asyncio.Future[None]


@dataclass(slots=True)
class _State:
    rows: int = 0
    by_source: Counter[str] = field(default_factory=Counter)
    waiting: list[_Waiting] = field(default_factory=list)


class Collector:
    """Gathers pieces into frames and appends them. `run` must be running for `put` to end."""

    def __init__(
        self,
        log: Log,
        settings: GatewaySettings,
        metrics: GatewayMetrics,
        clock_ms: Callable[[], int],
        instance: str,
    ) -> None:
        self._log = log
        self._settings = settings
        self._metrics = metrics
        self._clock_ms = clock_ms
        self._ingest_ms = 0
        numbers = itertools.count()
        self._new_id: Callable[[], str] = lambda: f"{instance}-{next(numbers)}"
        self._state = _State()
        self._work = asyncio.Event()
        self._enough = asyncio.Event()
        self._stopping = False
        self._thread = ThreadPoolExecutor(1, "gateway-round")
        self._appends = ThreadPoolExecutor(PARALLEL, "gateway-append")
        self.failing: str | None = None  # what the last append said, when it failed

    @property
    def rows(self) -> int:
        """Rows accepted and not yet answered for; never above `waiting_rows`."""
        return self._state.rows

    async def put(self, pieces: Sequence[Piece]) -> None:
        """Returns when the log has taken every frame of these pieces (of one gateway).

        Raises `Busy` at once, when there is no room, or `Unavailable` when the log did not take
        them all in time: some may be in the log, and sending them again does no harm.
        """
        if not pieces:
            return
        rows = sum(len(piece.rows) for piece in pieces)
        self._reserve(pieces[0].source, rows)
        waiting = _Waiting(pieces, rows, asyncio.get_running_loop().create_future())
        self._state.waiting.append(waiting)
        self._work.set()
        if self._gathered() >= self._settings.frame_rows:
            self._enough.set()
        try:
            await asyncio.wait_for(
                asyncio.shield(waiting.done), 2 * self._settings.append_timeout_s
            )
        except TimeoutError as error:
            waiting.done.add_done_callback(_look_away)
            raise Unavailable("the log did not answer in time") from error

    async def run(self) -> None:
        """Appends until `stop`; then what waits is still appended."""
        try:
            while True:
                await self._work.wait()
                if not self._state.waiting:
                    return
                await self._linger()
                batch, self._state.waiting = self._state.waiting, []
                self._enough.clear()
                if not self._stopping:
                    self._work.clear()
                await self._append(batch)
        finally:
            self._thread.shutdown(wait=False)
            self._appends.shutdown(wait=False)

    def stop(self) -> None:
        """Takes nothing more; `run` ends when nothing waits."""
        self._stopping = True
        self._work.set()
        self._enough.set()

    def _reserve(self, source: str, rows: int) -> None:
        state, settings = self._state, self._settings
        if self._stopping:
            raise Busy("the gateway is stopping", own=False)
        if state.by_source[source] + rows > settings.source_rows:
            raise Busy(f"{state.by_source[source]} readings of this gateway wait already", own=True)
        if state.rows + rows > settings.waiting_rows:
            raise Busy(f"{state.rows} readings wait for the log already", own=False)
        state.rows += rows
        state.by_source[source] += rows
        self._metrics.waiting.set(state.rows)

    def _release(self, waiting: _Waiting) -> None:
        state, source = self._state, waiting.pieces[0].source
        state.rows -= waiting.rows
        state.by_source[source] -= waiting.rows
        if not state.by_source[source]:
            del state.by_source[source]
        self._metrics.waiting.set(state.rows)

    def _gathered(self) -> int:
        return sum(waiting.rows for waiting in self._state.waiting)

    async def _linger(self) -> None:
        if self._settings.linger_ms and not self._stopping:
            try:
                await asyncio.wait_for(self._enough.wait(), self._settings.linger_ms / 1000)
            except TimeoutError:
                return

    async def _append(self, batch: list[_Waiting]) -> None:
        self._ingest_ms = max(self._ingest_ms, self._clock_ms())
        pieces = [piece for waiting in batch for piece in waiting.pieces]
        loop = asyncio.get_running_loop()
        try:
            failed = await loop.run_in_executor(
                self._thread, self._append_pieces, pieces, self._ingest_ms
            )
        except BaseException:
            self._give_up(batch)
            raise
        self._note(failed)
        for waiting in batch:
            self._release(waiting)
            error = next(
                (failed[p.partition] for p in waiting.pieces if p.partition in failed), None
            )
            if waiting.done.done():
                continue
            if error is None:
                waiting.done.set_result(None)
            else:
                waiting.done.set_exception(Unavailable(error))

    def _give_up(self, batch: Sequence[_Waiting]) -> None:
        """After a bug nothing is taken any more, and nobody waits for an answer."""
        self._stopping = True
        self.failing = "the gateway failed and takes nothing more"
        for waiting in (*batch, *self._state.waiting):
            if not waiting.done.done():
                waiting.done.set_exception(Unavailable(self.failing))

    def _append_pieces(self, pieces: Sequence[Piece], ingest_ms: int) -> Mapping[int, str]:
        """In the thread: what every partition that failed said."""
        entries: dict[int, list[Entry]] = {}
        frames = frame_pieces(pieces, self._settings.frame_rows, ingest_ms, self._new_id)
        for partition, frame in frames:
            entries.setdefault(partition, []).append(encode(frame))
        deadline = time.monotonic() + self._settings.append_timeout_s
        errors = self._appends.map(
            lambda partition: self._append_records(partition, entries[partition], deadline), entries
        )
        return {p: error for p, error in zip(entries, errors, strict=True) if error is not None}

    def _append_records(
        self, partition: int, records: Sequence[Entry], deadline: float
    ) -> str | None:
        backoff = FIRST_BACKOFF_S
        while True:
            started = time.monotonic()
            try:
                self._log.append(partition, records)
            except Unavailable as error:
                if time.monotonic() + backoff >= deadline:
                    return str(error)
                time.sleep(backoff)
                backoff = min(2 * backoff, LONGEST_BACKOFF_S)
            else:
                self._metrics.append.observe(time.monotonic() - started)
                self._metrics.frames.inc(len(records))
                return None

    def _note(self, failed: Mapping[int, str]) -> None:
        """Logs a failing log once when it starts and once when it ends."""
        said = next(iter(failed.values()), None)
        if said is not None and self.failing is None:
            _log.error("the log takes nothing: %s", said)
        elif said is None and self.failing is not None:
            _log.info("the log takes frames again")
        self.failing = said


def _look_away(done: asyncio.Future[None]) -> None:
    """The one who waited has left: an error of the append is not unhandled."""
    if not done.cancelled():
        done.exception()
