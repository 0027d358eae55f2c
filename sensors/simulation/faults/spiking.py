"""A sensor spikes: now and then one reading is far off both its neighbours."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sensors.simulation import noise
from sensors.simulation.faults.share import Share
from streams.contracts.frame import Frame

ONE_IN = 60
FACTOR, OFFSET = 3.0, 0.7  # in the property's unit: 70 cm of water, 0.7 mm of rain


@dataclass(frozen=True, slots=True)
class Spiking:
    """`spiking[:SHARE[@MINUTE]]`: so many of the sensors (default 0.02), one reading in 60."""

    share: Share

    @staticmethod
    def parse(text: str, seed: int, start_ms: int) -> Spiking:
        return Spiking(Share.parse(text, 0.02, seed, start_ms, "spiking"))

    def apply(self, now_ms: int, frames: list[Frame]) -> list[Frame]:
        if now_ms < self.share.from_ms:
            return frames
        return [self._spoil(frame) for frame in frames]

    def _spoil(self, frame: Frame) -> Frame:
        keys = noise.name_keys(frame.sensors)[frame.sensor]
        struck = noise.uniform(self.share.stream + 1, keys, frame.time_ms) < 1.0 / ONE_IN
        struck &= self.share.rows(frame)
        if not struck.any():
            return frame
        spiked = np.round(frame.value * FACTOR + OFFSET, 3)
        return replace(frame, value=np.where(struck, spiked, frame.value))
