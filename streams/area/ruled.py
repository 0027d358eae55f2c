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
    book.mark = "" if versions.rules is None else versions.rules.mark
    for name, seat in seats.items():
        domain, view = seat.work.domain, seat.work.view
        seat.rulings = rulings(domain, view.parameters, said, book.area, view.points, zone_ms)
        seat.settle()
        book.use(name, seat.rulings)
