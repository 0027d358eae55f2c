"""Lines of recorded files: `.gz` or plain, UTF-8, CSV with quoted cells over several lines.

A damaged line costs itself only: an unclosed quote does not swallow what follows.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from sensors.feeds.feed import Fault, Feed, FileKind, Refused
from streams.errors import Misconfigured

MAX_CELL_LINES = 40  # a quoted cell of the national feed spans 8; more is an unclosed quote
BLOCK_BYTES = 1 << 20
DAMAGED_MARK = "�"


def open_text(path: Path) -> TextIO:
    """The file as text, a byte-order mark dropped, undecodable bytes as U+FFFD."""
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return path.open("rt", encoding="utf-8-sig", errors="replace", newline="")


def count_lines(path: Path) -> int:
    """Physical lines, for a progress bar: what is readable of a damaged file."""
    opened = gzip.open if path.suffix == ".gz" else open
    count = 0
    try:
        with opened(path, "rb") as file:
            while block := file.read(BLOCK_BYTES):
                count += block.count(b"\n")
    except (EOFError, zlib.error, gzip.BadGzipFile):
        pass  # reading the rows tells of it, with the line
    except OSError as error:
        raise Misconfigured([f"{path}: cannot be read: {error}"]) from error
    return count


def read_cells(path: Path) -> Iterator[tuple[int, Mapping[str, str]] | Refused]:
    """Records as (line number where it begins, cell by column name), or why not.

    Raises `Misconfigured` when the file cannot be opened or has no header.
    """
    header: list[str] | None = None
    for record in _records(path):
        if isinstance(record, Refused):
            yield record
            continue
        line, text = record
        if not text.strip():
            continue
        cells = next(csv.reader([text]))
        if header is None:
            header = cells
        elif DAMAGED_MARK in text:
            yield Refused(line, Fault.DAMAGED, "not UTF-8")
        elif len(cells) != len(header):
            yield Refused(
                line, Fault.WRONG_COLUMNS, f"{len(cells)} cells where the header has {len(header)}"
            )
        else:
            yield line, dict(zip(header, cells, strict=True))


def sort_files(feed: Feed, paths: Sequence[Path]) -> dict[str, list[Path]]:
    """The files by role, told apart by their columns; `Misconfigured` lists every misfit."""
    found: dict[str, list[Path]] = {kind.role: [] for kind in feed.files}
    mistakes: list[str] = []
    for path in paths:
        names = _column_names(path, mistakes)
        if names is None:
            continue
        kind = next((k for k in feed.files if set(k.columns) <= names), None)
        if kind is None:
            mistakes.append(f"{path}: is none of what feed {feed.name} reads: {_wanted(feed)}")
        else:
            found[kind.role].append(path)
    mistakes += [
        f"feed {feed.name} needs {kind.what}"
        for kind in feed.files
        if kind.needed and not found[kind.role] and not mistakes
    ]
    if mistakes:
        raise Misconfigured(mistakes)
    return found


def _wanted(feed: Feed) -> str:
    def describe(kind: FileKind) -> str:
        return f"{kind.what} (with {', '.join(kind.columns)})"

    return "; ".join(describe(kind) for kind in feed.files)


def _column_names(path: Path, mistakes: list[str]) -> set[str] | None:
    try:
        if path.suffix == ".json":
            content = json.loads(path.read_text(encoding="utf-8"))
            return set(content) if isinstance(content, dict) else set()
        with open_text(path) as file:
            return set(next(csv.reader([file.readline().rstrip("\r\n")]), []))
    except (OSError, EOFError, zlib.error, ValueError) as error:
        mistakes.append(f"{path}: cannot be read: {error}")
        return None


def _records(path: Path) -> Iterator[tuple[int, str] | Refused]:
    """CSV records: physical lines joined while a quote is open."""
    waiting: deque[tuple[int, str]] = deque()
    source = _physical(path)
    while (first := _next_line(waiting, source)) is not None:
        if isinstance(first, Refused):
            yield first
            continue
        line, text = first
        taken = [first]
        while text.count('"') % 2 and len(taken) < MAX_CELL_LINES:
            more = _next_line(waiting, source)
            if more is None:
                break
            if isinstance(more, Refused):
                yield more
                break
            taken.append(more)
            text += more[1]
        if text.count('"') % 2:
            waiting.extendleft(reversed(taken[1:]))
            yield Refused(line, Fault.UNCLOSED_QUOTE, "a quote is never closed")
        else:
            yield line, text.rstrip("\r\n")


def _next_line(
    waiting: deque[tuple[int, str]], source: Iterator[tuple[int, str] | Refused]
) -> tuple[int, str] | Refused | None:
    return waiting.popleft() if waiting else next(source, None)


def _physical(path: Path) -> Iterator[tuple[int, str] | Refused]:
    number = 0
    try:
        with open_text(path) as file:
            for number, text in enumerate(file, start=1):
                yield number, text
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield Refused(number + 1, Fault.DAMAGED, f"the compressed file breaks off: {error}")
    except OSError as error:
        raise Misconfigured([f"{path}: cannot be read: {error}"]) from error
