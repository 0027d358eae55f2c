"""Waterlogging (易涝点): depth tiers, fast rises, wet episodes with their rain, row 13 of the Plan.

Tiers, rise alarm and episodes are house conventions (domain.md §2.2, §8.3), every number a
parameter. The rain is that of the weather domain. Not here yet: drawing on neighbours' depths
(quality).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal

from streams.contracts.domain import (
    AreaView,
    Batch,
    Checks,
    Closing,
    Domain,
    Many,
    Outputs,
    Payload,
    PointType,
    Property,
    Stretch,
    TierRule,
    Timing,
    Title,
)
from streams.contracts.reason import Severity
from streams.domains.waterlogging import figures, parameters, rise, wet


@dataclass(slots=True)
class State:
    """Rise slots by series, episodes by series, and which gauge speaks for which point."""

    rise: rise.RiseState
    wet: wet.WetState
    gauge: dict[int, int] = field(default_factory=dict)  # point index -> rain series


def initial(view: AreaView, previous: State | None) -> State:
    """An empty state, or the previous one under another registry version."""
    by_id = {p.id: i for i, p in enumerate(view.points)}
    rain = {
        int(view.series_point[s]): s
        for s in range(len(view.series_property))
        if view.series_property[s] == rise.RAIN
    }
    gauge = {}
    for number, point in enumerate(view.points):
        speaker = by_id.get(point.attributes.get("gauge", ""))
        if speaker is not None and speaker in rain:
            gauge[number] = rain[speaker]
    if previous is None:
        return State(rise.fit(None, view), wet.WetState(), gauge)
    return State(rise.fit(previous.rise, view), previous.wet, gauge)


def step(state: State, view: AreaView, batch: Batch) -> tuple[State, Outputs]:
    return state, rise.watch(state.rise, view, batch, state.gauge)


def step_many(state: State, view: AreaView, stretch: Stretch) -> Many | None:
    found = rise.watch_many(state.rise, view, stretch, state.gauge)
    return None if found is None else (replace(state, rise=found[0]), found[1])


def close(state: State, view: AreaView, closing: Closing) -> tuple[State, Outputs]:
    return state, wet.close(state.wet, view, closing, state.gauge)


def inventory(view: AreaView, state: State) -> Payload | None:
    return figures.inventory(view, state.wet.proposed)


DEPTH = Property(
    name="depth",
    unit="m",
    scale=rise.DEPTH_SCALE,
    title=Title("积水深度", "water depth"),
    low=Decimal("0"),
    high=Decimal("3"),
    report_s=30,
    # Depth is local: neighbours say nothing of it, a flooded underpass is no error.
    checks=Checks(
        spike=Decimal("0.30"),
        flat_s=6 * 3600,
        rise_alerts=True,
        drift=Decimal("0.03"),
        drift_low=True,
    ),
)
DEPTH_RULE = TierRule(
    name="waterlogging.depth",
    title=Title("积水深度", "water depth"),
    levels=(
        ("waterlogging.tier.blue_cm", Severity.BLUE),
        ("waterlogging.tier.yellow_cm", Severity.YELLOW),
        ("waterlogging.tier.orange_cm", Severity.ORANGE),
        ("waterlogging.tier.red_cm", Severity.RED),
    ),
    unit_scale=4,
    unit="cm",
    property="depth",
    consecutive="waterlogging.raise.consecutive",
    jump_over="waterlogging.raise.jump_over_cm",
    hysteresis="waterlogging.clear.hysteresis_cm",
    clear_minutes="waterlogging.clear.minutes",
)
RISE_RULE = TierRule(
    name=rise.RULE,
    title=Title("积水快速上涨", "fast rise"),
    levels=((parameters.RISE_CM, Severity.YELLOW),),
    unit_scale=4,
    unit="cm",
    clear_minutes="waterlogging.clear.minutes",
    hidden_by=(DEPTH_RULE.name,),  # the water is there: that it was coming says no more
)

DOMAIN = Domain(
    name="waterlogging",
    title=Title("城市内涝", "waterlogging"),
    properties=(DEPTH,),
    points=(
        PointType(
            "flood_point",
            Title("易涝点", "flood point"),
            ("gauge", "link", "tidal", "inventory", "signoff", "design_rain_mm_h"),
            ("gauge", "link"),
        ),
    ),
    timing=Timing(delay_s=60, horizon_s=1800, bucket_s=60),
    parameters=parameters.PARAMETERS,
    rules=(DEPTH_RULE, RISE_RULE),
    facts=figures.FACTS,
    state_type=State,
    initial=initial,
    step=step,
    step_many=step_many,
    close=close,
    daily=figures.daily,
    inventory=inventory,
    reads=("rain",),
    simulated="water",
)
