"""One domain in one area: readings → quality → domain → windows, days and their partials.

It answers what changed; the area (streams.area.process) owns the clock, the alerts and the outcome.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from streams.area.learnt import Learnt
from streams.area.looking import Looking
from streams.area.state import LaneWorkState
from streams.contracts import state as state_bytes
from streams.contracts.domain import (
    AreaView,
    Batch,
    Closing,
    Derived,
    Domain,
    FlagChange,
    HourMatrix,
    Many,
    Outputs,
    Rows,
    Stretch,
)
from streams.contracts.frame import Int8, Int64
from streams.quality.checks import Judged, Quality
from streams.quality.health import DayHealth
from streams.windows.chunk import EMPTY, Chunk, join
from streams.windows.lane import DAY_MS, HOUR_MS, Closed, Lane, Sifted
from streams.windows.watermark import NEVER


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """What a frame's rows became in this lane."""

    sifted: Sifted
    judged: Judged
    outputs: Outputs
    flag: Int8  # final flags of sifted.new
    reflagged: Chunk  # earlier rows whose flag changed


@dataclass(frozen=True, slots=True, eq=False)
class Passed:
    """One thing that the watermark (or a revision) finished.

    `closed` a window; `outputs` of the domain's close or of the watch; `derived` of an hour or day
    (with its start); `doubted` series (since) whose readings are not believed any more; `health`
    of a day's sensors.
    """

    closed: Closed | None = None
    outputs: Outputs | None = None
    reflagged: Chunk | None = None
    derived: Derived | None = None
    period: str = ""
    start_ms: int = 0
    doubted: list[tuple[int, int]] = field(default_factory=list)
    health: DayHealth | None = None


