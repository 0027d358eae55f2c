"""The lane's side of the quality checks that need event order: what to flag, health of days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from streams.contracts.domain import AreaView, HourMatrix, Property, Ticket
from streams.contracts.frame import Int16, Int32
from streams.contracts.outcome import SensorHealth
from streams.contracts.reason import Flag
from streams.quality.checks import Quality
from streams.quality.health import DayHealth, day_health
from streams.quality.parameters import late_weight
from streams.quality.presence import Presence, PresenceState
from streams.quality.watch import Watch, WatchState
from streams.windows.chunk import EMPTY, Chunk
from streams.windows.history import SERIES_SHIFT
from streams.windows.lane import HOUR_MS, Closed, Lane

FAR_MS = (1 << SERIES_SHIFT) - 1
SUSPECT = int(Flag.SUSPECT)


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What a closed window said: tickets, series suspect from a time on, the rows flagged."""

    tickets: list[Ticket]
    suspects: list[tuple[int, int]]
    rows: Chunk


class Looking:
    """See the module. Only the domain's own properties are looked at."""

    def __init__(
        self, lane: Lane, quality: Quality, own: tuple[Property, ...], view: AreaView
    ) -> None:
        self._lane, self._quality = lane, quality
        self._told = np.array([p for p, prop in enumerate(own) if prop.checks.health], np.int16)
        self.watch = Watch(own, view)
        self.presence = Presence(lane.sizes[0])
        self._fit(view)

    def fit(self, view: AreaView) -> None:
        """Another registry or profile version."""
        self.watch.fit(view, max(self._lane.state.closed_ms, 0))
        self._fit(view)

    def restore(self, watch: WatchState, presence: PresenceState) -> None:
        """From a checkpoint, after `fit`."""
        self.watch.restore(watch)
        self.presence.state = presence

    def note_late(self, rows: Chunk) -> None:
        """Accepted rows whose smallest window was closed already."""
        base_ms = self._lane.sizes[0] * 1000
        late = np.flatnonzero(rows.time_ms < self._lane.state.closed_ms // base_ms * base_ms)
        if len(late):
            days = [self._lane.day_of(t) for t in rows.time_ms[late].tolist()]
            self.presence.note_late(rows.series[late], np.array(days, np.int64))

    def see(self, closed: Closed) -> None:
        """A closed or revised window of the smallest size."""
        day = self._lane.day_of(closed.start_ms)
        self.presence.see(closed.start_ms, day, closed.windows.series)

    def look(self, closed: Closed) -> Looked | None:
        """A closed window, once, in event order; None when it says nothing new."""
        if closed.size_s not in self.watch.sizes:
            return None
        seen = self.watch.window(closed.size_s, closed.start_ms, closed.windows, closed.rows)
        if not seen.tickets:
            return None
        explained = self._quality.explain(self.watch.explained, closed.start_ms)
        return Looked(seen.tickets + explained, seen.suspects, self._flag_since(seen.suspects))

    def health(self, matrix: HourMatrix, series: Int32 | None = None) -> DayHealth:
        """A closed day: of all sensors, or of those among these series."""
        view = self._view
        wanted = view.series_active & np.isin(view.series_property, self._told)
        if series is not None:
            asked = np.zeros(len(wanted), np.bool_)
            asked[series] = True
            wanted = wanted & asked
        return day_health(
            matrix,
            self.presence.minutes(matrix),
            self.presence.late(matrix.day_start_ms),
            view.series_report_s,
            np.flatnonzero(wanted),
            self._lane.sizes[0],
            late_weight(view.parameters),
        )

    def told(self, day: DayHealth, day_ms: int, property_id: Int16) -> SensorHealth:
        """A day's health with catalogue numbers."""
        return SensorHealth(
            self._view.series_sensor[day.series],
            property_id[day.series],
            np.full(len(day.series), day_ms, np.int64),
            day.expected,
            day.received,
            day.good,
            day.late,
            day.intervals,
            day.covered,
            day.gap_s,
            day.score,
        )

    def forget(self) -> None:
        """Drops what nothing inside the horizon can touch any more."""
        mark = self._lane.state.watermark.value_ms
        self.presence.forget(mark - self._lane.horizon_ms - HOUR_MS)

    def _fit(self, view: AreaView) -> None:
        self._view = view
        self.presence.fit(len(view.series_sensor))

    def _flag_since(self, suspects: list[tuple[int, int]]) -> Chunk:
        """Flags what is known of these series from a time on, as far as the horizon reaches."""
        if not suspects:
            return EMPTY
        since = dict(suspects)
        series = np.array(sorted(since), np.int32)
        rows = self._lane.history.chunk_between(series, min(since.values()), FAR_MS)
        begins = np.array([since[s] for s in series.tolist()], np.int64)
        after = rows.time_ms >= begins[np.searchsorted(series, rows.series)]
        rows = rows.take(np.flatnonzero(after & (rows.flag < SUSPECT)))
        return self._lane.reflag(rows.series, rows.time_ms, np.full(len(rows), SUSPECT, np.int8))
