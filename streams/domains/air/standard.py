"""Which standards hold for an hour or a day: chosen by the date on which it STARTS, never by batch.

The hour labelled 2026-03-01T00:00 starts on 2026-02-28 and still follows HJ 633-2012; the label
T01:00 is the first under HJ 633-2026. Days are natural days of Asia/Shanghai (no DST).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streams.domains.air.breakpoints import BREAKPOINTS_2012, BREAKPOINTS_2026


@dataclass(frozen=True, slots=True)
class IndexRule:
    """One version of HJ 633.

    `rounds`: concentrations are rounded (GB/T 8170) before the sub-index. `floor`: least index.
    `extends`: SO2 1h and O3 8h beyond their column keep the column's last index instead of none.
    `gated`: with a pollutant missing, AQI is published only when it exceeds 100 (§5.3.1).
    `daily_o3_1h`: the day's highest O3 hour is an indicator of the daily report.
    """

    version: str
    key: str
    breakpoints: Mapping[str, tuple[int, ...]] = field(repr=False, hash=False)
    rounds: bool
    floor: int
    extends: bool
    gated: bool
    daily_o3_1h: bool


HJ633_2012 = IndexRule("HJ 633-2012", "2012", BREAKPOINTS_2012, False, 0, False, False, True)
HJ633_2026 = IndexRule("HJ 633-2026", "2026", BREAKPOINTS_2026, True, 1, True, True, False)
RULES = (HJ633_2012, HJ633_2026)


@dataclass(frozen=True, slots=True)
class Standard:
    """What holds from a day on: index rule, limits (GB 3095) and evaluation (HJ 663)."""

    first_ms: int  # 00:00 Asia/Shanghai of the first day
    index: IndexRule
    limits: str
    evaluation: str


IN_FORCE = (
    Standard(-(1 << 62), HJ633_2012, "GB 3095-2012", "HJ 663-2013"),
    Standard(1_772_294_400_000, HJ633_2026, "GB 3095-2026 transition", "HJ 663-2026"),  # 2026-03-01
    Standard(1_924_963_200_000, HJ633_2026, "GB 3095-2026", "HJ 663-2026"),  # 2031-01-01
)


def standard_at(start_ms: int) -> Standard:
    """The standards for an hour or a day that starts at this time (epoch ms)."""
    return next(s for s in reversed(IN_FORCE) if start_ms >= s.first_ms)
