"""Alerts: open ones worst first, those of a time, and one with all its transitions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from api.alert_items import (
    STATES,
    AlertItem,
    LateItem,
    State,
    TransitionItem,
    alert_items,
    late_item,
    transition_item,
)
from api.colour import RANKS, ColourName
from api.events.page import now_cursor
from api.paging import Paging, paging
from api.problem import RESPONSES, not_found
from api.queries.rows import AlertRow, LateRow, TransitionRow
from api.strict import StrictRoute
from api.view import Freshness, Page, Span, View, span, view

router = APIRouter(route_class=StrictRoute, prefix="/alerts", tags=["alerts"], responses=RESPONSES)


class AlertDetail(BaseModel):
    """One alert with its history, and what came too late for it."""

    alert: AlertItem
    transitions: list[TransitionItem]
    late: list[LateItem]
    freshness: Freshness


class AlertPage(Page[AlertItem]):
    """One page of alerts, and where to follow on."""

    cursor: str = Field(
        description="`after` of GET /v1/events: everything that happened since. Of several pages "
        "take that of the first; of each alert the highest `sequence` counts."
    )


@router.get(
    "",
    summary="Alerts",
    description="Alerts of an area and everything under it. Default: the open ones, worst first. "
    "`from`/`to` keep alerts that were open at some moment in between. The list is exactly the "
    "state before the first event behind its `cursor`.",
)
async def alerts(
    seen: Annotated[View, Depends(view)],
    page: Annotated[Paging, Depends(paging)],
    when: Annotated[Span, Depends(span)],
    state: Annotated[State, Query(description="open = pending or firing.")] = "open",
    severity: Annotated[ColourName | None, Query(description="This colour or worse.")] = None,
    domain: Annotated[str | None, Query()] = None,
    area: Annotated[str | None, Query(description="This area and everything under it.")] = None,
    point: Annotated[str | None, Query()] = None,
    order: Annotated[Literal["worst", "newest"], Query()] = "worst",
) -> AlertPage:
    seen.domain_named(domain)
    if order == "worst":
        rank, onset, key = page.key(int, datetime, str)
    else:
        rank, (onset, key) = None, page.key(datetime, str)
    rows = await seen.reader.rows(
        AlertRow,
        "alerts_worst" if order == "worst" else "alerts_newest",
        areas=await seen.codes_below(area),
        domain=domain,
        states=STATES[state],
        point=point,
        severity=RANKS[severity] if severity else 0,
        start=when.start,
        end=when.end,
        after_severity=rank,
        after_onset=onset,
        after_id=key,
        limit=page.limit + 1,
    )
    kept, cursor = page.cut(
        rows,
        lambda row: (
            (row.severity, row.onset.isoformat(), row.id)
            if order == "worst"
            else (row.onset.isoformat(), row.id)
        ),
    )
    return AlertPage(
        items=await alert_items(kept, seen),
        next=cursor,
        cursor=(await now_cursor(seen.reader)).text(),
        freshness=seen.freshness(),
    )


@router.get(
    "/{id}",
    summary="One alert",
    description="Its present state and every transition, with reason, value, threshold, evidence "
    "and the log position of the evidence; and the readings that came too late to be judged, with "
    "what they would have changed.",
)
async def alert(id: str, seen: Annotated[View, Depends(view)]) -> AlertDetail:
    row = await seen.reader.row(AlertRow, "alert", id=id)
    if row is None:
        raise not_found("alert", id)
    transitions = await seen.reader.rows(TransitionRow, "transitions", id=id)
    late = await seen.reader.rows(LateRow, "late_beside", id=id)
    return AlertDetail(
        alert=(await alert_items([row], seen))[0],
        transitions=[transition_item(each) for each in transitions],
        late=[late_item(each) for each in late],
        freshness=seen.freshness(),
    )
