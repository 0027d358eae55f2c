"""The watermark of one area and domain: how far event time is known to have come.

Bounded by every active source, never going back. A source holds it `delay` behind its newest
event time; once the source has been quiet for that long (processing time), its newest event time
itself counts; after `idle` it no longer holds anybody back.
"""

from __future__ import annotations

from dataclasses import dataclass, field

NEVER = -(1 << 62)


@dataclass(slots=True)
class SourceClock:
    """Newest event time (end of interval) and the processing time of its last frame."""

    newest_ms: int = NEVER
    heard_ms: int = NEVER
    settled: bool = False
    idle: bool = False


@dataclass(slots=True)
class Watermark:
    delay_ms: int
    idle_ms: int
    value_ms: int = NEVER
    sources: dict[str, SourceClock] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        return any(not s.idle for s in self.sources.values())

    def observe(self, source: str, newest_ms: int, now_ms: int) -> None:
        """A frame of this source came; `newest_ms` NEVER when none of its rows counted."""
        clock = self.sources.get(source)
        if clock is None:
            clock = self.sources[source] = SourceClock()
        clock.newest_ms = max(clock.newest_ms, newest_ms)
        clock.heard_ms = now_ms
        clock.settled = clock.idle = False
        self._advance()

    def due(self) -> tuple[int, str] | None:
        """The next deadline (settle or idle) and its source, the smallest first."""
        best: tuple[int, str] | None = None
        for name, clock in self.sources.items():
            if clock.idle:
                continue
            deadline = clock.heard_ms + (self.idle_ms if clock.settled else self.delay_ms)
            if best is None or (deadline, name) < best:
                best = (deadline, name)
        return best

    def fire(self, source: str) -> None:
        """The deadline of `due` has passed: first the source settles, later it idles."""
        clock = self.sources[source]
        if clock.settled:
            clock.idle = True
        else:
            clock.settled = True
        self._advance()

    def _advance(self) -> None:
        held = [
            s.newest_ms - (0 if s.settled else self.delay_ms)
            for s in self.sources.values()
            if not s.idle and s.newest_ms > NEVER
        ]
        if held:
            self.value_ms = max(self.value_ms, min(held))
