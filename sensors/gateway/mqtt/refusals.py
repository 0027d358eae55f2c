"""Refused messages go through the log to the dead letters: nobody waits for an answer to them."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from streams.contracts.codec import encode_refusal
from streams.contracts.frame import Refusal
from streams.contracts.reason import Reason
from streams.log import Entry, Log

MOST_AT_ONCE = 500
_REASONS = {reason.value: reason for reason in Reason}


@dataclass(slots=True)
class _Waiting:
    partition: int
    entry: Entry
    done: asyncio.Future[None]


class Refusals:
    """Gathers what is refused while an append runs; `run` must be running for `put` to end."""

    def __init__(self, log: Log, instance: str) -> None:
        self._log = log
        self._instance = instance
        self._numbers = itertools.count()
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()

    async def put(self, partition: int, refusals: Iterable[Refusal]) -> None:
        """Returns when the log has all of them; raises `Unavailable` when it does not take them."""
        loop = asyncio.get_running_loop()
        asked = []
        for refusal in refusals:
            id = f"refusal-{self._instance}-{next(self._numbers)}"
            one = _Waiting(partition, encode_refusal(refusal, id), loop.create_future())
            asked.append(one.done)
            self._waiting.put_nowait(one)
        for done in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(done, BaseException):
                raise done

    async def run(self) -> None:
        """Appends until cancelled."""
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < MOST_AT_ONCE and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            for partition in sorted({one.partition for one in batch}):
                await self._append(partition, [b for b in batch if b.partition == partition])

    async def _append(self, partition: int, batch: list[_Waiting]) -> None:
        entries = [one.entry for one in batch]
        try:
            await asyncio.to_thread(self._log.append, partition, entries)
        except Exception as error:  # whoever waits is told, and decides
            for one in batch:
                if not one.done.done():
                    one.done.set_exception(error)
        else:
            for one in batch:
                if not one.done.done():
                    one.done.set_result(None)


def refusals_of(
    refused: Iterable[Mapping[str, object]], write: Callable[[Reason, str, int], Refusal]
) -> list[Refusal]:
    """One refusal per reason of an answer: how many readings, and what was wrong with the first."""
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for one in refused:
        reason = str(one["reason"])
        counts[reason] += 1
        first.setdefault(reason, f"{one['index']} {one['sensor']}: {one['detail']}")
    return [write(_REASONS[reason], first[reason], counts[reason]) for reason in sorted(counts)]
