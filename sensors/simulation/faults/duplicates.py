"""Things come twice: a frame is sent again with its id, or its readings under a new id."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sensors.simulation import noise
from sensors.simulation.faults.share import Share
from streams.contracts.frame import Frame


@dataclass(frozen=True, slots=True)
class Duplicates:
    """`duplicates[:SHARE[@MINUTE]]`: so many frames (default 0.05) again one step later.

    Half of them are retries of the same frame, half are new frames with the same readings.
    """

    share: Share
    _again: list[Frame] = field(default_factory=list)

    @staticmethod
    def parse(text: str, seed: int, start_ms: int) -> Duplicates:
        return Duplicates(Share.parse(text, 0.05, seed, start_ms, "duplicates"))

    def apply(self, now_ms: int, frames: list[Frame]) -> list[Frame]:
        repeated = [replace(frame, ingest_ms=now_ms) for frame in self._again]
        self._again.clear()
        if now_ms >= self.share.from_ms:
            for frame in frames:
                self._choose(frame)
        return frames + repeated

    def _choose(self, frame: Frame) -> None:
        keys = noise.name_keys((frame.source + frame.id,))
        draw = float(noise.uniform(self.share.stream, keys)[0])
        if draw < self.share.part / 2:
            self._again.append(frame)
        elif draw < self.share.part:
            self._again.append(replace(frame, id=f"{frame.id}-again"))
