"""Plays the domain waterlogging: rain gauges and depth gauges at points that may flood.

A point floods with the rain of its own gauge (attribute `gauge`); its drains have the capacity of
the attribute `drain_mm_h`; a point with `tidal` = `yes` is open to the sea. What the registry
does not say (catchment, delay, brim) is drawn from the seed and the point's id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from sensors.simulation import basin, noise
from sensors.simulation.player import STEP_MS, STEP_S, Block, Channel, channels_of, sensors_with
from sensors.simulation.sky import Sky, plane
from streams.catalog import Registry
from streams.contracts.domain import Point
from streams.contracts.frame import Float64, Int64

MINUTE_MS = 60_000
TIP_UM = 100  # a tip of the rain gauge's bucket, 0.1 mm
DRY_MM = 3  # shallower water does not reach the depth sensor
NOISE_MM = 0.8
FILL_UM = (3_000, 45_000)  # rain excess that ponds 30 cm
DELAY_S = (180, 1500)
RUNOFF_PERMILLE = (600, 930)
BRIM_M = (0.5, 1.6)
STREET_MM = (1_720, 3_000)
DEFAULT_DRAIN_MM_H = "45"
UNITS: Mapping[str, str] = MappingProxyType({"depth": "m", "rain": "mm"})


class WaterloggingPlayer:
    """See the module. `start_ms` is the start of the play, a whole minute."""

    domain = "waterlogging"
    units = UNITS

    def __init__(self, registry: Registry, sky: Sky, seed: int, start_ms: int) -> None:
        self._sky = sky
        self._start_ms = start_ms
        depth_sensors = sensors_with(registry, "depth")
        gauges = sensors_with(registry, "rain")
        self.channels: Sequence[Channel] = channels_of(registry, "depth") + channels_of(
            registry, "rain"
        )
        self._depths, self._gauges = len(depth_sensors), len(gauges)
        points = tuple(registry.points[s.point] for s in depth_sensors)
        self._gauge_x, self._gauge_y = plane(
            *_positions(tuple(registry.points[s.point] for s in gauges))
        )
        self._gauge_of = _gauge_of(points, tuple(s.point for s in gauges))
        keys = noise.name_keys(tuple(s.name for s in depth_sensors))
        self._keys = keys
        self._local = 0.85 + 0.3 * noise.uniform(noise.key(seed, "basin.local"), keys)
        self._noise = noise.key(seed, "depth.noise")
        self._phase_ms = (noise.uniform(noise.key(0, "phase"), keys) * STEP_S).astype(
            np.int64
        ) * 1000
        self.places = draw_places(points, keys, seed)
        self.water = basin.Water.none(len(points))
        self._depth = np.zeros(len(points))
        self._bucket_um: Int64 = np.zeros(len(gauges), np.int64)

    def advance(self, start_ms: int) -> Sequence[Block]:
        hour = (start_ms - self._start_ms + STEP_MS / 2) / 3_600_000
        intensity = self._sky.rain_mm_h(hour, self._gauge_x, self._gauge_y)
        before = self._depth
        rain_um = np.rint(intensity[self._gauge_of] * self._local * (1000 * STEP_S / 3600))
        sea_mm = round(1000 * self._sky.sea_m(hour))
        basin.advance(self.places, self.water, rain_um.astype(np.int64), sea_mm, STEP_S)
        self._depth = basin.depth_m(self.places, self.water.pond)
        self._bucket_um += np.rint(intensity * (1000 * STEP_S / 3600)).astype(np.int64)
        blocks = [self._read_depths(start_ms, before)]
        if (start_ms + STEP_MS) % MINUTE_MS == 0:
            blocks.append(self._read_rain(start_ms + STEP_MS - MINUTE_MS))
        return blocks

    def _read_depths(self, start_ms: int, before: Float64) -> Block:
        """Each gauge reads at its own second of the step, to the millimetre, zero when dry."""
        now = before + (self._depth - before) * (self._phase_ms / STEP_MS)
        error = NOISE_MM * noise.bell(self._noise, self._keys, start_ms // STEP_MS)
        whole_mm = np.rint(1000.0 * now + error)
        value = np.where(1000.0 * now < DRY_MM, 0.0, np.maximum(whole_mm, 0.0)) / 1000.0
        return Block(np.arange(self._depths, dtype=np.int32), start_ms + self._phase_ms, value)

    def _read_rain(self, minute_ms: int) -> Block:
        """Whole tips of the minute; what remains in the bucket stays there."""
        tips = self._bucket_um // TIP_UM
        self._bucket_um -= tips * TIP_UM
        channel = np.arange(self._depths, self._depths + self._gauges, dtype=np.int32)
        return Block(channel, np.full(self._gauges, minute_ms, np.int64), tips * TIP_UM / 1000.0)


PLAYER = WaterloggingPlayer


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


def _positions(points: Sequence[Point]) -> tuple[Float64, Float64]:
    """Longitudes and latitudes. Raises `ValueError` when a gauge has none."""
    missing = [p.id for p in points if p.lon is None or p.lat is None]
    if missing:
        raise ValueError(f"rain gauges without coordinates: {', '.join(missing[:5])}")
    return (
        np.array([p.lon for p in points], np.float64),
        np.array([p.lat for p in points], np.float64),
    )


def _gauge_of(points: Sequence[Point], gauges: Sequence[str]) -> Int64:
    """Index of each point's gauge. Raises `ValueError` for a point whose gauge is unknown."""
    number = {gauge: i for i, gauge in enumerate(gauges)}
    unknown = [p.id for p in points if p.attributes.get("gauge") not in number]
    if unknown:
        raise ValueError(f"flood points without a rain gauge: {', '.join(unknown[:5])}")
    return np.array([number[p.attributes["gauge"]] for p in points], np.int64)
