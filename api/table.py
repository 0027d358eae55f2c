"""CSV answers (RFC 4180): a header, CRLF, quotes where needed; exact decimals, times in +08:00.

A text cell that a spreadsheet would take for a formula gets an apostrophe before it. Knows no
table: columns are the fields of the items.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from api.colour import Colour
from api.exact import Exact
from api.moment import iso

MEDIA_TYPE = "text/csv; charset=utf-8"
BOM = b"\xef\xbb\xbf"
_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?")


def columns_of(kind: type[BaseModel], but: frozenset[str] = frozenset()) -> list[str]:
    """The names of the item's fields, in order."""
    return [name for name in kind.model_fields if name not in but]


def cells_of(item: BaseModel) -> dict[str, str]:
    """Every field of the item as a cell."""
    return {name: cell(getattr(item, name)) for name in type(item).model_fields}


def cell(value: Any) -> str:
    """One value as text; nothing is an empty cell."""
    match value:
        case str():
            return guarded(value)
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case Exact():
            return value.text
        case Colour():
            return value.name
        case datetime():
            return iso(value)
        case _:
            return guarded(orjson.dumps(to_jsonable_python(value)).decode())


def guarded(text: str) -> str:
    """Text that no spreadsheet runs as a formula; a plain decimal stays as it is."""
    if text[:1] in _FORMULA and not _DECIMAL.fullmatch(text):
        return "'" + text
    return text


class TableWriter:
    """Turns rows of cells into bytes; every row ends with what all rows have in common."""

    def __init__(
        self, columns: Sequence[str], common: Mapping[str, str], *, bom: bool = False
    ) -> None:
        self._columns = [*columns, *common]
        self._common = dict(common)
        self._bom = bom

    def head(self) -> bytes:
        """The header line, after the byte order mark that Excel wants when asked for."""
        return (BOM if self._bom else b"") + self._write([self._columns])

    def lines(self, rows: Iterable[Mapping[str, str]]) -> bytes:
        """The lines of these rows; a cell that a row lacks is empty."""
        return self._write(
            [(row | self._common).get(name, "") for name in self._columns]
            for row in map(dict, rows)
        )

    @staticmethod
    def _write(rows: Iterable[Sequence[str]]) -> bytes:
        text = io.StringIO()
        csv.writer(text, lineterminator="\r\n").writerows(rows)
        return text.getvalue().encode()


async def streamed(
    writer: TableWriter, batches: AsyncIterator[Iterable[Mapping[str, str]]]
) -> AsyncIterator[bytes]:
    """The table, a batch at a time."""
    yield writer.head()
    async for batch in batches:
        yield writer.lines(batch)
