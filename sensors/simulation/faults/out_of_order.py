"""Things overtake each other: rows are shuffled inside a frame, and frames change places."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from sensors.simulation import noise
from sensors.simulation.faults.share import Share
from streams.contracts.frame import Frame


@dataclass(frozen=True, slots=True)
class OutOfOrder:
    """`out-of-order[:SHARE[@MINUTE]]`: so many frames (default 0.1) arrive after their next one."""

    share: Share
    _waiting: list[Frame] = field(default_factory=list)

    @staticmethod
    def parse(text: str, seed: int, start_ms: int) -> OutOfOrder:
        return OutOfOrder(Share.parse(text, 0.1, seed, start_ms, "out-of-order"))

    def apply(self, now_ms: int, frames: list[Frame]) -> list[Frame]:
        newest = max((frame.ingest_ms for frame in frames), default=now_ms)
        overtaken = [replace(frame, ingest_ms=newest + 1) for frame in self._waiting]
        self._waiting.clear()
        out = []
        for frame in frames:
            if now_ms >= self.share.from_ms and self._is_slow(frame):
                self._waiting.append(self._shuffled(frame))
            else:
                out.append(frame)
        return out + overtaken

    def _is_slow(self, frame: Frame) -> bool:
        keys = noise.name_keys((frame.source + frame.id,))
        return bool(noise.uniform(self.share.stream, keys)[0] < self.share.part)

    def _shuffled(self, frame: Frame) -> Frame:
        stream = noise.key(self.share.stream, frame.id)
        order = np.argsort(noise.uniform(stream, np.arange(len(frame))), kind="stable")
        return replace(
            frame,
            sensor=frame.sensor[order],
            property=frame.property[order],
            time_ms=frame.time_ms[order],
            value=frame.value[order],
            flag=None if frame.flag is None else frame.flag[order],
        )
