"""The balances of an area's shelters at the watermark, and what is told of them when windows close.

Balances are kept as they are now and, every half hour back to the horizon, as they were, so that
a late row inside the horizon runs what followed it again, exactly. The state behind `close`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from streams.contracts.domain import (
    HOUR_MS,
    AreaView,
    Closing,
    HistoryReader,
    Outputs,
    Result,
    Ticket,
)
from streams.domains.shelter.balance import (
    NONE,
    Balance,
    Reading,
    feed_all,
    readings_by_point,
)
from streams.domains.shelter.occupancy import payload_of

HORIZON_S = 6 * 3600
"""Exact state of shelter counts, seconds (domain.md §8.3)."""
HORIZON_MS = HORIZON_S * 1000
WINDOW_S = 300
WINDOW_MS = WINDOW_S * 1000
HOLD_MS = HOUR_MS // 2
RESULT = "shelter.occupancy"
TICKET = "balance"


@dataclass(slots=True)
class Snapshot:
    """The balances by point after every reading before `at_ms`."""

    at_ms: int
    balances: dict[int, Balance]


@dataclass(slots=True)
class Books:
    """`now` is after every reading before `upto_ms`; `tickets`: point → sensor of an open one."""

    upto_ms: int = NONE
    now: dict[int, Balance] = field(default_factory=dict)
    held: list[Snapshot] = field(default_factory=list)
    tickets: dict[int, int] = field(default_factory=dict)


def close(books: Books, view: AreaView, closing: Closing) -> Outputs:
    """One closed window in event order, or the same window again because a row of it is new."""
    out = Outputs()
    if closing.revised:
        _run_again(books, view, closing, out)
    else:
        _hold(books, closing.start_ms)
        for point, readings in readings_by_point(view, closing.rows).items():
            balance = books.now.setdefault(point, Balance())
            feed_all(balance, readings)
            _tell(view, point, balance, closing.start_ms, out)
            _check(books, view, point, closing, out)
    hour = books.upto_ms // HOUR_MS
    books.upto_ms = max(books.upto_ms, closing.end_ms)
    out.inventory_changed = books.upto_ms // HOUR_MS > hour or (
        closing.revised and closing.start_ms < hour * HOUR_MS
    )
    return out


def known(
    books: Books,
    view: AreaView,
    history: HistoryReader,
    points: list[int],
    span_ms: tuple[int, int],
) -> tuple[dict[int, Balance], dict[int, list[Reading]]]:
    """Where these points' balances stood at or before the span's start, and all readings from
    there to its end. The balances are copies: feeding them the readings gives what is known now.
    """
    begin, held = _start(books, span_ms[0])
    balances = {p: held[p].copy() if p in held else Balance() for p in points}
    return balances, _readings(view, history, points, begin, span_ms[1])


def _start(books: Books, since_ms: int) -> tuple[int, dict[int, Balance]]:
    if books.upto_ms != NONE and since_ms >= books.upto_ms:
        return books.upto_ms, books.now
    for snapshot in reversed(books.held):
        if snapshot.at_ms <= since_ms:
            return snapshot.at_ms, snapshot.balances
    return since_ms - HORIZON_MS, {}


def _readings(
    view: AreaView, history: HistoryReader, points: list[int], begin_ms: int, end_ms: int
) -> dict[int, list[Reading]]:
    mine = np.isin(view.series_point, np.array(points, np.int32))
    series = np.flatnonzero(mine).astype(np.int32)
    return readings_by_point(view, history.between(series, begin_ms, end_ms))


def _hold(books: Books, start_ms: int) -> None:
    """Keeps the balances before this window when the last ones kept are half an hour old."""
    held = books.held
    if not held:
        held.append(Snapshot(start_ms - HORIZON_MS - HOUR_MS, {}))
    elif start_ms - held[-1].at_ms >= HOLD_MS:
        held.append(Snapshot(books.upto_ms, {p: b.copy() for p, b in books.now.items()}))
    border = start_ms - HORIZON_MS
    while len(held) > 1 and held[1].at_ms <= border:
        del held[0]


def _run_again(books: Books, view: AreaView, closing: Closing, out: Outputs) -> None:
    """Balances, what was kept of them and what was told, from the revised window on."""
    if not books.held:
        books.held.append(Snapshot(closing.start_ms - HORIZON_MS, {}))
    first = max((i for i, s in enumerate(books.held) if s.at_ms <= closing.start_ms), default=0)
    begin = books.held[first]
    end_ms = max(books.upto_ms, closing.end_ms)
    points = np.unique(view.series_point[closing.rows.series]).tolist()
    found = _readings(view, closing.history, points, begin.at_ms, end_ms)
    for point in points:
        balance = begin.balances[point].copy() if point in begin.balances else Balance()
        later = iter(books.held[first + 1 :])
        snapshot = next(later, None)
        for window, readings in groupby(found.get(point, ()), lambda r: r[0] // WINDOW_MS):
            while snapshot is not None and snapshot.at_ms <= window * WINDOW_MS:
                snapshot.balances[point] = balance.copy()
                snapshot = next(later, None)
            feed_all(balance, readings)
            if window * WINDOW_MS >= closing.start_ms:
                _tell(view, point, balance, window * WINDOW_MS, out)
        while snapshot is not None:
            snapshot.balances[point] = balance.copy()
            snapshot = next(later, None)
        books.now[point] = balance
        _check(books, view, point, closing, out)


def _tell(view: AreaView, point: int, balance: Balance, start_ms: int, out: Outputs) -> None:
    payload = payload_of(view.points[point], balance, view.parameters)
    out.results.append(Result(RESULT, view.points[point].id, start_ms, WINDOW_S, payload))


def _check(books: Books, view: AreaView, point: int, closing: Closing, out: Outputs) -> None:
    """A balance that fell short is a ticket of its door; the next count closes it."""
    balance, told = books.now[point], books.tickets.get(point)
    if told is None and balance.short_series != NONE:
        sensor = int(view.series_sensor[balance.short_series])
        evidence = {"point": view.points[point].id, "missing": balance.short_by}
        out.tickets.append(Ticket(sensor, "check_out", TICKET, balance.short_ms, False, evidence))
        books.tickets[point] = sensor
    elif told is not None and balance.short_series == NONE:
        at_ms = balance.counted_ms if balance.counted_ms != NONE else closing.decided_ms
        evidence = {"occupants": balance.occupants}
        out.tickets.append(Ticket(told, "check_out", TICKET, at_ms, True, evidence))
        del books.tickets[point]
