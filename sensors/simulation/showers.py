"""An ordinary day: a few light showers, mostly in the afternoon, drifting with the wind.

Temperatures are the season's (`season`), with a slow wave of warmer and colder days.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from sensors.simulation import noise, season
from sensors.simulation.sky import Air, tide_m
from streams.contracts.domain import HOUR_MS
from streams.contracts.frame import Float64

CELLS_PER_DAY = 72
PEAK_MM_H = (2.0, 24.0)
RADIUS_KM = (4.0, 11.0)
LIFE_H = (0.6, 1.8)
HALF_WIDTH_KM = (150.0, 160.0)  # of the country they appear over
DRIFT_KM_H = (18.0, 9.0)
AFTERNOON_H = 15.0
SPELL_C, SPELL_H = 0.8, 70.0  # warmer and colder days


@dataclass(frozen=True)
class Showers:
    """Cells that are born, swell and die."""

    seed: int
    start_ms: int
    _known: dict[int, tuple[_Cell, ...]] = field(default_factory=dict, compare=False)

    @property
    def local_hour(self) -> float:
        """Hour of the day at the start."""
        return season.local_hour(self.start_ms)

    def rain_mm_h(self, hour: float, x: Float64, y: Float64) -> Float64:
        rain = np.zeros_like(x)
        local, day = hour + self.local_hour, self._day(hour)
        for cell in self._cells(day - 1) + self._cells(day):
            if 0.0 < local - cell.birth < cell.life:
                rain += cell.rain_mm_h(local - cell.birth, x, y)
        return rain

    def air(self, hour: float, x: Float64, y: Float64) -> Air:
        stream = noise.key(self.seed, "wind")
        wind = 2.4 + 0.7 * noise.smooth(stream, 0, (hour + self.local_hour) / 6.0)
        breeze = 0.8 * np.sin(2.0 * np.pi * (hour + self.local_hour - 9.0) / 24.0)
        cloud = 0.35 + 0.15 * noise.smooth(stream, 1, (hour + self.local_hour) / 8.0)
        cover = min(1.0, max(0.0, float(cloud)))
        return Air.clean(
            np.full_like(x, max(0.6, float(wind) + breeze)),
            np.full_like(x, cover),
            np.full_like(x, self._temperature_c(hour, cover)),
        )

    def _temperature_c(self, hour: float, cloud: float) -> float:
        spell = noise.smooth(noise.key(self.seed, "spell"), 0, (hour + self.local_hour) / SPELL_H)
        return season.usual_c(self.start_ms + hour * HOUR_MS, cloud) + SPELL_C * float(spell)

    def sea_m(self, hour: float) -> float:
        return tide_m(hour)

    def _day(self, hour: float) -> int:
        return int((hour + self.local_hour) // 24)

    def _cells(self, day: int) -> tuple[_Cell, ...]:
        """The day's cells; drawn once, since asking is much dearer than keeping."""
        found = self._known.get(day)
        if found is None:
            stream = noise.key(self.seed, "showers")
            cells, traits = np.arange(CELLS_PER_DAY)[:, None], np.arange(7)[None, :]
            draw = noise.uniform(stream, day, cells, traits)
            found = tuple(_Cell.born(day, *(float(u) for u in row)) for row in draw)
            self._known[day] = found
        return found


@dataclass(frozen=True, slots=True)
class _Cell:
    """One shower; hours count from the midnight before the start of the play."""

    birth: float
    life: float
    x: float
    y: float
    radius: float
    peak: float

    @staticmethod
    def born(day: int, at: float, spread: float, *rest: float) -> _Cell:
        life, x, y, radius, peak = rest
        return _Cell(
            24.0 * day + AFTERNOON_H + 9.0 * (at + spread - 1.0),
            _between(LIFE_H, life),
            HALF_WIDTH_KM[0] * (2.0 * x - 1.0),
            HALF_WIDTH_KM[1] * (2.0 * y - 1.0),
            _between(RADIUS_KM, radius),
            _between(PEAK_MM_H, peak * peak),
        )

    def rain_mm_h(self, age: float, x: Float64, y: Float64) -> Float64:
        """Intensity `age` hours after its birth, within its life."""
        swell = 4.0 * age * (self.life - age) / (self.life * self.life)
        east = x - self.x - DRIFT_KM_H[0] * age
        north = y - self.y - DRIFT_KM_H[1] * age
        fall = self.peak * swell * np.exp(-(east * east + north * north) / self.radius**2)
        return np.where(fall < 0.05, 0.0, fall)


def _between(bounds: tuple[float, float], share: float) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * share
