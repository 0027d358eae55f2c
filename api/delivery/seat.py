"""One subscriber in the deliverer: what it wants, what waits for it, when it is due."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from api.delivery import metrics
from api.delivery.line import Line
from api.delivery.subscription import Subscription

log = structlog.get_logger(__name__)

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

    def tell_circuit(self, was_open: bool, error: str | None) -> None:
        """Tells once when the subscriber begins to fail, and once when it is well again."""
        if self.line.is_open == was_open:
            return
        if self.line.is_open:
            log.warning("delivery.failing", subscription=self.subscription.id, error=error)
            metrics.OPEN.inc()
        else:
            log.info("delivery.recovered", subscription=self.subscription.id)
            metrics.OPEN.dec()
