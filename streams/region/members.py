"""Who belongs to whom: the areas with points of a domain, by city, and the cities by province."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from streams.catalog import Registry
from streams.contracts.domain import Domain


@dataclass(frozen=True, slots=True)
class Members:
    """For one domain: `by_city` city code → its areas with points (the city itself may be one);
    `provinces` province code → its cities; `levels` of all of these codes."""

    by_city: Mapping[str, tuple[str, ...]]
    provinces: Mapping[str, tuple[str, ...]]
    levels: Mapping[str, str]

    def province_of(self, city: str) -> str | None:
        """The province a city belongs to; None for a pseudo-city without one."""
        return next((p for p, cities in self.provinces.items() if city in cities), None)

    def of_province(self, province: str) -> tuple[str, ...]:
        """All areas with points of a province."""
        return tuple(a for city in self.provinces[province] for a in self.by_city[city])


def find_members(registry: Registry, domain: Domain) -> Members:
    """The members of every city for one domain, areas and cities in code order.

    Points that stand at a province itself belong to no city and to no fact.
    """
    types = {point_type.name for point_type in domain.points}
    found = {p.area for p in registry.points.values() if p.type in types}
    areas = sorted(a for a in found if registry.areas[a].level != "province")
    by_city = _grouped((registry.city_of(area), area) for area in areas)
    pairs = ((_province_of(registry, city), city) for city in by_city)
    provinces = _grouped((province, city) for province, city in pairs if province is not None)
    codes = {*areas, *by_city, *provinces}
    return Members(by_city, provinces, {code: registry.areas[code].level for code in codes})


def _province_of(registry: Registry, city: str) -> str | None:
    parent = registry.areas[city].parent
    return parent if parent in registry.areas else None


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for key, value in sorted(pairs):
        found[key] = (*found.get(key, ()), value)
    return found
