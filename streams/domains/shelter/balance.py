"""Persons in one shelter, from counts and from people who come and go; exact, in event order.

A count says how many are there and re-bases the balance; check-in and check-out move it. At the
same instant people come before they go, and a count is taken last: it includes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from streams.contracts.domain import AreaView, Rows
from streams.contracts.frame import Int64
from streams.contracts.reason import Flag

OCCUPANTS, CHECK_IN, CHECK_OUT, OPEN = 0, 1, 2, 3  # positions in DOMAIN.properties
RANK = np.array([3, 1, 2, 0], np.int64)  # order of the properties within one instant
PERSONS = (OCCUPANTS, CHECK_IN, CHECK_OUT)
NONE = -1

UNIT_SCALE = 8
"""Of a percentage: floor(100 × occupants ÷ capacity × 10^8) compares exactly with a threshold of
up to two decimals for every capacity up to 10^6.

`≥` and `<` compare a floor with an integer exactly at any scale. "More than" needs that a share
above the threshold T does not fall onto it: 100·n/c − T is a multiple of 1/(100·c), so at least
10^-8 when it is not 0, and the floor at 10^8 shows it.
"""


SCALED_PERCENT = 100 * 100_000_000  # 100 × 10^UNIT_SCALE


@dataclass(slots=True)
class Balance:
    """After all readings up to some time. `occupants` means nothing before `heard`."""

    occupants: int = 0
    heard: bool = False  # a count or an event has come
    counted_ms: int = NONE  # event time of the last count
    open: int = NONE  # 1, 0, NONE = never reported
    short_ms: int = NONE  # since the last count: the first check-out that found too few
    short_series: int = NONE
    short_by: int = 0  # persons missing since then

    def copy(self) -> Balance:
        return Balance(
            self.occupants,
            self.heard,
            self.counted_ms,
            self.open,
            self.short_ms,
            self.short_series,
            self.short_by,
        )


Reading = tuple[int, int, int, int]  # (time, property, value, series)


def feed(balance: Balance, reading: Reading) -> None:
    """One good reading, in order. Never below 0: what is missing is kept as evidence."""
    time_ms, prop, value, series = reading
    if prop == OPEN:
        balance.open = value
        return
    balance.heard = True
    if prop == OCCUPANTS:
        balance.occupants, balance.counted_ms = value, time_ms
        balance.short_ms = balance.short_series = NONE
        balance.short_by = 0
    elif prop == CHECK_IN:
        balance.occupants += value
    else:
        left = balance.occupants - value
        balance.occupants = max(0, left)
        if left < 0:
            balance.short_by -= left
            if balance.short_ms == NONE:
                balance.short_ms, balance.short_series = time_ms, series


def feed_all(balance: Balance, readings: Iterable[Reading]) -> None:
    for reading in readings:
        feed(balance, reading)


def readings_by_point(view: AreaView, rows: Rows) -> dict[int, list[Reading]]:
    """Good rows (QARTOD flag at most 2) by point, each point's in the order of `feed`."""
    use: Int64 = np.flatnonzero(rows.flag < int(Flag.SUSPECT))
    series, time_ms, value = rows.series[use], rows.time_ms[use], rows.value[use]
    prop, point = view.series_property[series], view.series_point[series]
    order = np.lexsort((series, RANK[prop], time_ms, point))
    found: dict[int, list[Reading]] = {}
    columns = (point, time_ms, prop, value, series)
    for one, *reading in zip(*(c[order].tolist() for c in columns), strict=True):
        found.setdefault(one, []).append((reading[0], reading[1], reading[2], reading[3]))
    return found


def share(occupants: int, capacity: int) -> int:
    """Occupancy in percent at `UNIT_SCALE`, rounded down; `capacity` > 0."""
    return occupants * SCALED_PERCENT // capacity
