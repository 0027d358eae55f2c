"""A sensor drifts: it departs slowly from the truth, to one side, and never returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from sensors.simulation import noise
from sensors.simulation.faults.share import Share
from streams.contracts.frame import Float64, Frame

DAY_MS = 86_400_000
PER_DAY: Mapping[str, float] = MappingProxyType(
    {"m": 0.1, "cm": 2.0, "℃": 1.5, "m/s": 1.0, "km/h": 6.0, "µg/m³": 20.0, "mg/m³": 0.4}
)
"""Departure per day by unit. Units that are not here (counts, tips of a bucket) do not drift."""
BELOW_ZERO = ("℃",)
DIGITS = 3


@dataclass(frozen=True, slots=True)
class Drift:
    """`drift[:SHARE[@MINUTE][+TIMES]]`: so many of the sensors (default 0.02), from that minute
    on, by `TIMES` (default 1) the usual departure; half of them upwards, half downwards."""

    share: Share
    times: float

    @staticmethod
    def parse(text: str, seed: int, start_ms: int) -> Drift:
        share, _, times = text.partition("+")
        pace = float(times or 1.0)
        if not 0.0 < pace < float("inf"):
            raise ValueError("a drift needs a pace above 0")
        return Drift(Share.parse(share, 0.02, seed, start_ms, "drift"), pace)

    def apply(self, now_ms: int, frames: list[Frame]) -> list[Frame]:
        if now_ms < self.share.from_ms:
            return frames
        return [self._bend(frame) for frame in frames]

    def _bend(self, frame: Frame) -> Frame:
        rows = self.share.rows(frame)
        if frame.units is None or not rows.any():
            return frame
        per_day = np.array([PER_DAY.get(unit, 0.0) for unit in frame.units])[frame.property]
        days = np.maximum(frame.time_ms - self.share.from_ms, 0) / DAY_MS
        moved = np.round(frame.value + self._side(frame) * self.times * per_day * days, DIGITS)
        signed = np.array([unit in BELOW_ZERO for unit in frame.units])[frame.property]
        moved = np.where(signed, moved, np.maximum(moved, 0.0))
        return replace(frame, value=np.where(rows & (per_day > 0.0), moved, frame.value))

    def _side(self, frame: Frame) -> Float64:
        """+1 or −1 by the sensor's name."""
        draw = noise.uniform(self.share.stream + 1, noise.name_keys(frame.sensors))
        return np.where(draw < 0.5, -1.0, 1.0)[frame.sensor]
