"""The task as a domain of citybrain: one property, its 5-minute windows, one rule with hysteresis.

The checks are those of water depth, so that every reading goes through all that a real one does.
"""

from __future__ import annotations

from decimal import Decimal

from streams.contracts.domain import (
    Checks,
    Domain,
    Parameter,
    PointType,
    Property,
    TierRule,
    Timing,
    Title,
)
from streams.contracts.reason import Severity

UP, WIDTH = "level.alert.up_m", "level.alert.hysteresis_m"
TITLE = Title("水位", "water level")

DOMAIN = Domain(
    name="level",
    title=TITLE,
    properties=(
        Property(
            name="stage",
            unit="m",
            scale=3,
            title=TITLE,
            low=Decimal(0),
            high=Decimal(3),
            report_s=1,
            windows_s=(300,),
            checks=Checks(spike=Decimal("0.30"), flat_s=6 * 3600),
        ),
    ),
    points=(PointType("level_gauge", TITLE),),
    timing=Timing(delay_s=0, horizon_s=1800, bucket_s=300),
    parameters=(
        Parameter(UP, "0.95", "m", "H", "benchmarks/rivals/task.py: on above"),
        Parameter(WIDTH, "0.051", "m", "H", "on from 0.951, off below 0.900"),
    ),
    rules=(
        TierRule(
            name="level.high",
            title=TITLE,
            levels=((UP, Severity.ORANGE),),
            unit_scale=3,
            property="stage",
            hysteresis=WIDTH,
            clear_count="1",
            unit="m",
            over=(UP,),
        ),
    ),
)
