"""How far the city's own time has come, by area: what may be said of the present. Pure.

In a live namespace the wall clock says whether something has expired; elsewhere, where time is
played or simulated, the namespace's processing time does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from api.delivery.event import Event
from streams.contracts.reason import NamespaceKind

EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Reading:
    """The clocks as they were read (epoch ms), and the outbox's number up to which everything was
    there that had been decided by then."""

    upto: int
    as_of_ms: int | None = None
    areas: Mapping[str, int] = field(default_factory=dict)  # without silent and unknown ones
    working: bool = False  # a worker is alive


class CityClock:
    """What is known of the clocks; learnt anew every few seconds.

    A reading counts only when the fan-out has passed its number: before, a newer state of an alert
    may stand in the outbox, and the one in hand is not the present one.
    """

    def __init__(
        self, kind: NamespaceKind, wall_s: Callable[[], float], every_s: float = EVERY_S
    ) -> None:
        self._live = kind is NamespaceKind.LIVE
        self._wall_s = wall_s
        self.every_s = every_s
        self._now = Reading(-1)
        self._next: Reading | None = None
        self.working = False

    def learn(self, reading: Reading) -> None:
        """The clocks were read. One reading waits until it counts; later ones are left out."""
        self.working = reading.working
        self._next = self._next or reading

    def reached(self, position: int) -> None:
        """Everything up to this number is in the queues."""
        if self._next is not None and position >= self._next.upto:
            self._now, self._next = self._next, None

    @property
    def as_of_ms(self) -> int | None:
        """Processing time of the namespace."""
        return self._now.as_of_ms

    def is_expired(self, event: Event) -> bool:
        """Whether nobody may act on it any more."""
        now = self.now_ms()
        return now is not None and now > event.valid_until_ms

    def present(self, event: Event) -> Event | None:
        """The same state as of now; None when the present is not known."""
        known = self._now.areas.get(event.area)
        fresh = event if known is None else event.as_of(known)
        return None if self.is_expired(fresh) else fresh

    def now_ms(self) -> int | None:
        """The time by which validity is judged."""
        return int(self._wall_s() * 1000) if self._live else self._now.as_of_ms
