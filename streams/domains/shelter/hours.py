"""Occupancy of an area, in one hour or now: sums over its shelters, added up for city and province.

Hours and days rest on the hour windows alone (so that late rows can rebuild them from the store):
a shelter's occupants of an hour are the most that a count of that hour found. Shelters that only
report people who come and go have no count: they are missing here, and in the bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields

import numpy as np

from streams.contracts.domain import AreaView, Derived, HourMatrix, Payload, Point
from streams.contracts.frame import Bool, Int64
from streams.domains.shelter.balance import CHECK_IN, CHECK_OUT, OCCUPANTS, OPEN
from streams.domains.shelter.site import capacity, day_of, hazards_of, is_registered

ABSENT = -1


@dataclass(slots=True)
class Hour:
    """Sums over shelters, of one hour, or of now (`streams.domains.shelter.stock`).

    `counted`: with a count; `reported`: that said whether they are open.
    """

    shelters: int = 0
    reported: int = 0
    open: int = 0
    counted: int = 0
    occupants: int = 0
    least: int = 0  # the same, by the fewest that a count found
    free: int = 0  # places left in open, counted shelters with a capacity
    sheltered: int = 0  # occupants of those
    places: int = 0  # capacity of those
    unknown_places: int = 0  # capacity of shelters of which open or occupants are not known
    unknown_free: int = 0  # the most that may be free in those
    uncounted_places: int = 0  # capacity of shelters that nobody counted and that are not closed
    checked_in: int = 0
    checked_out: int = 0
    free_for: dict[str, int] = field(default_factory=dict)  # hazard → free places that are fit

    def add(self, payload: Payload) -> None:
        """One more partial."""
        for one in fields(self):
            if one.name == "free_for":
                for hazard, free in payload["free_for"].items():
                    self.free_for[hazard] = self.free_for.get(hazard, 0) + int(free)
            else:
                setattr(self, one.name, getattr(self, one.name) + int(payload[one.name]))

    def payload(self) -> Payload:
        return {**asdict(self), "free_for": dict(sorted(self.free_for.items()))}


def total(payloads: Iterable[Payload]) -> Hour:
    """The sum of partials of the same hour."""
    found = Hour()
    for payload in payloads:
        found.add(payload)
    return found


def hourly(view: AreaView, matrix: HourMatrix, hour: int) -> Derived:
    """The partial of one hour; nothing for an area without shelters."""
    day = day_of(matrix.day_start_ms)
    shelters = [i for i, p in enumerate(view.points) if is_registered(p, day)]
    if not shelters:
        return Derived((), None)
    return Derived((), _hour(view, matrix, hour, shelters).payload())


def daily(view: AreaView, matrix: HourMatrix) -> Derived:
    """The partial of a day: its hours with data, by number, and what an hour without is."""
    day = day_of(matrix.day_start_ms)
    shelters = [i for i, p in enumerate(view.points) if is_registered(p, day)]
    if not shelters:
        return Derived((), None)
    heard = np.flatnonzero((matrix.n + matrix.bad).sum(axis=0)).tolist()
    found = {str(h): _hour(view, matrix, h, shelters).payload() for h in heard}
    unheard = Hour()
    for point in shelters:
        add_shelter(unheard, view.points[point], view.parameters, Seen(ABSENT, ABSENT, ABSENT))
    return Derived((), {"hours": found, "unheard": unheard.payload()})


def _hour(view: AreaView, matrix: HourMatrix, hour: int, shelters: list[int]) -> Hour:
    opened = _most(view, matrix, hour, OPEN)
    most = _most(view, matrix, hour, OCCUPANTS)
    least = _least(view, matrix, hour)
    found = Hour()
    mine = np.isin(view.series_point, shelters)
    for name, prop in (("checked_in", CHECK_IN), ("checked_out", CHECK_OUT)):
        flows = mine & (view.series_property == prop)
        setattr(found, name, int(matrix.total[flows, hour].sum()))
    for point in shelters:
        seen = Seen(opened[point], most[point], least[point])
        add_shelter(found, view.points[point], view.parameters, seen)
    return found


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of one shelter: open (1, 0), the most and the fewest occupants; or ABSENT."""

    open: int
    most: int
    least: int


def add_shelter(found: Hour, point: Point, parameters: Mapping[str, str], seen: Seen) -> None:
    """Adds one shelter to the sums."""
    opened, most, least = seen.open, seen.most, seen.least
    persons = capacity(point, parameters).persons
    found.shelters += 1
    found.reported += opened != ABSENT
    found.open += opened > 0
    if most != ABSENT:
        found.counted += 1
        found.occupants += most
        found.least += least
    if persons is None:
        return
    if most == ABSENT and opened != 0:
        found.uncounted_places += persons
    free = max(0, persons - max(most, 0))
    if opened == ABSENT or (opened > 0 and most == ABSENT):
        found.unknown_places += persons
        found.unknown_free += free
    elif opened > 0:
        found.free += free
        found.sheltered += most
        found.places += persons
        for hazard in hazards_of(point):
            found.free_for[hazard] = found.free_for.get(hazard, 0) + free


def _most(view: AreaView, matrix: HourMatrix, hour: int, prop: int) -> list[int]:
    """The largest good value of the hour by point, ABSENT where there is none."""
    use: Bool = (view.series_property == prop) & (matrix.n[:, hour] > 0)
    found: Int64 = np.full(len(view.points), ABSENT, np.int64)
    np.maximum.at(found, view.series_point[use], matrix.high[use, hour])
    return [int(v) for v in found.tolist()]


def _least(view: AreaView, matrix: HourMatrix, hour: int) -> list[int]:
    use: Bool = (view.series_property == OCCUPANTS) & (matrix.n[:, hour] > 0)
    found: Int64 = np.full(len(view.points), np.iinfo(np.int64).max, np.int64)
    np.minimum.at(found, view.series_point[use], matrix.low[use, hour])
    return [int(v) for v in found.tolist()]


def hours_of_day(members: Mapping[str, Payload]) -> dict[int, Hour]:
    """Every hour of a day that a member has data of; who has none is there with its shelters."""
    hours = sorted({int(h) for m in members.values() for h in m["hours"]})
    return {
        hour: total(m["hours"].get(str(hour), m["unheard"]) for m in members.values())
        for hour in hours
    }
