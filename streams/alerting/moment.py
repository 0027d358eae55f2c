"""When something is decided about an alert, and by what."""

from __future__ import annotations

from dataclasses import dataclass

from streams.contracts.reason import Origin


@dataclass(frozen=True, slots=True)
class Moment:
    """Who decides and when: processing time, evidence position, origin of the input."""

    decided_ms: int
    position: int
    origin: Origin

    def after(self, heard_ms: int, origin: str | None = None) -> Moment:
        """This, but not before that time; of that origin, if one is given."""
        of = self.origin if origin is None else Origin(origin)
        return Moment(max(self.decided_ms, heard_ms), self.position, of)
