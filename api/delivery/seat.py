"""One subscriber in the deliverer: what it wants, what waits for it, when it is due."""

from __future__ import annotations

from dataclasses import dataclass

from api.delivery.line import Line
from api.delivery.subscription import Subscription

LOADED = 1000  # deliveries of one subscriber that are held in memory, and loaded at once
LATEST_LOADED = 50_000  # where only the newest state of an alert stays


@dataclass(slots=True)
class Seat:
    """One subscriber: what it wants and what waits for it."""

    subscription: Subscription
    line: Line
    behind: bool = True  # the table holds more than the line
    upto: int = -1  # what the line was filled up to
    due_s: float = float("inf")
    resting_s: float = 0.0  # people are left in peace until then

    @property
    def capacity(self) -> int:
        """How many deliveries the line holds."""
        return LATEST_LOADED if self.subscription.latest else LOADED
