"""Puts the alert rules of the versions in force into an area's seats and its book."""

from __future__ import annotations

from collections.abc import Mapping

from streams.alerting.book import Book
from streams.alerting.ruleset import RuleSet
from streams.alerting.ruling import rulings
from streams.area.seat import Seat
from streams.area.versions import Versions
from streams.area.view import day_zone_ms


def put_rules(seats: Mapping[str, Seat], book: Book, versions: Versions) -> None:
    """Settles the seats too. The versions must hold together (`Versions.mistakes`)."""
    said, zone_ms = versions.rules or RuleSet(), day_zone_ms(versions.profile)
    present = {} if versions.registry is None else versions.registry.points
    book.mark = "" if versions.rules is None else versions.rules.mark
    for name, seat in seats.items():
        domain, view = seat.work.domain, seat.work.view
        # a view keeps points that left: what is said of them was not looked at with this area
        points = [p for p in view.points if p.id in present and present[p.id].area == book.area]
        seat.rulings = rulings(domain, view.parameters, said, book.area, points, zone_ms)
        seat.settle()
        book.use(name, seat.rulings)
