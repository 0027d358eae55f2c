"""Health of sensors by day."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.moment import Moment
from api.paging import Paging, paging
from api.problem import RESPONSES
from api.queries.rows import SensorHealthRow
from api.strict import StrictRoute
from api.view import Page, Span, View, span, view

router = APIRouter(
    route_class=StrictRoute, prefix="/sensors", tags=["sensors"], responses=RESPONSES
)


class HealthItem(BaseModel):
    """A day of a sensor's property."""

    model_config = ConfigDict(extra="forbid")

    day: Moment = Field(description="Start of the day.")
    sensor: str
    point: str
    area: str
    property: str
    expected: int = Field(description="Readings of a day, by the report interval.")
    received: int
    good: int = Field(description="Of them with a flag of at most 2.")
    late: int = Field(description="Of them after their window was closed.")
    uptime_percent: float = Field(description="Share of report intervals with a reading.")
    longest_gap_s: int = Field(description="Longest stretch of whole minutes without a reading.")
    score: int = Field(
        description="0–100: 100 · uptime · max(0, good - late_weight · late) / received (house)."
    )


@router.get(
    "/health",
    summary="Health of sensors by day",
    description="Closed days, newest first, the worst sensors of a day first. `from`/`to` bound "
    "the days.",
)
async def health(
    seen: Annotated[View, Depends(view)],
    page: Annotated[Paging, Depends(paging)],
    when: Annotated[Span, Depends(span)],
    area: Annotated[str | None, Query(description="This area and everything under it.")] = None,
    point: Annotated[str | None, Query()] = None,
    sensor: Annotated[str | None, Query()] = None,
    below: Annotated[int | None, Query(ge=1, le=101, description="Scores under this.")] = None,
) -> Page[HealthItem]:
    day, score, name, prop = page.key(datetime, int, str, str)
    rows = await seen.reader.rows(
        SensorHealthRow,
        "sensor_health",
        areas=await seen.codes_below(area),
        point=point,
        sensor=sensor,
        below=below,
        start=when.start,
        end=when.end,
        after_day=day,
        after_score=score,
        after_sensor=name,
        after_property=prop,
        limit=page.limit + 1,
    )
    kept, cursor = page.cut(
        rows, lambda row: (row.day_start.isoformat(), row.score, row.sensor, row.property)
    )
    return Page[HealthItem](
        items=[health_item(row) for row in kept], next=cursor, freshness=seen.freshness()
    )


def health_item(row: SensorHealthRow) -> HealthItem:
    """The row for people."""
    return HealthItem(
        day=row.day_start,
        sensor=row.sensor,
        point=row.point,
        area=row.area,
        property=row.property,
        expected=row.expected,
        received=row.received,
        good=row.good,
        late=row.late,
        uptime_percent=round(100 * row.covered / row.intervals, 2),
        longest_gap_s=row.gap_s,
        score=row.score,
    )
