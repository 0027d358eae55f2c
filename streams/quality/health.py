"""Health of sensors: what came of a day's readings, how long they were missing, one score.

Pure functions over a day's hour windows and the minutes in which readings came; the pipeline and
the recomputer use the same. House convention:

    uptime = intervals with a reading / intervals of the day
    score  = 100 · uptime · max(0, good - late_weight · late) / received, half to even; 0 = nothing

An interval is the sensor's report interval, but at least the domain's smallest window and at
least a minute: nothing finer is kept. A value that covers an interval covers its minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from streams.contracts.domain import DAY_MS, HOUR_MS, HourMatrix
from streams.contracts.frame import Bool, Int32, Int64

MINUTE_MS = 60_000
MINUTES = DAY_MS // MINUTE_MS
WHOLE_HOUR = (1 << 60) - 1  # bit m: a reading in minute m


@dataclass(frozen=True, slots=True, eq=False)
class DayHealth:
    """Columns, one entry per series asked for."""

    series: Int64
    expected: Int64  # readings
    received: Int64
    good: Int64  # of them with a flag of at most 2
    late: Int64  # of them after their window was closed
    intervals: Int64
    covered: Int64  # intervals with a reading
    gap_s: Int64  # longest stretch of whole minutes without a reading
    score: Int64


def bits(start_ms: int, length_ms: int) -> int:
    """The minutes of its hour that a stretch beginning then covers, at least one."""
    first = start_ms % HOUR_MS // MINUTE_MS
    last = min(60, first + max(1, -(-length_ms // MINUTE_MS)))
    return (1 << last) - (1 << first)


def day_health(
    matrix: HourMatrix,
    minutes: Int64,
    late: Int64,
    report_s: Int32,
    series: Int64,
    least_s: int,
    late_weight: Decimal,
) -> DayHealth:
    """The day of these series. `minutes` (S, 24) bit masks; `late` per series; `least_s`: the
    smallest window of the domain."""
    good = matrix.n[series].sum(axis=1)
    received = good + matrix.bad[series].sum(axis=1)
    present = _unpack(minutes[series])
    every = report_s[series].astype(np.int64)
    length = -(-np.maximum(every, max(least_s, 60)) // 60)  # minutes of an interval
    intervals = -(-MINUTES // length)
    covered = _covered(present, length)
    return DayHealth(
        series=series,
        expected=DAY_MS // 1000 // np.maximum(every, 1),
        received=received,
        good=good,
        late=late[series],
        intervals=intervals,
        covered=covered,
        gap_s=_longest_gap(present) * 60,
        score=_score(covered, intervals, good, received, late[series], late_weight),
    )


def _unpack(minutes: Int64) -> Bool:
    """(S, 1440): whether there was a reading in the minute."""
    shifts = np.arange(60, dtype=np.int64)
    found: Bool = ((minutes[:, :, None] >> shifts) & 1).astype(np.bool_)
    return found.reshape(len(minutes), MINUTES)


def _covered(present: Bool, length: Int64) -> Int64:
    found = np.zeros(len(present), np.int64)
    for minutes in np.unique(length).tolist():
        rows = np.flatnonzero(length == minutes)
        starts = np.arange(0, MINUTES, minutes)
        found[rows] = np.logical_or.reduceat(present[rows], starts, axis=1).sum(axis=1)
    return found


def _longest_gap(present: Bool) -> Int64:
    """Longest run of absent minutes of each row."""
    minute = np.arange(present.shape[1], dtype=np.int64)
    newest = np.maximum.accumulate(np.where(present, minute, -1), axis=1)
    longest: Int64 = (minute - newest).max(axis=1, initial=0)
    return longest


def _score(
    covered: Int64,
    intervals: Int64,
    good: Int64,
    received: Int64,
    late: Int64,
    late_weight: Decimal,
) -> Int64:
    weight = Fraction(late_weight)
    columns = (covered, intervals, good, received, late)
    rows = zip(*(c.tolist() for c in columns), strict=True)
    return np.array([_one(weight, *row) for row in rows], np.int64)


def _one(
    weight: Fraction, covered: int, intervals: int, good: int, received: int, late: int
) -> int:
    if not received:
        return 0
    trust = max(Fraction(0), good - weight * late) / received
    return round(100 * Fraction(covered, intervals) * trust)
