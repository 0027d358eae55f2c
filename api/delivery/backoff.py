"""When a failed delivery is tried again: exponential, with jitter, bounded. Pure.

"Equal jitter": half of the time is sure, half is chance, so that a thousand deliveries that failed
together do not come back together, and none comes back at once.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """The first pause, what it grows by, and the longest, in seconds."""

    first_s: float = 1.0
    factor: float = 2.0
    most_s: float = 900.0

    def ceiling_s(self, failures: int) -> float:
        """The longest pause after so many failures in a row (1 = the first)."""
        pause = self.first_s
        for _ in range(failures - 1):
            pause *= self.factor
            if pause >= self.most_s:
                return self.most_s
        return min(pause, self.most_s)

    def pause_s(self, failures: int, chance: float, wish_s: float | None = None) -> float:
        """The pause; `chance` in 0…1. A receiver may wish a longer one, up to the longest."""
        ceiling = self.ceiling_s(failures)
        pause = ceiling / 2 + chance * ceiling / 2
        return pause if wish_s is None else max(pause, min(wish_s, self.most_s))
