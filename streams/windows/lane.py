"""One area and domain: which readings are new, what its windows are, how far its time has come.

`sift` parts the rows of a frame into late candidates, duplicates, revisions and new rows;
`advance` closes windows behind the watermark. No judging here: quality, domains and alerts follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from streams.contracts.domain import AreaView, Domain, HourMatrix, day_start, empty_matrix
from streams.contracts.frame import Bool, Int8, Int16, Int32, Int64
from streams.windows.aggregate import Aggregate, aggregate
from streams.windows.chunk import EMPTY, Chunk, join
from streams.windows.history import History, identity_key
from streams.windows.watermark import NEVER, Watermark

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
KEEP_MS = HOUR_MS  # beyond the horizon, so that every window of a row inside it can be rebuilt


@dataclass(slots=True)
class Day:
    """Hour windows of an area-day, arrays (S, 24)."""

    n: Int64
    bad: Int64
    total: Int64
    low: Int64
    high: Int64


@dataclass(slots=True)
class LaneState:
    """What a checkpoint keeps of a lane, besides days and history segments."""

    keys: list[tuple[int, int]]  # (sensor id, property index) of every series
    newest_ms: Int64  # (S,) event time of the newest reading, NEVER = none
    newest_value: Int64
    newest_flag: Int8
    watermark: Watermark
    closed_ms: int = NEVER
    open_windows: dict[int, list[int]] = field(default_factory=dict)  # size_s -> starts with data
    open_days: list[int] = field(default_factory=list)
    late_days: list[int] = field(default_factory=list)
    segments: list[tuple[int, int]] = field(default_factory=list)  # (number, newest event time)
    next_segment: int = 0
    horizon_ms: int = NEVER  # as read when the lane began; NEVER = an older checkpoint
    zone_ms: int = NEVER


@dataclass(frozen=True, slots=True, eq=False)
class Sifted:
    """`new` rows sorted by (series, time) with their `fresh` marks; the rest by kind."""

    new: Chunk
    fresh: Bool
    late: Chunk
    duplicates: int
    revised: Chunk  # the new value
    replaced: Chunk  # the old one, same rows


@dataclass(frozen=True, slots=True, eq=False)
class Closed:
    """A window of all its series that is closed now, or `revised` for some of them.

    `rows` are what it was made from.
    """

    size_s: int
    start_ms: int
    windows: Aggregate
    revised: bool
    rows: Chunk = EMPTY


class Lane:
    """See the module."""

    def __init__(
        self, domain: Domain, view: AreaView, delay_ms: int, horizon_ms: int, zone_ms: int
    ) -> None:
        self.domain = domain
        self.horizon_ms = horizon_ms
        self.zone_ms = zone_ms
        self.sizes = tuple(sorted({w for p in domain.properties for w in p.windows_s}))
        self.history = History(domain.timing.bucket_s * 1000)
        self.days: dict[int, Day] = {}
        self.dirty_days: set[int] = set()
        self.dropped_days: set[int] = set()
        idle_s = max(300, 3 * max(p.report_s for p in domain.properties))
        self.state = LaneState(
            keys=[],
            newest_ms=np.empty(0, np.int64),
            newest_value=np.empty(0, np.int64),
            newest_flag=np.empty(0, np.int8),
            watermark=Watermark(delay_ms, max(idle_s * 1000, delay_ms)),
            horizon_ms=horizon_ms,
            zone_ms=zone_ms,
        )
        self.fit(view)

    def fit(self, view: AreaView) -> None:
        """Adapts the per-series columns to a (grown) view."""
        self.view = view
        props = self.domain.properties
        of = view.series_property
        self.interval_ms = _column([p.interval_s * 1000 for p in props], of)
        sizes = [[size in p.windows_s for p in props] for size in self.sizes]
        self.windowed: dict[int, Bool] = {
            size: np.array(sizes[i], np.bool_)[of] for i, size in enumerate(self.sizes)
        }
        state, more = self.state, len(of) - len(self.state.newest_ms)
        state.newest_ms = np.append(state.newest_ms, np.full(more, NEVER))
        state.newest_value = np.append(state.newest_value, np.zeros(more, np.int64))
        state.newest_flag = np.append(state.newest_flag, np.zeros(more, np.int8))
        state.keys = list(zip(view.series_sensor.tolist(), of.tolist(), strict=True))

    def restore(self, state: LaneState) -> None:
        """From a checkpoint. Its horizon and zone hold, whatever the profile has become since."""
        if state.horizon_ms == NEVER:
            state.horizon_ms, state.zone_ms = self.horizon_ms, self.zone_ms
        self.state = state
        self.horizon_ms, self.zone_ms = state.horizon_ms, state.zone_ms

    # readings ---------------------------------------------------------------------------------

    def sift(self, rows: Chunk) -> Sifted:
        """Parts the resolved rows of one frame; takes new and revised ones into the history."""
        late_rows, rows = self._split_late(rows)
        order = np.argsort(identity_key(rows.series, rows.time_ms), kind="stable")
        rows = rows.take(order)
        keys = identity_key(rows.series, rows.time_ms)
        again = np.zeros(len(keys), np.bool_)
        again[1:] = keys[1:] == keys[:-1]
        if not again.any():
            return self._take(rows, late_rows)
        first = self._take(rows.take(np.flatnonzero(~again)), late_rows)
        rest = rows.take(np.flatnonzero(again))
        duplicates, revised, replaced = first.duplicates, [first.revised], [first.replaced]
        while len(rest):  # the same identity several times in one frame: in their order
            keys = identity_key(rest.series, rest.time_ms)
            again = np.zeros(len(keys), np.bool_)
            again[1:] = keys[1:] == keys[:-1]
            one = self._take(rest.take(np.flatnonzero(~again)), late_rows)
            duplicates += one.duplicates
            revised.append(one.revised)
            replaced.append(one.replaced)
            rest = rest.take(np.flatnonzero(again))
        return Sifted(first.new, first.fresh, late_rows, duplicates, join(revised), join(replaced))

    def accept(self, rows: Chunk) -> None:
        """Rows by (series, time) that are known to be new, in time and newer than all before."""
        self.history.add(rows)
        self._remember_newest(rows, np.ones(len(rows), np.bool_))

    def _split_late(self, rows: Chunk) -> tuple[Chunk, Chunk]:
        border = self.state.watermark.value_ms - self.horizon_ms
        late = rows.time_ms + self.interval_ms[rows.series] <= border
        if not late.any():
            return rows.take(np.empty(0, np.int64)), rows
        found = rows.take(np.flatnonzero(late))
        self.note_late(found.time_ms)
        return found, rows.take(np.flatnonzero(~late))

    def on_time(self, rows: Chunk) -> Chunk:
        """The rows that are not late here."""
        border = self.state.watermark.value_ms - self.horizon_ms
        return rows.take(np.flatnonzero(rows.time_ms + self.interval_ms[rows.series] > border))

    def note_late(self, time_ms: Int64) -> None:
        """Rows of these times go past this memory: their days are known better by the store."""
        days = {self.day_of(int(t)) for t in np.unique(time_ms // HOUR_MS * HOUR_MS)}
        self.state.late_days = sorted(set(self.state.late_days) | days)

    def late_days(self, from_ms: int, to_ms: int) -> list[int]:
        """Late days of which the watermark passes some part on its way from one time to another."""
        return [d for d in self.state.late_days if d < to_ms and d + DAY_MS > from_ms]

    def _take(self, rows: Chunk, late_rows: Chunk) -> Sifted:
        newest = self.state.newest_ms[rows.series]
        fresh = rows.time_ms > newest
        if fresh.all():
            new, nothing = rows, rows.take(np.empty(0, np.int64))
            result = Sifted(new, fresh, late_rows, 0, nothing, nothing)
        else:
            result = self._compare(rows, fresh, late_rows)
        if len(result.new):
            self.history.add(result.new)
            self._remember_newest(result.new, result.fresh)
        if len(result.revised):
            self.history.add(result.revised)
            self._revise_newest(result.revised)
        return result

    def _compare(self, rows: Chunk, fresh: Bool, late_rows: Chunk) -> Sifted:
        old = np.flatnonzero(~fresh)
        known = self.history.find(rows.series[old], rows.time_ms[old])
        unknown = known.position < 0
        same = ~unknown & (known.value == rows.value[old])
        changed = np.flatnonzero(~unknown & ~same)
        is_new = fresh.copy()
        is_new[old[unknown]] = True
        keep = np.flatnonzero(is_new)
        return Sifted(
            rows.take(keep),
            fresh[keep],
            late_rows,
            int(same.sum()),
            rows.take(old[changed]),
            known.take(changed),
        )

    def _remember_newest(self, rows: Chunk, fresh: Bool) -> None:
        last = np.ones(len(rows), np.bool_)
        last[:-1] = rows.series[1:] != rows.series[:-1]
        last &= fresh  # sorted by time: a group's last row is fresh or none of it is
        at = rows.series[last]
        self.state.newest_ms[at] = rows.time_ms[last]
        self.state.newest_value[at] = rows.value[last]
        self.state.newest_flag[at] = rows.flag[last]

    def _revise_newest(self, rows: Chunk) -> None:
        hit = self.state.newest_ms[rows.series] == rows.time_ms
        self.state.newest_value[rows.series[hit]] = rows.value[hit]
        self.state.newest_flag[rows.series[hit]] = rows.flag[hit]

    def reflag(self, series: Int32, time_ms: Int64, flag: Int8) -> Chunk:
        """Changes quality flags of known rows inside the horizon; returns those really changed."""
        known = self.history.find(series, time_ms)
        inside = time_ms + self.interval_ms[series] > (
            self.state.watermark.value_ms - self.horizon_ms
        )
        change = np.flatnonzero((known.position >= 0) & (known.flag != flag) & inside)
        rows = known.take(change)
        rows.flag = flag[change]
        if len(rows):
            self.history.add(rows)
            self._revise_newest(rows)
        return rows

    # windows ----------------------------------------------------------------------------------

    def revise(self, rows: Chunk) -> list[Closed]:
        """The closed windows that these (new or changed) rows touch, rebuilt for their series."""
        if not len(rows):
            return []
        found: list[Closed] = []
        for size in self.sizes:
            size_ms = size * 1000
            start = rows.time_ms // size_ms * size_ms
            behind = start + size_ms <= self.state.closed_ms
            if not behind.any():
                continue
            for begin in np.unique(start[behind]).tolist():
                series = np.unique(rows.series[behind & (start == begin)])
                found.append(self._window(size, begin, series, revised=True))
        return found

    def open_touched(self, rows: Chunk) -> None:
        """Notes which windows and days have data and are not closed yet."""
        closed = self.state.closed_ms
        for size in self.sizes[1:]:
            size_ms = size * 1000
            held = self.state.open_windows.setdefault(size, [])
            first, last = int(rows.time_ms.min()) // size_ms, int(rows.time_ms.max()) // size_ms
            if first == last:
                starts = [first * size_ms]
            else:
                starts = np.unique(rows.time_ms // size_ms * size_ms).tolist()
            for start in starts:
                if start + size_ms > closed and start not in held:
                    held.append(start)

    def ends_base(self, mark_ms: int) -> bool:
        """Whether a base window ends on the way to this watermark."""
        base_ms = self.sizes[0] * 1000
        return mark_ms // base_ms > self.state.closed_ms // base_ms

    def base_starts(self, until_ms: int) -> list[int]:
        """Starts of base windows with data in (closed, until], ascending."""
        base_ms = self.sizes[0] * 1000
        end = until_ms // base_ms * base_ms
        begin = max(self.state.closed_ms // base_ms * base_ms, -DAY_MS)
        if end <= begin:
            return []
        buckets = self.history.starts(begin // self.history.bucket_ms * self.history.bucket_ms, end)
        if self.history.bucket_ms == base_ms:
            return [b for b in buckets if b >= begin]
        starts: set[int] = set()
        for bucket in buckets:
            low, high = max(bucket, begin), min(bucket + self.history.bucket_ms, end)
            rows = self.history.chunk_between(None, low, high)
            starts.update(np.unique(rows.time_ms // base_ms * base_ms).tolist())
        return sorted(starts)

    def is_window_over(self, mark_ms: int) -> bool:
        """Whether the time crosses an end of a base window that is not closed yet."""
        base_ms = self.sizes[0] * 1000
        return mark_ms // base_ms > self.state.closed_ms // base_ms

    def close_base(self, start_ms: int) -> tuple[Closed, Chunk]:
        """The base window that starts here, with its rows; notes its longer windows as open."""
        base = self.sizes[0]
        rows = self.history.chunk_between(None, start_ms, start_ms + base * 1000)
        windows = aggregate(rows.series, rows.value, rows.flag)
        return Closed(base, start_ms, windows, False, rows), rows

    def close_longer(self, until_ms: int) -> Iterator[Closed]:
        """Longer windows with data that end at or before the time, by size and start.

        Each is made when it is asked for, from the flags that hold then.
        """
        for size in self.sizes[1:]:
            held = self.state.open_windows.get(size, [])
            ready = sorted(s for s in held if s + size * 1000 <= until_ms)
            if ready:
                self.state.open_windows[size] = [s for s in held if s + size * 1000 > until_ms]
            for start in ready:
                yield self.close_again(size, start)

    def close_again(self, size: int, start_ms: int) -> Closed:
        """A window of all its series as the flags are now."""
        return self._window(size, start_ms, None, revised=False)

    def _window(self, size: int, start_ms: int, series: Int32 | None, revised: bool) -> Closed:
        rows = self.history.chunk_between(series, start_ms, start_ms + size * 1000)
        return Closed(size, start_ms, aggregate(rows.series, rows.value, rows.flag), revised, rows)

    # days -------------------------------------------------------------------------------------

    def put_hour(self, closed: Closed) -> tuple[int, int]:
        """Enters an hour window into its day's matrix; gives (day start, hour index)."""
        day = day_start(closed.start_ms, self.zone_ms)
        hour = (closed.start_ms - day) // HOUR_MS
        held = self._day(day)
        at, window = closed.windows.series, closed.windows
        held.n[at, hour], held.bad[at, hour] = window.n, window.bad
        held.total[at, hour] = window.total
        held.low[at, hour], held.high[at, hour] = window.low, window.high
        self.dirty_days.add(day)
        return day, hour

    def matrix(self, day: int) -> HourMatrix:
        """The day's hour windows, as copies (who gets them may keep them)."""
        if day not in self.days:
            return empty_matrix(len(self.state.newest_ms), day)
        held = self._day(day)
        parts = (held.n, held.bad, held.total, held.low, held.high)
        return HourMatrix(day, *(p.copy() for p in parts))

    def day_of(self, time_ms: int) -> int:
        """Start of the day, in the profile's zone, that contains the time."""
        return day_start(time_ms, self.zone_ms)

    def _day(self, day: int) -> Day:
        count = len(self.state.newest_ms)
        held = self.days.get(day)
        if held is None:
            empty = empty_matrix(count, day)
            held = Day(empty.n, empty.bad, empty.total, empty.low, empty.high)
            self.days[day] = held
        elif len(held.n) < count:
            more = ((0, count - len(held.n)), (0, 0))
            parts = (held.n, held.bad, held.total, held.low, held.high)
            held = self.days[day] = Day(*(np.pad(p, more) for p in parts))
        return held

    def oldest_day(self) -> int:
        """The first day that can still be told anew."""
        border = self.state.watermark.value_ms - self.horizon_ms - KEEP_MS
        return min([self.day_of(border), *self.days, *self.state.open_days])

    def forget(self) -> None:
        """Drops what nothing inside the horizon can touch any more."""
        border = self.state.watermark.value_ms - self.horizon_ms - KEEP_MS
        self.history.forget(border)
        old = [
            d for d in self.days if d + DAY_MS + HOUR_MS <= border and d not in self.state.open_days
        ]
        for day in old:
            del self.days[day]
            self.dirty_days.discard(day)
            self.dropped_days.add(day)
        if self.state.late_days:
            self.state.late_days = [d for d in self.state.late_days if d + DAY_MS > border]


def _column(values: list[int], of: Int16) -> Int64:
    return np.array(values, np.int64)[of]
