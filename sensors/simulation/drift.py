"""Plays any domain that has no physics of its own: every series wanders slowly and stays in range.

So that a new domain's folder is enough to see its readings flow. Values follow two slow waves
between the middle half of the property's limits; nothing in them means anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sensors.simulation import noise
from sensors.simulation.player import STEP_MS, Block, Channel, channels_of
from streams.catalog import Registry
from streams.contracts.domain import Domain, Property
from streams.contracts.frame import Float64, Int64

WAVE_H = 1.5
HOUR_MS = 3_600_000


class DriftPlayer:
    """See the module. Intervals and reporting are those of the domain's properties."""

    def __init__(self, registry: Registry, domain: Domain, seed: int) -> None:
        self.domain = domain.name
        self.units: Mapping[str, str] = {p.name: p.unit for p in domain.properties}
        self._properties = domain.properties
        self._seed = seed
        found = [channels_of(registry, p.name) for p in domain.properties]
        self.channels: Sequence[Channel] = sum(found, start=())
        self._counts = [len(some) for some in found]
        self._keys = [noise.name_keys(tuple(c.sensor for c in some)) for some in found]

    def advance(self, start_ms: int) -> Sequence[Block]:
        blocks: list[Block] = []
        first = 0
        for number, prop in enumerate(self._properties):
            count = self._counts[number]
            times = due(prop, start_ms) if count else np.zeros(0, np.int64)
            for time_ms in times.tolist():
                blocks.append(
                    Block(
                        np.arange(first, first + count, dtype=np.int32),
                        np.full(count, time_ms, np.int64),
                        self._values(prop, number, time_ms),
                    )
                )
            first += count
        return blocks

    def _values(self, prop: Property, number: int, time_ms: int) -> Float64:
        stream = noise.key(self._seed, f"drift.{prop.name}")
        wave = noise.smooth(stream, self._keys[number], time_ms / HOUR_MS / WAVE_H)
        low, high = float(prop.low), float(prop.high)
        return np.round((low + high) / 2.0 + (high - low) / 14.0 * wave, min(prop.scale, 6))


def due(prop: Property, start_ms: int) -> Int64:
    """Event times of the readings that are sent in [start, start + STEP_MS), epoch ms.

    An interval's reading is sent when the interval is over and carries its start.
    """
    every_ms = 1000 * (prop.interval_s or prop.report_s)
    first = -(-start_ms // every_ms) * every_ms
    times = np.arange(first, start_ms + STEP_MS, every_ms, dtype=np.int64)
    return times - every_ms if prop.interval_s else times
