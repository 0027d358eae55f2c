"""What hour windows say of one point: grades of its rain and snow, force of its wind. Pure.

Hours are clock hours, days run from 0 to 24 in Asia/Shanghai. An amount with hours or minutes
missing is a lower bound and is marked so. Grades of 12 and 24 h are never applied to an hour.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from streams.contracts.domain import DAY_MS, HOUR_MS, AreaView, HourMatrix, Result
from streams.contracts.exact import to_text
from streams.contracts.frame import Int64
from streams.domains.weather import layout
from streams.domains.weather import parameters as key
from streams.domains.weather.scale import (
    MM_SCALE,
    WIND_SCALE,
    beaufort,
    convective_grade,
    rain_grade,
    snow_grade,
)

POINT_HOUR, POINT_DAY = "weather.point.hour", "weather.point.day"
DAY_HOURS, HALF_DAY_HOURS = 24, 12

GRADES = {
    "rain": (rain_grade, {DAY_HOURS: key.RAIN_24H, HALF_DAY_HOURS: key.RAIN_12H}),
    "snowfall": (snow_grade, {DAY_HOURS: key.SNOW_24H, HALF_DAY_HOURS: key.SNOW_12H}),
}


class Sum(NamedTuple):
    """The greatest sum of consecutive clock hours of a day, and the hour in which they begin."""

    amount: int
    hour: int


def hardest(total: Int64, hours: int) -> Sum:
    """`total`: 24 hour sums. The earliest of equal ones."""
    sums = np.convolve(total, np.ones(hours, np.int64), "valid")
    return Sum(int(sums.max()), int(sums.argmax()))


def wanted(view: AreaView, series: int, hours: int = 1) -> int:
    """How many readings a series should have in so many hours."""
    report_s = max(1, int(view.series_report_s[series]))
    return max(1, hours * HOUR_MS // 1000 // report_s)


def point_hours(view: AreaView, matrix: HourMatrix, hour: int) -> list[Result]:
    """One result for every point that was heard in the hour."""
    found: dict[str, dict[str, Any]] = {}
    for series in np.flatnonzero(matrix.n[:, hour]).tolist():
        prop = layout.PROPERTIES[int(view.series_property[series])].name
        total, high = int(matrix.total[series, hour]), int(matrix.high[series, hour])
        payload: dict[str, Any]
        match prop:
            case "rain":
                payload = {
                    "rain_mm": to_text(total, MM_SCALE),
                    "rain_grade_1h": convective_grade(total, view.parameters),
                    "rain_edges_1h": view.parameters[key.CONVECTIVE],
                    "rain_complete": _whole(view, matrix.n[series, hour], series),
                }
            case "snowfall":
                payload = {"snowfall_mm": to_text(total, MM_SCALE)}
            case "wind_speed" | "gust":
                payload = {
                    f"{prop}_max": to_text(high, WIND_SCALE),
                    f"{prop}_force": beaufort(high, view.parameters),
                }
            case _:
                continue
        point = view.points[int(view.series_point[series])].id
        found.setdefault(point, {}).update(payload)
    start = matrix.day_start_ms + hour * HOUR_MS
    return [Result(POINT_HOUR, p, start, HOUR_MS // 1000, found[p]) for p in sorted(found)]


def point_days(view: AreaView, matrix: HourMatrix) -> list[Result]:
    """Rain and snow of the day and of its hardest 12 h, with grades, for every gauge heard."""
    found: dict[str, dict[str, Any]] = {}
    for series in np.flatnonzero(matrix.n.sum(axis=1)).tolist():
        prop = layout.PROPERTIES[int(view.series_property[series])].name
        if prop not in ("rain", "snowfall"):
            continue
        grade, edges = GRADES[prop]
        total = matrix.total[series]
        day, half = int(total.sum()), hardest(total, HALF_DAY_HOURS)
        point = view.points[int(view.series_point[series])].id
        found.setdefault(point, {})[prop] = {
            "mm_24h": to_text(day, MM_SCALE),
            "grade_24h": grade(day, DAY_HOURS, view.parameters),
            "edges_24h": view.parameters[edges[DAY_HOURS]],
            "mm_12h": to_text(half.amount, MM_SCALE),
            "grade_12h": grade(half.amount, HALF_DAY_HOURS, view.parameters),
            "edges_12h": view.parameters[edges[HALF_DAY_HOURS]],
            "from_12h_ms": matrix.day_start_ms + half.hour * HOUR_MS,
            "complete": _whole(view, matrix.n[series].sum(), series, DAY_HOURS),
        }
    start = matrix.day_start_ms
    return [Result(POINT_DAY, p, start, DAY_MS // 1000, found[p]) for p in sorted(found)]


def _whole(view: AreaView, readings: np.int64, series: int, hours: int = 1) -> bool:
    return bool(readings >= wanted(view, series, hours))
