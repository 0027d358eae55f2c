"""What plays a domain: physics in, readings out, by channel (a property of a sensor)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from streams.catalog import Registry, Sensor
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
        """The readings taken in [start, start + STEP_MS); starts must follow each other."""


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
