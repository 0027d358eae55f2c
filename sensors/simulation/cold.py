"""A cold wave in January: a mild day, a front from the north, rain that turns to snow, frost.

Everything is told by the hours since the front passed a place; it crosses the country from north
to south within some seven hours. `COURSE` holds what follows it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sensors.simulation import noise
from sensors.simulation.showers import Showers
from sensors.simulation.sky import Air, texture
from streams.contracts.frame import Float64

FRONT_AT_H, FRONT_FROM_KM, FRONT_KM_H = 21.0, 160.0, 45.0
COURSE = (  # hours after the front, degrees over the season, wind m/s, fall mm/h, cloud
    (-24.0, 6.5, 2.0, 0.0, 0.3),
    (-3.0, 7.0, 3.0, 0.0, 0.6),
    (-1.0, 7.0, 5.0, 0.8, 0.9),
    (0.0, 6.0, 8.0, 1.8, 1.0),
    (2.0, 1.5, 12.0, 1.6, 1.0),
    (6.0, -5.0, 12.5, 1.7, 1.0),
    (12.0, -9.0, 12.0, 1.5, 1.0),
    (18.0, -11.8, 10.0, 0.6, 0.9),
    (22.0, -12.4, 8.0, 0.0, 0.5),
    (40.0, -10.5, 4.0, 0.0, 0.2),
    (64.0, -5.0, 2.0, 0.0, 0.2),
    (90.0, 0.0, 2.4, 0.0, 0.3),
)
SOUTH_SHARE, SOUTH_KM = 0.12, 160.0  # the south cools less
PATCH_KM = 45.0


@dataclass(frozen=True)
class ColdWave:
    """`calm` is the season's weather, without its showers."""

    seed: int
    calm: Showers

    def rain_mm_h(self, hour: float, x: Float64, y: Float64) -> Float64:
        patches = texture(noise.key(self.seed, "cold.snow"), x + 20.0 * hour, y, PATCH_KM)
        fall = _at(_since(hour, y), 3) * (0.55 + 0.9 * patches)
        return np.where(fall < 0.05, 0.0, fall)

    def air(self, hour: float, x: Float64, y: Float64) -> Air:
        usual = self.calm.air(hour, x, y)
        since = _since(hour, y)
        south = np.clip(0.5 - y / (2 * SOUTH_KM), 0.0, 1.0)
        return Air.clean(
            np.maximum(_at(since, 2), 0.6),
            _at(since, 4),
            usual.temperature_c + _at(since, 1) * (1.0 - SOUTH_SHARE * south),
        )

    def sea_m(self, hour: float) -> float:
        return self.calm.sea_m(hour)


def _since(hour: float, y: Float64) -> Float64:
    """Hours since the front passed the latitude."""
    return hour - (FRONT_AT_H + (FRONT_FROM_KM - y) / FRONT_KM_H)


def _at(since: Float64, column: int) -> Float64:
    return np.interp(since, [row[0] for row in COURSE], [row[column] for row in COURSE])
