"""Air quality: hourly and daily AQI by the standard in force, frozen stations, good-air-day ratio.

Sources: GB 3095-2012/-2026, HJ 633-2012/-2026, HJ 663-2013/-2026 and the Plan's row 15. Open:
HJ 663-2026's 例外事件 and three-year means (text not obtained). Operator's page:
docs/domains/air.md.
"""

from __future__ import annotations

from decimal import Decimal

from streams.contracts.domain import (
    Checks,
    Domain,
    FactSpec,
    PointType,
    Property,
    RollUp,
    TierRule,
    Timing,
    Title,
)
from streams.contracts.reason import Severity
from streams.domains.air.city import alert_value, city_day, city_hour
from streams.domains.air.derive import daily, hourly
from streams.domains.air.layout import POINT_TYPE, SCALE
from streams.domains.air.parameters import PARAMETERS, POLLUTANTS
from streams.domains.air.ratio import over_cities, over_days
from streams.domains.air.watch import HORIZON_S, STATION_RULE, AirState, close, initial

CITY_RULE = "air.city"

_TITLES = {
    "pm25": (Title("细颗粒物", "PM2.5"), "µg/m³", "10000"),
    "pm10": (Title("颗粒物", "PM10"), "µg/m³", "10000"),
    "so2": (Title("二氧化硫", "Sulphur dioxide"), "µg/m³", "10000"),
    "no2": (Title("二氧化氮", "Nitrogen dioxide"), "µg/m³", "10000"),
    "o3": (Title("臭氧", "Ozone"), "µg/m³", "2000"),
    "co": (Title("一氧化碳", "Carbon monoxide"), "mg/m³", "150"),
}
# Off the neighbours' median in an hour; off the station's own level over weeks. House: over the
# twelve Beijing stations of 2016 these give 3 neighbour and 3 drift tickets in the year.
_APART = {
    "pm25": ("200", "30"),
    "pm10": ("300", "50"),
    "so2": ("100", "20"),
    "no2": ("100", "30"),
    "o3": ("150", "40"),
    "co": ("3", "0.8"),
}
_LEVELS = (
    ("air.alert.blue_aqi", Severity.BLUE),
    ("air.alert.yellow_aqi", Severity.YELLOW),
    ("air.alert.orange_aqi", Severity.ORANGE),
    ("air.alert.red_aqi", Severity.RED),
)


def _property(name: str) -> Property:
    title, unit, high = _TITLES[name]
    return Property(
        name=name,
        unit=unit,
        scale=SCALE,
        title=title,
        low=Decimal(0),
        high=Decimal(high),
        interval_s=3600,
        report_s=3600,
        windows_s=(3600,),
        checks=Checks(
            neighbour=Decimal(_APART[name][0]), drift=Decimal(_APART[name][1]), unit=True
        ),
    )


def _rule(name: str, title: Title) -> TierRule:
    return TierRule(
        name=name,
        title=title,
        levels=_LEVELS,
        unit_scale=0,
        consecutive="air.alert.consecutive_hours",
        clear_count="air.alert.clear_hours",
        unit="AQI",
    )


DOMAIN = Domain(
    name="air",
    title=Title("环境空气质量", "Air quality"),
    properties=tuple(_property(name) for name in POLLUTANTS),
    points=(
        PointType(POINT_TYPE, Title("空气质量监测点位", "Air station"), ("not_monitored", "role")),
    ),
    timing=Timing(delay_s=60, horizon_s=HORIZON_S, bucket_s=86_400),
    parameters=PARAMETERS,
    rules=(
        _rule(STATION_RULE, Title("站点空气污染", "Air pollution at a station")),
        _rule(CITY_RULE, Title("城市空气污染", "Air pollution of a city")),
    ),
    facts=(
        FactSpec(
            "air.aqi.hour",
            Title("城市小时AQI", "Hourly AQI of the city"),
            "",
            "hour",
            ("city",),
            city_hour,
            rule=CITY_RULE,
            alert_value=alert_value,
        ),
        FactSpec(
            "air.aqi.day",
            Title("城市日AQI", "Daily AQI of the city"),
            "",
            "day",
            ("city",),
            city_day,
        ),
    ),
    rollups=(
        RollUp(
            "plan.15",
            Title("地级及以上城市空气质量优良天数比率", "Share of good air days in cities"),
            "%",
            "air.aqi.day",
            ("month", "year"),
            over_days,
            over_cities,
            plan_row=15,
        ),
    ),
    state_type=AirState,
    initial=initial,
    close=close,
    hourly=hourly,
    daily=daily,
    simulated="air",
)
