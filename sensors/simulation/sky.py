"""What the sky does, as functions of time and place: rain, wind, cloud, warmth, the sea's level.

Places are kilometres in a local plane (`plane`), times are hours since the start of the play.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sensors.simulation import noise
from streams.contracts.frame import Float64

LON_0, LAT_0 = 120.5, 29.0
KM_PER_DEG_LON = 97.4  # 111.32 · cos 29°
KM_PER_DEG_LAT = 110.9
M2_PERIOD_H = 12.42  # principal lunar tide
TIDE_M = 1.75


def plane(lon: Float64, lat: Float64) -> tuple[Float64, Float64]:
    """Kilometres east and north of 120.5° E, 29° N; good to a few per cent within Zhejiang."""
    return (lon - LON_0) * KM_PER_DEG_LON, (lat - LAT_0) * KM_PER_DEG_LAT


@dataclass(frozen=True, slots=True, eq=False)
class Air:
    """The air near the ground at places; shape (n,) each.

    `haze` is the burden of regional dust and `layer` the height of the mixing layer, both against
    what is usual.
    """

    wind_m_s: Float64  # mean
    cloud: Float64  # 0–1
    temperature_c: Float64
    haze: Float64
    layer: Float64

    @staticmethod
    def clean(wind_m_s: Float64, cloud: Float64, temperature_c: Float64) -> Air:
        """Air without an episode of pollution."""
        return Air(wind_m_s, cloud, temperature_c, np.ones_like(cloud), np.ones_like(cloud))


class Sky(Protocol):
    """The weather of one scenario. Pure: the same arguments give the same answer."""

    def rain_mm_h(self, hour: float, x: Float64, y: Float64) -> Float64:
        """What falls at the places as rain or snow, mm/h of water, shape (n,), never negative."""

    def air(self, hour: float, x: Float64, y: Float64) -> Air:
        """The air at the places."""

    def sea_m(self, hour: float) -> float:
        """Level of the sea at the coast over its mean, m."""


def tide_m(hour: float) -> float:
    """The astronomic tide alone: one semidiurnal wave, high water at hour 2.8."""
    return TIDE_M * float(np.cos(2.0 * np.pi * (hour - 2.8) / M2_PERIOD_H))


def texture(stream: int, x: Float64, y: Float64, size_km: float) -> Float64:
    """A random field over the plane in [0, 1): values on a lattice, joined smoothly."""
    column, row = np.floor(x / size_km), np.floor(y / size_km)
    right, up = x / size_km - column, y / size_km - row
    right, up = right * right * (3.0 - 2.0 * right), up * up * (3.0 - 2.0 * up)
    column, row = column.astype(np.int64), row.astype(np.int64)

    def corner(dx: int, dy: int) -> Float64:
        return noise.uniform(stream, column + dx, row + dy)

    low = corner(0, 0) + (corner(1, 0) - corner(0, 0)) * right
    high = corner(0, 1) + (corner(1, 1) - corner(0, 1)) * right
    return low + (high - low) * up
