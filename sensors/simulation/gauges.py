"""Tipping-bucket rain gauges: whole tips of each minute; what remains stays in the bucket.

Snow does not tip the bucket.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sensors.simulation.player import STEP_MS, Block, Channel, channels_of
from sensors.simulation.world import World
from streams.contracts.frame import Int64

MINUTE_MS = 60_000
TIP_UM = 100  # 0.1 mm


class RainGauges:
    """Reads the world's gauges; their channels begin at `first`."""

    def __init__(self, world: World, first: int) -> None:
        self._ground = world.ground
        self.channels: tuple[Channel, ...] = channels_of(world.registry, "rain")
        self._first = first
        self._tipped: Int64 = np.zeros(len(self.channels), np.int64)

    def read(self, start_ms: int) -> Sequence[Block]:
        """The minute that ends with this step, if one does; event time = its start."""
        end_ms = start_ms + STEP_MS
        if end_ms % MINUTE_MS or not self.channels:
            return ()
        tips = self._ground.rain_um // TIP_UM - self._tipped
        self._tipped += tips
        count = len(self.channels)
        channel = np.arange(self._first, self._first + count, dtype=np.int32)
        times = np.full(count, end_ms - MINUTE_MS, np.int64)
        return [Block(channel, times, tips * TIP_UM / 1000.0)]
