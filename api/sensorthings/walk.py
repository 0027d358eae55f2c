"""Reads a page of Observations without reading all of them.

`observation` has an index on time only, so that the question is always: which time? The newest
values (area_latest) say where readings end, the first closed windows say where they begin, and the
reporting intervals how long a time holds a page. A page is looked for in that time, and in ever
longer ones when it was not enough: what is found is always exactly what the filter asks for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from api.latest import latest_table
from api.moment import from_ms
from api.queries.composed import Composed
from api.queries.database import Reader
from api.queries.reach import ReachRow
from api.queries.rows import LatestRow
from api.sensorthings.expression import Binary, Literal, Node, Path, moment_of
from api.sensorthings.model import KEY_NAMES, SERIES_SHIFT
from api.view import View
from streams.contracts.domain import Domain

FIRST_SLACK = 1.5  # readings come a little less often than they should
LONGER = 8
EVER = timedelta(days=3650)
SOON = timedelta(milliseconds=1)

Series = tuple[int, int]  # sensor, property


@dataclass(frozen=True, slots=True)
class Stretch:
    """A half-open stretch of time, either end may be absent."""

    start: datetime | None = None
    end: datetime | None = None

    def within(self, other: Stretch) -> Stretch:
        """What both have in common."""
        starts = [t for t in (self.start, other.start) if t is not None]
        ends = [t for t in (self.end, other.end) if t is not None]
        return Stretch(max(starts, default=None), min(ends, default=None))


@dataclass(frozen=True, slots=True)
class Reach:
    """Where readings of some series are: none at all when `floor` is None."""

    floor: datetime | None
    newest: datetime | None
    per_s: float


async def reach_of(seen: View, series: Sequence[Series] | None) -> Reach:
    """Of these series; None = all."""
    row = await seen.reader.row(
        ReachRow,
        "series_reach",
        sensors=None if series is None else [s for s, _ in series],
        properties=None if series is None else [p for _, p in series],
        sizes=sorted(window_sizes(seen.domains)),
        longest_s=max(window_sizes(seen.domains), default=0),
        windowed=windowed_properties(seen.domains),
        usual=json.dumps(usual_reports(seen.domains)),
    )
    if row is None or row.floor is None or row.newest is None:
        return Reach(None, None, 0.0)
    newest = row.newest
    if series is not None and row.areas:
        newest = await _newest(seen, series, row.areas) or newest
    return Reach(row.floor, newest, row.per_s or 0.0)


async def read_page(
    reader: Reader,
    query: Composed,
    reach: Reach,
    asked: Stretch,
    need: int,
    offset: int,
    descending: bool | None,
) -> list[dict[str, Any]]:
    """The first `need` rows after `offset`; `descending` None: not in the order of time."""
    if reach.floor is None or reach.newest is None:
        return []
    whole = asked.within(Stretch(reach.floor, None))
    if descending is None:
        return await reader.page(timed(query, whole), need, offset)
    rows: list[dict[str, Any]] = []
    for stretch in stretches(reach, whole, need + offset, descending):
        rows = await reader.page(timed(query, stretch), need, offset)
        if len(rows) >= need:
            break
    return rows


def stretches(reach: Reach, whole: Stretch, rows: int, descending: bool) -> list[Stretch]:
    """Times to look in, each holding the one before; the last one is the whole."""
    assert reach.newest is not None
    assert whole.start is not None
    last = min(reach.newest + SOON, whole.end or reach.newest + SOON)
    length = timedelta(seconds=min(rows * FIRST_SLACK / max(reach.per_s, 1e-9) + 1, 1e8))
    found: list[Stretch] = []
    while length < EVER and last - length > whole.start and len(found) < 12:
        if descending:
            found.append(Stretch(last - length, whole.end))
        else:
            found.append(Stretch(whole.start, min(whole.start + length, last)))
        length *= LONGER
    return [*found, whole]


def timed(query: Composed, stretch: Stretch) -> Composed:
    """The query within the stretch, in a way that the index on time can use."""
    where, values = list(query.where), dict(query.values)
    if stretch.start is not None:
        where.append("e.t >= %(_from)s")
        values["_from"] = stretch.start
    if stretch.end is not None:
        where.append("e.t < %(_to)s")
        values["_to"] = stretch.end
    return replace(query, where=tuple(where), values=values)


def stretch_of(node: Node | None) -> Stretch:
    """The time that an expression surely keeps to: comparisons that all must hold."""
    match node:
        case Binary("and", left, right):
            return stretch_of(left).within(stretch_of(right))
        case Binary(operator, Path(("phenomenonTime",)), Literal(value)):
            return _bound(operator, value)
        case Binary(operator, Literal(value), Path(("phenomenonTime",))):
            return _bound(_TURNED.get(operator, operator), value)
    return Stretch()


def series_of(node: Node | None) -> list[Series] | None:
    """The one series that an expression surely keeps to; None when it may be any."""
    match node:
        case Binary("and", left, right):
            return series_of(left) or series_of(right)
        case Binary("eq", Path(("Datastream", key)), Literal(value)) if key in KEY_NAMES:
            return [series_numbered(int(value))] if isinstance(value, Decimal) else None
        case Binary("eq", Literal() as left, Path() as right):
            return series_of(Binary("eq", right, left))
    return None


def series_numbered(datastream: int) -> Series:
    """Sensor and property of a datastream's number; (0, 0), which is none, when out of reach."""
    sensor, prop = datastream >> SERIES_SHIFT, datastream & ((1 << SERIES_SHIFT) - 1)
    return (sensor, prop) if 0 < sensor < 1 << 31 else (0, 0)


def window_sizes(domains: Mapping[str, Domain]) -> set[int]:
    """All sizes that windows may have."""
    return {size for d in domains.values() for p in d.properties for size in p.windows_s}


def windowed_properties(domains: Mapping[str, Domain]) -> list[str]:
    """Properties all of whose readings come into windows."""
    declared = [p for d in domains.values() for p in d.properties]
    return sorted({p.name for p in declared} - {p.name for p in declared if not p.windows_s})


def usual_reports(domains: Mapping[str, Domain]) -> dict[str, int]:
    """Seconds between readings by property, for sensors that have no interval of their own."""
    return {p.name: p.report_s for d in domains.values() for p in d.properties}


_TURNED = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge"}


def _bound(operator: str, value: object) -> Stretch:
    moment = moment_of(value) if isinstance(value, str) else value
    if not isinstance(moment, datetime):
        return Stretch()
    after = moment.astimezone(UTC) + timedelta(microseconds=1)
    match operator:
        case "eq":
            return Stretch(moment, after)
        case "ge" | "gt":
            return Stretch(moment, None)
        case "le":
            return Stretch(None, after)
        case "lt":
            return Stretch(None, moment)
    return Stretch()


async def _newest(seen: View, series: Sequence[Series], areas: list[str]) -> datetime | None:
    """Event time of the newest reading among few series, out of the newest values."""
    wanted = set(series)
    rows = await seen.reader.rows(LatestRow, "latest_of_areas", areas=areas)
    table = latest_table(rows, known := await seen.properties(), seen.as_of)
    times = [
        cell.time_ms
        for sensor, _ in wanted
        for cell in table.cells.get(sensor, ())
        if cell.property in known and (sensor, known[cell.property].id) in wanted
    ]
    return from_ms(max(times)) if times else None
