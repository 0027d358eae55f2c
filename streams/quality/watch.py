"""What only event order can tell of one lane: neighbours, units, drift. Flags, and tickets.

`window` takes every closed window of the sizes in `sizes`, in order; `day` every closed day. A
sensor that is held suspect (its neighbours contradict it, or its source sends another unit) has
its readings flagged from then on as they come, `hold`; `suspects` names what to flag behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from streams.contracts.domain import AreaView, HourMatrix, Property, Ticket
from streams.contracts.exact import to_text
from streams.contracts.frame import Bool, Int64
from streams.contracts.reason import Flag
from streams.quality import drift, neighbour, sentinel
from streams.quality.neighbour import FAR, NeighbourState
from streams.quality.parameters import (
    drift_numbers,
    neighbour_numbers,
    unit_numbers,
    with_profile,
)
from streams.quality.sentinel import Group, Hour, SentinelState
from streams.windows.aggregate import Aggregate, aggregate
from streams.windows.chunk import Chunk

SUSPECT = int(Flag.SUSPECT)
HOUR_S = 3600
_UNHEARD = 1 << 61


@dataclass(slots=True)
class WatchState:
    """The part of the checkpoint that moves with every window."""

    neighbour: NeighbourState
    sentinel: SentinelState = field(default_factory=SentinelState)


@dataclass(slots=True)
class PastState:
    """The part that moves once a day, by series: usual levels (daily medians), drift."""

    levels: dict[int, list[int]] = field(default_factory=dict)
    tracks: dict[int, drift.Track] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a window said: tickets, and (series, since) to flag from that event time on."""

    tickets: list[Ticket]
    suspects: list[tuple[int, int]]


@dataclass(frozen=True, slots=True, eq=False)
class _Means:
    """Means of one window by series, scaled; `known` where there is one."""

    mean: Int64
    known: Bool


