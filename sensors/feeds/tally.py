"""What happened to the lines of the files: read, refused (with line numbers), sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sensors.feeds.feed import Feed, Refused, Row

SHOWN_LINES = 20  # line numbers per reason in a report; the count is always exact


@dataclass(slots=True)
class RefusedLines:
    """Lines of one reason: all counted, the first ones named as `file:line: detail`."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, path: Path, refused: Refused) -> None:
        self.count += 1
        if len(self.first) < SHOWN_LINES:
            self.first.append(f"{path.name}:{refused.line}: {refused.detail}")


@dataclass(slots=True)
class Tally:
    """Counts of one reading of the files. `readings` are values sent, copies included."""

    lines: int = 0
    rows: int = 0
    outside: int = 0
    missing: int = 0
    readings: int = 0
    copies: int = 0
    frames: int = 0
    refused: dict[str, RefusedLines] = field(default_factory=dict)

    @property
    def refused_lines(self) -> int:
        return sum(found.count for found in self.refused.values())

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "lines": self.lines,
            "rows": self.rows,
            "rows_outside_period": self.outside,
            "values_missing": self.missing,
            "readings_sent": self.readings,
            "readings_sent_as_copies": self.copies,
            "frames": self.frames,
            "lines_refused": {
                fault: {"count": found.count, "first": found.first}
                for fault, found in sorted(self.refused.items())
            },
        }


@dataclass(frozen=True, slots=True)
class Period:
    """Event times from `start_ms` (included) to `end_ms` (excluded); None = open."""

    start_ms: int | None = None
    end_ms: int | None = None

    def holds(self, time_ms: int) -> bool:
        after = self.start_ms is None or time_ms >= self.start_ms
        return after and (self.end_ms is None or time_ms < self.end_ms)


def read_rows(feed: Feed, paths: Iterable[Path], period: Period, tally: Tally) -> Iterator[Row]:
    """The rows of the period, file after file; everything else goes into the tally."""
    for path in paths:
        for line in feed.read(path):
            tally.lines += 1
            if isinstance(line, Refused):
                tally.refused.setdefault(line.fault.value, RefusedLines()).add(path, line)
            elif not period.holds(line.time_ms):
                tally.outside += 1
            else:
                tally.rows += 1
                tally.missing += line.missing
                yield line
