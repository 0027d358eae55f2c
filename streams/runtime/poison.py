"""Records that always make their batch fail: found by halving, given up one by one.

When most of the input fails the deploy is broken, not the data: then the host stops.
"""

from __future__ import annotations

from collections import deque

import structlog

from streams import metrics
from streams.contracts.frame import Record
from streams.contracts.outcome import DeadLetter, Outcome
from streams.contracts.reason import Reason
from streams.errors import Misconfigured
from streams.runtime.lane import checksum
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
