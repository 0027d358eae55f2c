"""What is known of a property: the store's id and scale, the domain's title and interval. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from api.queries.rows import PropertyRow
from streams.contracts.domain import Domain, Property


@dataclass(frozen=True, slots=True)
class SeriesProperty:
    """A property of the catalogue; titles are its name when no installed domain declares it."""

    id: int
    name: str
    domain: str
    unit: str
    scale: int
    interval_s: int
    title_zh: str
    title_en: str


def series_properties(
    catalogue: Mapping[str, PropertyRow], domains: Mapping[str, Domain]
) -> dict[str, SeriesProperty]:
    """The catalogue by name, filled up from what the domains declare."""
    return {row.name: _filled(row, _declared(row, domains)) for row in catalogue.values()}


def _declared(row: PropertyRow, domains: Mapping[str, Domain]) -> Property | None:
    domain = domains.get(row.domain)
    return next((p for p in domain.properties if p.name == row.name), None) if domain else None


def _filled(row: PropertyRow, declared: Property | None) -> SeriesProperty:
    return SeriesProperty(
        id=row.id,
        name=row.name,
        domain=row.domain,
        unit=row.unit,
        scale=row.scale,
        interval_s=declared.interval_s if declared else 0,
        title_zh=declared.title.zh if declared else row.name,
        title_en=declared.title.en if declared else row.name,
    )
