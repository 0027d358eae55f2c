"""How bad it is in each county, and whether its people are told to leave their homes.

`storm` (0–1) is the worst of: strong wind and rain, as they are and as they will be within six
hours (the forecast of this world is right), rain of the last three hours, deep ponds. `threat`
adds hard frost and great heat, which send few people to shelters. An order stands from a threat
of 0.3 on until the threat has been below 0.15 for three hours. The numbers are chosen; the wind
is that of force 7 and 10, the rain lies around that of the orange and red rainstorm signals.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from sensors.simulation.ground import Ground
from sensors.simulation.sky import Sky, plane
from streams.catalog import Registry
from streams.contracts.frame import Bool, Float64, Int64

EVERY_MS = 300_000
PER_HOUR = 12
WIND_M_S = (13.9, 24.5)
RAIN_MM_3H = (30.0, 100.0)
DEEP_M, DEEP_SHARE = 0.3, 0.2
FROST_C = (-4.0, -9.0)
HEAT_C = (36.5, 39.8)
MILD_WEIGHT = 0.45
WIND_AHEAD_H = (0.0, 3.0, 6.0)
RAIN_AHEAD_H = (0.5, 1.5, 2.5)
ORDER_AT, LIFT_BELOW, LIFT_AFTER_H = 0.3, 0.15, 3.0


class Counties:
    """See the module; arrays are indexed by `codes`."""

    def __init__(self, registry: Registry, ground: Ground, sky: Sky) -> None:
        self._ground, self._sky = ground, sky
        self.codes = tuple(sorted({p.area for p in registry.points.values()}))
        self.number = {code: i for i, code in enumerate(self.codes)}
        self._x, self._y = _middles(registry, self.codes)
        areas = [registry.points[g].area for g in ground.gauges]
        self._of_gauge = np.array([self.number[a] for a in areas], np.int64)
        self._of_point = np.array([self.number[p.area] for p in ground.points], np.int64)
        self._fallen: deque[Int64] = deque(maxlen=3 * PER_HOUR + 1)
        count = len(self.codes)
        self.storm: Float64 = np.zeros(count)
        self.threat: Float64 = np.zeros(count)
        self.ordered: Bool = np.zeros(count, np.bool_)
        self.level: Float64 = np.zeros(count)  # the worst threat of the standing order
        self._calm: Int64 = np.zeros(count, np.int64)

    def advance(self, start_ms: int, hour: float) -> None:
        """Judges anew every five minutes."""
        if start_ms % EVERY_MS:
            return
        self._fallen.append(self._ground.rain_um.copy())
        self._judge(hour)
        self._calm = np.where(self.threat < LIFT_BELOW, self._calm + 1, 0)
        stands = self.ordered & (self._calm < LIFT_AFTER_H * PER_HOUR)
        self.ordered = stands | (self.threat >= ORDER_AT)
        self.level = np.where(self.ordered, np.maximum(self.level, self.threat), 0.0)

    def _judge(self, hour: float) -> None:
        ahead = [self._sky.air(hour + h, self._x, self._y) for h in WIND_AHEAD_H]
        wind = np.max([air.wind_m_s for air in ahead], axis=0)
        warmth = ahead[0].temperature_c
        coming = np.sum(
            [self._sky.rain_mm_h(hour + h, self._x, self._y) for h in RAIN_AHEAD_H], axis=0
        )
        rain = np.maximum(self._rain_3h(), np.where(warmth > 0.0, coming, 0.0))
        deep = self._mean(self._of_point, (self._ground.depth_m >= DEEP_M).astype(np.float64))
        found = (_part(wind, WIND_M_S), _part(rain, RAIN_MM_3H), np.minimum(deep / DEEP_SHARE, 1.0))
        self.storm = np.max(found, axis=0)
        mild = np.maximum(_part(warmth, FROST_C), _part(warmth, HEAT_C))
        self.threat = np.maximum(self.storm, MILD_WEIGHT * mild)

    def _rain_3h(self) -> Float64:
        fallen_um = (self._fallen[-1] - self._fallen[0]).astype(np.float64)
        return self._mean(self._of_gauge, fallen_um / 1000.0)

    def _mean(self, county: Int64, values: Float64) -> Float64:
        """Mean by county; 0 where there is nothing."""
        count = np.bincount(county, minlength=len(self.codes))
        total = np.bincount(county, values, minlength=len(self.codes))
        return np.asarray(total / np.maximum(count, 1), np.float64)


def _part(value: Float64, bounds: tuple[float, float]) -> Float64:
    return np.clip((value - bounds[0]) / (bounds[1] - bounds[0]), 0.0, 1.0)


def _middles(registry: Registry, codes: tuple[str, ...]) -> tuple[Float64, Float64]:
    """Mean position of each county's points. Raises `ValueError` for one without any."""
    lon, lat = [], []
    for code in codes:
        known = [
            (p.lon, p.lat)
            for p in registry.points_by_area[code]
            if p.lon is not None and p.lat is not None
        ]
        if not known:
            raise ValueError(f"no point of {code} has coordinates")
        lon.append(sum(place[0] for place in known) / len(known))
        lat.append(sum(place[1] for place in known) / len(known))
    return plane(np.array(lon, np.float64), np.array(lat, np.float64))
