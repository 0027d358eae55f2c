"""Rain, snow and ponds on the ground: what falls at the gauges and where it stands in the streets.

A point floods with the rain of its own gauge (attribute `gauge`); its drains have the capacity of
the attribute `drain_mm_h`; a point with `tidal` = `yes` is open to the sea. What the registry
does not say (catchment, delay, brim) is drawn from the seed and the point's id.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensors.simulation import basin, noise
from sensors.simulation.player import STEP_S, positions, sensors_with
from sensors.simulation.sky import Air, Sky, plane
from streams.catalog import Registry
from streams.contracts.domain import Point
from streams.contracts.frame import Float64, Int64

FILL_UM = (3_000, 45_000)  # rain excess that ponds 30 cm
DELAY_S = (180, 1500)
RUNOFF_PERMILLE = (600, 930)
BRIM_M = (0.5, 1.6)
STREET_MM = (1_720, 3_000)
DEFAULT_DRAIN_MM_H = "45"
ALL_RAIN_C, ALL_SNOW_C = 1.5, -0.5  # between them it falls as both
SNOW_CM_PER_MM = 1.0  # ten times the water's height
MELT_MM_PER_DEG_H = 0.17  # about 4 mm per degree and day
AIR_EVERY_MS = 60_000
UM_PER_STEP = 1000 * STEP_S / 3600  # of 1 mm/h


class Ground:
    """State of the gauges and flood points; `advance` moves it by a step."""

    def __init__(self, registry: Registry, sky: Sky, seed: int) -> None:
        self._sky = sky
        self.gauges = tuple(s.point for s in sensors_with(registry, "rain"))
        self.points = tuple(registry.points[s.point] for s in sensors_with(registry, "depth"))
        self.x, self.y = plane(*positions(tuple(registry.points[g] for g in self.gauges)))
        self._gauge_of = _gauge_of(self.points, self.gauges)
        names = tuple(s.name for s in sensors_with(registry, "depth"))
        keys = noise.name_keys(names)
        self._local = 0.85 + 0.3 * noise.uniform(noise.key(seed, "basin.local"), keys)
        self.places = draw_places(self.points, keys, seed)
        self.water = basin.Water.none(len(self.points))
        self.depth_m = np.zeros(len(self.points))
        self.depth_before_m = np.zeros(len(self.points))
        nothing = np.zeros(len(self.gauges))
        self.air: Air = Air.clean(nothing, nothing, nothing)
        self.rain_mm_h = nothing
        self.snow_mm_h = nothing
        self.rain_um: Int64 = np.zeros(len(self.gauges), np.int64)  # fallen since the start
        self.snow_um: Int64 = np.zeros(len(self.gauges), np.int64)
        self.snow_cover_mm = nothing  # of water

    @property
    def snow_depth_cm(self) -> Float64:
        """Depth of the lying snow at the gauges."""
        return self.snow_cover_mm * SNOW_CM_PER_MM

    def nearest_gauge(self, x: Float64, y: Float64) -> Int64:
        """Index of the gauge nearest to each place. Raises `ValueError` when there is none."""
        if len(x) and not self.gauges:
            raise ValueError("weather stations and road links need a rain gauge")
        near = [
            int(np.argmin((self.x - a) ** 2 + (self.y - b) ** 2)) for a, b in zip(x, y, strict=True)
        ]
        return np.array(near, np.int64)

    def advance(self, start_ms: int, hour: float) -> None:
        """One step whose middle is `hour` hours after the start; the air is new every minute."""
        if start_ms % AIR_EVERY_MS == 0:
            self.air = self._sky.air(hour, self.x, self.y)
        self._fall(hour)
        self.depth_before_m = self.depth_m
        at_points = np.rint(self.rain_mm_h[self._gauge_of] * self._local * UM_PER_STEP)
        sea_mm = round(1000 * self._sky.sea_m(hour))
        basin.advance(self.places, self.water, at_points.astype(np.int64), sea_mm, STEP_S)
        self.depth_m = basin.depth_m(self.places, self.water.pond)

    def _fall(self, hour: float) -> None:
        """Divides what falls into rain and snow by temperature; snow lies and melts."""
        fall = self._sky.rain_mm_h(hour, self.x, self.y)
        warmth = self.air.temperature_c
        wet = np.clip((warmth - ALL_SNOW_C) / (ALL_RAIN_C - ALL_SNOW_C), 0.0, 1.0)
        self.rain_mm_h, self.snow_mm_h = fall * wet, fall * (1.0 - wet)
        self.rain_um += np.rint(self.rain_mm_h * UM_PER_STEP).astype(np.int64)
        self.snow_um += np.rint(self.snow_mm_h * UM_PER_STEP).astype(np.int64)
        gained = self.snow_mm_h - MELT_MM_PER_DEG_H * np.maximum(warmth, 0.0)
        self.snow_cover_mm = np.maximum(self.snow_cover_mm + gained * (STEP_S / 3600), 0.0)


def draw_places(points: Sequence[Point], keys: noise.UInt64, seed: int) -> basin.Places:
    """The physics of the points: from the registry where it knows, else from the seed."""

    def draw(what: str, bounds: tuple[float, float], power: float = 1.0) -> Float64:
        share = noise.uniform(noise.key(seed, what), keys)
        shaped = share if power == 1.0 else share * share
        return bounds[0] + (bounds[1] - bounds[0]) * shaped

    drain = np.array([float(p.attributes.get("drain_mm_h", DEFAULT_DRAIN_MM_H)) for p in points])
    fill = _whole(draw("basin.fill", FILL_UM, 2.0))
    brim = draw("basin.brim", BRIM_M) / basin.REFERENCE_M
    return basin.Places(
        runoff_permille=_whole(draw("basin.runoff", RUNOFF_PERMILLE)),
        delay_s=_whole(draw("basin.delay", DELAY_S, 2.0)),
        drain_um_h=_whole(1000.0 * drain),
        fill_um=fill,
        brim_um=_whole(fill * brim * brim),
        tidal=np.array([p.attributes.get("tidal") == "yes" for p in points], np.int64),
        street_mm=_whole(draw("basin.street", STREET_MM)),
    )


def _whole(values: Float64) -> Int64:
    return np.rint(values).astype(np.int64)


def _gauge_of(points: Sequence[Point], gauges: Sequence[str]) -> Int64:
    """Index of each point's gauge. Raises `ValueError` for a point whose gauge is unknown."""
    number = {gauge: i for i, gauge in enumerate(gauges)}
    unknown = [p.id for p in points if p.attributes.get("gauge") not in number]
    if unknown:
        raise ValueError(f"flood points without a rain gauge: {', '.join(unknown[:5])}")
    return np.array([number[p.attributes["gauge"]] for p in points], np.int64)
