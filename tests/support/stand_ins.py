"""Small domains with the names of weather, traffic and shelter, for tests of their players."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from streams.contracts.domain import Domain, PointType, Property, Title
from streams.domains import find_domains


def _property(
    name: str, unit: str, scale: int, low: int, high: int, every_s: int, of: int = 0
) -> Property:
    title = Title(name, name)
    return Property(
        name, unit, scale, title, Decimal(low), Decimal(high), interval_s=of, report_s=every_s
    )


def _domain(name: str, kinds: tuple[str, ...], *properties: Property) -> Domain:
    points = tuple(PointType(kind, Title(kind, kind)) for kind in kinds)
    return Domain(name, Title(name, name), properties, points, simulated=name)


STAND_INS = (
    _domain(
        "weather",
        ("weather_station",),
        _property("wind_speed", "m/s", 3, 0, 75, 60),
        _property("gust", "m/s", 3, 0, 120, 60),
        _property("air_temperature", "℃", 1, -60, 60, 60),
        _property("snowfall", "mm", 3, 0, 30, 600, 600),
        _property("snow_depth", "cm", 1, 0, 300, 600),
    ),
    _domain(
        "traffic",
        ("road_link",),
        _property("travel_time", "s", 3, 1, 36_000, 300, 300),
        _property("speed", "km/h", 3, 0, 250, 300, 300),
        _property("vehicle_count", "veh", 0, 0, 100_000, 300, 300),
    ),
    _domain(
        "shelter",
        ("shelter",),
        _property("occupants", "count", 0, 0, 100_000, 300),
        _property("check_in", "count", 0, 0, 10_000, 300),
        _property("check_out", "count", 0, 0, 10_000, 300),
        _property("open", "1", 0, 0, 1, 300),
    ),
)


def all_domains() -> Mapping[str, Domain]:
    """The domains that the simulation plays, and stand-ins for those that are not there."""
    played = {name: d for name, d in find_domains().items() if d.simulated is not None}
    return dict(sorted(({d.name: d for d in STAND_INS} | played).items()))
