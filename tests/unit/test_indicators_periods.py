"""Bounds of reporting periods in Asia/Shanghai."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from streams.contracts.domain import HOUR_MS
from streams.indicators.periods import PERIODS, period_end, period_label, period_start

SHANGHAI = timezone(timedelta(hours=8))


def ms(year: int, month: int, day: int, hour: int = 0) -> int:
    return int(datetime(year, month, day, hour, tzinfo=SHANGHAI).timestamp()) * 1000


@pytest.mark.parametrize(
    ("period", "start", "end", "label"),
    [
        ("day", (2024, 3, 31), (2024, 4, 1), "2024-03-31"),
        ("month", (2024, 3, 1), (2024, 4, 1), "2024-03"),
        ("quarter", (2024, 1, 1), (2024, 4, 1), "2024Q1"),
        ("half_year", (2024, 1, 1), (2024, 7, 1), "2024H1"),
        ("year", (2024, 1, 1), (2025, 1, 1), "2024"),
    ],
)
def test_last_moment_of_march(
    period: str, start: tuple[int, int, int], end: tuple[int, int, int], label: str
) -> None:
    last = ms(2024, 4, 1) - 1
    begins = period_start(period, last)
    assert (begins, period_end(period, begins)) == (ms(*start), ms(*end))
    assert period_label(period, begins) == label


def test_hour_of_the_day() -> None:
    start = period_start("hour", ms(2024, 3, 31, 23) + 59 * 60_000)
    assert (start, period_end("hour", start)) == (ms(2024, 3, 31, 23), ms(2024, 4, 1))
    assert period_label("hour", start) == "2024-03-31T23"


def test_half_years_close_at_the_end_of_june_and_december() -> None:
    assert period_label("half_year", period_start("half_year", ms(2024, 6, 30, 23))) == "2024H1"
    second = period_start("half_year", ms(2024, 7, 1))
    assert (period_label("half_year", second), period_end("half_year", second)) == (
        "2024H2",
        ms(2025, 1, 1),
    )


def test_leap_february() -> None:
    start = ms(2024, 2, 1)
    assert period_end("month", start) - start == 29 * 24 * HOUR_MS
    assert period_end("month", ms(2023, 2, 1)) - ms(2023, 2, 1) == 28 * 24 * HOUR_MS


@pytest.mark.parametrize("period", PERIODS)
def test_periods_meet_without_gap_or_overlap(period: str) -> None:
    at = period_start(period, ms(1999, 12, 30))
    for _ in range(40):
        end = period_end(period, at)
        assert period_start(period, end) == end
        assert period_start(period, end - 1) == at
        at = end


def test_another_zone() -> None:
    at = ms(2024, 1, 1, 7)  # 23:00 UTC of the day before
    assert period_start("year", at, 0) == ms(2023, 1, 1, 8)
    assert period_start("year", at) == ms(2024, 1, 1)


@pytest.mark.parametrize("period", ["week", ""])
def test_unknown_period_is_refused(period: str) -> None:
    for call in (period_start, period_end, period_label):
        with pytest.raises(ValueError, match="unknown period"):
            call(period, 0)
