"""Which series of an area speak for which pollutant of which station, and what they say in an hour.

Registry attributes of an `air_station`: `not_monitored` (pollutants outside its plan, comma or
space separated; also what no active series of it measures) and `role` (`evaluation` unless told;
any other, e.g. `background`, keeps it out of the city's figures).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from streams.contracts.domain import AreaView, HourMatrix
from streams.domains.air.ozone import Exact
from streams.domains.air.parameters import POLLUTANTS

POINT_TYPE = "air_station"
EVALUATION = "evaluation"
SCALE = 4
"""Decimal digits of every property of this domain."""
UNIT = 10**SCALE


@dataclass(frozen=True, slots=True)
class Station:
    """A station of the area. `series` lists, by pollutant, its series, the active ones first."""

    point: int
    id: str
    series: Mapping[str, tuple[int, ...]]
    planned: frozenset[str]
    evaluated: bool


def stations_of(view: AreaView) -> tuple[Station, ...]:
    """The area's air stations in the order of its points."""
    found: dict[int, dict[str, list[int]]] = {}
    order = sorted(range(len(view.series_point)), key=lambda s: (not view.series_active[s], s))
    for series in order:
        pollutant = POLLUTANTS[int(view.series_property[series])]
        found.setdefault(int(view.series_point[series]), {}).setdefault(pollutant, []).append(
            series
        )
    return tuple(
        _station(view, index, found.get(index, {}))
        for index, point in enumerate(view.points)
        if point.type == POINT_TYPE
    )


def _station(view: AreaView, index: int, series: Mapping[str, list[int]]) -> Station:
    point = view.points[index]
    outside = point.attributes.get("not_monitored", "").replace(",", " ").lower().split()
    return Station(
        point=index,
        id=point.id,
        series={name: tuple(series[name]) for name in POLLUTANTS if name in series},
        planned=frozenset(
            name
            for name, own in series.items()
            if name not in outside and any(view.series_active[s] for s in own)
        ),
        evaluated=point.attributes.get("role", EVALUATION) == EVALUATION,
    )


def hour_value(station: Station, matrix: HourMatrix, pollutant: str, hour: int) -> Exact | None:
    """The station's hourly mean, scaled (1/UNIT) and exact; None without a good reading."""
    for series in station.series.get(pollutant, ()):
        count = int(matrix.n[series, hour])
        if count:
            total = int(matrix.total[series, hour])
            return total if count == 1 else Fraction(total, count)
    return None


def hour_values(station: Station, matrix: HourMatrix, hour: int) -> dict[str, Exact]:
    """All hourly means of the station in this hour, scaled, by pollutant."""
    found = {name: hour_value(station, matrix, name, hour) for name in station.series}
    return {name: value for name, value in found.items() if value is not None}


def in_units(values: Mapping[str, Exact]) -> dict[str, Fraction]:
    """Scaled values in the property's unit."""
    return {name: Fraction(value) / UNIT for name, value in values.items()}


def is_withheld(station: Station, matrix: HourMatrix, hour: int) -> bool:
    """True when the hour has readings of the station and none of them is good: frozen or failed."""
    everything = [s for series in station.series.values() for s in series]
    good = any(matrix.n[s, hour] for s in everything)
    return not good and any(matrix.bad[s, hour] for s in everything)
