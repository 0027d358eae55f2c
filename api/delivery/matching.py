"""Which subscriptions an alert's transition is for: an index over their filters. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import shapely

from api.delivery.filter import Filter
from api.delivery.place import Places, Region, near_region, polygon_region
from streams.contracts.area_code import stem_of

MOST_PLACES = 100_000  # whose regions are remembered


@dataclass(frozen=True, slots=True)
class Facts:
    """What filters look at."""

    area: str
    point: str | None
    domain: str
    severity: int
    change: str
    status: str
    notify: bool
    hidden: bool = False  # from people, by an earlier stage


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a subscription wants. `people`: a person reads it, who gets only what notifies."""

    subscription: str
    filter: Filter
    people: bool = False
    after: int = -1  # numbers of the outbox up to this one were before its time


@dataclass(frozen=True, slots=True)
class _Test:
    subscription: str
    after: int
    severity: int
    domains: frozenset[str] | None
    changes: frozenset[str] | None
    statuses: frozenset[str]
    people: bool

    def holds(self, facts: Facts, told: bool) -> bool:
        return (
            (facts.severity >= self.severity or told)
            and (self.domains is None or facts.domain in self.domains)
            and facts.status in self.statuses
            and (self.changes is None or facts.change in self.changes)
            and (not self.people or (facts.notify and not facts.hidden))
        )


class Matcher:
    """An index by area and place; the other conditions are tested one by one."""

    def __init__(self, wanted: Iterable[Wanted], places: Places) -> None:
        self._places = places
        self._everywhere: list[_Test] = []
        self._by_stem: dict[str, list[_Test]] = defaultdict(list)
        self._regions: list[tuple[_Test, Region]] = []
        self._of_place: dict[tuple[str, str | None], list[_Test]] = {}
        for each in wanted:
            self._place(each)
        boxes = [shapely.box(*region.bounds) for _, region in self._regions]
        self._tree = shapely.STRtree(boxes) if boxes else None

    def match(
        self, facts: Facts, told: Collection[str] = (), number: int | None = None
    ) -> list[str]:
        """Ids of the subscriptions that want it, sorted.

        `told` are those that were told of the same alert before: a severity that has fallen below
        theirs still reaches them, or nobody would learn of the end. `number` is the outbox's.
        """
        found = {
            test.subscription
            for test in self._candidates(facts)
            if (number is None or number > test.after)
            and test.holds(facts, test.subscription in told)
        }
        return sorted(found)

    def _place(self, each: Wanted) -> None:
        wants, test = each.filter, _test(each)
        if not (wants.areas or wants.polygon or wants.near):
            self._everywhere.append(test)
        for code in wants.areas:
            self._by_stem[stem_of(code)].append(test)
        for region in regions_of(wants, self._places):
            self._regions.append((test, region))

    def _candidates(self, facts: Facts) -> Iterable[_Test]:
        yield from self._everywhere
        code = facts.area
        for width in (2, 4, 6, 9):
            if width <= len(code):
                yield from self._by_stem.get(code[:width], ())
        if self._tree is not None:
            yield from self._at(code, facts.point)

    def _at(self, area: str, point: str | None) -> list[_Test]:
        key = (area, point)
        if key not in self._of_place:
            if len(self._of_place) >= MOST_PLACES:
                self._of_place.clear()
            self._of_place[key] = self._look(area, point)
        return self._of_place[key]

    def _look(self, area: str, point: str | None) -> list[_Test]:
        place = self._places.of(area, point)
        if place is None or self._tree is None:
            return []
        near = [self._regions[index] for index in self._tree.query(place)]
        return [test for test, region in near if region.holds(place)]


def regions_of(wants: Filter, places: Places) -> list[Region]:
    """The regions of a filter; a border that nobody knows is none."""
    found: list[Region] = []
    if wants.polygon is not None:
        found.append(polygon_region(wants.polygon))
    if wants.near is not None:
        strip = near_region(wants.near, places)
        if strip is not None:
            found.append(strip)
    return found


def facts_of(content: Mapping[str, Any], status: str, notify: bool) -> Facts:
    """The facts of an alert's content in the outbox."""
    return Facts(
        area=content["area"],
        point=content["point"],
        domain=content["domain"],
        severity=content["severity"],
        change=content["change"],
        status=status,
        notify=notify,
        hidden=content.get("suppressed_by") is not None,
    )


def _test(each: Wanted) -> _Test:
    wants = each.filter
    return _Test(
        subscription=each.subscription,
        after=each.after,
        severity=wants.min_severity,
        domains=frozenset(wants.domains) or None,
        changes=frozenset(change.value for change in wants.changes) or None,
        statuses=frozenset(wants.statuses),
        people=each.people,
    )
