"""The `SHARE[@MINUTE]` argument, and the choice of sensors, gateways or frames that it means."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from sensors.simulation import noise
from streams.contracts.frame import Bool, Frame

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Share:
    """A fixed choice of names: about `part` of them, from `from_ms` on."""

    part: float
    from_ms: int
    stream: int
    _rows: dict[tuple[str, ...], Bool] = field(default_factory=dict)

    @staticmethod
    def parse(text: str, default: float, seed: int, start_ms: int, stream: str) -> Share:
        """Reads `SHARE[@MINUTE]`. Raises `ValueError`."""
        part, _, minute = text.partition("@")
        share = float(part) if part else default
        if not 0.0 < share <= 1.0:
            raise ValueError("a share lies between 0 (excluded) and 1")
        minutes = float(minute) if minute else 0.0
        from_ms = start_ms + round(minutes * MINUTE_MS)
        return Share(share, from_ms, noise.key(seed, f"fault.{stream}"))

    def has(self, name: str) -> bool:
        """Whether the name was chosen."""
        return bool(noise.uniform(self.stream, noise.name_keys((name,)))[0] < self.part)

    def rows(self, frame: Frame) -> Bool:
        """Which rows of the frame come from a chosen sensor, shape (n,)."""
        chosen = self._rows.get(frame.sensors)
        if chosen is None:
            chosen = noise.uniform(self.stream, noise.name_keys(frame.sensors)) < self.part
            self._rows[frame.sensors] = chosen
        return np.asarray(chosen[frame.sensor], np.bool_)


def select(frame: Frame, keep: Bool) -> Frame:
    """The frame with only the rows that `keep` marks."""
    return replace(
        frame,
        sensor=frame.sensor[keep],
        property=frame.property[keep],
        time_ms=frame.time_ms[keep],
        value=frame.value[keep],
        flag=None if frame.flag is None else frame.flag[keep],
    )
