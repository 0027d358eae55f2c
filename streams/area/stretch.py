"""Several frames of one domain as one set of columns, and how far that is as good as one by one.

Nothing here changes anything: it only looks. A frame stands apart when a row of it would be
refused, set apart, late, known, out of its series' order, or remarkable to quality: such a frame is
taken alone (streams.area.run says what follows from it).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from streams.area.seat import Seat
from streams.contracts.frame import Bool, Frame, Int8, Int64
from streams.windows.chunk import Chunk
from streams.windows.history import identity_key
from streams.windows.watermark import Watermark

NONE = 1 << 62  # no frame stands apart


@dataclass(frozen=True, slots=True)
class Placed:
    """A frame in a run: its number there, its log offset, the area's processing time with it."""

    number: int
    frame: Frame
    position: int
    proc_ms: int
    identity: int  # of source and id


@dataclass(slots=True, eq=False)
class Columns:
    """Rows in the order of the log, or sorted by (series, time); `number` of each row's frame."""

    seat: Seat
    placed: list[Placed]
    rows: Chunk
    number: Int64
    stands: Bool
    ends_ms: Int64  # of each row's interval

    def before(self, number: int) -> Columns:
        """Without the frames from this number on."""
        placed = [one for one in self.placed if one.number < number]
        if len(placed) == len(self.placed):
            return self
        keep = np.flatnonzero(self.number < number)
        columns = (self.number[keep], self.stands[keep], self.ends_ms[keep])
        return Columns(self.seat, placed, self.rows.take(keep), *columns)

    def proc_ms(self) -> Int64:
        """Processing time of each row's frame."""
        lengths = [len(one.frame) for one in self.placed]
        return np.repeat(np.array([one.proc_ms for one in self.placed], np.int64), lengths)

    def sorted(self) -> Columns:
        """By (series, time); rows of one identity stay in the order of the log."""
        keys = identity_key(self.rows.series, self.rows.time_ms)
        if (keys[1:] > keys[:-1]).all():
            return self
        order = np.argsort(keys, kind="stable")
        columns = (self.number[order], self.stands[order], self.ends_ms[order])
        return Columns(self.seat, self.placed, self.rows.take(order), *columns)


def gather(seat: Seat, placed: list[Placed], future_ms: int) -> Columns:
    """The rows of the frames, as quality grades each by itself."""
    frames = [one.frame for one in placed]
    lengths = [len(frame) for frame in frames]
    series, value, stands = seat.resolver.resolve_many(frames)
    time_ms = np.concatenate([frame.time_ms for frame in frames])
    ends_ms = time_ms + seat.work.lane.interval_ms[series]
    ahead_ms = np.array([frame.ingest_ms + future_ms for frame in frames], np.int64)
    stands &= ends_ms <= np.repeat(ahead_ms, lengths)
    position = np.repeat(np.array([one.position for one in placed], np.int64), lengths)
    number = np.repeat(np.array([one.number for one in placed], np.int64), lengths)
    rows = Chunk(series, time_ms, value, np.zeros(len(series), np.int8), position)
    rows.flag = seat.work.quality.grade(rows, _source_flags(frames))
    seat.work.looking.watch.hold(rows)
    return Columns(seat, placed, rows, number, stands, ends_ms)


def first_refused(columns: Columns, mute: Bool) -> int:
    """The first frame with a row that does not stand, or of a sensor that was mute until then."""
    back = mute[columns.seat.devices[columns.rows.series]]
    return _first(columns, back | ~columns.stands)


def first_past(columns: Columns) -> int:
    """Where the watermark ends the run: *behind* the first frame that ends a window, or at the
    first one with a row that is late or belongs to a window that is closed."""
    lane = columns.seat.work.lane
    base_ms = lane.sizes[0] * 1000
    closed = lane.state.closed_ms // base_ms
    mark = watermark_of(lane.state.watermark)
    for one, newest, oldest, oldest_end in _times(columns):
        if oldest // base_ms < closed or oldest_end <= mark.value_ms - lane.horizon_ms:
            return one.number
        mark.observe(one.frame.source, newest, one.proc_ms)
        if lane.ends_base(mark.value_ms):
            return one.number + 1
    return NONE


def first_known(columns: Columns) -> int:
    """Sorted columns: the first frame with a row not newer than all before of its series."""
    rows, number = columns.rows, columns.number
    found = _first(columns, rows.time_ms <= columns.seat.work.lane.state.newest_ms[rows.series])
    same = rows.series[1:] == rows.series[:-1]
    wrong = same & ((rows.time_ms[1:] == rows.time_ms[:-1]) | (number[1:] < number[:-1]))
    if wrong.any():
        found = min(found, int(np.maximum(number[1:], number[:-1])[wrong].min()))
    return found


def first_remarkable(columns: Columns) -> int:
    """Sorted columns: the first frame of which quality would say something."""
    return _first(columns, columns.seat.work.quality.remarkable(columns.rows))


def newest_of(columns: Columns) -> Iterator[tuple[Placed, int, int]]:
    """Unsorted columns: every frame with its newest end and its newest event time."""
    starts = _starts(columns)
    ends = np.maximum.reduceat(columns.ends_ms, starts).tolist()
    times = np.maximum.reduceat(columns.rows.time_ms, starts).tolist()
    return zip(columns.placed, ends, times, strict=True)


def watermark_of(held: Watermark) -> Watermark:
    """A copy to try things on."""
    return replace(held, sources={name: replace(c) for name, c in held.sources.items()})


def _times(columns: Columns) -> Iterator[tuple[Placed, int, int, int]]:
    starts, time_ms, ends_ms = _starts(columns), columns.rows.time_ms, columns.ends_ms
    newest = np.maximum.reduceat(ends_ms, starts).tolist()
    oldest = np.minimum.reduceat(time_ms, starts).tolist()
    oldest_end = np.minimum.reduceat(ends_ms, starts).tolist()
    return zip(columns.placed, newest, oldest, oldest_end, strict=True)


def _starts(columns: Columns) -> Int64:
    lengths = [len(one.frame) for one in columns.placed]
    return np.cumsum([0, *lengths[:-1]])


def _first(columns: Columns, apart: Bool) -> int:
    return int(columns.number[apart].min()) if apart.any() else NONE


def _source_flags(frames: Sequence[Frame]) -> Int8 | None:
    if all(frame.flag is None for frame in frames):
        return None
    parts = [np.zeros(len(f), np.int8) if f.flag is None else f.flag for f in frames]
    return np.concatenate(parts)
