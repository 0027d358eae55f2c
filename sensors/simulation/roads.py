"""Traffic on road links: how many vehicles want to pass, how fast they can, where they go instead.

Speed = free flow × weather × flood ÷ (1 + 0.75 x⁴), the volume-delay function of the US Bureau of
Public Roads (1964) with a coefficient for streets with signals; x = flow ÷ capacity. Rain and
snow take from speed and capacity what the Road Weather Management Program of the FHWA gives as
usual: heavy rain up to 16 % and 30 %, heavy snow up to 40 % and 27 %. Water on the road slows as
Pregnolato et al. (2017) found; from 27 cm on, the red line of Beijing's underpasses (domain.md
§2.2), the link is closed: its vehicles go to the nearest open links of the county.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sensors.simulation import noise, season
from sensors.simulation.counties import Counties
from sensors.simulation.ground import Ground
from sensors.simulation.player import positions, sensors_with
from sensors.simulation.sky import plane
from streams.catalog import Registry
from streams.contracts.domain import Point
from streams.contracts.frame import Bool, Float64, Int64

EVERY_MS = 60_000
CLOSED_M = 0.27
CRAWL_KMH = 2.0  # the few that are caught at a closed link
LEAST_KMH = 1.0
WORKDAY = (  # share of the peak by local hour
    0.12, 0.08, 0.06, 0.06, 0.08, 0.20, 0.50, 0.90, 1.00, 0.80, 0.70, 0.70,
    0.68, 0.66, 0.68, 0.72, 0.82, 0.98, 1.00, 0.75, 0.60, 0.50, 0.36, 0.22,
)  # fmt: skip
WEEKEND = (
    0.18, 0.12, 0.08, 0.06, 0.07, 0.12, 0.22, 0.35, 0.48, 0.60, 0.70, 0.72,
    0.70, 0.68, 0.70, 0.74, 0.78, 0.80, 0.78, 0.72, 0.65, 0.55, 0.42, 0.28,
)  # fmt: skip
VEHICLES_PER_H = {"expressway": 4_800.0, "trunk": 2_000.0, "secondary": 1_100.0, "branch": 600.0}
LOAD = (0.40, 1.12)  # peak flow ÷ capacity
DELAY, POWER = 0.75, 4
RAIN_SPEED, RAIN_CAPACITY, RAIN_MM_H = 0.16, 0.30, 20.0
SNOW_SPEED, SNOW_CAPACITY, SNOW_MM_H = 0.40, 0.27, 2.0
ICE_SPEED, ICE_BELOW_C, ICE_COVER_MM = 0.35, 1.0, 2.0
STAY_HOME = 0.7  # of the traffic in the worst storm
DETOURS = 3


class Roads:
    """State of the links, in the order of their sensors' names; moved every minute."""

    def __init__(self, registry: Registry, ground: Ground, counties: Counties, seed: int) -> None:
        self._ground, self._counties = ground, counties
        sensors = sensors_with(registry, "speed")
        self.links = tuple(registry.points[s.point] for s in sensors)
        self.number = {link.id: i for i, link in enumerate(self.links)}
        self.length_m = np.array([float(p.attributes["length_m"]) for p in self.links])
        self.free_kmh = np.array([float(p.attributes["free_flow_kmh"]) for p in self.links])
        self.capacity = np.array([VEHICLES_PER_H[p.attributes["road_class"]] for p in self.links])
        keys = noise.name_keys(tuple(s.name for s in sensors))
        load = noise.uniform(noise.key(seed, "roads.load"), keys)
        self._peak = self.capacity * (LOAD[0] + (LOAD[1] - LOAD[0]) * load)
        self._county = np.array([counties.number[p.area] for p in self.links], np.int64)
        self._gauge = ground.nearest_gauge(*plane(*positions(self.links)))
        self._flooding, self._flooded = _flooded_by(self.number, ground.points)
        self._detour = _detours(self.links)
        count = len(self.links)
        self.depth_m = np.zeros(count)
        self.closed: Bool = np.zeros(count, np.bool_)
        self.wanted_per_h = np.zeros(count)
        self.flow_per_h = np.zeros(count)
        self.stranded_per_h = 0.0  # that found no open link
        self.speed_kmh = self.free_kmh.copy()

    def advance(self, start_ms: int) -> None:
        """The minute that begins now; nothing within it."""
        if start_ms % EVERY_MS or not self.links:
            return
        self.depth_m = self._depths()
        self.closed = self.depth_m >= CLOSED_M
        stay = STAY_HOME * self._counties.storm[self._county]
        self.wanted_per_h = self._peak * demand(start_ms) * (1.0 - stay)
        self.flow_per_h, self.stranded_per_h = divert(self.wanted_per_h, self.closed, self._detour)
        self.speed_kmh = self._speed()

    def _depths(self) -> Float64:
        depth = np.zeros(len(self.links))
        np.maximum.at(depth, self._flooded, self._ground.depth_m[self._flooding])
        return depth

    def _speed(self) -> Float64:
        ground, gauge = self._ground, self._gauge
        speed, capacity = weather(
            ground.rain_mm_h[gauge],
            ground.snow_mm_h[gauge],
            ice(ground.air.temperature_c[gauge], ground.snow_cover_mm[gauge]),
        )
        pressure = self.flow_per_h / (self.capacity * capacity)
        found = self.free_kmh * speed * wade(self.depth_m) / (1.0 + DELAY * pressure**POWER)
        return np.where(self.closed, CRAWL_KMH, np.maximum(found, LEAST_KMH))


