"""From hour windows of one area-day to station results and the area's partials. Pure.

`hourly` is the contract's function for one closed or revised hour, `daily` for a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from streams.contracts.domain import DAY_MS, HOUR_MS, AreaView, Derived, HourMatrix, Result
from streams.domains.air.aqi import Index, daily_index, hourly_index
from streams.domains.air.day import Verdict, day_values, verdicts
from streams.domains.air.layout import (
    SCALE,
    UNIT,
    Station,
    hour_value,
    hour_values,
    in_units,
    is_withheld,
    stations_of,
)
from streams.domains.air.ozone import Exact, maximum_8h, running_8h
from streams.domains.air.parameters import POLLUTANTS, Numbers, read_numbers
from streams.domains.air.partial import Sums
from streams.domains.air.rounding import fixed_text, plain_text
from streams.domains.air.standard import IndexRule, standard_at

STATION_HOUR = "air.station.hour"
STATION_DAY = "air.station.day"
DAY_TEXT_DIGITS = 6
"""Digits of a daily statistic in a result; the partial has it exactly."""


def hourly(view: AreaView, matrix: HourMatrix, hour: int) -> Derived:
    """The stations' results and the area's partial of the hour that starts at `hour` (0 … 23).

    An hour's value reaches the shown O3 8-h mean of the seven hours after it: after a revision the
    rest of the day is to be derived again. None as partial without an air station.
    """
    stations = stations_of(view)
    numbers = read_numbers(view.parameters)
    found = (_hour_result(station, matrix, hour, numbers) for station in stations)
    results = [result for result in found if result is not None]
    return Derived(results, _hour_partial(stations, matrix, hour) if stations else None)


def daily(view: AreaView, matrix: HourMatrix) -> Derived:
    """The stations' results and the area's partial of the day; None without an air station."""
    stations = stations_of(view)
    numbers = read_numbers(view.parameters)
    rule = standard_at(matrix.day_start_ms).index
    days = [_Day.of(station, matrix, rule, numbers) for station in stations]
    results = [
        _day_result(day, matrix.day_start_ms, numbers) for day in days if day.hours or day.withheld
    ]
    return Derived(results, _day_partial(days, matrix) if stations else None)


def _hour_result(
    station: Station, matrix: HourMatrix, hour: int, numbers: Numbers
) -> Result | None:
    values = in_units(hour_values(station, matrix, hour))
    frozen = is_withheld(station, matrix, hour)
    running = running_8h(_hours(station, matrix, "o3", hour + 1), hour)
    if not values and not frozen and running is None:
        return None  # an hour without readings still has its running mean, as the feed shows it
    start = matrix.day_start_ms + hour * HOUR_MS
    rule = standard_at(start).index
    payload = {
        **index_payload(hourly_index(values, station.planned, rule, numbers)),
        "concentration": {name: plain_text(value, SCALE) for name, value in values.items()},
        "o3_8h": None
        if running is None
        else fixed_text(running / UNIT, numbers.digits_ug, numbers.mode),
        "withheld": frozen,
    }
    return Result(STATION_HOUR, station.id, start, HOUR_MS // 1000, payload)


def _hour_partial(stations: Sequence[Station], matrix: HourMatrix, hour: int) -> dict[str, Any]:
    everyone, living = Sums(UNIT), Sums(UNIT)
    evaluated = [station for station in stations if station.evaluated]
    present: list[str] = []
    for station in evaluated:
        values = hour_values(station, matrix, hour)
        if not values:
            continue
        present.append(station.id)
        everyone.add(values)
        if _shows_life(station, matrix, hour):
            living.add(values)
    frozen = [s.id for s in evaluated if is_withheld(s, matrix, hour)]
    start = matrix.day_start_ms + hour * HOUR_MS
    head = _partial_head(evaluated, standard_at(start).index, present, frozen)
    return {**head, **everyone.payload(), "living": living.payload()}


def _shows_life(station: Station, matrix: HourMatrix, hour: int) -> bool:
    """A row of the day so far differs from the one before it: evidence that the source lives."""
    own = [s for series in station.series.values() for s in series]
    count, total = matrix.n[own, : hour + 1], matrix.total[own, : hour + 1]
    published = count.any(axis=0)
    rows = np.vstack([count[:, published], total[:, published]])
    return bool((rows[:, 1:] != rows[:, :-1]).any())


@dataclass(frozen=True, slots=True)
class _Day:
    """A station's day: hours with a value, valid statistics, index, both verdicts."""

    station: Station
    hours: int
    windows: int
    withheld: int
    values: Mapping[str, Fraction]
    index: Index
    verdicts: Mapping[str, Verdict]

    @staticmethod
    def of(station: Station, matrix: HourMatrix, rule: IndexRule, numbers: Numbers) -> _Day:
        hours = {name: _hours(station, matrix, name, 24) for name in station.series}
        values = day_values(hours, rule, numbers, UNIT)
        return _Day(
            station,
            sum(any(hours[name][at] is not None for name in hours) for at in range(24)),
            maximum_8h(hours["o3"]).windows if "o3" in hours else 0,
            sum(is_withheld(station, matrix, at) for at in range(24)),
            values,
            daily_index(values, station.planned, rule, numbers),
            verdicts(values, station.planned, numbers),
        )


def _day_result(day: _Day, start: int, numbers: Numbers) -> Result:
    values = {item: plain_text(v, DAY_TEXT_DIGITS) for item, v in day.values.items()}
    shown = {
        item: fixed_text(v, numbers.digits(item), numbers.mode) for item, v in day.values.items()
    }
    payload = {
        **index_payload(day.index),
        "concentration": values,
        "shown": shown,
        "hours": day.hours,
        "o3_windows": day.windows,
        "withheld_hours": day.withheld,
        "rules": verdict_payload(day.verdicts),
    }
    return Result(STATION_DAY, day.station.id, start, DAY_MS // 1000, payload)


def _day_partial(days: Iterable[_Day], matrix: HourMatrix) -> dict[str, Any]:
    evaluated = [day for day in days if day.station.evaluated]
    sums = Sums()
    for day in evaluated:
        sums.add(day.values)
    present = [day.station.id for day in evaluated if day.values]
    frozen = [day.station.id for day in evaluated if not day.hours and day.withheld]
    rule = standard_at(matrix.day_start_ms).index
    head = _partial_head([day.station for day in evaluated], rule, present, frozen)
    return {**head, **sums.payload()}


def _partial_head(
    stations: Sequence[Station], rule: IndexRule, present: list[str], frozen: list[str]
) -> dict[str, Any]:
    planned = {name: sum(name in s.planned for s in stations) for name in POLLUTANTS}
    return {
        "standard": rule.version,
        "expected": {name: count for name, count in planned.items() if count},
        "total": len(stations),
        "stations": sorted(present),
        "frozen": sorted(frozen),
    }


def index_payload(index: Index) -> dict[str, Any]:
    """JSON of an index: aqi, level, primary, IAQI by item, missing pollutants, standard."""
    return {
        "aqi": index.aqi,
        "level": index.level,
        "primary": list(index.primary),
        "iaqi": dict(index.iaqi),
        "missing": list(index.missing),
        "standard_version": index.standard,
    }


def verdict_payload(found: Mapping[str, Verdict]) -> dict[str, Any]:
    """JSON of a day under each rule."""
    return {key: {"aqi": v.aqi, "valid": v.valid, "good": v.good} for key, v in found.items()}


def _hours(station: Station, matrix: HourMatrix, pollutant: str, until: int) -> list[Exact | None]:
    return [hour_value(station, matrix, pollutant, at) for at in range(until)]
