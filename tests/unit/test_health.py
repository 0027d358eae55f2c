"""Health of sensors by day: minutes, gaps, uptime, score."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from streams.contracts.domain import HOUR_MS, empty_matrix
from streams.quality.health import WHOLE_HOUR, DayHealth, bits, day_health
from streams.quality.presence import Presence

DAY = 1_785_513_600_000  # 2026-08-01T00:00+08:00
FULL = np.full((1, 24), WHOLE_HOUR, np.int64)


def health(
    minutes: np.ndarray[tuple[int, int], np.dtype[np.int64]],
    n: int = 0,
    bad: int = 0,
    late: int = 0,
    report_s: int = 60,
    least_s: int = 60,
) -> DayHealth:
    matrix = empty_matrix(1, DAY)
    matrix.n[0, 0], matrix.bad[0, 0] = n, bad
    return day_health(
        matrix,
        minutes,
        np.array([late], np.int64),
        np.array([report_s], np.int32),
        np.array([0]),
        least_s,
        Decimal("0.5"),
    )


def one(found: DayHealth) -> tuple[int, ...]:
    """(expected, received, good, intervals, covered, gap_s, score)"""
    columns = (
        found.expected,
        found.received,
        found.good,
        found.intervals,
        found.covered,
        found.gap_s,
        found.score,
    )
    return tuple(int(c[0]) for c in columns)


def test_a_perfect_day() -> None:
    assert one(health(FULL, n=1440)) == (1440, 1440, 1440, 1440, 1440, 0, 100)


def test_a_day_without_a_reading() -> None:
    nothing = np.zeros((1, 24), np.int64)
    assert one(health(nothing)) == (1440, 0, 0, 1440, 0, 86_400, 0)


def test_half_the_readings_suspect_is_half_the_score() -> None:
    assert one(health(FULL, n=720, bad=720))[-1] == 50


def test_a_late_reading_loses_half_of_its_worth() -> None:
    assert one(health(FULL, n=1000, late=1000))[-1] == 50
    assert one(health(FULL, n=10, bad=990, late=1000))[-1] == 0, "never below nothing"


def test_half_a_day_away_is_half_the_uptime_and_a_gap_of_twelve_hours() -> None:
    away = FULL.copy()
    away[0, 6:18] = 0
    found = one(health(away, n=720))
    assert found[4:] == (720, 12 * 3600, 50)


def test_a_gap_runs_over_the_border_of_hours() -> None:
    away = FULL.copy()
    away[0, 3] = bits(DAY, 50 * 60_000)
    away[0, 4] = WHOLE_HOUR ^ bits(DAY, 5 * 60_000)
    assert one(health(away, n=1425))[5] == 15 * 60


def test_an_interval_counts_when_any_of_its_minutes_has_a_reading() -> None:
    first = np.zeros((1, 24), np.int64)
    first[0, :] = 1  # one reading at the start of every hour
    assert one(health(first, n=24, report_s=3600))[3:5] == (24, 24)
    assert one(health(first, n=24, report_s=600))[3:5] == (144, 24)
    assert one(health(first, n=24, report_s=60, least_s=3600))[3:5] == (24, 24)


def test_the_minutes_that_a_window_covers() -> None:
    assert bits(DAY, 60_000) == 1
    assert bits(DAY + 59 * 60_000, 60_000) == 1 << 59
    assert bits(DAY + 5 * 60_000, 300_000) == 0b11111 << 5
    assert bits(DAY, HOUR_MS) == WHOLE_HOUR
    assert bits(DAY + 30_000, 10_000) == 1


def test_presence_keeps_minutes_over_the_hours_and_takes_late_ones() -> None:
    kept = Presence(60)
    kept.fit(2)
    both, second = np.array([0, 1], np.int32), np.array([1], np.int32)
    kept.see(DAY, DAY, both)
    kept.see(DAY + 60_000, DAY, second)
    kept.see(DAY + HOUR_MS, DAY, second)
    kept.see(DAY + 120_000, DAY, np.array([0], np.int32))  # a revision of the past hour
    minutes = kept.minutes(empty_matrix(2, DAY))
    assert minutes[:, 0].tolist() == [0b101, 0b011]
    assert minutes[:, 1].tolist() == [0, 1]
    kept.note_late(np.array([0, 0], np.int32), np.array([DAY, DAY], np.int64))
    assert kept.late(DAY).tolist() == [2, 0]
    kept.forget(DAY + 25 * HOUR_MS)
    assert kept.late(DAY).tolist() == [0, 0]
    assert kept.dropped_days == {DAY}
