"""A sensor hangs: it goes on reporting the last value it had."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sensors.simulation.faults.share import Share
from streams.contracts.frame import Frame


@dataclass(frozen=True, slots=True)
class Stuck:
    """`stuck[:SHARE[@MINUTE]]`: so many of the sensors, from that minute on (default 0.02)."""

    share: Share
    _held: dict[tuple[str, str], float] = field(default_factory=dict)

    @staticmethod
    def parse(text: str, seed: int, start_ms: int) -> Stuck:
        return Stuck(Share.parse(text, 0.02, seed, start_ms, "stuck"))

    def apply(self, now_ms: int, frames: list[Frame]) -> list[Frame]:
        if now_ms < self.share.from_ms:
            return frames
        return [self._hold(frame) for frame in frames]

    def _hold(self, frame: Frame) -> Frame:
        rows = self.share.rows(frame).nonzero()[0]
        if not len(rows):
            return frame
        value = frame.value.copy()
        for row in rows.tolist():
            series = frame.sensors[frame.sensor[row]], frame.properties[frame.property[row]]
            value[row] = self._held.setdefault(series, float(value[row]))
        return replace(frame, value=value)
