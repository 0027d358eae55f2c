"""Patience with the database: say it again with back-off, bounded, until told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from streams import metrics
from streams.errors import Unavailable

LOGGER = structlog.get_logger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """Waits first_s, then twice as long each time up to longest_s, for at most give_up_s."""

    first_s: float = 0.1
    longest_s: float = 5.0
    give_up_s: float = 600.0
    on_trouble: Callable[[str | None], None] | None = None  # told why, and None when it is over

    def insist(self, what: str, action: Callable[[], T], stop: threading.Event) -> T:
        """The answer of the action. Raises its last `Unavailable` when patience or time ends."""
        pause, began, said = self.first_s, time.monotonic(), False
        while True:
            try:
                answer = action()
            except Unavailable as error:
                if stop.is_set() or time.monotonic() - began > self.give_up_s:
                    raise
                if not said:
                    LOGGER.warning("waiting for the database", what=what, error=str(error))
                    said = True
                    self._tell(str(error))
                metrics.RETRIES.inc()
                stop.wait(pause)
                pause = min(2 * pause, self.longest_s)
            else:
                if said:
                    LOGGER.info("the database answers again", what=what)
                    self._tell(None)
                return answer

    def _tell(self, why: str | None) -> None:
        if self.on_trouble is not None:
            self.on_trouble(why)
