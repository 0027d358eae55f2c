"""A source changes its unit after an update, and goes on declaring the old one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from sensors.simulation.faults.share import Share
from streams.contracts.frame import Frame

Linear = tuple[float, float]  # factor, offset
CHANGES: Mapping[str, Linear] = MappingProxyType(
    {
        "m": (100.0, 0.0),  # cm
        "cm": (10.0, 0.0),  # mm
        "mm": (0.1, 0.0),  # cm
        "mg/m³": (1000.0, 0.0),  # µg/m³
        "µg/m³": (0.001, 0.0),  # mg/m³
        "℃": (1.8, 32.0),  # ℉
        "m/s": (3.6, 0.0),  # km/h
        "km/h": (0.621371, 0.0),  # mph
        "s": (1000.0, 0.0),  # ms
    }
)
"""What the number becomes, by the unit that it had. Counts stay what they are."""
DIGITS = 4


@dataclass(frozen=True, slots=True)
class UnitChange:
    """`unit-change[:SHARE[@MINUTE]]`: so many of the gateways (default 0.05@60), from then on.

    The frame's `units` still name the old unit: that is the fault.
    """

    share: Share

    @staticmethod
    def parse(text: str, seed: int, start_ms: int) -> UnitChange:
        return UnitChange(Share.parse(text or "0.05@60", 0.05, seed, start_ms, "unit-change"))

    def apply(self, now_ms: int, frames: list[Frame]) -> list[Frame]:
        if now_ms < self.share.from_ms:
            return frames
        return [self._change(f) if self.share.has(f.source) else f for f in frames]

    def _change(self, frame: Frame) -> Frame:
        if frame.units is None:
            return frame
        factor, offset = np.array([CHANGES.get(unit, (1.0, 0.0)) for unit in frame.units]).T
        changed = frame.value * factor[frame.property] + offset[frame.property]
        return replace(frame, value=np.round(changed, DIGITS))
