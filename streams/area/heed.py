"""When a domain must look around: the firing alerts of the area's other domains, or the official
warnings in force, have changed.

Only alerts of domains that do not look around themselves are told, so nothing can go in circles.
"""

from __future__ import annotations

from collections.abc import Mapping

from streams.alerting.book import Book
from streams.area.seat import Seat
from streams.contracts.domain import Point
from streams.contracts.surroundings import OpenAlert, OpenWarning


class Heeding:
    """What the heeding domains of an area were told last. Nothing of it needs a checkpoint: they
    are told at once, so what was told is what holds."""

    def __init__(self) -> None:
        self._moves = 0
        self.alerts: tuple[OpenAlert, ...] = ()
        self.warnings: tuple[OpenWarning, ...] = ()
        self._points: dict[str, Point] = {}

    def fit(self, seats: Mapping[str, Seat]) -> None:
        """A registry version holds from here on."""
        self._points = {p.id: p for seat in seats.values() for p in seat.work.view.points}

    def has_changed(
        self, book: Book, seats: Mapping[str, Seat], warnings: tuple[OpenWarning, ...]
    ) -> bool:
        """Whether what is to be told is other than before; takes what is now."""
        if book.moves == self._moves and warnings is self.warnings:
            return False
        before = self.alerts, self.warnings
        self.warnings = warnings
        if book.moves != self._moves:
            self._moves = book.moves
            self.alerts = open_alerts(book, seats, self._points)
        return (self.alerts, self.warnings) != before

    def settle(
        self, book: Book, seats: Mapping[str, Seat], warnings: tuple[OpenWarning, ...]
    ) -> None:
        """After a restart: what holds was told."""
        self._moves, self.alerts = book.moves, open_alerts(book, seats, self._points)
        self.warnings = warnings


def open_alerts(
    book: Book, seats: Mapping[str, Seat], points: Mapping[str, Point]
) -> tuple[OpenAlert, ...]:
    """The firing alerts of the domains without a `heed`, by rule and subject."""
    return tuple(
        OpenAlert(
            domain,
            rule.rule.name,
            None if point is None else points.get(point),
            severity,
            stale,
            rule.rule.covers_area,
        )
        for domain, rule, point, severity, stale in book.firing()
        if domain in seats and seats[domain].work.domain.heed is None
    )


def refuse_standstill(seat: Seat, at_ms: int) -> None:
    """A domain that asks for the same moment again after it has come would stop the area's clock.

    Raises `RuntimeError`: a bug in the domain.
    """
    domain, state = seat.work.domain, seat.work.state
    due_ms = None if domain.due is None else domain.due(state)
    if due_ms is not None and due_ms <= at_ms:
        raise RuntimeError(f"domain {domain.name}: after heed at {at_ms} it is due at {due_ms}")
