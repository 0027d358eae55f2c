"""A gateway's clock is wrong: the event times it writes are off, its ingest times are not.

(The ingest time of a frame is the time of the simulated clock in every scenario; a wrong one
would make the watermark of the area wrong, which is another experiment.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sensors.simulation.faults.share import Share
from streams.contracts.frame import Frame

DEFAULT_SKEW_S = 900
GATEWAYS = "0.05"


@dataclass(frozen=True, slots=True)
class SkewedClock:
    """`skewed-clock[:SECONDS[/SHARE[@MINUTE]]]`: of so many gateways (default +900 s of 0.05)."""

    skew_ms: int
    share: Share

    @staticmethod
    def parse(text: str, seed: int, start_ms: int) -> SkewedClock:
        seconds, _, share = text.partition("/")
        return SkewedClock(
            round(1000 * float(seconds or DEFAULT_SKEW_S)),
            Share.parse(share or GATEWAYS, 1.0, seed, start_ms, "skewed-clock"),
        )

    def apply(self, now_ms: int, frames: list[Frame]) -> list[Frame]:
        if now_ms < self.share.from_ms:
            return frames
        return [
            replace(f, time_ms=f.time_ms + self.skew_ms) if self.share.has(f.source) else f
            for f in frames
        ]
