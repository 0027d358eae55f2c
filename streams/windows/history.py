"""The accepted readings of one area and domain within the horizon: exact, bounded, by time buckets.

It answers "is this reading known?" for rows that are not newer than all others of their series,
and gives the rows of a period in order. The newest value of an identity wins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from streams.contracts.domain import Rows
from streams.contracts.frame import Int32, Int64
from streams.windows.chunk import EMPTY, Chunk, first_ms, join, unpack
from streams.windows.cold import Narrow, narrow

WARM = 10  # buckets: of a minute, what windows of five minutes are made from and a minute's delay
SPLIT = 2  # a segment of a checkpoint over more buckets is unpacked when it comes back
SERIES_SHIFT = 42  # epoch ms < 2**42 until 2109; up to 2**21 series in an area


def identity_key(series: Int32, time_ms: Int64) -> Int64:
    """(series, time) as one sortable integer."""
    return (series.astype(np.int64) << SERIES_SHIFT) | time_ms


@dataclass(frozen=True, slots=True, eq=False)
class _Cold:
    """A merged chunk, kept small."""

    count: int
    series: Narrow
    time_ms: Narrow
    value: Narrow
    flag: Narrow
    position: Narrow

    @staticmethod
    def of(chunk: Chunk) -> _Cold:
        return _Cold(
            len(chunk),
            narrow(chunk.series),
            narrow(chunk.time_ms),
            narrow(chunk.value),
            narrow(chunk.flag),
            narrow(chunk.position),
        )

    def chunk(self) -> Chunk:
        return Chunk(
            self.series.wide(self.count).astype(np.int32),
            self.time_ms.wide(self.count),
            self.value.wide(self.count),
            self.flag.wide(self.count).astype(np.int8),
            self.position.wide(self.count),
        )


class _Bucket:
    """Rows of one stretch of time; merged (sorted by identity, last wins) only when asked.

    A cold one is read without being warmed; rows that are added warm it. Segments of a checkpoint
    stay packed until then: of a full horizon, most are never asked.
    """

    __slots__ = ("_cold", "_high_ms", "_keys", "_loose", "_low_ms")

    def __init__(self, low_ms: int, high_ms: int) -> None:
        self._low_ms, self._high_ms = low_ms, high_ms
        self._loose: list[Chunk | bytes] = []
        self._keys: Int64 | None = None
        self._cold: _Cold | None = None

    def add(self, rows: Chunk | bytes) -> None:
        """Rows of this stretch, or a segment of which only the rows of this stretch count."""
        if self._cold is not None:
            self._loose, self._cold = [self._cold.chunk()], None
        self._loose.append(rows)
        self._keys = None

    def merged(self) -> tuple[Int64, Chunk]:
        if self._cold is not None:
            whole = self._cold.chunk()
            return identity_key(whole.series, whole.time_ms), whole
        if self._keys is not None:
            return self._keys, self._rows(self._loose[0])
        whole = join([self._rows(one) for one in self._loose])
        keys = identity_key(whole.series, whole.time_ms)
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        last = np.ones(len(keys), np.bool_)
        last[:-1] = keys[1:] != keys[:-1]
        whole = whole.take(order[last])
        self._loose, self._keys = [whole], keys[last]
        return self._keys, whole

    def cool(self) -> None:
        """Keeps it small; what is packed is small already."""
        if self._cold is None and all(isinstance(one, Chunk) for one in self._loose):
            self._cold = _Cold.of(self.merged()[1])
            self._loose, self._keys = [], None

    def _rows(self, one: Chunk | bytes) -> Chunk:
        if isinstance(one, Chunk):
            return one
        whole = unpack(one)
        inside = (whole.time_ms >= self._low_ms) & (whole.time_ms < self._high_ms)
        return whole if inside.all() else whole.take(np.flatnonzero(inside))


class History:
    """See the module. `unsaved` collects what the next checkpoint must append.

    Buckets older than the newest `warm` are kept small: they are seldom asked, and are most of it.
    """

    def __init__(self, bucket_ms: int, warm: int = WARM) -> None:
        self.bucket_ms = bucket_ms
        self._warm = warm
        self._buckets: dict[int, _Bucket] = {}
        self.unsaved: list[Chunk] = []

    def add(self, chunk: Chunk) -> None:
        """Takes rows that are new, or that replace known ones of the same identity."""
        self._place(chunk)
        self.unsaved.append(chunk)

    def find(self, series: Int32, time_ms: Int64) -> Chunk:
        """What is known of these identities; rows unknown come back with position -1."""
        value = np.zeros(len(series), np.int64)
        flag = np.zeros(len(series), np.int8)
        position = np.full(len(series), -1, np.int64)
        for bucket, rows in self._split(time_ms):
            held = self._buckets.get(bucket)
            if held is None:
                continue
            keys, known = held.merged()
            wanted = identity_key(series[rows], time_ms[rows])
            at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            hit = keys[at] == wanted
            rows, at = rows[hit], at[hit]
            value[rows], flag[rows] = known.value[at], known.flag[at]
            position[rows] = known.position[at]
        return Chunk(series, time_ms, value, flag, position)

    def between(self, series: Int32 | None, start_ms: int, end_ms: int) -> Rows:
        """Rows with start <= time < end, of these series (None = all), by (series, time)."""
        found = self.chunk_between(series, start_ms, end_ms)
        return Rows(found.series, found.time_ms, found.value, found.flag)

    def chunk_between(self, series: Int32 | None, start_ms: int, end_ms: int) -> Chunk:
        """As `between`, with positions."""
        first, last = start_ms // self.bucket_ms, (end_ms - 1) // self.bucket_ms
        if last - first > len(self._buckets):
            numbers = sorted(b for b in self._buckets if first <= b <= last)
        else:
            numbers = [b for b in range(first, last + 1) if b in self._buckets]
        parts = []
        for number in numbers:
            keys, chunk = self._buckets[number].merged()
            if series is not None:
                chunk = _slices(keys, chunk, series, start_ms, end_ms)
            elif not (first < number < last or self._covers(number, start_ms, end_ms)):
                keep = (chunk.time_ms >= start_ms) & (chunk.time_ms < end_ms)
                chunk = chunk.take(np.flatnonzero(keep))
            if len(chunk):
                parts.append(chunk)
        if len(parts) < 2:
            return parts[0] if parts else EMPTY
        rows = join(parts)
        return rows.take(np.argsort(identity_key(rows.series, rows.time_ms), kind="stable"))

    def starts(self, start_ms: int, end_ms: int) -> list[int]:
        """Starts of the buckets in [start, end) that hold rows, ascending."""
        size = self.bucket_ms
        return sorted(b * size for b in self._buckets if start_ms <= b * size < end_ms)

    def forget(self, before_ms: int) -> None:
        """Drops whole buckets that end at or before the time."""
        for number in [b for b in self._buckets if (b + 1) * self.bucket_ms <= before_ms]:
            del self._buckets[number]

    def restore(self, segment: bytes, newest_ms: int) -> None:
        """Puts back a segment of a checkpoint, whose newest row is given; in their order."""
        first, last = first_ms(segment) // self.bucket_ms, newest_ms // self.bucket_ms
        if last - first >= SPLIT:  # a bucket between them may have no row of it
            self._place(unpack(segment))
            return
        for number in range(first, last + 1):
            self._bucket(number).add(segment)

    def _place(self, chunk: Chunk) -> None:
        for number, rows in self._split(chunk.time_ms):
            self._bucket(number).add(chunk if len(rows) == len(chunk) else chunk.take(rows))

    def _bucket(self, number: int) -> _Bucket:
        held = self._buckets.get(number)
        if held is None:
            self._cool()
            low = number * self.bucket_ms
            held = self._buckets[number] = _Bucket(low, low + self.bucket_ms)
        return held

    def _cool(self) -> None:
        newest = max(self._buckets, default=0)
        for number, held in self._buckets.items():
            if number <= newest - self._warm:
                held.cool()

    def _split(self, time_ms: Int64) -> Iterator[tuple[int, Int64]]:
        if not len(time_ms):
            return
        numbers = time_ms // self.bucket_ms
        first = int(numbers[0])
        if (numbers == first).all():
            yield first, np.arange(len(time_ms))
            return
        for number in np.unique(numbers).tolist():
            yield number, np.flatnonzero(numbers == number)

    def _covers(self, number: int, start_ms: int, end_ms: int) -> bool:
        return start_ms <= number * self.bucket_ms and (number + 1) * self.bucket_ms <= end_ms


def _slices(keys: Int64, chunk: Chunk, series: Int32, start_ms: int, end_ms: int) -> Chunk:
    """The rows of some series (ascending) in a merged bucket, by bisection."""
    base = series.astype(np.int64) << SERIES_SHIFT
    low = np.searchsorted(keys, base | start_ms)
    high = np.searchsorted(keys, base | end_ms)
    if len(low) == 1:
        return chunk.part(int(low[0]), int(high[0]))
    count = high - low
    skip = np.repeat(low - np.append(0, np.cumsum(count)[:-1]), count)
    return chunk.take(skip + np.arange(len(skip)))
