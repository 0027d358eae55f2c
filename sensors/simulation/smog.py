"""A smog episode in winter: three and a half days of still, hazy air, then a front clears it.

Haze gathers under a low inversion, worst over the plain in the north; no wind, no rain. After
hour 82 a north wind with light rain sweeps the country within a few hours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sensors.simulation import noise
from sensors.simulation.showers import Showers
from sensors.simulation.sky import Air, texture
from streams.contracts.frame import Float64

COURSE = (  # hour, haze, height of the mixing layer, wind m/s, rain mm/h
    (0.0, 4.0, 0.90, 1.3, 0.0),
    (8.0, 5.5, 0.85, 1.0, 0.0),
    (24.0, 7.5, 0.80, 0.9, 0.0),
    (48.0, 9.0, 0.75, 0.8, 0.0),
    (76.0, 9.5, 0.75, 0.9, 0.0),
    (82.0, 8.0, 0.80, 1.5, 0.0),
    (85.0, 3.0, 1.00, 5.5, 1.0),
    (90.0, 1.0, 1.20, 6.5, 0.8),
    (94.0, 0.8, 1.20, 5.0, 0.0),
    (120.0, 1.0, 1.00, 2.4, 0.0),
)
NORTH_SHARE, NORTH_KM = 0.22, 150.0
PATCH_KM, PATCH_SHARE = 60.0, 0.3


@dataclass(frozen=True)
class Smog:
    """`calm` is the season's weather, without its showers."""

    seed: int
    calm: Showers

    def rain_mm_h(self, hour: float, x: Float64, y: Float64) -> Float64:
        fall = _at(hour, 4) * (0.5 + texture(noise.key(self.seed, "smog.rain"), x, y, PATCH_KM))
        return np.where(fall < 0.05, 0.0, fall)

    def air(self, hour: float, x: Float64, y: Float64) -> Air:
        usual = self.calm.air(hour, x, y)
        patches = texture(noise.key(self.seed, "smog.haze"), x, y, PATCH_KM) - 0.5
        north = np.clip(y / NORTH_KM, -1.0, 1.0)
        uneven = 1.0 + NORTH_SHARE * north + PATCH_SHARE * patches
        haze = 1.0 + (_at(hour, 1) - 1.0) * uneven
        return Air(
            np.full_like(x, _at(hour, 3)) * (0.9 + 0.2 * (patches + 0.5)),
            np.full_like(x, 0.8 if _at(hour, 4) > 0.1 else 0.25),
            usual.temperature_c,
            np.maximum(haze, 0.5),
            np.full_like(x, _at(hour, 2)),
        )

    def sea_m(self, hour: float) -> float:
        return self.calm.sea_m(hour)


def _at(hour: float, column: int) -> float:
    return float(np.interp(hour, [row[0] for row in COURSE], [row[column] for row in COURSE]))
