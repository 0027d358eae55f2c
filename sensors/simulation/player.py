"""What plays a domain: physics in, readings out, by channel (a property of a sensor)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from streams.catalog import Registry, Sensor
from streams.contracts.domain import Domain, Point, Property
from streams.contracts.frame import Float64, Int32, Int64

STEP_S = 30
STEP_MS = 1000 * STEP_S


@dataclass(frozen=True, slots=True)
class Channel:
    """One series that a player feeds."""

    sensor: str
    gateway: str
    area: str
    property: str


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Readings of one step: columns of equal length; `channel` indexes `Player.channels`.

    Values are in the canonical unit, rounded to what the device can tell.
    """

    channel: Int32
    time_ms: Int64
    value: Float64


class Player(Protocol):
    """Plays one domain from a start on, step after step; deterministic."""

    @property
    def domain(self) -> str: ...

    @property
    def channels(self) -> Sequence[Channel]: ...

    @property
    def units(self) -> Mapping[str, str]:
        """Unit of every property that it sends."""

    def advance(self, start_ms: int) -> Sequence[Block]:
        """The readings taken in [start, start + STEP_MS); starts must follow each other.

        The world has made this step already.
        """


def channels_of(registry: Registry, property_name: str) -> tuple[Channel, ...]:
    """All series of a property, in the order of sensor names."""
    return tuple(
        Channel(s.name, s.gateway, registry.points[s.point].area, property_name)
        for s in sensors_with(registry, property_name)
    )


def sensors_with(registry: Registry, property_name: str) -> tuple[Sensor, ...]:
    """Sensors that measure the property, in the order of their names."""
    return tuple(
        registry.sensors[name]
        for name in sorted(registry.sensors)
        if property_name in registry.sensors[name].properties
    )


def positions(points: Sequence[Point]) -> tuple[Float64, Float64]:
    """Longitudes and latitudes. Raises `ValueError` when a point has none."""
    missing = [p.id for p in points if p.lon is None or p.lat is None]
    if missing:
        raise ValueError(f"points without coordinates: {', '.join(missing[:5])}")
    return (
        np.array([p.lon for p in points], np.float64),
        np.array([p.lat for p in points], np.float64),
    )


def owned(domain: Domain, names: Sequence[str]) -> tuple[Property, ...]:
    """Those of the properties that the domain has, in the order of `names`."""
    known = {p.name: p for p in domain.properties}
    return tuple(known[name] for name in names if name in known)


def due(prop: Property, start_ms: int) -> Int64:
    """Event times of the readings that are sent in [start, start + STEP_MS), epoch ms.

    An interval's reading is sent when the interval is over and carries its start.
    """
    every_ms = 1000 * (prop.interval_s or prop.report_s)
    first = -(-start_ms // every_ms) * every_ms
    times = np.arange(first, start_ms + STEP_MS, every_ms, dtype=np.int64)
    return times - every_ms if prop.interval_s else times
