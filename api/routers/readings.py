"""Readings of one sensor, or of all sensors of one point: raw, or by windows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.exact import Exact, mean, unscaled
from api.moment import Moment
from api.paging import Paging, paging
from api.problem import RESPONSES, Mistake, Problem, bad_parameter
from api.queries.rows import PointRow, PropertyRow, ReadingRow, SensorRow, WindowRow
from api.strict import StrictRoute
from api.view import Freshness, Span, View, span, view

router = APIRouter(
    route_class=StrictRoute, prefix="/readings", tags=["readings"], responses=RESPONSES
)

DEFAULT_SPAN = timedelta(hours=6)
LONGEST_RAW = timedelta(days=31)
RAW = "raw"


class ReadingItem(BaseModel):
    """One accepted reading. `value` is what was measured, whatever the flag says."""

    model_config = ConfigDict(extra="forbid")

    time: Moment = Field(description="Event time (start of the interval for interval values).")
    sensor: str
    value: Exact
    flag: int = Field(description="QARTOD: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing.")
    position: int = Field(description="Log offset of its frame in the partition of its area.")


class WindowItem(BaseModel):
    """A closed window: `n` readings with a flag of at most 2; `bad` are the others."""

    model_config = ConfigDict(extra="forbid")

    start: Moment
    sensor: str
    n: int
    bad: int
    low: Exact | None
    high: Exact | None
    sum: Exact = Field(description="Exact sum of the n readings.")
    mean: Exact | None = Field(
        description="sum / n, rounded half to even, two digits beyond the scale."
    )


class Series(BaseModel):
    """One page of readings or windows, oldest first."""

    property: str
    unit: str
    size_s: int | None = Field(description="Window size; null for raw readings.")
    start: Moment
    end: Moment
    readings: list[ReadingItem]
    windows: list[WindowItem]
    next: str | None
    freshness: Freshness


@router.get(
    "",
    summary="Readings",
    description="Give `point` or `sensor`, and `property`. `size=raw` gives single readings (at "
    "most 31 days at once), otherwise windows of that many seconds (60, 300, 3600 …). Default "
    "time: the 6 h before the processing time. Values are exact text and a number for drawing.",
)
async def readings(
    seen: Annotated[View, Depends(view)],
    page: Annotated[Paging, Depends(paging)],
    when: Annotated[Span, Depends(span)],
    property: Annotated[str, Query(examples=["depth"])],
    point: Annotated[str | None, Query()] = None,
    sensor: Annotated[str | None, Query()] = None,
    size: Annotated[str, Query(pattern=r"^(raw|[1-9]\d{0,5})$", examples=["60"])] = RAW,
) -> Series:
    prop = await known_property(seen, property)
    sensors = await chosen_sensors(seen, point, sensor)
    period = filled(when, seen.as_of, size)
    after_t, after_sensor = page.key(datetime, str)
    series = Series(
        property=prop.name,
        unit=prop.unit,
        size_s=None if size == RAW else int(size),
        start=period[0],
        end=period[1],
        readings=[],
        windows=[],
        next=None,
        freshness=seen.freshness(),
    )
    given = {
        "sensors": sensors,
        "property": prop.id,
        "start": period[0],
        "end": period[1],
        "after_t": after_t,
        "after_sensor": after_sensor,
        "limit": page.limit + 1,
    }
    if series.size_s is None:
        raw, series.next = page.cut(
            await seen.reader.rows(ReadingRow, "readings", **given),
            lambda row: (row.t.isoformat(), row.sensor),
        )
        series.readings = [reading_item(row, prop.scale) for row in raw]
    else:
        closed, series.next = page.cut(
            await seen.reader.rows(WindowRow, "windows", size=series.size_s, **given),
            lambda row: (row.start.isoformat(), row.sensor),
        )
        series.windows = [window_item(row, prop.scale) for row in closed]
    return series


async def known_property(seen: View, name: str) -> PropertyRow:
    """The catalogue row; `Problem` 422 when unknown."""
    found = await seen.properties()
    if name not in found:
        raise bad_parameter("property", f"unknown; known: {', '.join(sorted(found))}")
    return found[name]


async def chosen_sensors(seen: View, point: str | None, sensor: str | None) -> list[int]:
    """Sensor ids of the point, or the one sensor. `Problem` 422 when none or both, or unknown."""
    if (point is None) == (sensor is None):
        raise bad_parameter("point", "give either point or sensor")
    if sensor is not None:
        row = await seen.reader.row(SensorRow, "sensor_named", name=sensor)
        if row is None:
            raise bad_parameter("sensor", f"there is no sensor {sensor!r}", unseen=True)
        return [row.id]
    if not await seen.reader.row(
        PointRow,
        "points",
        areas=None,
        types=None,
        id=point,
        external_scheme=None,
        external_id=None,
        after="",
        limit=1,
    ):
        raise bad_parameter("point", f"there is no point {point!r}", unseen=True)
    return [s.id for s in await seen.reader.rows(SensorRow, "sensors_of_points", points=[point])]


def filled(when: Span, as_of: datetime | None, size: str) -> tuple[datetime, datetime]:
    """Start and end; what is missing is the 6 h up to the processing time (inclusive)."""
    now = as_of or datetime(1970, 1, 2, tzinfo=UTC)
    end = when.end or (when.start + DEFAULT_SPAN if when.start else now + timedelta(seconds=1))
    start = when.start or end - DEFAULT_SPAN
    if size == RAW and end - start > LONGEST_RAW:
        raise Problem(
            422,
            "The request has a mistake.",
            [Mistake(parameter="query.from", detail="raw readings: at most 31 days at once")],
        )
    return start, end


def reading_item(row: ReadingRow, scale: int) -> ReadingItem:
    """The row for people."""
    return ReadingItem(
        time=row.t,
        sensor=row.sensor,
        value=unscaled(row.value, scale),
        flag=row.flag,
        position=row.position,
    )


def window_item(row: WindowRow, scale: int) -> WindowItem:
    """The row for people."""
    return WindowItem(
        start=row.start,
        sensor=row.sensor,
        n=row.n,
        bad=row.bad,
        low=None if row.low is None or not row.n else unscaled(row.low, scale),
        high=None if row.high is None or not row.n else unscaled(row.high, scale),
        sum=unscaled(row.total, scale),
        mean=mean(row.total, row.n, scale),
    )
