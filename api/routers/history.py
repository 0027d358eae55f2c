"""The past of a point or an area: readings, windows, results, alerts' transitions, facts."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from api import record, table
from api.geojson import collection, point_geometry
from api.lane import Lane, lane
from api.offer import (
    RESPONSE,
    Wanted,
    next_link,
    table_headers,
    table_response,
    table_writer,
    wanted,
)
from api.paging import MAX_LIMIT, Paging, paging
from api.problem import RESPONSES, bad_parameter, not_found
from api.queries import past_rows as past
from api.routers.points import known_point
from api.routers.readings import known_property
from api.series import SeriesProperty, series_properties
from api.strict import StrictRoute
from api.view import Page, Span, View, span, view

router = APIRouter(route_class=StrictRoute, tags=["history"], responses=RESPONSES)

MOST_ROWS = 1_000_000  # of a table in one answer; one sheet of Excel holds 1,048,576
SLICE_ROWS = 20_000
BEFORE_ANYTHING = datetime(1970, 1, 2, tzinfo=UTC)

PointSeries = Literal["readings", "windows", "results", "alerts"]
AreaSeries = Literal["readings", "windows", "results", "alerts", "facts"]
R = TypeVar("R")
Known = Mapping[str, SeriesProperty]
AnyRecord = (
    record.ReadingRecord
    | record.WindowRecord
    | record.ResultRecord
    | record.TransitionRecord
    | record.FactRecord
)


@dataclass(frozen=True, slots=True)
class Series(Generic[R]):
    """One kind of past: its statement, its rows, its records, and how far it may reach."""

    statement: str
    row: type[R]
    model: type[BaseModel]
    make: Callable[[R, Known], AnyRecord]
    key: Callable[[R], tuple[datetime, str, str]]
    usual: timedelta
    longest: timedelta


SERIES: Mapping[str, Series[Any]] = {
    "readings": Series(
        "history_readings",
        past.PastReadingRow,
        record.ReadingRecord,
        record.reading_record,
        lambda row: (row.t, row.sensor, row.property),
        timedelta(hours=6),
        timedelta(days=31),
    ),
    "windows": Series(
        "history_windows",
        past.PastWindowRow,
        record.WindowRecord,
        record.window_record,
        lambda row: (row.start, row.sensor, row.property),
        timedelta(hours=24),
        timedelta(days=400),
    ),
    "results": Series(
        "history_results",
        past.PastResultRow,
        record.ResultRecord,
        lambda row, _: record.result_record(row),
        lambda row: (row.start, row.subject, f"{row.kind} {row.period_s}"),
        timedelta(days=2),
        timedelta(days=400),
    ),
    "alerts": Series(
        "history_alerts",
        past.PastTransitionRow,
        record.TransitionRecord,
        lambda row, _: record.transition_record(row),
        lambda row: (row.event_time, row.alert, f"{row.sequence:010d}"),
        timedelta(days=31),
        timedelta(days=3660),
    ),
    "facts": Series(
        "history_facts",
        past.PastFactRow,
        record.FactRecord,
        lambda row, _: record.fact_record(row),
        lambda row: (row.start, row.indicator, f"{row.area} {row.period}"),
        timedelta(days=400),
        timedelta(days=3660),
    ),
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What of the past: everything but whose."""

    when: Span
    property: str | None
    size: int
    kind: str | None


def chosen(
    when: Annotated[Span, Depends(span)],
    property: Annotated[
        str | None, Query(description="readings, windows: only this property.")
    ] = None,
    size: Annotated[
        int, Query(ge=1, le=86_400, description="windows: seconds, 60, 300, 3600 …")
    ] = 3600,
    kind: Annotated[
        str | None,
        Query(description="results: only this kind; alerts: this rule; facts: this indicator."),
    ] = None,
) -> Chosen:
    """Dependency: the filters that points and areas share."""
    return Chosen(when, property, size, kind)


@dataclass(frozen=True, slots=True)
class Asked:
    """The request: how the answer is to look."""

    request: Request
    page: Paging
    want: Wanted
    lane: Lane


def asked(
    request: Request,
    page: Annotated[Paging, Depends(paging)],
    want: Annotated[Wanted, Depends(wanted)],
    long: Annotated[Lane, Depends(lane)],
) -> Asked:
    """Dependency of both routes."""
    return Asked(request, page, want, long)


DESCRIPTION = (
    "Records oldest first; `series` chooses which. Without `from` and `to`: the time up to now "
    "that is usual for the series. `format=csv` without `limit` streams everything (at most "
    f"{MOST_ROWS:,} rows, otherwise 422), with `limit` one page and a `Link` to the next. Every "
    "record has its exact value, unit, quality and place."
)


@router.get(
    "/points/{id}/history",
    response_model=Page[AnyRecord],
    responses=RESPONSE,
    summary="History of a point",
    description=DESCRIPTION,
)
async def point_history(
    id: str,
    seen: Annotated[View, Depends(view)],
    what: Annotated[Chosen, Depends(chosen)],
    how: Annotated[Asked, Depends(asked)],
    series: Annotated[PointSeries, Query(description="Which records.")] = "readings",
) -> Page[AnyRecord] | Response:
    await known_point(seen, id)
    return await answer(seen, what, how, series, point=id, areas=None)


