"""QARTOD checks on columns: gross range, spike, flat line (IOOS QARTOD manuals, 2020).

Range is judged for every row; spike and flat line for fresh rows, in order of arrival. The raw
value is kept, the flag stands beside it; a failed check opens a maintenance ticket, the first good
reading after it closes it. What needs event order or neighbours is in `streams.quality.watch`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from streams.contracts.domain import AreaView, Checks, FlagChange, Property, Ticket
from streams.contracts.exact import to_text
from streams.contracts.frame import Bool, Int8, Int64
from streams.contracts.reason import Flag
from streams.quality.desk import BY_GOOD_READING, EXPLAINED_BY_UNIT
from streams.quality.parameters import with_profile
from streams.windows.aggregate import group_starts
from streams.windows.chunk import Chunk
from streams.windows.watermark import NEVER

GOOD, UNJUDGED, SUSPECT, FAIL = (
    int(Flag.GOOD),
    int(Flag.NOT_EVALUATED),
    int(Flag.SUSPECT),
    int(Flag.FAIL),
)
_OWN = frozenset(("range", "spike", "flat_line"))  # found here; others by the domain
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
        self._declared = properties
        a, b, c, d, e, f = (np.empty(0, np.int64) for _ in range(6))
        self.state = QualityState(a, b, c, d, e, f)
        self._explained: Bool | None = None
        self.fit(view)

    def fit(self, view: AreaView) -> None:
        """Adapts the per-series columns to a (grown) view."""
        of = view.series_property
        self._view = view
        self._properties = with_profile(self._declared, view.parameters)

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

    def judge(self, rows: Chunk, explained: Bool | None = None) -> Judged:
        """Fresh rows, sorted by (series, time); sets flags in `rows`, answers the rest.

        Of series in `explained` (a ticket of their source says why) no ticket is opened.
        """
        self._explained = explained
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
            self._close_tickets(rows, last, tickets, _OWN)
        return Judged(changes, tickets, spikes)

    def remarkable(self, rows: Chunk) -> Bool:
        """Which of such rows may make `judge` say something; it changes nothing.

        Where none is, judging rows of several frames at once is judging them frame by frame.
        """
        first = group_starts(rows.series)
        at = rows.series[first]
        prior = np.empty_like(rows.value)
        prior[1:] = rows.value[:-1]
        prior[first] = self.state.value[at]
        known = np.ones(len(rows), np.bool_)
        known[first] = self.state.time_ms[at] > NEVER
        found: Bool = known & (np.abs(rows.value - prior) > self._spike[rows.series])
        if self._has_flat:
            found |= self._long_same(rows, first, ~known | (rows.value != prior))
        outside = (rows.value > self.high[rows.series]) | (rows.value < self.low[rows.series])
        if outside.any() or self.state.tickets:
            found |= self._moves_tickets(rows, outside)
        return found

    def accept(self, rows: Chunk) -> None:
        """Takes such rows of which none is `remarkable`, as `judge` would."""
        first = group_starts(rows.series)
        last = np.append(first[1:], len(rows)) - 1
        if self._has_flat:
            at, prior = rows.series[first], np.empty_like(rows.value)
            prior[1:] = rows.value[:-1]
            prior[first] = self.state.value[at]
            changed = rows.value != prior
            known = self.state.time_ms[at] > NEVER
            changed[first] &= known
            reset = changed.copy()
            reset[first] |= ~known
            self._note_changes(rows, first, changed, reset)
        self._remember(rows, first, last)

    def _note_changes(self, rows: Chunk, first: Int64, changed: Bool, reset: Bool) -> None:
        """Since when each series says the same, and when it last said something else."""
        state, at = self.state, rows.series[first]
        newest = np.maximum.reduceat(np.where(reset, rows.time_ms, NEVER), first)
        state.same_since[at] = np.maximum(state.same_since[at], newest)
        newest = np.maximum.reduceat(np.where(changed, rows.time_ms, NEVER), first)
        state.changed_ms[at] = np.maximum(state.changed_ms[at], newest)

    def _long_same(self, rows: Chunk, first: Int64, reset: Bool) -> Bool:
        """Rows with a value, unchanged for as long as a flat line takes."""
        limit = self._flat_ms[rows.series]
        since = self.state.same_since[rows.series]
        found: Bool = (rows.value != 0) & (rows.time_ms - since >= limit)
        if not found.any():
            return found
        number = np.arange(len(rows))
        begin = np.repeat(first, np.diff(np.append(first, len(rows))))
        newest = np.maximum.accumulate(np.where(reset, number, -1))
        since = np.where(newest >= begin, rows.time_ms[newest], since)
        return found & (rows.time_ms - since >= limit)

    def _moves_tickets(self, rows: Chunk, outside: Bool) -> Bool:
        """Rows out of range without a ticket yet, good rows of series that have tickets."""
        count, ranged = len(self.high), np.zeros(len(self.high), np.bool_)
        ticketed = np.zeros(count, np.bool_)
        for key in self.state.tickets:
            series, kind = key.split("|")
            ticketed[int(series)] = True
            ranged[int(series)] |= kind == "range"
        good = rows.flag <= UNJUDGED
        found: Bool = (outside & ~ranged[rows.series]) | (good & ticketed[rows.series])
        return found

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
                self._open(series, "spike", when, middle, tickets)
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
        self._note_changes(rows, first, changed, changed | ~known)
        held = rows.time_ms[last] - state.same_since[at]
        for group in np.flatnonzero((held >= self._flat_ms[at]) & (rows.value[last] != 0)).tolist():
            series, row = int(at[group]), int(last[group])
            others = np.delete(state.changed_ms, series)
            if len(others) and int(others.max()) > int(state.same_since[series]):
                mark[first[group] : row + 1] = True
                at_ms, value = int(rows.time_ms[row]), int(rows.value[row])
                self._open(series, "flat_line", at_ms, value, tickets)
        return mark

    # tickets ----------------------------------------------------------------------------------

    def _ranges(self, rows: Chunk, tickets: list[Ticket]) -> None:
        outside = (rows.value > self.high[rows.series]) | (rows.value < self.low[rows.series])
        for row in np.flatnonzero(outside).tolist():
            at_ms, value = int(rows.time_ms[row]), int(rows.value[row])
            self._open(int(rows.series[row]), "range", at_ms, value, tickets)

    def adopt(self, tickets: Iterable[Ticket]) -> None:
        """Tickets of the domain that end with a good reading."""
        for ticket in tickets:
            if ticket.kind in BY_GOOD_READING and not ticket.closed:
                for series in self._series_of(ticket):
                    self.state.tickets.setdefault(f"{series}|{ticket.kind}", ticket.time_ms)

    def close_adopted(self, rows: Chunk, fresh: Bool) -> list[Ticket]:
        """Rows as the domain has flagged them, sorted by (series, time): its tickets that end."""
        tickets: list[Ticket] = []
        if any(key.split("|")[1] not in _OWN for key in self.state.tickets):
            new = rows.take(np.flatnonzero(fresh))
            last = np.append(np.flatnonzero(np.diff(new.series)), len(new) - 1)
            if len(new):
                self._close_tickets(new, last, tickets, BY_GOOD_READING - _OWN)
        return tickets

    def explain(self, explained: Bool, time_ms: int) -> list[Ticket]:
        """Closes what a ticket of the source explains."""
        tickets: list[Ticket] = []
        for key in sorted(self.state.tickets):
            series, kind = key.split("|")
            if kind in EXPLAINED_BY_UNIT and explained[int(series)]:
                opened = self.state.tickets.pop(key)
                tickets.append(self._closing(int(series), kind, max(opened, time_ms), why="unit"))
        return tickets

    def _series_of(self, ticket: Ticket) -> list[int]:
        names = [p.name for p in self._properties]
        own = self._view.series_sensor == ticket.sensor
        own &= self._view.series_property == names.index(ticket.property)
        found: list[int] = np.flatnonzero(own).tolist()
        return found

    def _open(
        self, series: int, kind: str, time_ms: int, value: int, tickets: list[Ticket]
    ) -> None:
        key = f"{series}|{kind}"
        if key in self.state.tickets or (self._explained is not None and self._explained[series]):
            return
        self.state.tickets[key] = time_ms
        prop = self._prop(series)
        evidence = {"value": to_text(value, prop.scale), "unit": prop.unit}
        sensor = int(self._view.series_sensor[series])
        tickets.append(Ticket(sensor, prop.name, kind, time_ms, False, evidence))

    def _close_tickets(
        self, rows: Chunk, last: Int64, tickets: list[Ticket], kinds: frozenset[str]
    ) -> None:
        good = {int(rows.series[r]): int(rows.time_ms[r]) for r in last if rows.flag[r] <= UNJUDGED}
        for key in sorted(self.state.tickets):
            series, kind = key.split("|")
            time_ms = good.get(int(series)) if kind in kinds else None
            if time_ms is not None and time_ms > self.state.tickets[key]:
                del self.state.tickets[key]
                tickets.append(self._closing(int(series), kind, time_ms, why="good reading"))

    def _closing(self, series: int, kind: str, time_ms: int, *, why: str) -> Ticket:
        sensor, prop = int(self._view.series_sensor[series]), self._prop(series).name
        return Ticket(sensor, prop, kind, time_ms, True, {"why": why})

    def _prop(self, series: int) -> Property:
        return self._properties[int(self._view.series_property[series])]

    def _remember(self, rows: Chunk, first: Int64, last: Int64) -> None:
        state, at = self.state, rows.series[first]
        several = last > first
        state.before[at] = np.where(several, rows.value[last - 1], state.value[at])
        state.before_ms[at] = np.where(several, rows.time_ms[last - 1], state.time_ms[at])
        state.value[at] = rows.value[last]
        state.time_ms[at] = rows.time_ms[last]


def _scaled(checks: Checks, scale: int) -> int:
    return NO_LIMIT if checks.spike is None else int(checks.spike.scaleb(scale))
