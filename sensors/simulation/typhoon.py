"""A typhoon over the coast of Zhejiang: a squall line ahead, spiral bands, a wet core, a surge.

The track follows the shape of typhoons that land near Wenling and turn north-west, then north
(such as 2019 No. 9): it is a sketch of one, no reconstruction. About 24 hours, then showers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sensors.simulation import noise
from sensors.simulation.showers import Showers
from sensors.simulation.sky import Air, plane, texture, tide_m
from streams.contracts.frame import Float64

TRACK = (  # hour, longitude, latitude, strength
    (-2.0, 122.90, 27.25, 1.00),
    (0.0, 122.50, 27.60, 1.00),
    (5.0, 121.55, 28.35, 1.00),
    (12.0, 120.60, 29.35, 0.75),
    (19.0, 120.05, 30.45, 0.45),
    (25.0, 119.80, 31.70, 0.15),
    (30.0, 119.70, 32.90, 0.0),
)
CORE_MM_H, CORE_RADIUS_KM, CORE_WIDTH_KM = 62.0, 32.0, 24.0
SHIELD_MM_H, SHIELD_KM = 9.0, 110.0
BAND_MM_H, BAND_RADIUS_KM, BAND_WIDTH_KM = 46.0, 125.0, 75.0
BAND_PITCH = 2.7  # 1 / tan(20.3°): how tightly the arms are wound
BAND_TURN_H = 9.0
SQUALL_MM_H, SQUALL_KM_H, SQUALL_START_KM = 115.0, 46.0, -111.0
SQUALL_EDGE_KM, SQUALL_TAIL_KM, SQUALL_LIFE_H = 2.5, 9.0, 2.2
CELL_KM = 13.0
PEAK_WIND_M_S, WIND_RADIUS_KM = 38.0, 40.0
LAND_SHARE = 0.6  # of the wind over open water
COOLING_C = 5.0  # under the thickest cloud
SURGE_M, SURGE_HOUR, SURGE_WIDTH_H = 1.05, 4.5, 3.2


@dataclass(frozen=True)
class Typhoon:
    """The storm from hour 0; showers before and after it make the rest."""

    seed: int
    after: Showers
    _track: Float64 = field(default_factory=lambda: np.array(TRACK))

    def rain_mm_h(self, hour: float, x: Float64, y: Float64) -> Float64:
        strength = self._at(hour, 3)
        if strength <= 0.0:
            return self.after.rain_mm_h(hour, x, y)
        east, north = self._from_centre(hour, x, y)
        distance = np.sqrt(east * east + north * north) + 1e-6
        storm = strength * (
            CORE_MM_H * np.exp(-(((distance - CORE_RADIUS_KM) / CORE_WIDTH_KM) ** 2))
            + SHIELD_MM_H * np.exp(-distance / SHIELD_KM)
            + self._bands(hour, east, north, distance)
        )
        rain = (storm + self._squall(hour, x, y)) * self._cells(hour, x, y)
        return np.where(rain < 0.1, 0.0, rain)

    def air(self, hour: float, x: Float64, y: Float64) -> Air:
        calm = self.after.air(hour, x, y)
        east, north = self._from_centre(hour, x, y)
        ratio = np.sqrt(east * east + north * north) / WIND_RADIUS_KM + 1e-3
        storm = self._at(hour, 3) * PEAK_WIND_M_S * ratio / (0.5 + 0.5 * ratio * ratio)
        cover = self._at(hour, 3) * np.exp(-ratio / 8.0)
        return Air.clean(
            np.maximum(calm.wind_m_s, LAND_SHARE * storm),
            np.maximum(calm.cloud, cover),
            calm.temperature_c - COOLING_C * cover,
        )

    def sea_m(self, hour: float) -> float:
        surge = SURGE_M * float(np.exp(-(((hour - SURGE_HOUR) / SURGE_WIDTH_H) ** 2)))
        return tide_m(hour) + surge

    def _bands(self, hour: float, east: Float64, north: Float64, distance: Float64) -> Float64:
        angle = np.arctan2(north, east)
        phase = 2.0 * (angle - BAND_PITCH * np.log(distance / 20.0))
        wave = np.cos(phase - 2.0 * np.pi * hour / BAND_TURN_H)
        arm = np.maximum(wave, 0.0) ** 5
        return BAND_MM_H * arm * np.exp(-(((distance - BAND_RADIUS_KM) / BAND_WIDTH_KM) ** 2))

    def _squall(self, hour: float, x: Float64, y: Float64) -> Float64:
        """The line that runs ahead, north-west: a sharp front and a longer tail."""
        if not 0.0 <= hour < SQUALL_LIFE_H:
            return np.zeros_like(x)
        ahead = 0.7071 * (y - x) - (SQUALL_START_KM + SQUALL_KM_H * hour)
        width = np.where(ahead > 0.0, SQUALL_EDGE_KM, SQUALL_TAIL_KM)
        fade = 1.0 - (hour / SQUALL_LIFE_H) ** 2
        return SQUALL_MM_H * fade * np.exp(-((ahead / width) ** 2))

    def _cells(self, hour: float, x: Float64, y: Float64) -> Float64:
        """Convective cells that move with the storm: factor 0.35–1.65."""
        stream = noise.key(self.seed, "typhoon.cells")
        coarse = texture(stream, x + 20.0 * hour, y - 21.0 * hour, CELL_KM)
        fine = texture(stream + 1, x + 27.0 * hour, y - 15.0 * hour, CELL_KM / 3.0)
        return 0.35 + 0.9 * coarse + 0.4 * fine

    def _from_centre(self, hour: float, x: Float64, y: Float64) -> tuple[Float64, Float64]:
        lon, lat = self._at(hour, 1), self._at(hour, 2)
        centre_x, centre_y = plane(np.array(lon), np.array(lat))
        return x - centre_x, y - centre_y

    def _at(self, hour: float, column: int) -> float:
        return float(np.interp(hour, self._track[:, 0], self._track[:, column]))
