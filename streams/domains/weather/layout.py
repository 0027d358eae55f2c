"""Properties and point types of the weather domain: names, units, scales, limits."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from streams.contracts.domain import Checks, PointType, Property, Title
from streams.domains.weather.scale import MM_SCALE, WIND_SCALE
from streams.domains.weather.table import TEMPERATURE_SCALE

DEPTH_SCALE = 1
SNOWFALL_S = 600
STATION, GAUGE = "weather_station", "rain_gauge"

PROPERTIES = (
    Property(
        name="wind_speed",
        unit="m/s",
        scale=WIND_SCALE,
        title=Title("平均风速", "mean wind"),
        low=Decimal(0),
        high=Decimal(75),
    ),
    Property(
        name="gust",
        unit="m/s",
        scale=WIND_SCALE,
        title=Title("阵风", "gust"),
        low=Decimal(0),
        high=Decimal(120),
    ),
    Property(
        name="air_temperature",
        unit="℃",
        scale=TEMPERATURE_SCALE,
        title=Title("气温", "air temperature"),
        low=Decimal(-60),
        high=Decimal(60),
        checks=Checks(spike=Decimal(5)),
    ),
    Property(
        name="snowfall",
        unit="mm",
        scale=MM_SCALE,
        title=Title("降雪量", "snowfall"),
        low=Decimal(0),
        high=Decimal(30),
        interval_s=SNOWFALL_S,
        report_s=SNOWFALL_S,
        windows_s=(3600,),
    ),
    Property(
        name="snow_depth",
        unit="cm",
        scale=DEPTH_SCALE,
        title=Title("积雪深度", "snow depth"),
        low=Decimal(0),
        high=Decimal(300),
        report_s=600,
        windows_s=(3600,),
    ),
    Property(
        name="rain",
        unit="mm",
        scale=MM_SCALE,
        title=Title("雨量", "rain"),
        low=Decimal(0),
        high=Decimal(30),
        interval_s=60,
        report_s=60,
        checks=Checks(neighbour=Decimal("0.5")),  # 30 mm an hour, for hours: a blocked gauge
    ),
)
INDEX: Mapping[str, int] = {p.name: i for i, p in enumerate(PROPERTIES)}
POINTS = (
    PointType(STATION, Title("气象站", "weather station")),
    PointType(GAUGE, Title("雨量站", "rain gauge")),
)
