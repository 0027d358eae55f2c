"""Draws the traits of invented points: the same key, trait and number give the same value."""

from __future__ import annotations

from collections.abc import Sequence

from sensors.simulation import noise


class Draw:
    """Chance of one county."""

    def __init__(self, key: int) -> None:
        self._key = key

    def share(self, what: str, number: int) -> float:
        """A value in [0, 1)."""
        return float(noise.uniform(noise.key(self._key, what), number))

    def whole(self, what: str, number: int, bounds: tuple[int, int]) -> int:
        """A whole number between the bounds, both included."""
        low, high = bounds
        return low + round((high - low) * self.share(what, number))


def yes(value: bool) -> str:
    """The registry's spelling of a truth."""
    return "yes" if value else "no"


def pick(shares: Sequence[float], draw: float) -> int:
    """Which of the shares the draw falls into; the last one takes what rounding leaves."""
    for i, share in enumerate(shares):
        draw -= share
        if draw < 0.0:
            return i
    return len(shares) - 1
