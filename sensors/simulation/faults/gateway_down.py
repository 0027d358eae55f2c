"""A gateway goes down with everything behind it, and comes back; what it missed is lost."""

from __future__ import annotations

from dataclasses import dataclass, field

from sensors.simulation.faults.share import MINUTE_MS
from streams.contracts.frame import Frame

WORST = "worst"
FLOODED_M = 0.15
DEFAULT_FROM_MIN, DEFAULT_FOR_MIN = 60.0, 30.0


@dataclass(slots=True)
class GatewayDown:
    """`gateway-down[:GATEWAY|worst[@MINUTE[+MINUTES]]]` (default `worst@60+30`).

    `worst` is the gateway that saw the most depths of 15 cm or more in the last step before.
    """

    gateway: str
    from_ms: int
    until_ms: int
    _flooded: dict[str, int] = field(default_factory=dict)

    @staticmethod
    def parse(text: str, seed: int, start_ms: int) -> GatewayDown:
        gateway, _, when = text.partition("@")
        begin, _, length = when.partition("+")
        from_ms = start_ms + round(float(begin or DEFAULT_FROM_MIN) * MINUTE_MS)
        lasts_ms = round(float(length or DEFAULT_FOR_MIN) * MINUTE_MS)
        if lasts_ms <= 0:
            raise ValueError("it must last longer than nothing")
        return GatewayDown(gateway or WORST, from_ms, from_ms + lasts_ms)

    def apply(self, now_ms: int, frames: list[Frame]) -> list[Frame]:
        if now_ms < self.from_ms:
            if self.gateway == WORST:
                self._look(frames)
            return frames
        if self.gateway == WORST and self._flooded:
            self.gateway = min(self._flooded, key=lambda g: (-self._flooded[g], g))
        if now_ms >= self.until_ms:
            return frames
        return [frame for frame in frames if frame.source != self.gateway]

    def _look(self, frames: list[Frame]) -> None:
        for frame in frames:
            if "depth" in frame.properties:
                deep = frame.value >= FLOODED_M
                deep &= frame.property == frame.properties.index("depth")
                self._flooded[frame.source] = int(deep.sum())