class Watch:
    """See the module. Judges the domain's own properties only."""

    def __init__(self, properties: tuple[Property, ...], view: AreaView) -> None:
        self._declared = properties
        none = np.empty(0, np.int64)  # grown by `fit`
        self.state = WatchState(NeighbourState(none, none, none, none, {}))
        self.past = PastState()
        self.past_changed = False
        self.pending: list[Ticket] = []
        self.fit(view)

    def fit(self, view: AreaView, at_ms: int = 0) -> None:
        """Adapts to another registry or profile version; what it ends is `pending`."""
        self._view = view
        self._properties = with_profile(self._declared, view.parameters)
        self._neighbour = neighbour_numbers(view.parameters)
        self._drift = drift_numbers(view.parameters)
        self._units = unit_numbers(view.parameters)
        held, more = self.state.neighbour, len(view.series_sensor)
        more -= len(held.off)
        held.off = np.append(held.off, np.zeros(more, np.int64))
        held.within = np.append(held.within, np.zeros(more, np.int64))
        held.first_ms = np.append(held.first_ms, np.zeros(more, np.int64))
        held.since_ms = np.append(held.since_ms, np.full(more, FAR))
        held.since_ms[~view.series_active] = FAR
        self._series = [
            np.flatnonzero((view.series_property == p) & view.series_active)
            for p in range(len(self._properties))
        ]
        self._near: dict[int, NDArray[np.int32]] = {
            p: neighbour.nearest(view, self._series[p], self._neighbour)
            for p, prop in enumerate(self._properties)
            if prop.checks.neighbour is not None
            or (prop.checks.drift is not None and not prop.checks.drift_low)
        }
        self._groups = tuple(self._group())
        self.sizes = frozenset(
            [HOUR_S, *(p.checks.neighbour_s for p in self._properties if p.checks.neighbour)]
        )
        self._forget()
        self.pending += sentinel.let_go(self.state.sentinel, self._groups, at_ms, self._units)
        self._mask()

    def restore(self, state: WatchState) -> None:
        """From a checkpoint, after `fit` under the versions in force."""
        self.state, self.pending = state, []
        self._mask()

    def ended(self) -> list[Ticket]:
        """Tickets that the last `fit` closed, once."""
        pending, self.pending = self.pending, []
        return pending

    # readings ---------------------------------------------------------------------------------

    def hold(self, rows: Chunk) -> None:
        """Flags readings of suspect sensors as they come."""
        if self._holds:
            held = (rows.time_ms >= self.since_ms[rows.series]) & (rows.flag < SUSPECT)
            if held.any():
                rows.flag[held] = SUSPECT

    # the watermark ------------------------------------------------------------------------------

    def window(self, size_s: int, start_ms: int, windows: Aggregate, rows: Chunk) -> Seen:
        """A closed window of a size in `sizes`; `rows` are what it was made from."""
        if not len(windows):
            return Seen([], [])
        raw = windows
        if windows.bad.any():
            raw = aggregate(rows.series, rows.value, np.ones(len(rows), np.int8))
        tickets: list[Ticket] = []
        before = set(self.state.sentinel.held)
        if size_s == HOUR_S:
            tickets += self._judge_units(start_ms, raw)
        suspects = self._new_suspects(before)
        self._mask()
        for p, prop in enumerate(self._properties):
            if prop.checks.neighbour is not None and prop.checks.neighbour_s == size_s:
                self._judge_neighbours(p, start_ms, (windows, raw), tickets, suspects)
        self._mask()
        return Seen(tickets, suspects)

    def day(self, matrix: HourMatrix) -> list[Ticket]:
        """A closed day, once: usual levels are learnt, drift is followed."""
        self.past_changed = True
        tickets: list[Ticket] = []
        for p, prop in enumerate(self._properties):
            if prop.checks.unit:
                self._learn(p, matrix)
            if prop.checks.drift is not None:
                limit = int(prop.checks.drift.scaleb(prop.scale))
                for series, diff in self._differences(p, matrix, limit):
                    tickets += self._follow(series, prop, limit, (matrix.day_start_ms, diff))
        return tickets

    @property
    def explained(self) -> Bool:
        """Series whose readings a unit ticket of their source explains."""
        found: Bool = self._unit_since < FAR
        return found

    # units ------------------------------------------------------------------------------------

    def _judge_units(self, start_ms: int, raw: Aggregate) -> list[Ticket]:
        counts = zip(
            raw.series.tolist(), raw.n.tolist(), raw.total.tolist(), raw.high.tolist(), strict=True
        )
        hours = {s: Hour(total, n, high) for s, n, total, high in counts if n}
        usual = {
            series: drift.median(levels)
            for series, levels in self.past.levels.items()
            if len(levels) >= self._units.least_days
        }
        groups = self._groups
        return sentinel.judge(self.state.sentinel, groups, start_ms, hours, usual, self._units)

    def _new_suspects(self, before: set[str]) -> list[tuple[int, int]]:
        held = self.state.sentinel.held
        return [
            (series, held[group.key].since_ms)
            for group in self._groups
            if group.key in held and group.key not in before
            for series in group.series
        ]

    def _group(self) -> Iterable[Group]:
        view, found = self._view, dict[tuple[str, int], list[int]]()
        for p, series in enumerate(self._series):
            for one in series.tolist():
                source = view.series_source[one] if view.series_source else ""
                if source:
                    found.setdefault((source, p), []).append(one)
        for (source, p), members in sorted(found.items()):
            yield Group(source, self._properties[p], tuple(members))

    def _learn(self, p: int, matrix: HourMatrix) -> None:
        """The day's median of hourly means above zero joins the usual levels of every series."""
        shifts = sentinel.has_shift(self._properties[p])
        for series in self._series[p].tolist():
            n, total = matrix.n[series], matrix.total[series]
            use = np.flatnonzero((n > 0) & ((total != 0) | shifts))
            if len(use) and self._unit_since[series] == FAR:
                means = [round(Fraction(int(total[h]), int(n[h]))) for h in use]
                kept = [*self.past.levels.get(series, ()), drift.median(means)]
                self.past.levels[series] = kept[-self._units.history_days :]

    # neighbours -------------------------------------------------------------------------------

    def _judge_neighbours(
        self,
        p: int,
        start_ms: int,
        aggregates: tuple[Aggregate, Aggregate],
        tickets: list[Ticket],
        suspects: list[tuple[int, int]],
    ) -> None:
        prop, series, held = self._properties[p], self._series[p], self.state.neighbour
        if prop.checks.neighbour is None or len(series) <= self._neighbour.sensors:
            return
        size_ms = prop.checks.neighbour_s * 1000
        if held.last_ms.get(p, -_UNHEARD) != start_ms - size_ms:
            neighbour.break_runs(held, series)
        held.last_ms[p] = start_ms
        means = self._means(series, aggregates)
        allowed = np.full(len(series), int(prop.checks.neighbour.scaleb(prop.scale)), np.int64)
        found = neighbour.judge(
            held,
            series,
            self._near[p],
            start_ms,
            (means.mean, means.known),
            (allowed, self._neighbour),
        )
        for one in found:
            time_ms = one.since_ms if one.opened else start_ms + size_ms
            evidence = self._contradiction(prop, one)
            tickets.append(self._ticket(one.series, "neighbour", time_ms, one.opened, evidence))
            if one.opened:
                suspects.append((one.series, one.since_ms))

    def _means(self, series: Int64, aggregates: tuple[Aggregate, Aggregate]) -> _Means:
        """Means of good readings; of suspect sensors of all readings, to see them come back.

        A sensor of a source in another unit says nothing.
        """
        good, raw = aggregates
        count = len(self._view.series_sensor)
        n, total = np.zeros(count, np.int64), np.zeros(count, np.int64)
        n[good.series], total[good.series] = good.n, good.total
        own = self.state.neighbour.since_ms[raw.series] < FAR
        n[raw.series[own]], total[raw.series[own]] = raw.n[own], raw.total[own]
        n[self._unit_since < FAR] = 0
        n, total = n[series], total[series]
        return _Means(_divide(total, np.maximum(n, 1)), n > 0)

    def _contradiction(self, prop: Property, one: neighbour.Found) -> dict[str, object]:
        return {
            "mean": to_text(one.mean, prop.scale),
            "median": to_text(one.median, prop.scale),
            "spread": to_text(one.spread, prop.scale),
            "allowed": str(prop.checks.neighbour),
            "unit": prop.unit,
            "neighbours": one.asked,
        }

    # drift ------------------------------------------------------------------------------------

    def _differences(self, p: int, matrix: HourMatrix, limit: int) -> Iterable[tuple[int, int]]:
        prop, series = self._properties[p], self._series[p]
        n = matrix.n[series]
        enough = (n > 0).sum(axis=1) >= self._drift.hours
        if prop.checks.drift_low:
            low = np.where(n > 0, matrix.low[series], FAR).min(axis=1, initial=FAR)
            high = np.where(n > 0, matrix.high[series], -FAR).max(axis=1, initial=-FAR)
            calm = np.flatnonzero(enough & (np.where(enough, high - low, FAR) <= limit))
            return zip(series[calm].tolist(), low[calm].tolist(), strict=True)
        total = matrix.total[series].sum(axis=1)
        mean = _divide(total, np.maximum(n.sum(axis=1), 1))
        known = enough & (self.since_ms[series] == FAR)
        middle, _, asked = neighbour.ask(mean, known, self._near[p])
        use = np.flatnonzero(known & (asked >= self._neighbour.sensors))
        return zip(series[use].tolist(), (mean - middle)[use].tolist(), strict=True)

    def _follow(
        self, series: int, prop: Property, limit: int, day: tuple[int, int]
    ) -> list[Ticket]:
        track = self.past.tracks.setdefault(series, drift.Track())
        said = drift.follow(track, prop, limit, day, self._drift)
        if said is None:
            return []
        opened = said.opened is not False
        return [self._ticket(series, "drift", day[0], opened, said.evidence)]

    # common -----------------------------------------------------------------------------------

    def _ticket(
        self, series: int, kind: str, time_ms: int, opened: bool, evidence: Mapping[str, object]
    ) -> Ticket:
        prop = self._properties[int(self._view.series_property[series])].name
        sensor = int(self._view.series_sensor[series])
        return Ticket(sensor, prop, kind, time_ms, not opened, evidence)

    def _mask(self) -> None:
        self._unit_since = np.full(len(self._view.series_sensor), FAR)
        for group in self._groups:
            held = self.state.sentinel.held.get(group.key)
            if held is not None:
                self._unit_since[list(group.series)] = held.since_ms
        self.since_ms = np.minimum(self._unit_since, self.state.neighbour.since_ms)
        self._holds = bool((self.since_ms < FAR).any())

    def _forget(self) -> None:
        """A sensor that left and comes back begins anew."""
        for series in np.flatnonzero(~self._view.series_active).tolist():
            gone = self.past.levels.pop(series, None), self.past.tracks.pop(series, None)
            self.past_changed = self.past_changed or gone != (None, None)


def _divide(total: Int64, n: Int64) -> Int64:
    """total / n, rounded half to even."""
    floor = total // n
    twice = 2 * (total - floor * n)
    up = (twice > n) | ((twice == n) & (floor % 2 == 1))
    result: Int64 = floor + up
    return result