class LaneWork:
    """See the module."""

    def __init__(
        self, domain: Domain, view: AreaView, delay_ms: int, horizon_ms: int, zone_ms: int, own: int
    ):
        self.domain = domain
        self.own = own  # so many of the properties are the domain's; it only reads those behind
        self.lane = Lane(domain, view, delay_ms, horizon_ms, zone_ms)
        self.quality = Quality(domain.properties, view)
        self.looking = Looking(self.lane, self.quality, domain.properties[:own], view)
        self.learnt = Learnt(domain.learns)
        self.view = view
        self.state: Any = domain.initial(view, None) if domain.initial else None
        self.newest_ms = NEVER  # event time of the newest reading of the domain's own properties

    def fit(self, view: AreaView) -> None:
        """Another registry or profile version."""
        self.view = view
        self.lane.fit(view)
        self.quality.fit(view)
        self.looking.fit(view)
        if self.domain.initial:
            self.state = self.domain.initial(view, self.state)

    # readings ---------------------------------------------------------------------------------

    def take(self, rows: Chunk, source_flag: Int8 | None, now_ms: int, position: int) -> Taken:
        """The resolved rows of one frame."""
        rows.flag = self.quality.grade(rows, source_flag)
        self.looking.watch.hold(rows)
        sifted = self.lane.sift(rows)
        if len(sifted.new):
            self.note_newest(int(sifted.new.time_ms.max()))
        self.looking.note_late(sifted.new)
        new = replace(sifted.new, flag=sifted.new.flag.copy())
        fresh = np.flatnonzero(sifted.fresh)
        working = new if len(fresh) == len(new) else new.take(fresh)
        judged = self.quality.judge(working, self.looking.watch.explained)
        if working is not new:
            new.flag[fresh] = working.flag
        outputs = self._step(new, sifted, now_ms, position)
        self.quality.adopt(outputs.tickets)
        changes = judged.changes + outputs.flags
        if changes:
            _apply(changes, new)
        outputs.tickets.extend(self.quality.close_adopted(new, sifted.fresh))
        moved = np.flatnonzero(new.flag != sifted.new.flag)
        if len(moved):
            self.lane.reflag(new.series[moved], new.time_ms[moved], new.flag[moved])
        reflagged = self._reflag(changes) if changes else EMPTY
        if len(reflagged):
            reflagged = _without(reflagged, new)
        return Taken(sifted, judged, outputs, new.flag, reflagged)

    def ask_many(self, rows: Chunk, frame: Int64) -> Many | None:
        """What the domain says of fresh rows of several frames, and its state then; None when it
        wants them frame by frame. Nothing has changed yet."""
        if self.domain.step_many is None:
            return self.state, {}
        columns = Rows(rows.series, rows.time_ms, rows.value, rows.flag)
        return self.domain.step_many(
            self.state, self.view, Stretch(columns, frame, self.lane.history)
        )

    def take_many(self, rows: Chunk, state: Any) -> None:
        """Unremarkable fresh rows of several frames, with the domain's state after them."""
        self.state = state
        self.lane.accept(rows)
        self.lane.open_touched(rows)
        self.quality.accept(rows)

    def read_along(self, rows: Chunk, reflagged: Chunk, now_ms: int, position: int) -> Taken:
        """Accepted rows of another domain, and flags that it changed. Nothing is stored here."""
        sifted = self.lane.sift(self.lane.on_time(rows))
        outputs = self._step(sifted.new, sifted, now_ms, position)
        own = self._reflag(outputs.flags) if outputs.flags else EMPTY
        foreign = self.lane.reflag(reflagged.series, reflagged.time_ms, reflagged.flag)
        flag = sifted.new.flag
        return Taken(sifted, Judged([], [], []), outputs, flag, join([own, foreign]))

    def _step(self, new: Chunk, sifted: Sifted, now_ms: int, position: int) -> Outputs:
        if self.domain.step is None or not len(new):
            return Outputs()
        rows = Rows(new.series, new.time_ms, new.value, new.flag)
        batch = Batch(now_ms, position, rows, sifted.fresh, self.lane.history)
        self.state, outputs = self.domain.step(self.state, self.view, batch)
        return outputs

    def _reflag(self, changes: list[FlagChange]) -> Chunk:
        return self.lane.reflag(
            np.array([c.series for c in changes], np.int32),
            np.array([c.time_ms for c in changes], np.int64),
            np.array([c.flag for c in changes], np.int8),
        )

    # the watermark ------------------------------------------------------------------------------

    def close(self, now_ms: int, position: int) -> list[Passed]:
        """Everything that ends at or before the watermark, in order."""
        lane, mark = self.lane, self.lane.state.watermark.value_ms
        found: list[Passed] = []
        base_ms = lane.sizes[0] * 1000
        for start in lane.base_starts(mark):
            closed, rows = lane.close_base(start)
            lane.state.closed_ms = start + base_ms
            self.looking.see(closed)
            again = self._look(closed, found)
            if len(again):
                before = again.take(np.flatnonzero(again.time_ms < start))
                found += self.revise(before, now_ms, position)
                closed, rows = lane.close_base(start)
            found.append(Passed(closed=closed))
            if lane.sizes[0] == 3600:
                lane.put_hour(closed)
            told, reflagged = self._call_close(start, rows, now_ms, position, revised=False)
            found += told
            if len(reflagged):
                windows = lane.revise(reflagged)
                self._put_hours(windows)
                found += self._tell_revised(windows)
            if lane.sizes[0] == 3600:
                found += self._hour(closed)
        lane.state.closed_ms = max(lane.state.closed_ms, mark)
        for closed in lane.close_longer(mark):
            again = self._look(closed, found)
            if len(again):
                found += self.revise(again, now_ms, position)
                closed = lane.close_again(closed.size_s, closed.start_ms)
            found.append(Passed(closed=replace(closed, rows=EMPTY)))
            if closed.size_s == 3600:
                lane.put_hour(closed)
                found += self._hour(closed)
        for day in sorted(d for d in lane.state.open_days if d + DAY_MS <= mark):
            lane.state.open_days.remove(day)
            matrix = lane.matrix(day)
            found.append(Passed(outputs=Outputs(tickets=self.looking.watch.day(matrix))))
            found += self._day(day)
            found.append(Passed(health=self.looking.health(matrix), start_ms=day))
        lane.forget()
        self.looking.forget()
        self.learnt.forget(lane.oldest_day())
        return found

    def _look(self, closed: Closed, found: list[Passed]) -> Chunk:
        """What the watch says of a closed window, added to `found`; the rows flagged by it."""
        looked = self.looking.look(closed)
        if looked is None:
            return EMPTY
        outputs = Outputs(tickets=looked.tickets)
        found.append(Passed(outputs=outputs, reflagged=looked.rows, doubted=looked.suspects))
        return looked.rows

    def revise(self, rows: Chunk, now_ms: int, position: int) -> list[Passed]:
        """Changed rows of closed windows: those windows, hours and days again.

        The domain sees the revised periods first: flags that it changes revise windows too, so
        that windows are told once, as they are in the end.
        """
        lane, base_ms = self.lane, self.lane.sizes[0] * 1000
        windows = lane.revise(rows)
        self._put_hours(windows)
        found: list[Passed] = []
        changed = [rows]
        for start in [c.start_ms for c in windows if c.size_s * 1000 == base_ms]:
            told, reflagged = self._call_close(start, None, now_ms, position, revised=True)
            found += told
            if len(reflagged):
                changed.append(reflagged)
        if len(changed) > 1:
            windows = lane.revise(join(changed))
            self._put_hours(windows)
        return found + self._tell_revised(windows)

    def _put_hours(self, windows: list[Closed]) -> None:
        for closed in windows:
            if closed.size_s == 3600:
                self.lane.put_hour(closed)

    def _tell_revised(self, windows: list[Closed]) -> list[Passed]:
        """Revised windows, every closed hour with data from the first revised one to the end of
        its day (an hour may depend on earlier ones), then the day."""
        lane, found = self.lane, [Passed(closed=c) for c in windows]
        first: dict[int, int] = {}
        for closed in windows:
            if closed.size_s == 3600:
                day = lane.day_of(closed.start_ms)
                first[day] = min(first.get(day, closed.start_ms), closed.start_ms)
            if closed.size_s == lane.sizes[0]:
                self.looking.see(closed)
        for day in sorted(first):
            if self.domain.hourly is not None:
                matrix = lane.matrix(day)
                heard = (matrix.n + matrix.bad).sum(axis=0) > 0
                for start in range(first[day], day + DAY_MS, HOUR_MS):
                    hour = (start - day) // HOUR_MS
                    if heard[hour] and start + HOUR_MS <= lane.state.closed_ms:
                        found += self._derive_hour(matrix, day, hour)
            if day not in lane.state.open_days and day + DAY_MS <= lane.state.closed_ms:
                found += self._day(day)
                touched = np.concatenate([c.windows.series for c in windows])
                health = self.looking.health(lane.matrix(day), touched)
                found.append(Passed(health=health, start_ms=day))
        return found

    def _call_close(
        self, start_ms: int, rows: Chunk | None, now_ms: int, position: int, revised: bool
    ) -> tuple[list[Passed], Chunk]:
        """The domain's answer to a closed base window, and the rows that it flagged anew."""
        lane, end_ms = self.lane, start_ms + self.lane.sizes[0] * 1000
        if self.domain.close is None:
            return [], EMPTY
        if rows is None:
            rows = lane.history.chunk_between(None, start_ms, end_ms)
        hourly = lane.sizes[0] >= 3600
        closing = Closing(
            start_ms=start_ms,
            end_ms=end_ms,
            decided_ms=now_ms,
            position=position,
            rows=Rows(rows.series, rows.time_ms, rows.value, rows.flag),
            history=lane.history,
            revised=revised,
            closed_ms=lane.state.closed_ms,
            day=lane.matrix(lane.day_of(start_ms)) if hourly else None,
        )
        self.state, outputs = self.domain.close(self.state, self.view, closing)
        self.learnt.note(outputs.results)
        reflagged = self._reflag(outputs.flags) if outputs.flags else EMPTY
        return [Passed(outputs=outputs, reflagged=reflagged)], reflagged

    def _hour(self, closed: Closed) -> list[Passed]:
        day = self.lane.day_of(closed.start_ms)
        if day not in self.lane.state.open_days:
            self.lane.state.open_days.append(day)
        if self.domain.hourly is None:
            return []
        hour = (closed.start_ms - day) // HOUR_MS
        return self._derive_hour(self.lane.matrix(day), day, hour)

    def _derive_hour(self, matrix: HourMatrix, day: int, hour: int) -> list[Passed]:
        if self.domain.hourly is None:
            return []
        derived = self.domain.hourly(self.learnt.view_for(self.view, day), matrix, hour)
        return [Passed(derived=derived, period="hour", start_ms=day + hour * HOUR_MS)]

    def _day(self, day: int) -> list[Passed]:
        if self.domain.daily is None:
            return []
        derived = self.domain.daily(self.learnt.view_for(self.view, day), self.lane.matrix(day))
        return [Passed(derived=derived, period="day", start_ms=day)]

    def note_newest(self, time_ms: int) -> None:
        """Rows of the domain's own properties came, the newest of this time."""
        self.newest_ms = max(self.newest_ms, time_ms)

    def _newest(self) -> int:
        own = self.view.series_property < self.own
        return int(self.lane.state.newest_ms[own].max(initial=NEVER))

    # checkpoint -------------------------------------------------------------------------------

    def snapshot(self) -> LaneWorkState:
        held = None if self.domain.state_type is None else state_bytes.dump(self.state)
        watch, presence = self.looking.watch.state, self.looking.presence.state
        told = self.learnt.told
        return LaneWorkState(self.lane.state, self.quality.state, held, watch, presence, told)

    def restore(self, held: LaneWorkState) -> None:
        self.lane.restore(held.lane)
        self.newest_ms = self._newest()
        self.quality.state = held.quality
        self.learnt.told = held.learnt
        if held.watch is not None and held.presence is not None:
            self.looking.restore(held.watch, held.presence)
        if self.domain.state_type is not None and held.domain is not None:
            self.state = state_bytes.restore(held.domain, self.domain.state_type)


def _apply(changes: list[FlagChange], rows: Chunk) -> None:
    for change in changes:
        hit = (rows.series == change.series) & (rows.time_ms == change.time_ms)
        rows.flag[hit] = np.maximum(rows.flag[hit], np.int8(change.flag))


def _without(rows: Chunk, new: Chunk) -> Chunk:
    """Rows that are not among the new ones: those carry their final flag already."""
    known = set(zip(new.series.tolist(), new.time_ms.tolist(), strict=True))
    pairs = zip(rows.series.tolist(), rows.time_ms.tolist(), strict=True)
    return rows.take(np.array([i for i, p in enumerate(pairs) if p not in known], np.int64))
