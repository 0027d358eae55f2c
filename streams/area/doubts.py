"""Tickets as they come: settled at the desk, and told to the alerts that rest on their sensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from streams.alerting.book import Book, Moment
from streams.alerting.stages.hide import Doubt
from streams.alerting.stages.parameters import Disbelief, disbelief
from streams.area.seat import Seat
from streams.contracts.domain import Ticket
from streams.contracts.outcome import Outcome
from streams.contracts.reason import Severity
from streams.contracts.ticket import ticket_id
from streams.quality.desk import Desk, opened_of

Of = tuple[str, str]  # a sensor's catalogue id as text, or the subject of a ticket; the property


class Doubts:
    """See the module. What it knows follows from the desk and the registry in force."""

    def __init__(self, area: str, desk: Desk, book: Book, moment: Callable[[int], Moment]) -> None:
        self._area = area
        self._desk = desk
        self._book = book
        self._moment = moment
        self._seats: Mapping[str, Seat] = {}
        self._disbelief = Disbelief({}, {})
        self._list: list[tuple[str, Ticket]] | None = None
        self._settled = 0  # so many of the list are settled, or not this area's

    def fit(self, seats: Mapping[str, Seat], values: Mapping[str, str]) -> None:
        """Other versions hold from here on. What that hides is told by `Book.stage_again`."""
        self._seats = seats
        self._disbelief = disbelief(values)
        self.look()

    def begin(self, outcome: Outcome) -> None:
        """What is said in this outcome from here on is of this area."""
        self._list, self._settled = outcome.tickets, len(outcome.tickets)

    def heed(self, outcome: Outcome, at_ms: int) -> None:
        """Settles what was said since; alerts of sensors that are believed no more, or again, are
        hidden or shown."""
        said = outcome.tickets
        start = self._settled if said is self._list else 0
        if len(said) == start:
            return
        told = self._desk.settle(ticket for _, ticket in said[start:])
        said[start:] = [(self._area, ticket) for ticket in told]
        self._list, self._settled = said, len(said)
        if any(ticket.kind in self._disbelief.kinds for ticket in told) and self.look():
            outcome.transitions += self._book.stage_again(self._moment(at_ms))

    def look(self) -> bool:
        """Tells the book which alerts rest on doubted sensors; whether that is news."""
        open_tickets = self._open()
        found = dict(self._of_alerts(open_tickets)) if open_tickets else {}
        news = found != self._book.stages.doubts
        self._book.stages.doubts = found
        return news

    def _open(self) -> dict[Of, list[tuple[str, int]]]:
        """(kind, opened) of the open tickets that may hide something."""
        found: dict[Of, list[tuple[str, int]]] = {}
        for sensor, subject, prop, kind, opened_ms in opened_of(self._desk):
            if kind in self._disbelief.kinds:
                of = str(sensor) if sensor else subject
                found.setdefault((of, prop), []).append((kind, opened_ms))
        return found

    def _of_alerts(
        self, open_tickets: Mapping[Of, Sequence[tuple[str, int]]]
    ) -> Iterator[tuple[str, Doubt]]:
        """By alert key. An alert over a property rests on its series; one over a derived value on
        all that the domain measures at the point: one sensor that is believed bears it out."""
        for seat in self._seats.values():
            at_point: dict[str, list[Doubt | None]] = {}
            of_series: dict[int, Doubt] = {}
            for series in _own(seat):
                doubt = self._of_series(seat, series, open_tickets)
                point = seat.work.view.points[int(seat.work.view.series_point[series])].id
                at_point.setdefault(point, []).append(doubt)
                if doubt is not None:
                    of_series[series] = doubt
            for rule in seat.rules:
                if rule.property is None:
                    for point, doubts in at_point.items():
                        if (weakest := _weakest(doubts)) is not None:
                            yield f"{rule.name}|{point}", weakest
                    continue
                for series, subject in seat.rule_subjects[rule.name].items():
                    if series in of_series:
                        yield f"{rule.name}|{subject.key}", of_series[series]

    def _of_series(
        self, seat: Seat, series: int, open_tickets: Mapping[Of, Sequence[tuple[str, int]]]
    ) -> Doubt | None:
        """The ticket that hides most."""
        view = seat.work.view
        prop = seat.work.domain.properties[int(view.series_property[series])]
        source = view.series_source[series] if view.series_source else ""
        names = {str(view.series_sensor[series]): view.series_name[series]}
        names[f"source:{source}"] = f"source:{source}"
        found = [
            Doubt(ticket_id(name, prop.name, kind, opened_ms), limit)
            for of, name in names.items()
            for kind, opened_ms in open_tickets.get((of, prop.name), ())
            if (limit := self._disbelief.limit(kind, rises=prop.checks.rise_alerts)) > Severity.NONE
        ]
        return max(found, key=lambda one: (one.limit, one.ticket), default=None)


def _own(seat: Seat) -> Iterable[int]:
    """Series of the domain's own properties that are in the registry in force."""
    view = seat.work.view
    own = view.series_active & (view.series_property < seat.work.own)
    series: list[int] = own.nonzero()[0].tolist()
    return series


def _weakest(doubts: Sequence[Doubt | None]) -> Doubt | None:
    """What speaks against all of them; None when one is believed."""
    if None in doubts:
        return None
    known = [doubt for doubt in doubts if doubt is not None]
    return min(known, key=lambda one: (one.limit, one.ticket), default=None)
