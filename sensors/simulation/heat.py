"""A heat wave in July: each day hotter than the last, to above 40 ℃, broken by thunderstorms.

Clear skies, little wind, more ozone; the fifth evening brings downpours and ordinary days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sensors.simulation import season
from sensors.simulation.showers import Showers
from sensors.simulation.sky import Air
from streams.contracts.domain import HOUR_MS
from streams.contracts.frame import Float64

COURSE = (  # hour, degrees over the season, ozone and haze against usual, share of the showers
    (0.0, 4.0, 1.15, 0.1),
    (24.0, 4.2, 1.25, 0.1),
    (48.0, 4.8, 1.30, 0.1),
    (72.0, 5.8, 1.35, 0.1),
    (96.0, 5.4, 1.35, 0.2),
    (101.0, 4.5, 1.30, 3.5),
    (107.0, 0.5, 1.00, 3.5),
    (111.0, -1.0, 0.90, 1.0),
    (140.0, 0.0, 1.00, 1.0),
)
DRY_SWING_C = 1.6  # the dry ground warms and cools more
CLEAR = 0.12  # cloud


@dataclass(frozen=True)
class HeatWave:
    """`usual` is the season's weather, whose showers are held back and then let loose."""

    usual: Showers

    def rain_mm_h(self, hour: float, x: Float64, y: Float64) -> Float64:
        return self.usual.rain_mm_h(hour, x, y) * _at(hour, 3)

    def air(self, hour: float, x: Float64, y: Float64) -> Air:
        found = self.usual.air(hour, x, y)
        now_ms = self.usual.start_ms + hour * HOUR_MS
        over = _at(hour, 1)
        hot = min(1.0, max(0.0, over / 3.0))
        clear = season.usual_c(now_ms, CLEAR) - season.usual_c(now_ms, 0.35)
        wave = season.daily_wave(season.local_hour(now_ms))
        warmth = over + hot * (clear + DRY_SWING_C * wave)
        cloud = hot * CLEAR + (1.0 - hot) * found.cloud
        return Air(
            found.wind_m_s * (1.0 - 0.25 * hot),
            cloud,
            found.temperature_c + warmth,
            np.full_like(x, _at(hour, 2)),
            np.full_like(x, 1.0),
        )

    def sea_m(self, hour: float) -> float:
        return self.usual.sea_m(hour)


def _at(hour: float, column: int) -> float:
    return float(np.interp(hour, [row[0] for row in COURSE], [row[column] for row in COURSE]))
