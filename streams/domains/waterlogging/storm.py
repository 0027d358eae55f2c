"""The rain behind an episode: five-minute sums of its gauge against the design intensity."""

from __future__ import annotations

from streams.contracts.domain import Payload, Point
from streams.contracts.exact import to_text

FIVE_MIN_MS = 300_000
HOUR_MS = 3_600_000
KEEP_MS = 24 * HOUR_MS
BEFORE_MS = 3 * HOUR_MS  # rain that long before the water still belongs to it
RAIN_SCALE = 3

RainSums = dict[str, int]  # start of five minutes (ms, as text) -> scaled mm


def hardest_hour(sums: RainSums, start_ms: int, end_ms: int) -> int:
    """The largest sum of twelve consecutive five-minute sums, scaled mm."""
    inside = {int(t): v for t, v in sums.items() if start_ms <= int(t) < end_ms}
    return max(
        (sum(v for u, v in inside.items() if t <= u < t + HOUR_MS) for t in inside), default=0
    )


def evidence(
    point: Point, sums: RainSums | None, start_ms: int, end_ms: int, ponded_until_ms: int
) -> Payload:
    """Rain against the design intensity, over the episode and the hours before it.

    `within_design` is None when the registry states no design rain or the point has no gauge:
    nobody may guess it. The design intensity is the registry's (mm in one hour).
    """
    design = point.attributes.get("design_rain_mm_h")
    if sums is None:
        return {"gauge": None, "rain_mm": None, "hardest_hour_mm": None, "within_design": None}
    begin = start_ms - BEFORE_MS
    total = sum(v for t, v in sums.items() if begin <= int(t) < end_ms)
    hardest = hardest_hour(sums, begin, end_ms)
    ended = last_rain(sums, begin, end_ms)
    after = 0 if ended is None else max(0, ponded_until_ms - ended)
    within = None
    if design is not None:
        whole, _, part = design.partition(".")
        within = hardest <= int(whole + part.ljust(RAIN_SCALE, "0")[:RAIN_SCALE])
    return {
        "gauge": point.attributes.get("gauge"),
        "rain_mm": to_text(total, RAIN_SCALE),
        "hardest_hour_mm": to_text(hardest, RAIN_SCALE),
        "design_mm_h": design,
        "within_design": within,
        "rain_ended_ms": ended,
        "ponded_after_rain_s": after // 1000,
    }


def last_rain(sums: RainSums, start_ms: int, end_ms: int) -> int | None:
    """End of the last five minutes with rain."""
    wet = [int(t) for t, v in sums.items() if v > 0 and start_ms <= int(t) < end_ms]
    return max(wet) + FIVE_MIN_MS if wet else None
