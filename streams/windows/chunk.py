"""Accepted rows as columns, and the bytes in which a checkpoint keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.contracts.frame import Int8, Int32, Int64

HEAD_BYTES, COLUMNS = 24, 5
WIDTHS = (1, 2, 4, 8)
STEPPED = 0x80  # of a column's width: base and step come before it


@dataclass(slots=True, eq=False)
class Chunk:
    """Columns of accepted rows; `position` is the log offset of each row's frame."""

    series: Int32
    time_ms: Int64
    value: Int64
    flag: Int8
    position: Int64

    def __len__(self) -> int:
        return len(self.series)

    def take(self, index: Int64) -> Chunk:
        return Chunk(
            self.series[index],
            self.time_ms[index],
            self.value[index],
            self.flag[index],
            self.position[index],
        )

    def part(self, low: int, high: int) -> Chunk:
        """Consecutive rows, not copied."""
        return Chunk(
            self.series[low:high],
            self.time_ms[low:high],
            self.value[low:high],
            self.flag[low:high],
            self.position[low:high],
        )


def join(chunks: list[Chunk]) -> Chunk:
    """The rows of several chunks, in order."""
    if len(chunks) == 1:
        return chunks[0]
    if not chunks:
        return EMPTY
    return Chunk(
        np.concatenate([c.series for c in chunks]),
        np.concatenate([c.time_ms for c in chunks]),
        np.concatenate([c.value for c in chunks]),
        np.concatenate([c.flag for c in chunks]),
        np.concatenate([c.position for c in chunks]),
    )


EMPTY = Chunk(
    np.empty(0, np.int32),
    np.empty(0, np.int64),
    np.empty(0, np.int64),
    np.empty(0, np.int8),
    np.empty(0, np.int64),
)


def pack(chunk: Chunk) -> bytes:
    """A checkpoint segment, little-endian: count, least time and position, widths of the columns;
    then the columns, each as base, step, and how many steps beyond the base every value is, in as
    few bytes as it takes: none where all are the same.
    """
    head = np.array([len(chunk), chunk.time_ms.min(), chunk.position.min()], "<i8").tobytes()
    columns = (
        _steps(chunk.series),
        _steps(chunk.time_ms, int(np.gcd.reduce(chunk.time_ms - chunk.time_ms[0]))),
        _steps(chunk.value),
        _steps(chunk.flag),
        _steps(chunk.position),
    )
    widths = bytes(STEPPED | width for width, _ in columns)
    return head + widths + b"".join(content for _, content in columns)


def unpack(content: bytes) -> Chunk:
    """The reverse of `pack`; also of segments that were written before columns had steps."""
    count, time_base, position_base = np.frombuffer(content, "<i8", 3).tolist()
    bases = (0, time_base, 0, 0, position_base)
    at = HEAD_BYTES + COLUMNS
    columns: list[Int64] = []
    for told, old_base in zip(content[HEAD_BYTES:at], bases, strict=True):
        width, base, step, kind = told & ~STEPPED, old_base, 1, "i"
        if told & STEPPED:
            base, step = np.frombuffer(content, "<i8", 2, at).tolist()
            at, kind = at + 16, "u"
        if not width:
            columns.append(np.full(count, base, np.int64))
            continue
        steps = np.frombuffer(content, f"<{kind}{width}", count, at).astype(np.int64)
        columns.append(steps * step + base if step != 1 else steps + base)
        at += width * count
    series, time_ms, value, flag, position = columns
    return Chunk(series.astype(np.int32), time_ms, value, flag.astype(np.int8), position)


def first_ms(content: bytes) -> int:
    """The least time in a segment, without unpacking it."""
    return int(np.frombuffer(content, "<i8", 1, 8)[0])


def _steps(column: NDArray[np.signedinteger[Any]], step: int = 1) -> tuple[int, bytes]:
    """Width in bytes of what follows, which is base, step and the steps beyond the base."""
    low, high = int(column.min()), int(column.max())
    head = np.array([low, step or 1], "<i8").tobytes()
    if low == high:
        return 0, head
    width = next(w for w in WIDTHS if (high - low) // step < 1 << 8 * w)
    steps = (column.astype(np.int64) - low) // step
    return width, head + steps.astype(f"<u{width}").tobytes()
