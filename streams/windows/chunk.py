"""Accepted rows as columns, and the bytes in which a checkpoint keeps them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.contracts.frame import Int8, Int32, Int64

HEAD_BYTES, COLUMNS = 24, 5
WIDTHS = (np.int8, np.int16, np.int32)


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
    """A checkpoint segment: count, least time and position, width of each column, then the columns,
    each in as few bytes a value as it takes. Little-endian.
    """
    base = (int(chunk.time_ms.min()), int(chunk.position.min()))
    columns = (
        _narrow(chunk.series),
        _narrow(chunk.time_ms - base[0]),
        _narrow(chunk.value),
        _narrow(chunk.flag),
        _narrow(chunk.position - base[1]),
    )
    head = np.array([len(chunk), base[0], base[1]], "<i8").tobytes()
    kinds = bytes(c.dtype.itemsize for c in columns)
    return head + kinds + b"".join(c.tobytes() for c in columns)


def unpack(content: bytes) -> Chunk:
    """The reverse of `pack`."""
    count, time_base, position_base = np.frombuffer(content, "<i8", 3).tolist()
    at = HEAD_BYTES + COLUMNS
    columns = []
    for size in content[HEAD_BYTES:at]:
        columns.append(np.frombuffer(content, f"<i{size}", count, at))
        at += size * count
    series, time_ms, value, flag, position = columns
    return Chunk(
        series.astype(np.int32),
        time_ms.astype(np.int64) + time_base,
        value.astype(np.int64),
        flag.astype(np.int8),
        position.astype(np.int64) + position_base,
    )


def first_ms(content: bytes) -> int:
    """The least time in a segment, without unpacking it."""
    return int(np.frombuffer(content, "<i8", 1, 8)[0])


def _narrow(column: NDArray[np.signedinteger]) -> NDArray[np.signedinteger]:
    low, high = int(column.min()), int(column.max())
    for width in WIDTHS:
        limit = np.iinfo(width)
        if limit.min <= low and high <= limit.max:
            return column.astype(np.dtype(width).newbyteorder("<"))
    return column.astype("<i8")