@router.get(
    "/areas/{code}/history",
    response_model=Page[AnyRecord],
    responses=RESPONSE,
    summary="History of an area",
    description=DESCRIPTION + " Of the area and everything under it, unless `below=false`.",
)
async def area_history(
    code: str,
    seen: Annotated[View, Depends(view)],
    what: Annotated[Chosen, Depends(chosen)],
    how: Annotated[Asked, Depends(asked)],
    series: Annotated[AreaSeries, Query(description="Which records.")] = "facts",
    below: Annotated[bool, Query(description="Also everything under the area.")] = True,
) -> Page[AnyRecord] | Response:
    codes = [str(found) for found in await seen.reader.column("below", area=code)]
    if not codes:
        raise not_found("area", code)
    seen.must_meet(code, figures=series in ("facts", "results"))
    return await answer(seen, what, how, series, point=None, areas=codes if below else [code])


async def answer(
    seen: View, what: Chosen, how: Asked, name: str, point: str | None, areas: list[str] | None
) -> Page[AnyRecord] | Response:
    """A page, or the stream of a whole table."""
    series = SERIES[name]
    given = await filters(seen, what, name, point, areas)
    known = series_properties(await seen.properties(), seen.domains)
    whole = how.want.form == "csv" and "limit" not in how.request.query_params
    if whole and how.page.after is None:
        return await streamed(seen, series, given, known, how)
    time, key, part = how.page.key(datetime, str, str)
    rows = await seen.reader.rows(
        series.row,
        series.statement,
        **given,
        after_time=time,
        after_key=key,
        after_part=part,
        limit=how.page.limit + 1,
    )
    kept, cursor = how.page.cut(rows, lambda row: _cursor(series.key(row)))
    return formed([series.make(row, known) for row in kept], cursor, seen, how, series)


def formed(
    items: list[AnyRecord], cursor: str | None, seen: View, how: Asked, series: Series[Any]
) -> Page[AnyRecord] | Response:
    """The page in the form that was asked for."""
    match how.want.form:
        case "csv":
            return table_response(
                table.columns_of(series.model),
                map(table.cells_of, items),
                seen.freshness(),
                how.want,
                next_link(how.request, cursor),
            )
        case "geojson":
            features = [(item.id, point_geometry(item.lon, item.lat), item) for item in items]
            return collection(features, cursor, seen.freshness())
        case "json":
            return Page[AnyRecord](items=items, next=cursor, freshness=seen.freshness())


async def filters(
    seen: View, what: Chosen, name: str, point: str | None, areas: list[str] | None
) -> dict[str, Any]:
    """The statement's parameters. `Problem` 422 when one does not fit the series."""
    start, end = bounds(what.when, seen.as_of, SERIES[name])
    given: dict[str, Any] = {"start": start, "end": end, "point": point, "areas": areas}
    if name not in ("readings", "windows"):
        if what.property is not None:
            raise bad_parameter("property", f"{name} have no property; use kind")
        return given | {"kind": what.kind}
    if what.kind is not None:
        raise bad_parameter("kind", f"{name} have no kind; use property")
    chosen_id = (await known_property(seen, what.property)).id if what.property else None
    sensors = await seen.reader.column("series_sensors", point=point, areas=areas)
    return given | {"sensors": sensors, "property": chosen_id, "size": what.size}


def bounds(when: Span, as_of: datetime | None, series: Series[Any]) -> tuple[datetime, datetime]:
    """Start and end; what is missing is the usual time up to now (inclusive)."""
    now = (as_of or BEFORE_ANYTHING) + timedelta(seconds=1)
    end = when.end or (when.start + series.usual if when.start else now)
    start = when.start or end - series.usual
    if end - start > series.longest:
        raise bad_parameter("from", f"at most {series.longest.days} days at once")
    return start, end


async def streamed(
    seen: View, series: Series[Any], given: Mapping[str, Any], known: Known, how: Asked
) -> Response:
    """Everything as one table; counted before, because a stream cannot take back its status."""
    how.lane.enter()
    whole = {**given, "after_time": None, "after_key": None, "after_part": None}
    rows = await seen.reader.count(series.statement, MOST_ROWS + 1, **whole)
    if rows > MOST_ROWS:
        raise bad_parameter(
            "from", f"more than {MOST_ROWS:,} rows: narrow it, or page with limit (≤ {MAX_LIMIT:,})"
        )
    writer = table_writer(table.columns_of(series.model), seen.freshness(), how.want)

    async def batches() -> AsyncIterator[Iterable[Mapping[str, str]]]:
        for start, end in slices(given["start"], given["end"], rows):
            part = {**whole, "start": start, "end": end, "limit": None}
            async for batch in seen.reader.stream(series.row, series.statement, **part):
                how.lane.check()
                yield [table.cells_of(series.make(row, known)) for row in batch]

    return StreamingResponse(
        table.streamed(writer, batches()),
        media_type=table.MEDIA_TYPE,
        headers=table_headers(seen.freshness()) | {"cache-control": "no-store"},
    )


def slices(start: datetime, end: datetime, rows: int) -> Iterator[tuple[datetime, datetime]]:
    """The time in pieces, in order, of so few rows that each is sorted in memory and at once."""
    pieces = max(1, math.ceil(rows / SLICE_ROWS))
    edges = [start + (end - start) * at / pieces for at in range(pieces)]
    return zip(edges, [*edges[1:], end], strict=True)


def _cursor(key: tuple[datetime, str, str]) -> tuple[str, str, str]:
    return key[0].isoformat(), key[1], key[2]
