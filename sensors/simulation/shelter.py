"""Plays the domain shelter: people in each shelter, or what its counter at the door counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensors.simulation.panel import Panel
from sensors.simulation.player import Block
from sensors.simulation.world import World
from streams.contracts.domain import Domain, Property
from streams.contracts.frame import Float64, Int64

READ = ("occupants", "check_in", "check_out", "open")


class ShelterPlayer:
    """See the module."""

    domain = "shelter"

    def __init__(self, world: World, domain: Domain) -> None:
        self._refuge = world.refuge
        self._panel = Panel(world.registry, domain, READ)
        self.channels, self.units = self._panel.channels, self._panel.units
        self._place = {
            name: np.array([self._refuge.number[s.point] for s in sensors], np.int64)
            for name, sensors in self._panel.sensors.items()
        }
        nobody = np.zeros(len(self._refuge.shelters), np.int64)
        self._told: dict[str, Int64] = {"check_in": nobody, "check_out": nobody}

    def advance(self, start_ms: int) -> Sequence[Block]:
        return self._panel.read(start_ms, self._measure)

    def _measure(self, prop: Property, time_ms: int) -> Float64:
        return self._count(prop.name)[self._place[prop.name]].astype(np.float64)

    def _count(self, name: str) -> Int64:
        """Of all shelters; counters tell who passed since their last report."""
        if name == "occupants":
            return self._refuge.occupants
        if name == "open":
            return self._refuge.open.astype(np.int64)
        passed = self._refuge.came if name == "check_in" else self._refuge.left
        new = passed - self._told[name]
        self._told[name] = passed
        return new


PLAYER = ShelterPlayer
