"""Where alerts and the regions of filters lie. Pure geometry in degrees and metres; no store."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from api.delivery.filter import Near, polygon_of

METRES_PER_DEGREE = math.radians(1.0) * 6_371_008.8  # mean radius of the earth (IUGG)
_Numbers: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Places:
    """Shapes of areas, and where points stand; what is unknown is left out."""

    shapes: Mapping[str, BaseGeometry] = field(default_factory=dict)
    points: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    centres: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def of(self, area: str, point: str | None) -> BaseGeometry | None:
        """The point; else the area's shape; else its centre; None when nobody knows."""
        if point is not None and point in self.points:
            return shapely.Point(self.points[point])
        if area in self.shapes:
            return self.shapes[area]
        return shapely.Point(self.centres[area]) if area in self.centres else None


class Inside:
    """The inside of a polygon, its border included."""

    def __init__(self, polygon: BaseGeometry) -> None:
        self._polygon = polygon
        shapely.prepare(polygon)
        self.bounds = polygon.bounds

    def holds(self, place: BaseGeometry) -> bool:
        """Whether the place lies in it or, being an area, reaches into it."""
        return bool(self._polygon.intersects(place))


class Strip:
    """All that is not farther from a border than so many metres, on either side.

    Degrees are metres on a sphere, with the longitude's scale at the middle of the border: exact
    to about 1 % within 50 km of a county or city of these latitudes.
    """

    def __init__(self, border: BaseGeometry, within_m: float) -> None:
        west, south, east, north = border.bounds
        self._narrow = math.cos(math.radians((south + north) / 2))
        self._border = self._flat(border)
        self._within_m = within_m
        shapely.prepare(self._border)
        up = within_m / METRES_PER_DEGREE
        aside = up / max(self._narrow, 0.01)
        self.bounds = (west - aside, south - up, east + aside, north + up)

    def holds(self, place: BaseGeometry) -> bool:
        """Whether the place, or some of it, is that near."""
        return bool(shapely.dwithin(self._border, self._flat(place), self._within_m))

    def _flat(self, geometry: BaseGeometry) -> BaseGeometry:
        scale = np.array([self._narrow * METRES_PER_DEGREE, METRES_PER_DEGREE])

        def scaled(degrees: _Numbers) -> _Numbers:
            flat: _Numbers = degrees * scale
            return flat

        return shapely.transform(geometry, scaled)


Region: TypeAlias = Inside | Strip


def polygon_region(geojson: dict[str, object]) -> Inside:
    """The region of a filter's polygon. Raises `ValueError`."""
    return Inside(polygon_of(geojson))


def near_region(near: Near, places: Places) -> Strip | None:
    """The region of a filter's border; None when the area's shape is not known."""
    found = places.shapes.get(near.area)
    return None if found is None else Strip(found.boundary, near.within_m)
