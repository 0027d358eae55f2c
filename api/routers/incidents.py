"""Incidents (事件): alerts of one domain in one county put together, for people's lists."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from api.colour import RANKS, ColourName
from api.incident_items import (
    MOST,
    SCREEN_LINES,
    IncidentDetail,
    IncidentItem,
    MemberItem,
    MostColour,
    Screen,
    incident_item,
    incident_row,
    members,
    read_incidents,
    screen_of,
    steps_of,
)
from api.paging import Paging, paging
from api.problem import RESPONSES
from api.queries.incident_rows import MemberRow
from api.screen import LEAST_LINES, MOST_LINES
from api.strict import StrictRoute
from api.view import Page, Span, View, span, view

router = APIRouter(
    route_class=StrictRoute, prefix="/incidents", tags=["incidents"], responses=RESPONSES
)

STATES: dict[str, bool | None] = {"open": True, "closed": False, "any": None}
Status = Literal["Actual", "Exercise", "Test"]


@router.get(
    "",
    summary="Incidents",
    description="Alerts put together for people: one domain in one county, as long as they overlap "
    "or follow each other within a quiet gap. Default: the open ones, worst first, then the "
    "newest. Programs follow alerts and events instead.",
)
async def incidents(
    seen: Annotated[View, Depends(view)],
    page: Annotated[Paging, Depends(paging)],
    when: Annotated[Span, Depends(span)],
    state: Annotated[Literal["open", "closed", "any"], Query()] = "open",
    severity: Annotated[ColourName | None, Query(description="This colour or worse.")] = None,
    at_most: Annotated[MostColour, Query(description="This colour or milder.")] = "red",
    domain: Annotated[str | None, Query()] = None,
    status: Annotated[Status | None, Query()] = None,
    area: Annotated[str | None, Query(description="This area and everything under it.")] = None,
) -> Page[IncidentItem]:
    seen.domain_named(domain)
    rank, began, key = page.key(int, datetime, str)
    rows = await read_incidents(
        seen,
        areas=await seen.codes_below(area),
        domain=domain,
        status=status,
        open=STATES[state],
        severity=int(RANKS[severity]) if severity else 0,
        most=MOST[at_most],
        start=when.start,
        end=when.end,
        after_severity=rank,
        after_began=began,
        after_id=key,
        limit=page.limit + 1,
    )
    kept, cursor = page.cut(rows, lambda row: (row.severity, row.began.isoformat(), row.id))
    return Page(
        items=[incident_item(row, seen) for row in kept], next=cursor, freshness=seen.freshness()
    )


@router.get(
    "/screen",
    summary="Open incidents on a screen",
    description="All open incidents on at most so many lines, worst first. Where there are more, "
    "the mildest are put together by city, then by province, then over domains; red ones last. "
    "Every incident is on exactly one line, and every line says how to open it.",
)
async def on_a_screen(
    seen: Annotated[View, Depends(view)],
    lines: Annotated[int, Query(ge=LEAST_LINES, le=MOST_LINES)] = SCREEN_LINES,
    severity: Annotated[ColourName | None, Query(description="This colour or worse.")] = None,
    domain: Annotated[str | None, Query()] = None,
    area: Annotated[str | None, Query(description="This area and everything under it.")] = None,
) -> Screen:
    seen.domain_named(domain)
    return await screen_of(seen, lines, RANKS[severity] if severity else 0, domain, area)


@router.get("/{id}", summary="One incident", description="Its present state and its steps.")
async def incident(id: str, seen: Annotated[View, Depends(view)]) -> IncidentDetail:
    row = await incident_row(id, seen)
    return IncidentDetail(
        incident=incident_item(row, seen),
        steps=await steps_of(id, seen),
        freshness=seen.freshness(),
    )


@router.get(
    "/{id}/alerts",
    summary="The alerts of an incident",
    description="What people see of them first, worst first; hidden ones and those that are over "
    "last.",
)
async def incident_alerts(
    id: str, seen: Annotated[View, Depends(view)], page: Annotated[Paging, Depends(paging)]
) -> Page[MemberItem]:
    await incident_row(id, seen)
    shown, began, key = page.key(int, datetime, str)
    rows = await seen.reader.rows(
        MemberRow,
        "incident_alerts",
        incident=id,
        after_shown=shown,
        after_began=began,
        after_id=key,
        limit=page.limit + 1,
    )
    kept, cursor = page.cut(rows, lambda row: (row.shown, row.began.isoformat(), row.id))
    return Page(items=await members(kept, seen), next=cursor, freshness=seen.freshness())
