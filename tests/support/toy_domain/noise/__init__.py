"""Street noise: the worked example of docs/adding-a-domain.md. One property, one rule, no code."""

from __future__ import annotations

from decimal import Decimal

from streams.contracts.domain import (
    Domain,
    Parameter,
    PointType,
    Property,
    TierRule,
    Timing,
    Title,
)
from streams.contracts.reason import Severity

BLUE, ORANGE = "noise.tier.blue_db", "noise.tier.orange_db"
CONSECUTIVE, CLEAR = "noise.raise.consecutive", "noise.clear.minutes"

PARAMETERS = (
    Parameter(BLUE, "70", "dB", "H", "example; no standard"),
    Parameter(ORANGE, "85", "dB", "H", "example; no standard"),
    Parameter(CONSECUTIVE, "2", "readings", "H", "example; no standard"),
    Parameter(CLEAR, "5", "min", "H", "example; no standard"),
)

SOUND_LEVEL = Property(
    name="sound_level",
    unit="dB",
    scale=1,
    title=Title("声级", "sound level"),
    low=Decimal(0),
    high=Decimal(140),
    report_s=60,
)

LEVEL_RULE = TierRule(
    name="noise.level",
    title=Title("噪声超标", "too loud"),
    levels=((BLUE, Severity.BLUE), (ORANGE, Severity.ORANGE)),
    unit_scale=1,
    unit="dB",
    property="sound_level",
    consecutive=CONSECUTIVE,
    clear_minutes=CLEAR,
)

DOMAIN = Domain(
    name="noise",
    title=Title("环境噪声", "street noise"),
    properties=(SOUND_LEVEL,),
    points=(PointType("noise_meter", Title("噪声监测点", "noise meter")),),
    timing=Timing(delay_s=60, horizon_s=1800),
    parameters=PARAMETERS,
    rules=(LEVEL_RULE,),
)
