"""Where invented points stand: mostly in town, always inside their county's polygon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sensors.simulation import noise
from streams.catalog import Area
from streams.contracts.domain import Point

TOWN_SHARE = 0.7
TOWN_DEG = 0.05  # one standard deviation, about 5 km
DRAWS = 64
DIGITS = 6
SEA_SOUTH_OF_LAT = 31.0
SEA_LON_AT_SOUTH, SEA_LON_AT_NORTH = 120.40, 121.15


class Places:
    """Draws positions in a county; `key` makes them its own."""

    def __init__(self, shape: Any, area: Area, key: int) -> None:
        import shapely

        shapely.prepare(shape)
        self._shape = shape
        self._area = area
        self._key = key
        self._bounds: tuple[float, float, float, float] = shape.bounds

    @property
    def by_the_sea(self) -> bool:
        """A rough answer from the county's bounds: its eastern edge lies beyond the coast line
        drawn from (120.40, 27.1) to (121.15, 30.3)."""
        _, south, east, north = self._bounds
        middle = (south + north) / 2
        share = min(1.0, max(0.0, (middle - 27.1) / (30.3 - 27.1)))
        return east > SEA_LON_AT_SOUTH + share * (SEA_LON_AT_NORTH - SEA_LON_AT_SOUTH) and (
            middle < SEA_SOUTH_OF_LAT
        )

    def town(self, what: str, number: int) -> tuple[float, float]:
        """A position inside the county: near its middle, or anywhere."""
        import shapely

        stream = noise.key(self._key, f"place.{what}")
        lon, lat = self._candidates(stream, number)
        inside = shapely.contains_xy(self._shape, lon, lat)
        if not inside.any():
            return self._middle()
        first = int(inside.argmax())
        return round(float(lon[first]), DIGITS), round(float(lat[first]), DIGITS)

    def _candidates(self, stream: int, number: int) -> tuple[Any, Any]:
        draws = np.arange(DRAWS)
        west, south, east, north = self._bounds
        if float(noise.uniform(stream, number, 0)) < TOWN_SHARE:
            lon, lat = self._middle()
            return (
                lon + TOWN_DEG * noise.bell(stream, number, 1, draws),
                lat + TOWN_DEG * noise.bell(stream, number, 2, draws),
            )
        return (
            west + (east - west) * noise.uniform(stream, number, 1, draws),
            south + (north - south) * noise.uniform(stream, number, 2, draws),
        )

    def _middle(self) -> tuple[float, float]:
        if self._area.lon is None or self._area.lat is None:
            raise ValueError(f"area {self._area.code} has no inner point")
        return self._area.lon, self._area.lat


def nearest(lon: float, lat: float, points: Sequence[Point]) -> Point:
    """The point nearest to the position; ties go to the lower id. All need coordinates."""

    def distance2(point: Point) -> tuple[float, str]:
        if point.lon is None or point.lat is None:
            raise ValueError(f"{point.id} has no coordinates")
        return ((point.lon - lon) * 0.87) ** 2 + (point.lat - lat) ** 2, point.id

    return min(points, key=distance2)
