"""Steps of a scale: Beaufort forces, grades of cyclones, of rain and of snow. Pure tables.

A value belongs to the highest step whose lower edge it reaches; it is not rounded first, so
99.95 mm in 24 h are 暴雨 and not yet 大暴雨.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from streams.domains.weather import parameters as key

WIND_SCALE = 2
MM_SCALE = 3
CYCLONES = ("热带低压", "热带风暴", "强热带风暴", "台风", "强台风", "超强台风")
"""GB/T 19201-2006, ascending."""
RAIN_GRADES = ("小雨", "中雨", "大雨", "暴雨", "大暴雨", "特大暴雨")
SNOW_GRADES = ("小雪", "中雪", "大雪", "暴雪", "大暴雪", "特大暴雪")
"""GB/T 28592-2012, ascending."""
CONVECTIVE_GRADES = ("强对流", "超强对流")
"""QX/T 416-2018, rain of one hour."""


@lru_cache(maxsize=64)
def edges(text: str, scale: int) -> tuple[int, ...]:
    """Lower edges from a parameter, scaled. Raises ValueError when they do not ascend."""
    found = tuple(int(Decimal(part).scaleb(scale)) for part in text.split())
    if not found or list(found) != sorted(set(found)):
        raise ValueError(f"{text!r}: the edges do not ascend")
    return found


def step(value: int, lower: tuple[int, ...]) -> int:
    """How many edges the value reaches; 0 = none."""
    return bisect_right(lower, value)


def beaufort(speed: int, parameters: Mapping[str, str]) -> int:
    """Force 0 to 17 of a wind speed (m/s · 100); 17 also stands for everything above."""
    return step(speed, edges(parameters[key.BEAUFORT], WIND_SCALE))


def beaufort_edge(force: int, parameters: Mapping[str, str]) -> int:
    """Where a force of 1 to 17 begins, m/s · 100."""
    lower = edges(parameters[key.BEAUFORT], WIND_SCALE)
    if not 1 <= force <= len(lower):
        raise ValueError(f"Beaufort force {force} is not in 1..{len(lower)}")
    return lower[force - 1]


def cyclone(speed: int, parameters: Mapping[str, str]) -> str | None:
    """Grade of a tropical cyclone by the greatest mean wind near its centre (m/s · 100)."""
    return _name(speed, parameters[key.CYCLONE], WIND_SCALE, CYCLONES)


def rain_grade(amount: int, hours: int, parameters: Mapping[str, str]) -> str | None:
    """Grade of the rain (mm · 1000) of 12 or 24 h; None below 0.1 mm. Never of another period."""
    name = {24: key.RAIN_24H, 12: key.RAIN_12H}[hours]
    return _name(amount, parameters[name], MM_SCALE, RAIN_GRADES)


def snow_grade(amount: int, hours: int, parameters: Mapping[str, str]) -> str | None:
    """Grade of the snowfall (mm of water · 1000) of 12 or 24 h; None below 0.1 mm."""
    name = {24: key.SNOW_24H, 12: key.SNOW_12H}[hours]
    return _name(amount, parameters[name], MM_SCALE, SNOW_GRADES)


def convective_grade(amount: int, parameters: Mapping[str, str]) -> str | None:
    """Severity of one hour's rain (mm · 1000), QX/T 416-2018; None below 20 mm."""
    return _name(amount, parameters[key.CONVECTIVE], MM_SCALE, CONVECTIVE_GRADES)


def _name(value: int, text: str, scale: int, names: tuple[str, ...]) -> str | None:
    lower = edges(text, scale)
    if len(lower) != len(names):
        raise ValueError(f"{text!r}: {len(names)} edges are needed, for {', '.join(names)}")
    found = step(value, lower)
    return names[found - 1] if found else None
