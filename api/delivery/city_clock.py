"""How far the city's own time has come, by area: what may be said of the present. Pure.

In a live namespace the wall clock says whether something has expired; elsewhere, where time is
played or simulated, the namespace's processing time does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from api.delivery.event import Event
from streams.contracts.reason import NamespaceKind

EVERY_S = 2.0


class CityClock:
    """What is known of the clocks; learnt anew every few seconds."""

    def __init__(
        self, kind: NamespaceKind, wall_s: Callable[[], float], every_s: float = EVERY_S
    ) -> None:
        self._live = kind is NamespaceKind.LIVE
        self._wall_s = wall_s
        self.every_s = every_s
        self._as_of_ms: int | None = None
        self._areas: Mapping[str, int] = {}
        self.working = False  # a worker is alive

    def learn(self, as_of_ms: int | None, areas: Mapping[str, int], working: bool) -> None:
        """The processing time of the namespace and, where an area is judged, the area's own.

        An area that is silent or unknown is left out by whoever reads it: nothing can be said of
        its present.
        """
        self._as_of_ms, self._areas, self.working = as_of_ms, areas, working

    @property
    def as_of_ms(self) -> int | None:
        """Processing time of the namespace."""
        return self._as_of_ms

    def is_expired(self, event: Event) -> bool:
        """Whether nobody may act on it any more."""
        now = self.now_ms()
        return now is not None and now > event.valid_until_ms

    def present(self, event: Event) -> Event | None:
        """The same state as of now; None when the present is not known."""
        known = self._areas.get(event.area)
        fresh = event if known is None else event.as_of(known)
        return None if self.is_expired(fresh) else fresh

    def now_ms(self) -> int | None:
        """The time by which validity is judged."""
        return int(self._wall_s() * 1000) if self._live else self._as_of_ms
