"""IAQI breakpoints of HJ 633: concentration against individual air quality index, by version.

Tables only; the interpolation is `iaqi.py`. Gases and particles in µg/m³, CO in mg/m³.
Source: HJ 633-2012 Table 1 and HJ 633-2026 Table 3. The versions differ only for PM10 and PM2.5
and only at IAQI 100.
"""

from __future__ import annotations

from collections.abc import Mapping

STEPS = (0, 50, 100, 150, 200, 300, 400, 500)
"""IAQI of each column's rows. A shorter column ends where the standard prints a dash."""

_SHARED: Mapping[str, tuple[int, ...]] = {
    "so2_24h": (0, 50, 150, 475, 800, 1600, 2100, 2620),
    "so2_1h": (0, 150, 500, 650, 800),
    "no2_24h": (0, 40, 80, 180, 280, 565, 750, 940),
    "no2_1h": (0, 100, 200, 700, 1200, 2340, 3090, 3840),
    "co_24h": (0, 2, 4, 14, 24, 36, 48, 60),
    "co_1h": (0, 5, 10, 35, 60, 90, 120, 150),
    "o3_8h": (0, 100, 160, 215, 265, 800),
    "o3_1h": (0, 160, 200, 300, 400, 800, 1000, 1200),
}

BREAKPOINTS_2012: Mapping[str, tuple[int, ...]] = {
    **_SHARED,
    "pm10_24h": (0, 50, 150, 250, 350, 420, 500, 600),
    "pm25_24h": (0, 35, 75, 115, 150, 250, 350, 500),
}
"""HJ 633-2012 Table 1, by column."""

BREAKPOINTS_2026: Mapping[str, tuple[int, ...]] = {
    **_SHARED,
    "pm10_24h": (0, 50, 120, 250, 350, 420, 500, 600),
    "pm25_24h": (0, 35, 60, 115, 150, 250, 350, 500),
}
"""HJ 633-2026 Table 3, by column."""
