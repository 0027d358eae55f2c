"""Colours of cities and the province, from the colours that the counties tell."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from streams.alerting.book import Book
from streams.catalog import Registry
from streams.contracts.outcome import AreaRisk, RegionMessage
from streams.region.pages import Pages
from streams.resilience.composite import member, risk, roll_up

Page = dict[str, Mapping[str, Any]]  # member's code -> what it told last


class RiskFold:
    """Keeps the last colour that every area told, as a page per city and per province.

    A city or province with points of its own is a member of itself, as `<code>+`; alerts that the
    region stage raised on a city are the member `<code>`.
    """

    def __init__(self, registry: Registry, pages: Pages) -> None:
        self._pages = pages
        self._city_of = {a: registry.city_of(a) for a in registry.areas}
        self._parent = {a.code: a.parent for a in registry.areas.values() if a.level == "city"}
        self._provinces = {a.code for a in registry.areas.values() if a.level == "province"}
        self._want = _count_members(registry)

    def fold(
        self, proc_ms: int, messages: Iterable[RegionMessage], own: Mapping[str, Book]
    ) -> list[AreaRisk]:
        """Colours told anew. `own`: books of cities whose alerts of their own have changed."""
        touched: dict[str, Page] = {}
        for message in messages:
            page = self._city_of.get(message.area)
            if page is not None:
                code = message.area if message.area != page else f"{page}+"
                self._page(page, touched)[code] = message.payload
        for city, book in own.items():
            alerts = risk(city, book.open(), newest_ms={}, gateways_down=False, decided_ms=proc_ms)
            self._page(city, touched)[city] = member(alerts)
        found: dict[str, AreaRisk] = {}
        for city in sorted(set(touched) - self._provinces):
            found[city] = self._rolled(city, touched[city], proc_ms)
            province = self._parent.get(city)
            if province in self._provinces:
                self._page(province, touched)[city] = member(found[city])
        for province in sorted(set(touched) & self._provinces):
            found[province] = self._rolled(province, touched[province], proc_ms)
        return list(found.values())

    def _rolled(self, code: str, members: Page, proc_ms: int) -> AreaRisk:
        self._pages.put_state(f"risk/{code}", members)
        return roll_up(code, members, self._want.get(code, 0), proc_ms)

    def _page(self, code: str, pages: dict[str, Page]) -> Page:
        if code not in pages:
            pages[code] = dict(self._pages.state(f"risk/{code}"))
        return pages[code]


def _count_members(registry: Registry) -> dict[str, int]:
    """How many members each city and province can have: areas with points, cities with such."""
    watched = {point.area for point in registry.points.values()} & set(registry.areas)
    found: dict[str, int] = {}
    cities = {registry.city_of(area) for area in watched}
    for area in watched:
        page = registry.city_of(area)
        found[page] = found.get(page, 0) + 1
    for city in cities:
        parent = registry.areas[city].parent
        if registry.areas[city].level == "city" and parent is not None:
            found[parent] = found.get(parent, 0) + 1
    return found


def cities_of(subjects: Collection[str]) -> list[str]:
    """Codes of the subjects `area:<code>`."""
    return sorted({s.removeprefix("area:") for s in subjects if s.startswith("area:")})
