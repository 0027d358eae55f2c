"""A sensor dies: it says nothing any more."""

from __future__ import annotations

from dataclasses import dataclass

from sensors.simulation.faults.share import Share, select
from streams.contracts.frame import Frame


@dataclass(frozen=True, slots=True)
class Dead:
    """`dead[:SHARE[@MINUTE]]`: so many of the sensors, from that minute on (default 0.02)."""

    share: Share

    @staticmethod
    def parse(text: str, seed: int, start_ms: int) -> Dead:
        return Dead(Share.parse(text, 0.02, seed, start_ms, "dead"))

    def apply(self, now_ms: int, frames: list[Frame]) -> list[Frame]:
        if now_ms < self.share.from_ms:
            return frames
        left = [select(frame, ~self.share.rows(frame)) for frame in frames]
        return [frame for frame in left if len(frame)]
