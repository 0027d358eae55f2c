"""What an area has: the partial of period "state" from the registry and the balances, row 19.

Told when a registry or profile version comes into force, when the area's alerts change, and at
every full hour of the watermark; so its facts are as of then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from streams.contracts.domain import AreaView, Payload, Point, Result
from streams.domains.shelter import parameters as key
from streams.domains.shelter.adequacy import below_class_area
from streams.domains.shelter.balance import NONE, Balance
from streams.domains.shelter.books import Books
from streams.domains.shelter.hours import ABSENT, Hour, Seen, add_shelter
from streams.domains.shelter.occupancy import free_places
from streams.domains.shelter.site import (
    capacity,
    date_of,
    fit_for,
    hazards_of,
    is_registered,
    kind_of,
)
from streams.domains.shelter.watch import WatchState

OFFERED = "shelter.offered"


@dataclass(slots=True)
class Offer:
    """Shelters that people may be sent to now: fit for every hazard of the area's alerts."""

    shelters: int = 0
    capacity: int = 0
    open: int = 0
    free: int = 0
    unknown: int = 0  # capacity of offered shelters of which open or occupants are not known


@dataclass(slots=True)
class Stock:
    """Sums over the shelters of an area."""

    shelters: int = 0
    capacity: int = 0
    no_capacity: int = 0
    below_class_area: int = 0
    by_class: dict[str, list[int]] = field(default_factory=dict)  # class → [shelters, capacity]
    now: Hour = field(default_factory=Hour)
    offer: Offer = field(default_factory=Offer)


def inventory(view: AreaView, watch: WatchState, books: Books) -> Payload | None:
    """The partial; None for an area without shelters."""
    if not view.points:
        return None
    found = Stock()
    for number, point in enumerate(view.points):
        if is_registered(point, watch.day):
            balance = books.now.get(number) or Balance()
            _add(found, point, balance, view.parameters, watch.hazards)
    return {
        **asdict(found),
        "now": found.now.payload(),
        "by_class": dict(sorted(found.by_class.items())),
        "hazards": list(watch.hazards),
        "standardised": standardised(view.points, watch.day, view.parameters),
    }


def is_offered(point: Point, hazards: Iterable[str]) -> bool:
    """Fit for each of the hazards; in none of them every shelter is offered (domain.md §4)."""
    return all(fit_for(point, hazard) for hazard in hazards)


def new_offers(view: AreaView, watch: WatchState, now_ms: int) -> list[Result]:
    """The result `shelter.offered` of every shelter whose answer is another one than before:
    whether people may be sent there under the alerts of the area, and why."""
    found = []
    for number, live in watch.live.items():
        payload = _offer_of(view.points[number], view.parameters, watch)
        if (said := repr(payload)) != live.offer:
            live.offer = said
            found.append(Result(OFFERED, view.points[number].id, now_ms, 0, payload))
    return found


def _offer_of(point: Point, parameters: Mapping[str, str], watch: WatchState) -> Payload:
    return {
        "offered": is_registered(point, watch.day) and is_offered(point, watch.hazards),
        "hazards": list(watch.hazards),
        "fit_for": list(hazards_of(point)),
        "capacity": capacity(point, parameters).persons,
    }


def standardised(points: Iterable[Point], day: str, parameters: Mapping[str, str]) -> Payload:
    """Row 19 of the Plan: shelters whose standardisation was accepted up to and with `day`,
    cumulative, less those of them that are de-registered by then (domain.md §4, H).

    `day` "" (no record of the area yet) counts every date. Dates that cannot be read count as
    `unreadable`, never as accepted.
    """
    rule = parameters[key.COUNT_RULE]
    accepted, gone, unreadable, total = 0, 0, 0, 0
    for point in points:
        total += 1
        since, until = date_of(point, "standardised"), date_of(point, "deregistered")
        unreadable += since is None and bool(point.attributes.get("standardised", "").strip())
        if since is not None and (not day or since <= day):
            accepted += 1
            gone += until is not None and (not day or until <= day)
    count = accepted - gone if rule == key.LESS_DEREGISTERED else accepted
    return {
        "as_of": day or None,
        "count": count,
        "accepted": accepted,
        "deregistered": gone,
        "unreadable": unreadable,
        "shelters": total,
    }


def _add(
    found: Stock,
    point: Point,
    balance: Balance,
    parameters: Mapping[str, str],
    hazards: list[str],
) -> None:
    persons = capacity(point, parameters).persons
    found.shelters += 1
    found.no_capacity += persons is None
    found.below_class_area += below_class_area(point, parameters) is True
    kind = found.by_class.setdefault(kind_of(point), [0, 0])
    kind[0] += 1
    kind[1] += persons or 0
    found.capacity += persons or 0
    there = balance.occupants if balance.heard else ABSENT
    opened = ABSENT if balance.open == NONE else balance.open
    add_shelter(found.now, point, parameters, Seen(opened, there, there))
    if is_offered(point, hazards):
        _offer(found.offer, balance, persons)


def _offer(offer: Offer, balance: Balance, persons: int | None) -> None:
    offer.shelters += 1
    offer.capacity += persons or 0
    offer.open += balance.open == 1
    free = free_places(balance, persons)
    if free is not None:
        offer.free += free
    elif balance.open != 0:
        offer.unknown += persons or 0
