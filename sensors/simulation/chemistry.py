"""Concentrations at an air station as a function of hour of day, weather and the kind of site.

Emissions follow traffic and homes; the mixing layer and the wind thin them; rain washes particles
out; ozone is made by light from what is left and eaten by fresh NO at the kerb. Orders of
magnitude are those of Zhejiang; the coefficients are chosen, not fitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from streams.contracts.frame import Float64

TRAFFIC = (  # relative emission by local hour of day
    0.35, 0.28, 0.24, 0.24, 0.32, 0.55, 0.95, 1.50, 1.65, 1.35, 1.15, 1.10,
    1.05, 1.05, 1.10, 1.20, 1.40, 1.70, 1.75, 1.45, 1.15, 0.95, 0.75, 0.52,
)  # fmt: skip
NIGHT_LAYER, DAY_LAYER = 0.45, 1.5  # height of the mixing layer against its mean
LAYER_LAG_H = 1.5
USUAL_WIND_M_S = 2.4
OZONE_USUAL_C, OZONE_PER_C, OZONE_LEAST = 30.0, 0.02, 0.3
WASH_PER_MM = {"pm25": 0.05, "pm10": 0.09, "so2": 0.06, "no2": 0.02}
DIGITS: Mapping[str, int] = {"pm25": 0, "pm10": 0, "so2": 0, "no2": 0, "o3": 0, "co": 1}
LEAST: Mapping[str, float] = {"pm25": 1, "pm10": 2, "so2": 2, "no2": 2, "o3": 2, "co": 0.2}


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """How much of each source reaches a station; arrays of shape (n,)."""

    traffic: Float64
    industry: Float64
    background: Float64


@dataclass(frozen=True, slots=True, eq=False)
class Hour:
    """The weather of one hour at the stations, shape (n,) each, and the air mass (1 = usual)."""

    local_hour: float  # middle of the hour, 0–24
    sun: Float64  # sunlight, 1 = noon of a clear day in August
    layer: Float64  # height of the mixing layer against its mean
    temperature_c: Float64
    haze: Float64  # regional dust against the usual
    wind_m_s: Float64
    washed: Mapping[str, Float64]  # share that the rain of the last hours left
    air_mass: float


def light(local_hour: float, cloud: Float64, sun: tuple[float, float]) -> Float64:
    """Sunlight between 0 and 1 under the clouds; `sun` = hours of sunrise and sunset."""
    if not sun[0] < local_hour < sun[1]:
        return np.zeros_like(cloud)
    height = np.sin(np.pi * (local_hour - sun[0]) / (sun[1] - sun[0]))
    return np.asarray(height * (1.0 - 0.75 * cloud), np.float64)


def layer(local_hour: float, sun: tuple[float, float]) -> float:
    """The mixing layer grows with the sun, an hour and a half behind it."""
    clear = float(light(local_hour - LAYER_LAG_H, np.zeros(1), sun)[0])
    return NIGHT_LAYER + (DAY_LAYER - NIGHT_LAYER) * clear


def wash(left: Float64, rain_mm: Float64, per_mm: float) -> Float64:
    """What is left after an hour's rain; in dry hours a sixth of the loss comes back."""
    return np.asarray((left + (1.0 - left) / 6.0) * np.exp(-per_mm * rain_mm), np.float64)


def concentrations(site: Site, hour: Hour) -> dict[str, Float64]:
    """Hourly means by pollutant, µg/m³ (CO mg/m³), not rounded."""
    wind = np.minimum(hour.wind_m_s, 12.0) / USUAL_WIND_M_S
    thin = hour.layer * (0.35 + 0.65 * wind)
    cars = site.traffic * TRAFFIC[int(hour.local_hour) % 24] / thin
    works = site.industry / thin
    regional = site.background * hour.air_mass * hour.haze / (0.6 + 0.4 * wind)
    no2 = (17.0 * cars + 5.0 * works) * (1.0 - 0.35 * hour.sun) * hour.washed["no2"]
    made = 190.0 * _ozone_light(hour) * hour.air_mass * site.background
    return {
        "pm25": (13.0 * regional + 6.0 * cars + 4.0 * works) * hour.washed["pm25"],
        "pm10": (22.0 * regional + 13.0 * cars + 9.0 * works) * hour.washed["pm10"],
        "so2": (3.0 * regional + 3.5 * works) * hour.washed["so2"],
        "no2": no2,
        "o3": np.maximum(38.0 * site.background + made - 0.55 * no2, 0.0),
        "co": 0.35 + 0.18 * cars + 0.12 * regional,
    }


def _ozone_light(hour: Hour) -> Float64:
    """What makes ozone: sunlight, more when it is hot, less under thick haze."""
    warm = np.maximum(1.0 + OZONE_PER_C * (hour.temperature_c - OZONE_USUAL_C), OZONE_LEAST)
    return np.asarray(hour.sun**1.2 * warm / np.sqrt(np.maximum(hour.haze / 2.0, 1.0)), np.float64)
