"""Records that always make their batch fail: found by halving, given up one by one.

When most of the input fails the deploy is broken, not the data: then the host stops.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import structlog

from streams import metrics
from streams.contracts.frame import Record
from streams.contracts.outcome import DeadLetter, Outcome
from streams.contracts.reason import Reason
from streams.errors import FenceLost, Misconfigured, Unavailable
from streams.runtime.lane import Lane, checksum
from streams.storage.commit import Piece

LOGGER = structlog.get_logger(__name__)
MEMORY = 200  # records that the guard looks back on
ENOUGH = 20  # poison records before it judges


class PoisonGuard:
    """Counts how the last records of the search fared."""

    def __init__(self) -> None:
        self._fates: deque[bool] = deque(maxlen=MEMORY)

    def good(self, records: int) -> None:
        """So many records went through."""
        self._fates.extend([False] * min(records, MEMORY))

    def bad(self, record: Record, cause: Exception) -> None:
        """One was given up. Raises `Misconfigured` when most of the input fails."""
        metrics.POISON.inc()
        LOGGER.error("record given up", position=record.offset, cause=repr(cause))
        self._fates.append(True)
        failed = sum(self._fates)
        if failed >= ENOUGH and failed * 2 > len(self._fates):
            raise Misconfigured(
                [
                    f"{failed} of the last {len(self._fates)} records fail, lately with {cause!r}: "
                    "this looks like a broken deploy, not like bad data"
                ]
            ) from cause


class Bisection:
    """Halves a batch that fails until the records that make it fail are alone (design §6.7).

    `retake` gives a lane at the last committed state, `commit` stores a piece and accounts for it.
    """

    def __init__(
        self, retake: Callable[[int], Lane], commit: Callable[[Piece], None], guard: PoisonGuard
    ) -> None:
        self._retake = retake
        self._commit = commit
        self._guard = guard

    def search(self, lane: Lane, records: Sequence[Record]) -> Lane:
        """Commits all of the records but the bad ones; gives the lane behind them.

        The lane stands at the first record, with nothing uncommitted in its memory.
        """
        try:
            piece = lane.process(records, lane.versions_for(records))
            self._commit(piece)
        except (FenceLost, Misconfigured, Unavailable):
            raise
        except Exception as error:
            lane = self._retake(lane.partition)
            if len(records) > 1:
                middle = len(records) // 2
                return self.search(self.search(lane, records[:middle]), records[middle:])
            self._guard.bad(records[0], error)
            self._commit(give_up(lane.partition, lane.position, records[0], error))
            lane.position = records[0].offset + 1
        else:
            self._guard.good(len(records))
        return lane


def give_up(partition: int, old: int, record: Record, cause: Exception) -> Piece:
    """The transaction piece that steps over a record: a dead letter with its original bytes."""
    headers = record.headers
    source, area = headers.get("ce_source", ""), headers.get("ce_subject", "")
    outcome = Outcome(next_offset=record.offset + 1)
    outcome.dead_letters.append(
        DeadLetter(
            reason=Reason.POISON,
            detail=f"{type(cause).__name__}: {cause}"[:500],
            position=record.offset,
            row=-1,
            source=source,
            area=area,
            domain="",
            content=record.body,
            headers=headers,
        )
    )
    outcome.count(area, "", source, received=1, rejected=1)
    return Piece(
        partition=partition,
        old=old,
        outcome=outcome,
        checksum=checksum(record),
        append_ms=record.append_ms,
        poison=(record.offset,),
    )
