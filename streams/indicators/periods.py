"""Bounds of reporting periods in a zone without daylight saving (Asia/Shanghai by default).

All instants are epoch ms; a period is [start, end) in the zone's civil calendar. Half-years close
on 06-30 and 12-31 (domain.md §8.2, H). Hours and days run in 北京时间, never UTC (HJ 663 §6, V).
"""

from __future__ import annotations

from datetime import UTC, datetime

from streams.contracts.domain import DAY_MS, HOUR_MS, SHANGHAI_OFFSET_MS

MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
PERIODS = ("hour", "day", *MONTHS)


def period_start(period: str, time_ms: int, offset_ms: int = SHANGHAI_OFFSET_MS) -> int:
    """Start of the period that contains the instant. `ValueError` for an unknown period."""
    local = time_ms + offset_ms
    if period == "hour":
        return local // HOUR_MS * HOUR_MS - offset_ms
    if period == "day":
        return local // DAY_MS * DAY_MS - offset_ms
    year, month = _civil(local)
    step = _months(period)
    return _local_ms(year, (month - 1) // step * step) - offset_ms


def period_end(period: str, start_ms: int, offset_ms: int = SHANGHAI_OFFSET_MS) -> int:
    """End (exclusive) of the period that starts there. `ValueError` for an unknown period."""
    if period == "hour":
        return start_ms + HOUR_MS
    if period == "day":
        return start_ms + DAY_MS
    year, month = _civil(start_ms + offset_ms)
    return _local_ms(year, month - 1 + _months(period)) - offset_ms


def period_label(period: str, start_ms: int, offset_ms: int = SHANGHAI_OFFSET_MS) -> str:
    """How a report names the period: 2024, 2024H1, 2024Q1, 2024-03, 2024-03-31, 2024-03-31T08."""
    at = datetime.fromtimestamp((start_ms + offset_ms) // 1000, UTC)
    labels = {
        "hour": f"{at:%Y-%m-%dT%H}",
        "day": f"{at:%Y-%m-%d}",
        "month": f"{at:%Y-%m}",
        "quarter": f"{at.year}Q{(at.month + 2) // 3}",
        "half_year": f"{at.year}H{1 if at.month <= 6 else 2}",
        "year": f"{at.year}",
    }
    if period not in labels:
        raise ValueError(f"unknown period {period!r}; known: {', '.join(PERIODS)}")
    return labels[period]


def _months(period: str) -> int:
    if period not in MONTHS:
        raise ValueError(f"unknown period {period!r}; known: {', '.join(PERIODS)}")
    return MONTHS[period]


def _civil(local_ms: int) -> tuple[int, int]:
    at = datetime.fromtimestamp(local_ms // 1000, UTC)
    return at.year, at.month


def _local_ms(year: int, months: int) -> int:
    """Local midnight of the first day of the month, `months` months after January of `year`."""
    at = datetime(year + months // 12, months % 12 + 1, 1, tzinfo=UTC)
    return int(at.timestamp()) * 1000
