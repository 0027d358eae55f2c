"""Plays the domain traffic: travel time, speed and vehicles of each road link, by interval.

Travel time is the mean over the interval's minutes, speed is length ÷ travel time, as such systems
publish it. A closed link reports the crawl of those that are caught, and no vehicle passes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensors.simulation import noise, roads
from sensors.simulation.panel import Panel
from sensors.simulation.player import Block
from sensors.simulation.world import World
from streams.contracts.domain import Domain, Property
from streams.contracts.frame import Float64

UNSTEADY = 0.03
READ = ("travel_time", "speed", "vehicle_count")


class TrafficPlayer:
    """See the module."""

    domain = "traffic"

    def __init__(self, world: World, domain: Domain) -> None:
        self._roads = world.roads
        self._panel = Panel(world.registry, domain, READ)
        self.channels, self.units = self._panel.channels, self._panel.units
        self._link = {
            name: np.array([self._roads.number[s.point] for s in sensors], np.int64)
            for name, sensors in self._panel.sensors.items()
        }
        self._keys = noise.name_keys(tuple(link.id for link in self._roads.links))
        self._seed = world.seed
        self._begin()

    def advance(self, start_ms: int) -> Sequence[Block]:
        blocks = self._panel.read(start_ms, self._measure) if self._minutes else []
        if blocks:
            self._begin()
        if start_ms % roads.EVERY_MS == 0 and self._roads.links:
            self._minutes += 1
            self._seconds += 3.6 * self._roads.length_m / self._roads.speed_kmh
            self._vehicles += self._roads.flow_per_h / (3_600_000 / roads.EVERY_MS)
        return blocks

    def _begin(self) -> None:
        self._minutes = 0
        self._seconds = np.zeros(len(self._roads.links))
        self._vehicles = np.zeros(len(self._roads.links))

    def _measure(self, prop: Property, time_ms: int) -> Float64:
        link = self._link[prop.name]
        return self._told(prop.name, time_ms)[link]

    def _told(self, name: str, time_ms: int) -> Float64:
        """Of all links; the same chance for travel time and speed, so that they agree."""
        if name == "vehicle_count":
            part = noise.uniform(noise.key(self._seed, "traffic.count"), self._keys, time_ms)
            return np.where(self._vehicles > 0.0, np.floor(self._vehicles + part), 0.0)
        error = noise.bell(noise.key(self._seed, "traffic.time"), self._keys, time_ms)
        seconds = np.maximum(
            np.round(self._seconds / self._minutes * (1.0 + UNSTEADY * error)), 1.0
        )
        return (
            seconds if name == "travel_time" else np.round(3.6 * self._roads.length_m / seconds, 1)
        )


PLAYER = TrafficPlayer
