"""What a sensor measured lately, by slots of time: the memory behind rolling windows.

A row per series, each with its own newest slot; a slot without a good reading is MISSING. The
memory is bounded; what is older than it is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from streams.contracts.frame import Int32, Int64

MISSING = np.iinfo(np.int32).min
NEVER = -1


@dataclass(slots=True, eq=False)
class Ring:
    """`series`: whose row it is. `newest`: its newest slot (time // slot_ms), NEVER = none."""

    slot_ms: int
    series: list[int]
    newest: Int64
    values: Int32  # (rows, slots), at slot % slots

    @property
    def slots(self) -> int:
        return int(self.values.shape[1])

    def put(self, row: int, slot: int, value: int | None) -> None:
        """Sets a slot; None = nothing good in it. What is older than the memory is ignored."""
        newest, slots = int(self.newest[row]), self.slots
        if slot > newest:
            if value is None:
                return
            self._skip(row, newest, slot)
            self.newest[row] = slot
        elif slot <= newest - slots:
            return
        self.values[row, slot % slots] = MISSING if value is None else value

    def get(self, row: int, slot: int) -> int | None:
        """What is remembered of a slot; None = nothing good, or too old, or still to come."""
        newest = int(self.newest[row])
        if not newest - self.slots < slot <= newest:
            return None
        value = int(self.values[row, slot % self.slots])
        return None if value == MISSING else value

    def window(self, row: int, count: int, ago: int = 0) -> Int32:
        """The `count` slots that end `ago` slots before the newest one, oldest first."""
        slots = self.slots
        end = int(self.newest[row]) - ago + 1
        begin = (end - count) % slots
        if begin + count <= slots:
            return self.values[row, begin : begin + count]
        return np.concatenate((self.values[row, begin:], self.values[row, : begin + count - slots]))

    def _skip(self, row: int, newest: int, slot: int) -> None:
        slots = self.slots
        if newest == NEVER or slot - newest >= slots:
            self.values[row] = MISSING
            return
        begin, end = (newest + 1) % slots, slot % slots
        if begin <= end:
            self.values[row, begin:end] = MISSING
        else:
            self.values[row, begin:] = MISSING
            self.values[row, :end] = MISSING


def fit(ring: Ring | None, slot_ms: int, slots: int, series: Iterable[int]) -> Ring:
    """An empty ring for these series, or the ring with rows for those that are new."""
    if ring is None:
        empty = np.empty((0, slots), np.int32)
        ring = Ring(slot_ms, [], np.empty(0, np.int64), empty)
    more = sorted(set(series) - set(ring.series))
    if more:
        ring.series += more
        ring.newest = np.append(ring.newest, np.full(len(more), NEVER, np.int64))
        fresh = np.full((len(more), slots), MISSING, np.int32)
        ring.values = np.concatenate((ring.values, fresh))
    return ring
