"""Plays the domain air: stations that publish six hourly means after each full hour.

A reading's event time is the start of its hour (Asia/Shanghai hours); values are rounded as the
national feed prints them. A station without coordinates has the weather of its area's others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from sensors.simulation import noise, season
from sensors.simulation.chemistry import (
    DIGITS,
    LEAST,
    WASH_PER_MM,
    Hour,
    Site,
    concentrations,
    layer,
    light,
    wash,
)
from sensors.simulation.player import STEP_MS, Block, Channel, channels_of, sensors_with
from sensors.simulation.sky import plane
from sensors.simulation.world import World
from streams.catalog import Registry
from streams.contracts.domain import HOUR_MS, SHANGHAI_OFFSET_MS, Domain, Point
from streams.contracts.frame import Float64

POLLUTANTS = tuple(DIGITS)
UNITS: Mapping[str, str] = MappingProxyType(
    {p: "mg/m³" if p == "co" else "µg/m³" for p in POLLUTANTS}
)
PUBLISHED_AFTER_MS = 4 * 60_000
SAMPLES_PER_HOUR = 6
UNSTEADY = 0.09  # relative scatter of an hourly mean
AIR_MASS_H = 30.0
KERB_SHARE, RURAL_SHARE = 0.2, 0.2


class AirPlayer:
    """See the module."""

    domain = "air"
    units = UNITS

    def __init__(self, world: World, domain: Domain) -> None:
        registry, seed = world.registry, world.seed
        self._sky = world.sky
        self._seed = seed
        self._start_ms = world.start_ms
        sensors = sensors_with(registry, POLLUTANTS[0])
        self._stations = len(sensors)
        self.channels: Sequence[Channel] = sum(
            (channels_of(registry, p) for p in POLLUTANTS), start=()
        )
        points = [registry.points[s.point] for s in sensors]
        self._x, self._y = plane(*_places(points, registry))
        self._keys = noise.name_keys(tuple(s.name for s in sensors))
        self._site = draw_site(self._keys, seed)
        self._left = {p: np.ones(self._stations) for p in WASH_PER_MM}

    def advance(self, start_ms: int) -> Sequence[Block]:
        end_ms = start_ms + STEP_MS
        if (end_ms - PUBLISHED_AFTER_MS) % HOUR_MS or not self._stations:
            return ()
        hour_ms = end_ms - PUBLISHED_AFTER_MS - HOUR_MS
        found = concentrations(self._site, self._weather(hour_ms))
        return [self._block(i, p, found[p], hour_ms) for i, p in enumerate(POLLUTANTS)]

    def _block(self, number: int, pollutant: str, mean: Float64, hour_ms: int) -> Block:
        scatter = noise.bell(
            noise.key(self._seed, f"air.{pollutant}"), self._keys, hour_ms // HOUR_MS
        )
        value = np.maximum(mean * (1.0 + UNSTEADY * scatter), LEAST[pollutant])
        first = number * self._stations
        return Block(
            np.arange(first, first + self._stations, dtype=np.int32),
            np.full(self._stations, hour_ms, np.int64),
            np.round(value, DIGITS[pollutant]).astype(np.float64),
        )

    def _weather(self, hour_ms: int) -> Hour:
        """The hour's weather; takes the hour's rain out of the air, so call it once per hour."""
        begin = (hour_ms - self._start_ms) / HOUR_MS
        moments = [begin + (i + 0.5) / SAMPLES_PER_HOUR for i in range(SAMPLES_PER_HOUR)]
        rain = np.mean([self._sky.rain_mm_h(m, self._x, self._y) for m in moments], axis=0)
        for pollutant, per_mm in WASH_PER_MM.items():
            self._left[pollutant] = wash(self._left[pollutant], rain, per_mm)
        air = self._sky.air(begin + 0.5, self._x, self._y)
        local = (hour_ms + SHANGHAI_OFFSET_MS) / HOUR_MS
        wave = noise.smooth(noise.key(self._seed, "air.mass"), 0, local / AIR_MASS_H)
        rise, set_, strength = season.daylight(hour_ms)
        return Hour(
            local_hour=local % 24 + 0.5,
            sun=light(local % 24 + 0.5, air.cloud, (rise, set_)) * strength,
            layer=layer(local % 24 + 0.5, (rise, set_)) * air.layer,
            temperature_c=air.temperature_c,
            haze=air.haze,
            wind_m_s=air.wind_m_s,
            washed=dict(self._left),
            air_mass=1.0 + 0.3 * float(wave),
        )


PLAYER = AirPlayer


def draw_site(keys: noise.UInt64, seed: int) -> Site:
    """Kerb, town or countryside, and how much of each source arrives there."""
    kind = noise.uniform(noise.key(seed, "air.kind"), keys)
    kerb, rural = kind < KERB_SHARE, kind > 1.0 - RURAL_SHARE

    def scale(what: str, low: float, high: float) -> Float64:
        return low + (high - low) * noise.uniform(noise.key(seed, what), keys)

    return Site(
        traffic=np.where(kerb, 1.8, np.where(rural, 0.3, 1.0)) * scale("air.traffic", 0.8, 1.2),
        industry=np.where(rural, 0.2, 1.0) * scale("air.industry", 0.4, 1.6),
        background=scale("air.background", 0.85, 1.15),
    )


def _places(points: Sequence[Point], registry: Registry) -> tuple[Float64, Float64]:
    """Longitude and latitude of the stations; the area's inner point stands in for unknown ones."""

    def place(point: Point) -> tuple[float, float]:
        area = registry.areas[point.area]
        lon = point.lon if point.lon is not None else area.lon
        lat = point.lat if point.lat is not None else area.lat
        if lon is None or lat is None:
            raise ValueError(f"neither station {point.id} nor its area has coordinates")
        return lon, lat

    found = np.array([place(p) for p in points], np.float64).reshape(-1, 2)
    return found[:, 0], found[:, 1]
