"""Event-time windows over columns: exact integer sums, no floats, independent of order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from streams.contracts.frame import Int8, Int32, Int64
from streams.contracts.reason import Flag

USABLE = int(Flag.NOT_EVALUATED)  # flags up to this one count
_HIGH = np.iinfo(np.int64).max
_LOW = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate:
    """One window of many series: ascending `series`; low and high are 0 where n is 0."""

    series: Int32
    n: Int64
    bad: Int64
    total: Int64
    low: Int64
    high: Int64

    def __len__(self) -> int:
        return len(self.series)


def aggregate(series: Int32, value: Int64, flag: Int8) -> Aggregate:
    """Folds the rows of one window; rows must be sorted by series."""
    if not len(series):
        empty = np.empty(0, np.int64)
        return Aggregate(series, empty, empty, empty, empty, empty)
    starts = group_starts(series)
    good = flag <= USABLE
    n = np.add.reduceat(good.astype(np.int64), starts)
    rows = np.diff(np.append(starts, len(series)))
    if good.all():
        total = np.add.reduceat(value, starts)
        low = np.minimum.reduceat(value, starts)
        high = np.maximum.reduceat(value, starts)
    else:
        total = np.add.reduceat(np.where(good, value, 0), starts)
        low = np.minimum.reduceat(np.where(good, value, _HIGH), starts)
        high = np.maximum.reduceat(np.where(good, value, _LOW), starts)
        low[n == 0] = 0
        high[n == 0] = 0
    return Aggregate(series[starts], n, rows - n, total, low, high)


def group_starts(sorted_column: Int32) -> Int64:
    """Index of the first row of every group of equal neighbours."""
    change = np.empty(len(sorted_column), np.bool_)
    change[0] = True
    np.not_equal(sorted_column[1:], sorted_column[:-1], out=change[1:])
    return np.flatnonzero(change)


def by_series(series: Int32, rows: Int64) -> Iterator[Int64]:
    """These rows of a table that is sorted by series, a stretch for each."""
    bounds = np.append(group_starts(series[rows]), len(rows)).tolist()
    for low, high in pairwise(bounds):
        yield rows[low:high]
