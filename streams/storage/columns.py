"""Columns of numpy arrays as PostgreSQL's binary COPY, without a Python loop over rows.

One structured array holds the whole message: the field count, each field's length and each value,
big-endian, as in "Binary Format" of the COPY reference. No nulls.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, LiteralString

import numpy as np
from numpy.typing import NDArray

from streams.storage.connect import Cursor

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
EPOCH_2000_MS = 946_684_800_000  # timestamptz counts microseconds from 2000-01-01 UTC
FORMATS = {"int2": ">i2", "int4": ">i4", "int8": ">i8", "timestamptz": ">i8"}

Column = tuple[str, NDArray[Any]]  # type in PostgreSQL, values (timestamptz: epoch ms)


def binary_rows(columns: Sequence[Column]) -> memoryview:
    """The rows of equally long columns, without header and trailer.

    Raises `OverflowError` when a value does not fit its type.
    """
    rows = np.empty(len(columns[0][1]), _layout(tuple(kind for kind, _ in columns)))
    rows["count"] = len(columns)
    for number, (kind, values) in enumerate(columns):
        rows[f"length{number}"] = np.dtype(FORMATS[kind]).itemsize
        rows[f"value{number}"] = _stored(kind, values)
    return rows.view(np.uint8).data


def copy_columns(cursor: Cursor, statement: LiteralString, columns: Sequence[Column]) -> None:
    """Runs `copy … from stdin (format binary)` with these columns; nothing when they are empty."""
    if not len(columns[0][1]):
        return
    with cursor.copy(statement) as copy:
        copy.write(HEADER)
        copy.write(binary_rows(columns))
        copy.write(TRAILER)


def _stored(kind: str, values: NDArray[Any]) -> NDArray[Any]:
    if kind == "timestamptz":
        return (values - EPOCH_2000_MS) * 1000
    wanted = np.dtype(FORMATS[kind])
    if len(values) and values.dtype.itemsize > wanted.itemsize:
        limits = np.iinfo(wanted)
        if values.min() < limits.min or values.max() > limits.max:
            raise OverflowError(f"a value does not fit {kind}")
    return values


@lru_cache(maxsize=32)
def _layout(kinds: tuple[str, ...]) -> np.dtype[np.void]:
    fields: list[tuple[str, str]] = [("count", ">i2")]
    for number, kind in enumerate(kinds):
        fields += [(f"length{number}", ">i4"), (f"value{number}", FORMATS[kind])]
    return np.dtype(fields)
