"""Three kinds of trouble: bad for ever, bad for now, badly set up. Anything else is a bug."""

from __future__ import annotations

from collections.abc import Sequence

from streams.contracts.reason import Reason


class InvalidEvent(Exception):
    """Input that will never be accepted: it goes to the dead letters with its reason."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


class Unavailable(Exception):
    """Something outside does not answer now: retry with back-off, bounded."""


class FenceLost(Exception):
    """Another owner holds the partition, or the position moved: drop memory and reload."""


class Misconfigured(Exception):
    """Settings or data that make a start senseless; carries *all* mistakes."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)
