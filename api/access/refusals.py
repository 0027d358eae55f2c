"""Writes every refused attempt into the audit, and cannot be made to flood it.

The first refusal of its kind is written at once. The same again within a minute (who, route, status
and address) is counted, and the count is written when the minute is over and when the app stops.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from api.actions.database import ActionDatabase
from api.queries.pool import UnknownNamespace
from streams.errors import Unavailable

MOST_KINDS = 10_000  # held at once; beyond, addresses are no longer told apart
TURN_S = 5.0
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is the same in repeated refusals."""

    who: str
    what: str
    status: int
    address: str | None


@dataclass(slots=True)
class _Held:
    since_s: float
    times: int  # not yet written
    detail: Mapping[str, Any]


class Refusals:
    """Owned by the app."""

    def __init__(
        self,
        database: ActionDatabase,
        namespace: str,
        *,
        within_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._namespace = namespace
        self._within_s = within_s
        self._clock = clock
        self._held: dict[Refusal, _Held] = {}
        self._lost = False

    async def note(self, refusal: Refusal, detail: Mapping[str, Any]) -> None:
        """Writes it, or counts it; never raises because the store is away."""
        if len(self._held) >= MOST_KINDS and refusal not in self._held:
            refusal = Refusal(refusal.who, refusal.what, refusal.status, None)
        held = self._held.get(refusal)
        if held is not None:
            held.times += 1
            held.detail = detail
            return
        held = self._held[refusal] = _Held(self._clock(), 1, detail)
        await self._write(refusal, held)

    async def run(self) -> None:
        """Writes the counts of minutes that are over, for ever."""
        while True:
            await asyncio.sleep(TURN_S)
            over = self._clock() - self._within_s
            for refusal, held in list(self._held.items()):
                if held.since_s <= over and await self._write(refusal, held):
                    self._held.pop(refusal, None)

    async def flush(self) -> None:
        """Writes all that is counted."""
        for refusal, held in list(self._held.items()):
            await self._write(refusal, held)

    async def _write(self, refusal: Refusal, held: _Held) -> bool:
        times, held.times = held.times, 0
        if not times:
            return True
        try:
            async with self._database.acting(self._namespace) as desk:
                await desk.note_refused(
                    refusal.who,
                    refusal.what,
                    {"status": refusal.status, **held.detail},
                    address=refusal.address,
                    times=times,
                )
        except (Unavailable, UnknownNamespace) as error:
            held.times += times
            if not self._lost:
                log.warning("audit.waits", error=str(error))
            self._lost = True
            return False
        self._lost = False
        return True
