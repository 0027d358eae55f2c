"""Plays any domain that has no physics of its own: every series wanders slowly and stays in range.

So that a new domain's folder is enough to see its readings flow. Values follow two slow waves
between the middle half of the property's limits; nothing in them means anything.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensors.simulation import noise
from sensors.simulation.panel import Panel
from sensors.simulation.player import Block
from sensors.simulation.world import World
from streams.contracts.domain import HOUR_MS, Domain, Property
from streams.contracts.frame import Float64

WAVE_H = 1.5


class DriftPlayer:
    """See the module. Intervals and reporting are those of the domain's properties."""

    def __init__(self, world: World, domain: Domain) -> None:
        self.domain = domain.name
        self._panel = Panel(world.registry, domain)
        self.units = self._panel.units
        self.channels = self._panel.channels
        self._seed = world.seed
        self._keys = {
            name: noise.name_keys(tuple(s.name for s in sensors))
            for name, sensors in self._panel.sensors.items()
        }

    def advance(self, start_ms: int) -> Sequence[Block]:
        return self._panel.read(start_ms, self._values)

    def _values(self, prop: Property, time_ms: int) -> Float64:
        stream = noise.key(self._seed, f"drift.{prop.name}")
        wave = noise.smooth(stream, self._keys[prop.name], time_ms / HOUR_MS / WAVE_H)
        low, high = float(prop.low), float(prop.high)
        return np.round((low + high) / 2.0 + (high - low) / 14.0 * wave, min(prop.scale, 6))
