"""The road links of an area: what the registry says of them, and which series speak for them.

Attributes of a `road_link`: `length_m`, `free_flow_kmh` (optional), `flood_point` (optional, id of
a point that watches it). A value that is no positive number counts as not stated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from streams.contracts.domain import AreaView

POINT_TYPE = "road_link"
TRAVEL_TIME, SPEED, VEHICLES = 0, 1, 2
"""Index in the domain's properties."""
VIEWS = 1024  # remembered; an area has one per registry version and day


@dataclass(frozen=True, slots=True)
class Link:
    """`length_mm` and `free_mh` (m/h) are None when the registry does not state them.

    `series` by property, the active ones first; `active` = some sensor of it is registered.
    """

    point: int
    id: str
    length_mm: int | None
    free_mh: int | None
    flood_point: str | None
    series: Mapping[int, tuple[int, ...]]
    active: bool


@lru_cache(maxsize=VIEWS)
def links_of(view: AreaView) -> tuple[Link, ...]:
    """The area's links in the order of its points (remembered: a view never changes)."""
    found: dict[int, dict[int, list[int]]] = {}
    heard: set[int] = set()
    order = sorted(range(len(view.series_point)), key=lambda s: (not view.series_active[s], s))
    for series in order:
        point, prop = int(view.series_point[series]), int(view.series_property[series])
        found.setdefault(point, {}).setdefault(prop, []).append(series)
        if view.series_active[series] and prop != VEHICLES:
            heard.add(point)
    return tuple(
        _link(view, number, found.get(number, {}), number in heard)
        for number, point in enumerate(view.points)
        if point.type == POINT_TYPE
    )


def _link(view: AreaView, number: int, series: Mapping[int, list[int]], active: bool) -> Link:
    point = view.points[number]
    return Link(
        point=number,
        id=point.id,
        length_mm=_thousandths(point.attributes.get("length_m")),
        free_mh=_thousandths(point.attributes.get("free_flow_kmh")),
        flood_point=point.attributes.get("flood_point") or None,
        series={prop: tuple(own) for prop, own in series.items()},
        active=active,
    )


def _thousandths(text: str | None) -> int | None:
    try:
        value = Decimal(text or "0")
        return int(value * 1000) or None if value.is_finite() and value > 0 else None
    except InvalidOperation:
        return None
