"""Rows that are rarely looked at, kept small: each column as its least value and the rest in as few
bytes as it takes. A column that never changes takes none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.contracts.frame import Int64

WIDTHS: tuple[type[np.unsignedinteger[Any]], ...] = (np.uint8, np.uint16, np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class Narrow:
    """A column of integers: `base` + `rest`; `rest` None = all are `base`."""

    base: int
    rest: NDArray[np.unsignedinteger[Any]] | Int64 | None

    def wide(self, count: int) -> Int64:
        """The column as it was, `count` values."""
        if self.rest is None:
            return np.full(count, self.base, np.int64)
        return self.rest.astype(np.int64) + self.base


def narrow(column: NDArray[np.signedinteger[Any]]) -> Narrow:
    """The reverse of `Narrow.wide`, for a column that has values."""
    base, high = int(column.min()), int(column.max())
    if base == high:
        return Narrow(base, None)
    for width in WIDTHS:
        if high - base <= np.iinfo(width).max:
            return Narrow(base, (column.astype(np.int64) - base).astype(width))
    return Narrow(0, column.astype(np.int64))
