"""The six air quality levels with their names and colours.

Source: HJ 633-2012 Table 2; HJ 633-2026 Table 1 and Table A.1 (its first class begins at 1).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """A class of the rounded AQI, up to and including `top` (None = open)."""

    number: int
    top: int | None
    name: str
    category: str
    colour: str
    rgb: tuple[int, int, int]
    cmyk: tuple[int, int, int, int]


LEVELS = (
    Level(1, 50, "一级", "优", "绿", (0, 228, 0), (40, 0, 100, 0)),
    Level(2, 100, "二级", "良", "黄", (255, 255, 0), (0, 0, 100, 0)),
    Level(3, 150, "三级", "轻度污染", "橙", (255, 126, 0), (0, 52, 100, 0)),
    Level(4, 200, "四级", "中度污染", "红", (255, 0, 0), (0, 100, 100, 0)),
    Level(5, 300, "五级", "重度污染", "紫", (153, 0, 76), (10, 100, 40, 30)),
    Level(6, None, "六级", "严重污染", "褐红", (126, 0, 35), (30, 100, 100, 30)),
)
GOOD_TOP = 100
"""A good day (优良天) has an AQI of at most this: 优 or 良."""


def level_of(aqi: int) -> Level:
    """The level of a rounded AQI (0 … 500)."""
    return next(level for level in LEVELS if level.top is None or aqi <= level.top)
