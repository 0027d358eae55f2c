"""One order of region messages, however the partitions of the first stage interleave.

Messages count in the order (processing time, area, sequence) and are released once every area of
the registry has passed their processing time. A message at the smallest clock may still get
siblings, so only messages strictly below it leave. Fewer ticks delay the release, never reorder.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from streams.contracts.outcome import RegionMessage

CLOCK = "clock"


def order_key(message: RegionMessage) -> tuple[int, str, int]:
    """The place of a message in the one order."""
    return message.proc_ms, message.area, message.sequence


@dataclass(slots=True)
class Clocks:
    """Processing time of every area, as far as the region log tells, and what has been released.

    Everything with a processing time below `released_ms` has left; nothing at or above it has.
    """

    by_area: dict[str, int] = field(default_factory=dict)
    released_ms: int = 0

    def observe(self, message: RegionMessage) -> None:
        """Raises the clock of the message's area, or of the areas that a clock message lists."""
        areas = message.payload["areas"] if message.kind == CLOCK else (message.area,)
        for area in areas:
            if message.proc_ms > self.by_area.get(area, -1):
                self.by_area[area] = message.proc_ms

    def horizon_ms(self, areas: Collection[str]) -> int:
        """Messages strictly below it may leave: the smallest clock of these areas.

        0 while one of them has never been heard of; never below what has left already.
        """
        smallest = min((self.by_area.get(area, 0) for area in areas), default=0)
        return max(smallest, self.released_ms)

    def to_dict(self) -> dict[str, Any]:
        return {"by_area": dict(sorted(self.by_area.items())), "released_ms": self.released_ms}

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> Clocks:
        return Clocks(dict(content["by_area"]), int(content["released_ms"]))


@dataclass(slots=True)
class Sequencer:
    """The order over a buffer in memory: for replays without a store, and for the tests.

    The stored runner uses the region log itself as the buffer (`streams.storage.region`).
    """

    areas: Collection[str]
    clocks: Clocks = field(default_factory=Clocks)
    waiting: list[RegionMessage] = field(default_factory=list)

    def push(self, messages: Iterable[RegionMessage]) -> list[RegionMessage]:
        """Takes messages as they come, gives back those that may leave now, in order."""
        for message in messages:
            self.clocks.observe(message)
            if message.kind != CLOCK:
                self.waiting.append(message)
        horizon = self.clocks.horizon_ms(self.areas)
        ready = sorted((m for m in self.waiting if m.proc_ms < horizon), key=order_key)
        self.waiting = [m for m in self.waiting if m.proc_ms >= horizon]
        self.clocks.released_ms = horizon
        return ready


def moments(messages: Iterable[RegionMessage]) -> Iterable[tuple[int, list[RegionMessage]]]:
    """Ordered messages grouped by processing time: what one moment says is folded together."""
    for proc_ms, group in groupby(messages, key=lambda m: m.proc_ms):
        yield proc_ms, list(group)
