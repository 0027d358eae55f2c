"""Registry rows of a CSV file (RFC 4180, comma, a header): one `Line` per row, none is dropped."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from sensors.registry.columns import column_named, first_fault, header_mistakes
from sensors.registry.line import Entry, Fault, Line, Refused
from streams.errors import Misconfigured

MAX_CELL = 1 << 20


def read_csv(file: str, text: str) -> Iterator[Line | None]:
    """The rows; None for a blank one. Raises `Misconfigured` when the header does not do."""
    csv.field_size_limit(MAX_CELL)
    rows = numbered(text)
    header = next(rows, None)
    if header is None or isinstance(header[1], str):
        raise Misconfigured(
            [f"{file}: there is no header: {header[1] if header else 'empty file'}"]
        )
    mistakes = header_mistakes(file, header[1])
    if mistakes:
        raise Misconfigured(mistakes)
    columns = [column_named(cell) or "" for cell in header[1]]
    for row, cells in rows:
        yield _line(file, row, columns, cells)


def numbered(text: str) -> Iterator[tuple[int, list[str] | str]]:
    """(line on which the row begins, its cells), or why they cannot be told apart."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        row = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield row, f"{error}, up to line {reader.line_num}"
        else:
            yield row, cells


def _line(file: str, row: int, columns: Sequence[str], cells: list[str] | str) -> Line | None:
    if isinstance(cells, str):
        return Refused(file, row, "", Fault.DAMAGED, cells)
    if not any(cell.strip() for cell in cells):
        return None
    if len(cells) != len(columns):
        content = dict(zip(columns, cells, strict=False))
        detail = f"{len(cells)} cells instead of {len(columns)}"
        return Refused(file, row, "", Fault.WRONG_COLUMNS, detail, content)
    pairs = zip(columns, (cell.strip() for cell in cells), strict=True)
    filled = {column: cell for column, cell in pairs if cell}
    fault = first_fault(filled)
    if fault:
        return Refused(file, row, *fault, filled)
    return Entry(file, row, filled)