def demand(time_ms: int) -> float:
    """Share of the peak that wants to drive, between the hours' values."""
    course = WEEKEND if season.is_weekend(time_ms) else WORKDAY
    return float(np.interp(season.local_hour(time_ms), range(25), [*course, course[0]]))


def weather(rain_mm_h: Float64, snow_mm_h: Float64, icy: Float64) -> tuple[Float64, Float64]:
    """Shares of speed and of capacity that rain, snow and ice leave; more is never faster."""
    rain = 1.0 - np.exp(-rain_mm_h / RAIN_MM_H)
    snow = 1.0 - np.exp(-snow_mm_h / SNOW_MM_H)
    speed = (1.0 - RAIN_SPEED * rain) * (1.0 - SNOW_SPEED * snow) * (1.0 - ICE_SPEED * icy)
    return speed, (1.0 - RAIN_CAPACITY * rain) * (1.0 - SNOW_CAPACITY * snow)


def ice(temperature_c: Float64, cover_mm: Float64) -> Float64:
    """How icy the road is, 0–1: snow that lies while it is cold."""
    cold = np.clip((ICE_BELOW_C - temperature_c) / 3.0, 0.0, 1.0)
    return np.asarray(cold * np.clip(cover_mm / ICE_COVER_MM, 0.0, 1.0), np.float64)


def wade(depth_m: Float64) -> Float64:
    """Share of the speed that water of this depth leaves (Pregnolato et al. 2017, in mm, km/h):
    v = 0.0009 w² − 0.5529 w + 86.9448, against its value on a dry road."""
    water_mm = np.minimum(1000.0 * depth_m, 300.0)
    return np.asarray(
        (0.0009 * water_mm * water_mm - 0.5529 * water_mm + 86.9448) / 86.9448, np.float64
    )


def divert(wanted: Float64, closed: Bool, detour: Int64) -> tuple[Float64, float]:
    """Flows after the vehicles of closed links went to their open detours in equal parts; the
    second value is what found none. Their sum is the sum of `wanted`."""
    flow = np.where(closed, 0.0, wanted)
    stranded = 0.0
    for link in np.flatnonzero(closed).tolist():
        ways = [way for way in detour[link].tolist() if way >= 0 and not closed[way]]
        if ways:
            flow[ways] += wanted[link] / len(ways)
        else:
            stranded += float(wanted[link])
    return flow, stranded


def _flooded_by(number: Mapping[str, int], points: Sequence[Point]) -> tuple[Int64, Int64]:
    """Pairs of flood point and link (attribute `link` of the point), as indices."""
    pairs = [
        (i, number[point.attributes["link"]])
        for i, point in enumerate(points)
        if point.attributes.get("link") in number
    ]
    found = np.array(pairs, np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _detours(links: Sequence[Point]) -> Int64:
    """The nearest other links of the same area, shape (n, DETOURS), −1 = none."""
    found = np.full((len(links), DETOURS), -1, np.int64)
    x, y = plane(*positions(links))
    areas = np.array([link.area for link in links])
    for area in sorted(set(areas.tolist())):
        here = np.flatnonzero(areas == area)
        square = (x[here, None] - x[None, here]) ** 2 + (y[here, None] - y[None, here]) ** 2
        np.fill_diagonal(square, np.inf)
        order = np.argsort(square, axis=1, kind="stable")[:, : min(DETOURS, len(here) - 1)]
        found[here, : order.shape[1]] = here[order]
    return found
