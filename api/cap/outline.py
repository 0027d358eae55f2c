"""An area's boundary as CAP polygons: few pairs, latitude first, closed, never crossing itself.

Holes and parts of less than a hundredth of the area are left out: the code beside the polygon says
what is meant to the last island.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import shapely
import shapely.geometry

from api.queries.rows import Json
from streams.contracts.cap.model import Pair
from streams.contracts.cap.sense import polygon_fault

DIGITS = 4  # 11 m
FIRST_TOLERANCE = 0.0005  # degrees
LEAST_SHARE = 0.01
MOST_PARTS = 10


def outline(geometry: Json, most_pairs: int) -> tuple[tuple[Pair, ...], ...]:
    """Polygons of at most so many pairs together (as far as four a part allow)."""
    shape = shapely.geometry.shape(geometry)
    parts = sorted(getattr(shape, "geoms", [shape]), key=lambda part: -part.area)
    kept = [p for p in parts[:MOST_PARTS] if p.area >= LEAST_SHARE * shape.area]
    tolerance = FIRST_TOLERANCE
    while True:
        rings = [_ring(part.simplify(tolerance)) for part in kept]
        if sum(map(len, rings)) <= most_pairs or tolerance > 1:
            return tuple(ring for ring in rings if polygon_fault(ring) is None)
        tolerance *= 1.5


def _ring(part: Any) -> tuple[Pair, ...]:
    """The outer ring; where rounding makes it cross itself, its hull."""
    found = _pairs(part.exterior.coords)
    return found if polygon_fault(found) is None else _pairs(part.convex_hull.exterior.coords)


def _pairs(coordinates: Iterable[tuple[float, ...]]) -> tuple[Pair, ...]:
    found: list[Pair] = []
    for lon, lat, *_ in coordinates:
        pair = _decimal(lat), _decimal(lon)
        if not found or pair != found[-1]:
            found.append(pair)
    return tuple(found)


def _decimal(degrees: float) -> Decimal:
    return Decimal(f"{degrees:.{DIGITS}f}")
