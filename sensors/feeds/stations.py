"""Stations of a recording → what the registry must hold, placed by polygon, else by city name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from sensors.feeds.feed import Entries, Gazetteer
from streams.catalog import Area, Gateway, Sensor
from streams.contracts.domain import Point

OUTSIDE = Area("900000", "province", None, "省外", "outside the province")


@dataclass(frozen=True, slots=True)
class Station:
    """One watched place; `city` is the source's own name, used when the position says nothing."""

    id: str
    name: str
    city: str
    lon: float | None = None
    lat: float | None = None
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def place_stations(
    source: str, stations: Iterable[Station], properties: Sequence[str], gazetteer: Gazetteer
) -> Entries:
    """Entries for air stations: each in the county that contains it, else in its city.

    A city that the gazetteer does not know becomes a pseudo-area under `OUTSIDE`, numbered in the
    order of the names: its code holds only inside the namespace of this recording.
    """
    ordered = sorted(stations, key=lambda s: s.id)
    strangers = sorted({s.city for s in ordered if gazetteer.city_named(s.city) is None})
    pseudo = {
        name: Area(f"9{number:03d}00", "city", OUTSIDE.code, name, name)
        for number, name in enumerate(strangers, start=1)
    }
    areas: dict[str, Area] = {}
    points: list[Point] = []
    for station in ordered:
        area = _area(station, gazetteer, pseudo)
        _add_with_parents(areas, area, gazetteer)
        points.append(
            Point(
                station.id,
                "air_station",
                area.code,
                station.name,
                station.lon,
                station.lat,
                station.attributes,
            )
        )
    return Entries(
        areas=tuple(areas[code] for code in sorted(areas)),
        points=tuple(points),
        sensors=tuple(Sensor(0, p.id, p.id, source, tuple(properties)) for p in points),
        gateways=(Gateway(source, min(areas), source),) if areas else (),
    )


def _area(station: Station, gazetteer: Gazetteer, pseudo: Mapping[str, Area]) -> Area:
    if station.lon is not None and station.lat is not None:
        code = gazetteer.locate(station.lon, station.lat)
        if code is not None and code in gazetteer.areas:
            return gazetteer.areas[code]
    return gazetteer.city_named(station.city) or pseudo[station.city]


def _add_with_parents(areas: dict[str, Area], area: Area | None, gazetteer: Gazetteer) -> None:
    while area is not None and area.code not in areas:
        areas[area.code] = area
        if area.parent == OUTSIDE.code:
            areas[OUTSIDE.code] = OUTSIDE
        area = gazetteer.areas.get(area.parent) if area.parent else None
