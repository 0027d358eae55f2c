"""Road traffic (GB/T 33171-2016): link states, the area's index, congestion, flooded links.

Sources: domain.md §3, §8.3. Open: incidents (GB/T 29100-2012, codes not obtained).
Operator's page: docs/domains/traffic.md.
"""

from __future__ import annotations

from decimal import Decimal

from streams.contracts.domain import (
    AreaView,
    Domain,
    Payload,
    PointType,
    Property,
    TierRule,
    Timing,
    Title,
)
from streams.contracts.reason import Severity
from streams.domains.traffic import coverage
from streams.domains.traffic import parameters as key
from streams.domains.traffic.derive import daily, hourly
from streams.domains.traffic.figures import FACTS
from streams.domains.traffic.free_flow import KIND
from streams.domains.traffic.link import POINT_TYPE
from streams.domains.traffic.watch import AREA_RULE, LINK_RULE, TrafficState, close, heed, initial

INTERVAL_S = 300
_LEVELS = (
    (key.BLUE, Severity.BLUE),
    (key.YELLOW, Severity.YELLOW),
    (key.ORANGE, Severity.ORANGE),
    (key.RED, Severity.RED),
)


def _property(name: str, unit: str, scale: int, title: Title, low: str, high: str) -> Property:
    return Property(
        name=name,
        unit=unit,
        scale=scale,
        title=title,
        low=Decimal(low),
        high=Decimal(high),
        interval_s=INTERVAL_S,
        report_s=INTERVAL_S,
        windows_s=(INTERVAL_S, 3600),
    )


def _rule(name: str, title: Title, hidden_by: tuple[str, ...] = ()) -> TierRule:
    return TierRule(
        name=name,
        title=title,
        levels=_LEVELS,
        unit_scale=0,
        unit="级",
        raise_minutes=key.RAISE_MIN,
        clear_minutes=key.CLEAR_MIN,
        hidden_by=hidden_by,
    )


def inventory(view: AreaView, state: TrafficState) -> Payload | None:
    return coverage.inventory(view, state.learning)


DOMAIN = Domain(
    name="traffic",
    title=Title("道路交通", "Road traffic"),
    properties=(
        _property("travel_time", "s", 3, Title("行程时间", "travel time"), "1", "36000"),
        _property("speed", "km/h", 3, Title("行程速度", "travel speed"), "0", "250"),
        _property("vehicle_count", "veh", 0, Title("车辆数", "vehicles"), "0", "100000"),
    ),
    points=(
        PointType(
            POINT_TYPE,
            Title("路段", "road link"),
            ("length_m", "free_flow_kmh", "road_class", "flood_point"),
        ),
    ),
    timing=Timing(delay_s=60, horizon_s=1800, bucket_s=INTERVAL_S),
    parameters=key.PARAMETERS,
    mistakes=key.mistakes_in,
    rules=(
        _rule(LINK_RULE, Title("路段拥堵", "congestion on a link"), hidden_by=(AREA_RULE,)),
        _rule(AREA_RULE, Title("区域拥堵", "congestion of an area")),
    ),
    facts=(*FACTS, coverage.FACT),
    state_type=TrafficState,
    initial=initial,
    close=close,
    hourly=hourly,
    daily=daily,
    inventory=inventory,
    heed=heed,
    learns=KIND,
    simulated="traffic",
)
