"""Two small domains for tests of what people read: names and units, no arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from streams.contracts.domain import (
    Domain,
    FactSpec,
    FactValue,
    Payload,
    PointType,
    Property,
    RollUp,
    TierRule,
    Title,
)

DEPTH_SCALE = 3


def _none(*_: object) -> FactValue | None:
    return None


def _no_fact(
    _level: str, _members: Mapping[str, Payload], _parameters: Mapping[str, str]
) -> FactValue | None:
    return None


DOMAINS: Mapping[str, Domain] = {
    "air": Domain(
        name="air",
        title=Title("环境空气质量", "Air quality"),
        properties=(
            Property("pm25", "µg/m³", 0, Title("细颗粒物", "PM2.5"), Decimal(0), Decimal(1000)),
        ),
        points=(PointType("air_station", Title("空气站", "Air station")),),
        facts=(
            FactSpec(
                "air.aqi", Title("城市空气质量指数", "City AQI"), "", "hour", ("city",), _no_fact
            ),
        ),
        rollups=(
            RollUp(
                "plan.15",
                Title("空气质量优良天数比率", "Good air days"),
                "%",
                "air.day",
                ("month", "year"),
                _none,
                _none,
                plan_row=15,
            ),
        ),
    ),
    "weather": Domain(
        name="weather",
        title=Title("气象", "Weather"),
        properties=(Property("rain", "mm", 1, Title("雨量", "Rain"), Decimal(0), Decimal(99)),),
        points=(PointType("rain_gauge", Title("雨量站", "Rain gauge")),),
    ),
    "waterlogging": Domain(
        name="waterlogging",
        title=Title("城市内涝", "Waterlogging"),
        properties=(
            Property("depth", "m", DEPTH_SCALE, Title("积水深度", "Depth"), Decimal(0), Decimal(9)),
        ),
        points=(PointType("flood_point", Title("易涝点", "Flood point")),),
        rules=(TierRule("waterlogging.depth", Title("积水深度", "Water depth"), (), 3, "depth"),),
        facts=(
            FactSpec(
                "plan.13",
                Title("城市现存易涝点消除率", "Flood points eliminated"),
                "%",
                "state",
                ("city", "province"),
                _no_fact,
                plan_row=13,
            ),
            FactSpec(
                "waterlogging.flooded",
                Title("积水点数", "Flooded points"),
                "",
                "hour",
                ("city", "province"),
                _no_fact,
            ),
        ),
    ),
}
