"""A toy domain for the region stage: levels at gauges, facts = highest and mean by hour and day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

from streams.catalog import Area, Gateway, Registry, Sensor
from streams.contracts.domain import (
    AreaView,
    Derived,
    Domain,
    FactSpec,
    FactValue,
    HourMatrix,
    Parameter,
    Payload,
    Point,
    PointType,
    Property,
    Result,
    RollUp,
    TierRule,
    Timing,
    Title,
)
from streams.contracts.outcome import RegionMessage
from streams.contracts.reason import Severity

TITLE = Title("水位", "Level")
SCALE = 1
RULE = "toy.city_level"


def combine(
    level: str, members: Mapping[str, Payload], parameters: Mapping[str, str]
) -> FactValue | None:
    """Mean (exact) and highest of all readings of the members."""
    count = sum(int(m["n"]) for m in members.values())
    if not count:
        return None
    total = sum(int(m["total"]) for m in members.values())
    high = max(int(m["high"]) for m in members.values() if m["n"])
    return FactValue(
        value=exact(Fraction(total, count)),
        numerator=str(total),
        denominator=str(count),
        have=len(members),
        want=len(members),
        detail={"high": high, "members": sorted(members)},
    )


def count_inventory(
    level: str, members: Mapping[str, Payload], parameters: Mapping[str, str]
) -> FactValue:
    """Points of the members."""
    return FactValue(str(sum(int(m["points"]) for m in members.values())), have=len(members))


def over_days(
    days: Mapping[int, FactValue], wanted: int, parameters: Mapping[str, str]
) -> FactValue:
    """Mean over all readings of the days."""
    total = sum(int(v.numerator or 0) for v in days.values())
    count = sum(int(v.denominator or 0) for v in days.values())
    value = exact(Fraction(total, count)) if count else None
    return FactValue(value, str(total), str(count), len(days), wanted)


def over_cities(cities: Mapping[str, FactValue], parameters: Mapping[str, str]) -> FactValue:
    """Mean over all readings of the cities."""
    return over_days(dict(enumerate(cities.values())), len(cities), parameters)


def exact(value: Fraction) -> str:
    return f"{value.numerator}/{value.denominator}"


def alert_value(fact: FactValue) -> int | None:
    return int(fact.detail["high"]) if fact.value is not None else None


def partial_of(matrix: HourMatrix, hours: slice) -> Payload:
    n = matrix.n[:, hours]
    high = matrix.high[:, hours][n > 0]
    return {
        "n": int(n.sum()),
        "total": int(matrix.total[:, hours].sum()),
        "high": int(high.max()) if len(high) else 0,
    }


def hourly(view: AreaView, matrix: HourMatrix, hour: int) -> Derived:
    """One result per area and its partial."""
    payload = partial_of(matrix, slice(hour, hour + 1))
    start = matrix.day_start_ms + hour * 3_600_000
    return Derived([Result("toy.hour", view.points[0].id, start, 3600, payload)], payload)


def daily(view: AreaView, matrix: HourMatrix) -> Derived:
    return Derived([], partial_of(matrix, slice(0, 24)))


def spec(indicator: str, period: str, rule: str | None = None) -> FactSpec:
    return FactSpec(
        indicator=indicator,
        title=TITLE,
        unit="dm",
        period=period,
        levels=("county", "city", "province"),
        compute=combine,
        rule=rule,
        alert_value=alert_value if rule else None,
    )


DOMAIN = Domain(
    name="toy",
    title=TITLE,
    properties=(
        Property("toy_level", "m", SCALE, TITLE, Decimal(-10), Decimal(10_000), windows_s=(3600,)),
    ),
    points=(PointType("toy_gauge", TITLE),),
    timing=Timing(),
    parameters=(
        Parameter("toy.alert.blue", "50", "m", "H", "test"),
        Parameter("toy.alert.red", "90", "m", "H", "test"),
    ),
    rules=(
        TierRule(
            name=RULE,
            title=TITLE,
            levels=(("toy.alert.blue", Severity.BLUE), ("toy.alert.red", Severity.RED)),
            unit_scale=SCALE,
            clear_count="1",
            unit="m",
        ),
    ),
    facts=(
        spec("toy.hour", "hour", RULE),
        spec("toy.day", "day"),
        FactSpec(
            "toy.points", TITLE, "1", "state", ("county", "city", "province"), count_inventory
        ),
    ),
    rollups=(
        RollUp("toy.mean", TITLE, "dm", "toy.day", ("month", "year"), over_days, over_cities),
    ),
    hourly=hourly,
    daily=daily,
)

COUNTIES = {"330102": "330100", "330105": "330100", "330203": "330200"}


def small_registry(partition_count: int = 2, gauges: int = 3) -> Registry:
    """Two cities of one province, three counties with a few gauges each, one gateway for all."""
    areas = {"330000": Area("330000", "province", None, "浙江", "Zhejiang")}
    for county, city in COUNTIES.items():
        areas[city] = Area(city, "city", "330000", city, city)
        areas[county] = Area(county, "county", city, county, county)
    points: dict[str, Point] = {}
    sensors: dict[str, Sensor] = {}
    for number, area in enumerate(COUNTIES):
        for gauge in range(gauges):
            point = f"{area}-{gauge}"
            points[point] = Point(point, "toy_gauge", area, point, None, None, {})
            ident = 1 + gauges * number + gauge
            sensors[f"s{point}"] = Sensor(ident, f"s{point}", point, "gw", ("toy_level",))
    return Registry(
        areas=areas,
        points=points,
        sensors=sensors,
        gateways={"gw": Gateway("gw", "330102")},
        partitions={area: i % partition_count for i, area in enumerate(COUNTIES)},
        partition_count=partition_count,
    )


def partial(
    area: str,
    proc_ms: int,
    start_ms: int,
    values: list[int],
    *,
    period: str = "hour",
    cause: str = "closed",
    sequence: int = 0,
) -> RegionMessage:
    """A partial of these scaled readings."""
    payload = {"n": len(values), "total": sum(values), "high": max(values, default=0)}
    return RegionMessage(
        area, sequence, proc_ms, "partial", "toy", period, start_ms, payload, cause, sequence
    )


def watermark(
    area: str, proc_ms: int, mark_ms: int, *, active: bool = True, sequence: int = 1
) -> RegionMessage:
    payload = {"watermark": mark_ms, "active": active}
    return RegionMessage(area, sequence, proc_ms, "watermark", "toy", "", 0, payload, "", sequence)


def clock(areas: Iterable[str], proc_ms: int) -> RegionMessage:
    payload = {"areas": sorted(areas)}
    return RegionMessage("*", 0, proc_ms, "clock", "", "", 0, payload, "", 0)


def silence(
    area: str,
    proc_ms: int,
    silent: int,
    total: int,
    *,
    speaking: bool = False,
    sequence: int = 2,
    origin: str = "simulated",
) -> RegionMessage:
    payload = {
        "source": "gw",
        "silent": silent,
        "total": total,
        "since_ms": None if speaking else proc_ms,
        "speaking": speaking,
        "origin": origin,
    }
    return RegionMessage(area, sequence, proc_ms, "source", "", "", 0, payload, "", sequence)
