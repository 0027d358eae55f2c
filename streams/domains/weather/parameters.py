"""House numbers of the weather domain: table of signals, grades, Beaufort (domain.md §2.3, §5.1).

A cell of the table is text, e.g. `24h wind>=8 or 24h gust>=10`; `streams.domains.weather.table`
says what may stand in it.
"""

from __future__ import annotations

from streams.contracts.domain import Parameter

COLOURS = ("blue", "yellow", "orange", "red")
TABLE_VERSION = "weather.signal.table_version"
NEEDED_POINTS = "weather.signal.needed_points"
FRESH_MIN = "weather.signal.fresh_minutes"
REFERENCE_SHARE = "weather.signal.reference_share"
CLEAR = "weather.clear.observations"
LEVEL = "weather.level."
BEAUFORT = "weather.beaufort_ms"
CYCLONE = "weather.cyclone_grades_ms"
RAIN_24H, RAIN_12H = "weather.grade.rain_24h", "weather.grade.rain_12h"
SNOW_24H, SNOW_12H = "weather.grade.snow_24h", "weather.grade.snow_12h"
CONVECTIVE = "weather.grade.rain_1h"

_CMA = "中国气象局令第16号 (2007)"
_BEAUFORT = "0.3 1.6 3.4 5.5 8.0 10.8 13.9 17.2 20.8 24.5 28.5 32.7 37.0 41.5 46.2 51.0 56.1"

CELLS: dict[str, tuple[str, str, str, str]] = {
    "rainstorm": ("12h rain>=50", "6h rain>=50", "3h rain>=50", "3h rain>=100"),
    "snowstorm": ("12h snow>=4", "12h snow>=6", "6h snow>=10", "6h snow>=15"),
    "typhoon": (
        "24h wind>=6 or 24h gust>=8",
        "24h wind>=8 or 24h gust>=10",
        "12h wind>=10 or 12h gust>=12",
        "6h wind>=12 or 6h gust>=14",
    ),
    "cold_wave": (
        "48h drop>=8 and 48h min<=4 and 48h wind>=5",
        "24h drop>=10 and 24h min<=4 and 24h wind>=6",
        "24h drop>=12 and 24h min<=0 and 24h wind>=6",
        "24h drop>=16 and 24h min<=0 and 24h wind>=6",
    ),
    "heat": ("none", "3d max>=35", "24h max>=37", "24h max>=40"),
}
"""By signal, blue to red: the national table."""


def cell_key(signal: str, colour: str) -> str:
    """The parameter that holds a cell."""
    return f"weather.signal.{signal}.{colour}"


PARAMETERS = (
    Parameter(TABLE_VERSION, "cma-2007", "", "V", _CMA + "; name your own when you change a cell"),
    *(
        Parameter(cell_key(signal, colour), text, "mm, ℃, Beaufort", "V", _CMA)
        for signal, cells in CELLS.items()
        for colour, text in zip(COLOURS, cells, strict=True)
    ),
    Parameter(NEEDED_POINTS, "1", "points", "H", "how many points of a county must meet a colour"),
    Parameter(
        REFERENCE_SHARE, "0.9", "1", "H", "measured share of the 24 h that a drop is counted from"
    ),
    Parameter(FRESH_MIN, "60", "min", "H", "a sensor silent for longer proves nothing"),
    Parameter(CLEAR, "10", "observations", "H", "judgements in a row below a colour that end it"),
    *(
        Parameter(LEVEL + colour, str(number), "", "V", "domain.md §5.2: 蓝 Ⅳ, 黄 Ⅲ, 橙 Ⅱ, 红 Ⅰ")
        for number, colour in enumerate(COLOURS, 1)
    ),
    Parameter(BEAUFORT, _BEAUFORT, "m/s", "K", "GB/T 28591-2012: where forces 1 to 17 begin"),
    Parameter(
        CYCLONE, "10.8 17.2 24.5 32.7 41.5 51.0", "m/s", "K", "GB/T 19201-2006: where grades begin"
    ),
    Parameter(RAIN_24H, "0.1 10 25 50 100 250", "mm", "V", "GB/T 28592-2012"),
    Parameter(RAIN_12H, "0.1 5 15 30 70 140", "mm", "K", "GB/T 28592-2012; 30 and 70 are V"),
    Parameter(SNOW_24H, "0.1 2.5 5 10 20 30", "mm", "K", "GB/T 28592-2012"),
    Parameter(SNOW_12H, "0.1 1 3 6 10 15", "mm", "K", "GB/T 28592-2012"),
    Parameter(CONVECTIVE, "20 80", "mm", "V", "QX/T 416-2018: severe, extremely severe"),
)
