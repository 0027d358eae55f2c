"""A reading that came too late to be judged, and met a threshold all the same."""

from __future__ import annotations

from dataclasses import dataclass

from streams.contracts.reason import Severity


@dataclass(frozen=True, slots=True)
class LateReading:
    """What the store compares with the alerts of that time.

    `value` and `threshold` are decimal texts in `unit`, `scaled` is the value as stored.
    `clear_ms`: how long the rule wants a level left before an alert ends (None: it counts
    readings). `decided_ms` is the processing time that it came at. Not `accepted`: it came later
    than the exact state reaches back, and only the store knows whether it is news.
    """

    rule: str
    area: str
    subject: str
    sensor: int
    property: int
    time_ms: int
    scaled: int
    value: str
    unit: str
    severity: Severity
    threshold: str
    clear_ms: int | None
    decided_ms: int
    position: int
    accepted: bool

    def identity(self) -> tuple[int, int, int, int, int]:
        """Names the row among all late ones."""
        return self.sensor, self.property, self.time_ms, self.scaled, self.position
