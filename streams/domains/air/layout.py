"""Which series of an area speak for which pollutant of which station, and what they say in an hour.

Registry attributes of an `air_station`: `not_monitored` (pollutants outside its plan, comma or
space separated; also what no series of it measures) and `role` (`evaluation` unless told; any
other, e.g. `background`, keeps it out of the city's figures).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from streams.contracts.domain import AreaView, HourMatrix
from streams.domains.air.parameters import POLLUTANTS

POINT_TYPE = "air_station"
EVALUATION = "evaluation"
SCALE = 4
"""Decimal digits of every property of this domain."""
UNIT = 10**SCALE

Values = Mapping[str, Fraction]


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
        planned=frozenset(name for name in series if name not in outside),
        evaluated=point.attributes.get("role", EVALUATION) == EVALUATION,
    )


def hour_value(station: Station, matrix: HourMatrix, pollutant: str, hour: int) -> Fraction | None:
    """The station's hourly mean in the property's unit, exact; None without a good reading."""
    for series in station.series.get(pollutant, ()):
        count = int(matrix.n[series, hour])
        if count:
            return Fraction(int(matrix.total[series, hour]), count * UNIT)
    return None


def hour_values(station: Station, matrix: HourMatrix, hour: int) -> dict[str, Fraction]:
    """All hourly means of the station in this hour, by pollutant."""
    found = {name: hour_value(station, matrix, name, hour) for name in station.series}
    return {name: value for name, value in found.items() if value is not None}


def is_withheld(station: Station, matrix: HourMatrix, hour: int) -> bool:
    """True when the hour has readings of the station and none of them is good: frozen or failed."""
    everything = [s for series in station.series.values() for s in series]
    good = any(matrix.n[s, hour] for s in everything)
    return not good and any(matrix.bad[s, hour] for s in everything)
