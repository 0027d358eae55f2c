"""QARTOD checks on columns: gross range, spike, flat line (IOOS QARTOD manuals, 2020).

Range is judged for every row; spike and flat line for fresh rows, in order of arrival. The raw
value is kept, the flag stands beside it; a failed check opens a maintenance ticket, the first good
reading after it closes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from streams.contracts.domain import AreaView, Checks, FlagChange, Property, Ticket
from streams.contracts.frame import Bool, Int8, Int64
from streams.contracts.reason import Flag
from streams.windows.aggregate import group_starts
from streams.windows.history import Chunk
from streams.windows.watermark import NEVER

GOOD, UNJUDGED, SUSPECT, FAIL = (
    int(Flag.GOOD),
    int(Flag.NOT_EVALUATED),
    int(Flag.SUSPECT),
    int(Flag.FAIL),
)
NO_LIMIT = np.iinfo(np.int64).max


@dataclass(slots=True)
class QualityState:
    """Per series: the two newest fresh values, since when unchanged, when it last changed."""

    value: Int64
    before: Int64  # the value before the newest
    time_ms: Int64
    before_ms: Int64
    same_since: Int64
    changed_ms: Int64
    tickets: dict[str, int] = field(default_factory=dict)  # "<series>|<kind>" -> opened


@dataclass(frozen=True, slots=True)
class Judged:
    """New flags of earlier rows, tickets, and spikes by (series, time) for withdrawals."""

    changes: list[FlagChange]
    tickets: list[Ticket]
    spikes: list[tuple[int, int]]


class Quality:
    """The checks of one area and domain."""

    def __init__(self, properties: tuple[Property, ...], view: AreaView) -> None:
        self._properties = properties
        a, b, c, d, e, f = (np.empty(0, np.int64) for _ in range(6))
        self.state = QualityState(a, b, c, d, e, f)
        self.fit(view)

    def fit(self, view: AreaView) -> None:
        """Adapts the per-series columns to a (grown) view."""
        of = view.series_property
        self._view = view

        def column(value: list[int]) -> Int64:
            return np.array(value, np.int64)[of]

        props = self._properties
        self.low = column([int(p.low.scaleb(p.scale)) for p in props])
        self.high = column([int(p.high.scaleb(p.scale)) for p in props])
        above = [SUSPECT if p.checks.rise_alerts else FAIL for p in props]
        self._above = column(above).astype(np.int8)
        self._spike = column([_scaled(p.checks, p.scale) for p in props])
        flat = [NO_LIMIT if p.checks.flat_s is None else p.checks.flat_s * 1000 for p in props]
        self._flat_ms = column(flat)
        self._rises = column([int(p.checks.rise_alerts) for p in props]).astype(np.bool_)
        self._has_flat = bool((self._flat_ms < NO_LIMIT).any())
        state, more = self.state, len(of) - len(self.state.value)
        zeros, never = np.zeros(more, np.int64), np.full(more, NEVER)
        state.value = np.append(state.value, zeros)
        state.before = np.append(state.before, zeros)
        state.time_ms = np.append(state.time_ms, never)
        state.before_ms = np.append(state.before_ms, never)
        state.same_since = np.append(state.same_since, never)
        state.changed_ms = np.append(state.changed_ms, never)

    def grade(self, rows: Chunk, source: Int8 | None) -> Int8:
        """Flags by range, or the source's own when it is worse (9, missing, becomes fail).

        A value above the limit of a property whose rise alerts is suspect, not failed: it still
        alerts, unverified (domain.md §2.2).
        """
        flag = np.full(len(rows), GOOD, np.int8)
        over = rows.value > self.high[rows.series]
        if over.any():
            flag[over] = self._above[rows.series[over]]
        under = rows.value < self.low[rows.series]
        flag[under] = FAIL
        if source is not None:
            worse = np.where(source > FAIL, FAIL, source).astype(np.int8)
            flag = np.where(worse >= SUSPECT, np.maximum(flag, worse), flag).astype(np.int8)
        return flag

    def unverified(self, rows: Chunk) -> Bool:
        """Suspect rows that alert all the same."""
        found: Bool = (rows.flag == SUSPECT) & self._rises[rows.series]
        return found

    def judge(self, rows: Chunk) -> Judged:
        """Fresh rows, sorted by (series, time); sets flags in `rows`, answers the rest."""
        changes: list[FlagChange] = []
        tickets: list[Ticket] = []
        if not len(rows):
            return Judged(changes, tickets, [])
        first = group_starts(rows.series)
        at = rows.series[first]
        last = np.append(first[1:], len(rows)) - 1
        prior = np.empty_like(rows.value)
        prior[1:] = rows.value[:-1]
        prior[first] = self.state.value[at]
        known = np.ones(len(rows), np.bool_)
        known[first] = self.state.time_ms[at] > NEVER
        changed = known & (rows.value != prior)
        spikes = self._spikes(rows, prior, known, changes, tickets)
        flat = self._flat(rows, first, last, changed, known, tickets)
        self._ranges(rows, tickets)
        self._remember(rows, first, last)
        if flat.any():
            rows.flag[flat] = np.maximum(rows.flag[flat], SUSPECT)
        if self.state.tickets:
            self._close_tickets(rows, last, tickets)
        return Judged(changes, tickets, spikes)

    # spike ------------------------------------------------------------------------------------

    def _spikes(
        self,
        rows: Chunk,
        prior: Int64,
        known: Bool,
        changes: list[FlagChange],
        tickets: list[Ticket],
    ) -> list[tuple[int, int]]:
        limit = self._spike[rows.series]
        big = known & (np.abs(rows.value - prior) > limit)
        if not big.any():
            return []
        found: list[tuple[int, int]] = []
        for row in np.flatnonzero(big).tolist():
            series = int(rows.series[row])
            same = row > 0 and rows.series[row - 1] == series
            if same:
                middle, when = int(rows.value[row - 1]), int(rows.time_ms[row - 1])
                deeper = row > 1 and rows.series[row - 2] == series
                left = int(rows.value[row - 2]) if deeper else int(self.state.value[series])
                left_known = deeper or self.state.time_ms[series] > NEVER
            else:
                middle, when = int(self.state.value[series]), int(self.state.time_ms[series])
                left = int(self.state.before[series])
                left_known = self.state.before_ms[series] > NEVER
            right, size = int(rows.value[row]), int(limit[row])
            rise, drop = middle - left, middle - right
            if left_known and abs(rise) > size and abs(drop) > size and rise * drop > 0:
                found.append((series, when))
                if same:
                    rows.flag[row - 1] = max(int(rows.flag[row - 1]), SUSPECT)
                changes.append(FlagChange(series, when, SUSPECT))
                self._open(series, "spike", when, tickets)
        return found

    # flat line --------------------------------------------------------------------------------

    def _flat(
        self,
        rows: Chunk,
        first: Int64,
        last: Int64,
        changed: Bool,
        known: Bool,
        tickets: list[Ticket],
    ) -> Bool:
        state, at = self.state, rows.series[first]
        mark = np.zeros(len(rows), np.bool_)
        if not self._has_flat:
            return mark
        fresh_start = ~known
        reset = changed | fresh_start
        moved = np.where(reset, rows.time_ms, NEVER)
        newest = np.maximum.reduceat(moved, first)
        state.same_since[at] = np.maximum(state.same_since[at], newest)
        state.changed_ms[at] = np.maximum(
            state.changed_ms[at], np.maximum.reduceat(np.where(changed, rows.time_ms, NEVER), first)
        )
        held = rows.time_ms[last] - state.same_since[at]
        for group in np.flatnonzero((held >= self._flat_ms[at]) & (rows.value[last] != 0)).tolist():
            series, row = int(at[group]), int(last[group])
            others = np.delete(state.changed_ms, series)
            if len(others) and int(others.max()) > int(state.same_since[series]):
                mark[first[group] : row + 1] = True
                self._open(series, "flat_line", int(rows.time_ms[row]), tickets)
        return mark

    # tickets ----------------------------------------------------------------------------------

    def _ranges(self, rows: Chunk, tickets: list[Ticket]) -> None:
        outside = (rows.value > self.high[rows.series]) | (rows.value < self.low[rows.series])
        for row in np.flatnonzero(outside).tolist():
            self._open(int(rows.series[row]), "range", int(rows.time_ms[row]), tickets)

    def _open(self, series: int, kind: str, time_ms: int, tickets: list[Ticket]) -> None:
        key = f"{series}|{kind}"
        if key not in self.state.tickets:
            self.state.tickets[key] = time_ms
            tickets.append(self.ticket(series, kind, time_ms, closed=False))

    def _close_tickets(self, rows: Chunk, last: Int64, tickets: list[Ticket]) -> None:
        good = {int(rows.series[r]): int(rows.time_ms[r]) for r in last if rows.flag[r] <= UNJUDGED}
        for key in sorted(self.state.tickets):
            series, kind = key.split("|")
            time_ms = good.get(int(series))
            if time_ms is not None and time_ms > self.state.tickets[key]:
                del self.state.tickets[key]
                tickets.append(self.ticket(int(series), kind, time_ms, closed=True))

    def ticket(self, series: int, kind: str, time_ms: int, *, closed: bool) -> Ticket:
        """A ticket of this series, opened or closed at the time."""
        prop = self._properties[int(self._view.series_property[series])].name
        return Ticket(int(self._view.series_sensor[series]), prop, kind, time_ms, closed, {})

    def _remember(self, rows: Chunk, first: Int64, last: Int64) -> None:
        state, at = self.state, rows.series[first]
        several = last > first
        state.before[at] = np.where(several, rows.value[last - 1], state.value[at])
        state.before_ms[at] = np.where(several, rows.time_ms[last - 1], state.time_ms[at])
        state.value[at] = rows.value[last]
        state.time_ms[at] = rows.time_ms[last]


def _scaled(checks: Checks, scale: int) -> int:
    return NO_LIMIT if checks.spike is None else int(checks.spike.scaleb(scale))
