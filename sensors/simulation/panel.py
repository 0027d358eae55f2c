"""The channels of a domain's properties, and the readings that are due in a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sensors.simulation.player import Block, Channel, channels_of, due, sensors_with
from streams.catalog import Registry, Sensor
from streams.contracts.domain import Domain, Property
from streams.contracts.frame import Float64

Measure = Callable[[Property, int], Float64]  # property, event time → a value per sensor


class Panel:
    """All sensors of the domain's properties, or of those in `names`, as often as it expects."""

    def __init__(
        self, registry: Registry, domain: Domain, names: Sequence[str] | None = None
    ) -> None:
        self.properties = tuple(p for p in domain.properties if names is None or p.name in names)
        self.units: Mapping[str, str] = {p.name: p.unit for p in self.properties}
        self.sensors: Mapping[str, tuple[Sensor, ...]] = {
            p.name: sensors_with(registry, p.name) for p in self.properties
        }
        self.channels: tuple[Channel, ...] = sum(
            (channels_of(registry, p.name) for p in self.properties), start=()
        )

    def read(self, start_ms: int, measure: Measure) -> list[Block]:
        """What is due in [start, start + STEP_MS), property by property."""
        blocks: list[Block] = []
        first = 0
        for prop in self.properties:
            count = len(self.sensors[prop.name])
            channel = np.arange(first, first + count, dtype=np.int32)
            first += count
            for time_ms in due(prop, start_ms).tolist() if count else ():
                value = measure(prop, time_ms)
                blocks.append(Block(channel, np.full(count, time_ms, np.int64), value))
        return blocks
