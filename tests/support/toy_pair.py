"""Two toy domains of one area: `sky` owns rain, `street` reads it and heeds sky's alerts.

Street alerts `street.wet` at a place while its depth is at least the rain that it has read, and
`street.watch` of the whole area while sky has a red alert; `street.reminder` goes off by time.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from streams.catalog import Area, Gateway, Registry, Sensor
from streams.contracts.domain import (
    AreaView,
    Batch,
    Closing,
    Domain,
    Episode,
    Judgement,
    Outputs,
    Point,
    PointType,
    Property,
    TierRule,
    Timing,
    Title,
)
from streams.contracts.reason import Severity
from streams.contracts.surroundings import AREA, Surroundings

COUNTY = "330106"
GATEWAY = "/gw/toy"
REMIND_MS = 600_000
TITLE = Title("试验", "toy")
DEPTH, RAIN = 0, 1  # rain is what street reads


def _rule(name: str, level: str, severity: Severity, prop: str | None, covers: bool) -> TierRule:
    return TierRule(
        name=name,
        title=TITLE,
        levels=((level, severity),),
        unit_scale=0,
        property=prop,
        clear_count="1",
        covers_area=covers,
    )


SKY = Domain(
    name="sky",
    title=TITLE,
    properties=(Property("toy_rain", "mm", 0, TITLE, Decimal(0), Decimal(500), interval_s=60),),
    points=(PointType("toy_gauge", TITLE),),
    timing=Timing(delay_s=60, horizon_s=1800, bucket_s=60),
    rules=(_rule("sky.heavy", "50", Severity.RED, "toy_rain", True),),
)


@dataclass(slots=True)
class State:
    rain: int = 0
    remind_ms: int = -1


def initial(view: AreaView, previous: State | None) -> State:
    return previous or State()


def step(state: State, view: AreaView, batch: Batch) -> tuple[State, Outputs]:
    out = Outputs()
    of = view.series_property[batch.rows.series]
    state.rain += int(batch.rows.value[of == RAIN].sum())
    for row in (of == DEPTH).nonzero()[0].tolist():
        point = int(view.series_point[batch.rows.series[row]])
        wet = int(batch.rows.value[row] >= state.rain > 0)
        out.judgements.append(Judgement("street.wet", point, int(batch.rows.time_ms[row]), wet))
    return state, out


def close(state: State, view: AreaView, closing: Closing) -> tuple[State, Outputs]:
    """Tells what rain each closed minute holds."""
    of = view.series_property[closing.rows.series]
    rain = int(closing.rows.value[of == RAIN].sum())
    told = Episode(
        f"m{closing.start_ms}", "street", "street-0", closing.start_ms, None, {"r": rain}
    )
    return state, Outputs(episodes=[told])


def heed(state: State, view: AreaView, around: Surroundings) -> tuple[State, Outputs]:
    out = Outputs()
    red = any(a.severity is Severity.RED and a.covers_area for a in around.alerts)
    due = 0 <= state.remind_ms <= around.now_ms
    state.remind_ms = (
        around.now_ms + REMIND_MS
        if red and (due or state.remind_ms < 0)
        else (state.remind_ms if red else -1)
    )
    out.judgements.append(Judgement("street.watch", AREA, around.now_ms, int(red)))
    if due:
        out.judgements.append(Judgement("street.reminder", AREA, around.now_ms, 1))
    return state, out


def due(state: State) -> int | None:
    return state.remind_ms if state.remind_ms >= 0 else None


STREET = Domain(
    name="street",
    title=TITLE,
    properties=(Property("toy_depth", "mm", 0, TITLE, Decimal(0), Decimal(500)),),
    points=(PointType("toy_street", TITLE),),
    timing=Timing(delay_s=60, horizon_s=1800, bucket_s=60),
    rules=(
        _rule("street.wet", "1", Severity.BLUE, None, False),
        _rule("street.watch", "1", Severity.YELLOW, None, False),
        _rule("street.reminder", "1", Severity.BLUE, None, False),
    ),
    state_type=State,
    initial=initial,
    step=step,
    close=close,
    reads=("toy_rain",),
    heed=heed,
    due=due,
)
DOMAINS = {"sky": SKY, "street": STREET}
PROPERTY_IDS = {"toy_rain": 1, "toy_depth": 2}


def registry() -> Registry:
    """One county with a gauge and a street, at one gateway."""
    points = {
        "gauge-0": Point("gauge-0", "toy_gauge", COUNTY, "g", None, None, {}),
        "street-0": Point("street-0", "toy_street", COUNTY, "s", None, None, {}),
    }
    sensors = {
        "g": Sensor(1, "g", "gauge-0", GATEWAY, ("toy_rain",)),
        "s": Sensor(2, "s", "street-0", GATEWAY, ("toy_depth",)),
    }
    areas = {
        "330000": Area("330000", "province", None, "浙江省", "Zhejiang"),
        "330100": Area("330100", "city", "330000", "杭州市", "Hangzhou"),
        COUNTY: Area(COUNTY, "county", "330100", "西湖区", "Xihu"),
    }
    return Registry(areas, points, sensors, {GATEWAY: Gateway(GATEWAY, COUNTY)}, {COUNTY: 0}, 1)
