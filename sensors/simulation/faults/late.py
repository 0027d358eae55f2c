"""Batches come late: the network holds whole frames back and delivers them afterwards."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sensors.simulation import noise
from sensors.simulation.faults.share import MINUTE_MS, Share
from streams.contracts.frame import Frame

DEFAULT_MINUTES = 20.0


@dataclass(frozen=True, slots=True)
class Late:
    """`late[:SHARE[@MINUTE][+MINUTES]]`: so many frames, so much later (default 0.05+20)."""

    share: Share
    delay_ms: int
    _held: list[Frame] = field(default_factory=list)

    @staticmethod
    def parse(text: str, seed: int, start_ms: int) -> Late:
        share, _, minutes = text.partition("+")
        delay_ms = round(float(minutes or DEFAULT_MINUTES) * MINUTE_MS)
        if delay_ms <= 0:
            raise ValueError("late means later")
        return Late(Share.parse(share, 0.05, seed, start_ms, "late"), delay_ms)

    def apply(self, now_ms: int, frames: list[Frame]) -> list[Frame]:
        chosen = [now_ms >= self.share.from_ms and self._is_held(frame) for frame in frames]
        out = [frame for frame, held in zip(frames, chosen, strict=True) if not held]
        due = [frame for frame in self._held if frame.ingest_ms + self.delay_ms <= now_ms]
        self._held[:] = [f for f in self._held if f.ingest_ms + self.delay_ms > now_ms]
        self._held.extend(frame for frame, held in zip(frames, chosen, strict=True) if held)
        return out + [replace(frame, ingest_ms=now_ms) for frame in due]

    def _is_held(self, frame: Frame) -> bool:
        keys = noise.name_keys((frame.source + frame.id,))
        return bool(noise.uniform(self.share.stream, keys)[0] < self.share.part)
