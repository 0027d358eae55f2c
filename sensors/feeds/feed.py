"""What a feed file in this folder exports: `FEED`, a value of the type `Feed` below.

A feed knows one source's peculiarities (columns, marks of missing values, units, hour labels, day
zone) and nothing about the log, frames or the store. It reads lines and says rows in canonical
units at event time; a bad line becomes a `Refused` with its number and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from streams.catalog import Area, Gateway, Sensor
from streams.contracts.domain import Point, Title


class Fault(StrEnum):
    """Why a line of a file was refused. Values are stable: reports count by them."""

    DAMAGED = "damaged"  # compression or text encoding is broken
    UNCLOSED_QUOTE = "unclosed_quote"
    WRONG_COLUMNS = "wrong_columns"  # more or fewer cells than the header has
    BAD_TIME = "bad_time"
    BAD_NUMBER = "bad_number"
    NO_STATION = "no_station"


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that cannot be read; `line` counts from 1 and includes the header."""

    line: int
    fault: Fault
    detail: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line that could be read: the readings of one sensor at one event time.

    `time_ms` is epoch ms; for interval values the START of the interval. `values` are exact, in
    the canonical units of their properties. `missing` counts cells that hold a mark of absence:
    they are neither readings nor errors.
    """

    line: int
    sensor: str
    time_ms: int
    values: tuple[tuple[str, Decimal], ...]
    missing: int = 0


Line: TypeAlias = Row | Refused


@dataclass(frozen=True, slots=True)
class Published:
    """A result that the source itself publishes, to compare ours with.

    `kind` is "hour" (air), "event" (floods), "speed" (a road link) or "year" (a bulletin);
    `subject` the point or area the feed's registry uses; `values` decimal texts, names or lists
    of names, None = not stated.
    """

    kind: str
    line: int
    subject: str
    start_ms: int
    values: Mapping[str, str | tuple[str, ...] | None]


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file that a feed reads, told apart by its columns (or, for JSON, its keys)."""

    role: str  # readings | stations | published
    what: str
    columns: tuple[str, ...]
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Entries:
    """What the registry must hold for the rows; sensor ids are 0 until the store gives them."""

    areas: tuple[Area, ...]
    points: tuple[Point, ...]
    sensors: tuple[Sensor, ...]
    gateways: tuple[Gateway, ...]


def _nowhere(_lon: float, _lat: float) -> str | None:
    return None


@dataclass(frozen=True)
class Gazetteer:
    """The areas that exist here and which county a position (WGS-84) lies in; None = outside."""

    areas: Mapping[str, Area] = field(default_factory=lambda: MappingProxyType({}))
    locate: Callable[[float, float], str | None] = _nowhere

    def city_named(self, name: str) -> Area | None:
        """The city of that name, with or without 市."""
        wanted = {name, name.removesuffix("市") + "市"}
        return next(
            (a for a in self.areas.values() if a.level == "city" and a.name in wanted), None
        )


Files: TypeAlias = Mapping[str, Sequence[Path]]  # by role


@dataclass(frozen=True)
class Feed:
    """One real source.

    `utc_offset_hours` is the zone of its days and labels. `delay_s` is how long after the end of
    its interval a row arrives (house convention). `elsewhere` marks recordings that may live only
    in a throwaway profile (other cities of the world), never in the live namespace.
    """

    name: str
    title: Title
    domain: str
    files: tuple[FileKind, ...]
    utc_offset_hours: int
    properties: tuple[str, ...]
    read: Callable[[Path], Iterator[Line]]
    registry: Callable[[Files, Gazetteer], Entries]
    published: Callable[[Files], Iterator[Published]]
    elsewhere: bool = False
    delay_s: int = 5

    @property
    def source(self) -> str:
        """The gateway id under which its frames enter: the ledger counts by it."""
        return f"feed.{self.name}"
