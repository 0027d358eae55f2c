"""Plays the domain weather: rain gauges by the minute, stations for wind, warmth and snow.

A station has its own place, hence its own sky; its snow is that of the nearest gauge. Siting
gives it more or less wind and a little more or less warmth than the country around.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensors.simulation import noise
from sensors.simulation.gauges import RainGauges
from sensors.simulation.panel import Panel
from sensors.simulation.player import STEP_MS, Block, positions
from sensors.simulation.sky import Air, plane
from sensors.simulation.world import World
from streams.catalog import Sensor
from streams.contracts.domain import Domain, Property
from streams.contracts.frame import Float64, Int64

OPEN = (0.85, 1.25)  # a station's wind against that of the country
WARM_C = (-0.8, 0.8)
GUST = (1.35, 1.75)  # gust against the mean wind
UNSTEADY = 0.05
NOISE_C = 0.1
SNOW_UM = 100  # what a snow gauge can tell
READ = ("wind_speed", "gust", "air_temperature", "snowfall", "snow_depth")


class WeatherPlayer:
    """See the module."""

    domain = "weather"

    def __init__(self, world: World, domain: Domain) -> None:
        self._world = world
        self._panel = Panel(world.registry, domain, READ)
        self._gauges = RainGauges(world, len(self._panel.channels))
        self.channels = self._panel.channels + self._gauges.channels
        self.units = {p.name: p.unit for p in domain.properties}
        made: dict[tuple[str, ...], _Sites] = {}
        self._sites = {}
        for name, sensors in self._panel.sensors.items():
            names = tuple(s.name for s in sensors)
            if names not in made:
                made[names] = _Sites(world, sensors)
            self._sites[name] = made[names]
        self._told: dict[str, Int64] = {}

    def advance(self, start_ms: int) -> Sequence[Block]:
        """Stations speak at the end of a step, like the gauges, so that one frame holds both."""
        return [*self._panel.read(start_ms + STEP_MS, self._measure), *self._gauges.read(start_ms)]

    def _measure(self, prop: Property, time_ms: int) -> Float64:
        name = prop.name
        site = self._sites[name]
        if name == "snowfall":
            return self._snowfall(site)
        if name == "snow_depth":
            depth = self._world.ground.snow_depth_cm[site.gauge] * site.open
            return np.round(depth, 1).astype(np.float64)
        air = site.air(self._world, time_ms)
        error = noise.bell(
            noise.key(self._world.seed, f"weather.{name}"), site.keys, time_ms // 1000
        )
        if name == "air_temperature":
            return np.round(air.temperature_c + site.warm_c + NOISE_C * error, 1)
        mean = air.wind_m_s * site.open
        factor = 1.0 + UNSTEADY * error if name == "wind_speed" else self._gust(site, time_ms)
        return np.round(np.maximum(mean * factor, 0.0), 1).astype(np.float64)

    def _gust(self, site: _Sites, time_ms: int) -> Float64:
        """The gust against the mean wind."""
        stream = noise.key(self._world.seed, "weather.gusts")
        share = noise.uniform(stream, site.keys, time_ms // 1000)
        return GUST[0] + (GUST[1] - GUST[0]) * share

    def _snowfall(self, site: _Sites) -> Float64:
        """Whole tenths that fell since the last report; the rest is told with the next."""
        fallen = self._world.ground.snow_um[site.gauge] // SNOW_UM
        new = fallen - self._told.get("snowfall", np.zeros_like(fallen))
        self._told["snowfall"] = fallen
        return np.asarray(new * SNOW_UM / 1000.0, np.float64)


PLAYER = WeatherPlayer


class _Sites:
    """Where sensors stand; properties that the same ones measure share it."""

    def __init__(self, world: World, sensors: Sequence[Sensor]) -> None:
        self._asked: tuple[int, Air] | None = None
        points = [world.registry.points[s.point] for s in sensors]
        self._x, self._y = plane(*positions(points))
        self.keys = noise.name_keys(tuple(p.id for p in points))
        self.gauge = world.ground.nearest_gauge(self._x, self._y)
        draw = noise.uniform(noise.key(world.seed, "weather.open"), self.keys)
        self.open = OPEN[0] + (OPEN[1] - OPEN[0]) * draw
        draw = noise.uniform(noise.key(world.seed, "weather.warm"), self.keys)
        self.warm_c = WARM_C[0] + (WARM_C[1] - WARM_C[0]) * draw

    def air(self, world: World, time_ms: int) -> Air:
        """The sky's air at the places; asked once for each moment."""
        if self._asked is None or self._asked[0] != time_ms:
            found = world.sky.air(world.hour(time_ms), self._x, self._y)
            self._asked = time_ms, found
        return self._asked[1]
