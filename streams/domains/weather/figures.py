"""Weather figures of county, city and province: the greatest rain and where, its mean, extremes.

A partial tells the extremes of its area and the point that had them; who gathers partials takes
the worst. What is missing makes every maximum a lower bound: `have` of `want` sensors spoke, and
the detail says how many of the wanted readings there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from streams.contracts.domain import (
    HOUR_MS,
    AreaView,
    Derived,
    FactSpec,
    FactValue,
    HourMatrix,
    Payload,
    Title,
)
from streams.contracts.exact import to_text
from streams.contracts.frame import Int64
from streams.domains.weather import layout
from streams.domains.weather.grades import hardest, point_days, point_hours, wanted

LEVELS = ("county", "city", "province")
PROPERTIES = {p.name: p for p in layout.PROPERTIES}
Find = Callable[[int], tuple[int, int]]
"""Series → (scaled value, hour of the day)."""


def hourly(view: AreaView, matrix: HourMatrix, hour: int) -> Derived:
    """Results of the points and the partial of one clock hour (0 … 23)."""
    rain = _heard(view, matrix, "rain", hour, hour + 1)
    partial = {
        "cover": _covers(view, matrix, hour, hour + 1),
        "total": int(matrix.total[rain, hour].sum()),
        "rain_1h": _best(view, matrix, rain, lambda s: (int(matrix.total[s, hour]), hour)),
        **_extremes(view, matrix, hour, hour + 1),
    }
    return Derived(point_hours(view, matrix, hour), partial)


def daily(view: AreaView, matrix: HourMatrix) -> Derived:
    """Results of the points and the partial of one day."""
    rain = _heard(view, matrix, "rain", 0, 24)

    def span(hours: int) -> Find:
        def find(series: int) -> tuple[int, int]:
            found = hardest(matrix.total[series], hours)
            return found.amount, found.hour

        return find

    partial = {
        "cover": _covers(view, matrix, 0, 24),
        "total": int(matrix.total[rain].sum()),
        "rain_1h": _best(view, matrix, rain, span(1)),
        "rain_3h": _best(view, matrix, rain, span(3)),
        "rain_24h": _best(view, matrix, rain, span(24)),
        **_extremes(view, matrix, 0, 24),
    }
    return Derived(point_days(view, matrix), partial)


def _extremes(view: AreaView, matrix: HourMatrix, begin: int, end: int) -> dict[str, Any]:
    """Highest and lowest temperature, gust, snow depth."""
    found: dict[str, Any] = {}
    for name, prop, sign in (
        ("max", "air_temperature", 1),
        ("min", "air_temperature", -1),
        ("gust", "gust", 1),
        ("snow_depth", "snow_depth", 1),
    ):
        column = matrix.high if sign > 0 else matrix.low
        find = _extreme(matrix.n, column, sign, begin, end)
        found[name] = _best(view, matrix, _heard(view, matrix, prop, begin, end), find, sign)
    return found


def _extreme(n: Int64, column: Int64, sign: int, begin: int, end: int) -> Find:
    def find(series: int) -> tuple[int, int]:
        hours = begin + np.flatnonzero(n[series, begin:end])
        values = column[series, hours] * sign
        return int(column[series, hours[values.argmax()]]), int(hours[values.argmax()])

    return find


def _heard(view: AreaView, matrix: HourMatrix, prop: str, begin: int, end: int) -> list[int]:
    """Series of a property with a good reading in these hours."""
    mine = view.series_property == layout.INDEX[prop]
    heard = matrix.n[:, begin:end].sum(axis=1) > 0
    return np.flatnonzero(mine & heard).tolist()


def _covers(view: AreaView, matrix: HourMatrix, begin: int, end: int) -> dict[str, Any]:
    return {
        prop: _cover(view, matrix, prop, begin, end)
        for prop in ("rain", "air_temperature", "gust", "snow_depth")
    }


def _cover(view: AreaView, matrix: HourMatrix, prop: str, begin: int, end: int) -> dict[str, int]:
    """Sensors that spoke and should have, readings that came and should have."""
    heard = _heard(view, matrix, prop, begin, end)
    active = np.flatnonzero((view.series_property == layout.INDEX[prop]) & view.series_active)
    known = sorted({*heard, *active.tolist()})
    return {
        "have": len(heard),
        "want": len(known),
        "readings": int(matrix.n[heard, begin:end].sum()),
        "wanted": sum(wanted(view, series, end - begin) for series in known),
    }


def _best(
    view: AreaView, matrix: HourMatrix, series: Iterable[int], find: Find, sign: int = 1
) -> list[Any] | None:
    """[value, point, start ms] of the worst series; of equal ones the first point by name."""
    found = []
    for one in series:
        value, hour = find(one)
        point = view.points[int(view.series_point[one])].id
        found.append((-value * sign, point, matrix.day_start_ms + hour * HOUR_MS))
    if not found:
        return None
    value, point, start_ms = min(found)
    return [-value * sign, point, start_ms]


def gather(members: Mapping[str, Payload], prop: str) -> dict[str, int]:
    """The cover of a property, added up."""
    names = ("have", "want", "readings", "wanted")
    return {name: sum(int(m["cover"][prop][name]) for m in members.values()) for name in names}


def extreme_fact(
    name: str, prop: str, sign: int = 1
) -> Callable[[str, Mapping[str, Payload], Mapping[str, str]], FactValue | None]:
    """The fact that takes the greatest (sign 1) or least (-1) `name` of the partials."""

    def compute(
        level: str, members: Mapping[str, Payload], _parameters: Mapping[str, str]
    ) -> FactValue | None:
        found = [(-int(m[name][0]) * sign, area, m[name]) for area, m in members.items() if m[name]]
        if not found:
            return None
        _, area, (value, point, start_ms) = min(found, key=lambda f: (f[0], f[1]))
        shown = to_text(int(value), PROPERTIES[prop].scale)
        cover = gather(members, prop)
        whole = cover["readings"] >= cover["wanted"]
        return FactValue(
            value=shown,
            have=cover["have"],
            want=cover["want"],
            lower=shown if sign > 0 or whole else None,
            upper=shown if sign < 0 or whole else None,
            detail={
                "level": level,
                "at_area": area,
                "at_point": point,
                "start_ms": int(start_ms),
                "readings": cover["readings"],
                "wanted": cover["wanted"],
                "members": sorted(members),
            },
        )

    return compute


def rain_mean(
    level: str, members: Mapping[str, Payload], _parameters: Mapping[str, str]
) -> FactValue | None:
    """The mean over the gauges that spoke of their sums, mm, to 0.1 (half to even, GB/T 8170)."""
    cover = gather(members, "rain")
    if not cover["have"]:
        return None
    scale = PROPERTIES["rain"].scale
    total = sum(int(m["total"]) for m in members.values())
    mean = Fraction(total, cover["have"] * 10 ** (scale - 1))
    return FactValue(
        value=to_text(round(mean), 1),
        numerator=to_text(total, scale),
        denominator=str(cover["have"]),
        have=cover["have"],
        want=cover["want"],
        detail={
            "level": level,
            "readings": cover["readings"],
            "wanted": cover["wanted"],
            "members": sorted(members),
        },
    )


_EXTREMES: Sequence[tuple[str, str, int, tuple[str, ...], Title]] = (
    ("rain_1h", "rain", 1, ("hour", "day"), Title("最大1小时雨量", "greatest rain of an hour")),
    ("rain_3h", "rain", 1, ("day",), Title("最大3小时雨量", "greatest rain of 3 hours")),
    ("rain_24h", "rain", 1, ("day",), Title("最大日雨量", "greatest rain of the day")),
    ("max", "air_temperature", 1, ("hour", "day"), Title("最高气温", "highest temperature")),
    ("min", "air_temperature", -1, ("hour", "day"), Title("最低气温", "lowest temperature")),
    ("gust", "gust", 1, ("hour", "day"), Title("最大阵风", "greatest gust")),
    ("snow_depth", "snow_depth", 1, ("day",), Title("最大积雪深度", "greatest snow depth")),
)
_NAMES = {"max": "temperature_max", "min": "temperature_min", "gust": "gust_max"}


def _facts() -> Iterable[FactSpec]:
    for name, prop, sign, periods, title in _EXTREMES:
        for period in periods:
            yield FactSpec(
                f"weather.{_NAMES.get(name, name + '_max')}.{period}",
                title,
                PROPERTIES[prop].unit,
                period,
                LEVELS,
                extreme_fact(name, prop, sign),
            )
    for period in ("hour", "day"):
        title = Title("平均雨量", "mean rain over the gauges")
        yield FactSpec(f"weather.rain_mean.{period}", title, "mm", period, LEVELS, rain_mean)


FACTS = tuple(_facts())
