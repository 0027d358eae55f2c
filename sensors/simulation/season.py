"""The calendar of the simulated city: hour and day in Shanghai, the sun, the usual temperature.

Everything is a function of epoch ms. Temperatures follow the shape of Zhejiang's climate (July
about 29 ℃, January about 5 ℃, a daily swing of some 7 ℃); they are chosen, not fitted.
"""

from __future__ import annotations

import math

from streams.contracts.domain import DAY_MS, HOUR_MS, SHANGHAI_OFFSET_MS

LATITUDE_DEG = 29.0
NOON_H = 12.0
REFRACTION_H = 0.1  # the sun is seen a little before it rises and after it sets
BRIGHTEST_DEG = 77.5  # height at noon on the day that counts as full light, early August
MEAN_C, YEARLY_C, WARMEST_DAY = 17.2, 12.0, 204
DAILY_C, WARMEST_H = 3.6, 14.5
YEAR_DAYS = 365.25


def local_hour(time_ms: float) -> float:
    """Hour of the day in Shanghai, 0 ≤ h < 24."""
    return (time_ms + SHANGHAI_OFFSET_MS) / HOUR_MS % 24.0


def is_weekend(time_ms: float) -> bool:
    """Saturday or Sunday in Shanghai; public holidays are not known."""
    return int((time_ms + SHANGHAI_OFFSET_MS) // DAY_MS + 3) % 7 >= 5  # 1970-01-01: a Thursday


def year_day(time_ms: float) -> float:
    """Days since the beginning of a mean year, 0 ≤ d < 365.25."""
    return (time_ms + SHANGHAI_OFFSET_MS) / DAY_MS % YEAR_DAYS


def daylight(time_ms: float) -> tuple[float, float, float]:
    """Hours of sunrise and sunset and the strength of the noon sun (1 = early August)."""
    declination = math.radians(-23.44 * math.cos(2 * math.pi * (year_day(time_ms) + 10) / 365.25))
    latitude = math.radians(LATITUDE_DEG)
    half = math.degrees(math.acos(-math.tan(latitude) * math.tan(declination))) / 15.0
    half += REFRACTION_H
    noon_deg = 90.0 - LATITUDE_DEG + math.degrees(declination)
    strength = math.sin(math.radians(noon_deg)) / math.sin(math.radians(BRIGHTEST_DEG))
    return NOON_H - half, NOON_H + half, strength


def usual_c(time_ms: float, cloud: float) -> float:
    """The usual temperature of the moment, ℃; clouds flatten the day."""
    turn = 2 * math.pi * (year_day(time_ms) - WARMEST_DAY) / YEAR_DAYS
    swing = DAILY_C * (1.0 - 0.6 * min(1.0, max(0.0, cloud)))
    return MEAN_C + YEARLY_C * math.cos(turn) + swing * daily_wave(local_hour(time_ms))


def daily_wave(hour: float) -> float:
    """The day's course of the temperature, −1…1: lowest near 5, highest at 14:30.

    A cosine that rises faster than it falls.
    """
    since = (hour - WARMEST_H) % 24.0
    fall = 14.5
    return math.cos(math.pi * (since / fall if since < fall else (24.0 - since) / (24.0 - fall)))
