"""The accounts: ledger of readings, maintenance tickets, hazard episodes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.moment import Moment
from api.paging import Paging, paging
from api.problem import RESPONSES
from api.queries.rows import EpisodeRow, LedgerCounts, LedgerRow, TicketRow
from api.strict import StrictRoute
from api.view import Page, Span, View, span, view

router = APIRouter(route_class=StrictRoute, tags=["accounts"], responses=RESPONSES)


class Counts(BaseModel):
    """What became of received readings."""

    model_config = ConfigDict(extra="forbid")

    received: int
    rejected: int
    quarantined: int
    duplicate: int
    stored: int
    on_time: int
    late: int
    revised: int = Field(description="Stored readings whose value was superseded (within stored).")
    closes: bool = Field(
        description="received = rejected + quarantined + duplicate + stored, "
        "and stored = on_time + late."
    )


class LedgerItem(BaseModel):
    """The counts of one area, domain and source."""

    area: str
    domain: str
    source: str
    counts: Counts


class LedgerPage(Page[LedgerItem]):
    """Rows, and the totals of everything that the filters keep."""

    totals: Counts


class TicketItem(BaseModel):
    """A maintenance matter, never a hazard."""

    id: str = Field(description="An alert's `suppressed_by` is `ticket:` and this.")
    area: str
    area_name: str | None
    point: str | None
    sensor: str | None = Field(description="Null when it is a matter of the whole `subject`.")
    subject: str = Field(description="`source:<gateway>` for a whole source, else empty.")
    property: str
    kind: str = Field(
        description="range, spike, flat_line, jump, frozen, balance, silent, neighbour, drift, unit"
    )
    opened: Moment
    closed: Moment | None
    evidence: dict[str, Any]


class EpisodeItem(BaseModel):
    """One continuous hazard at one point."""

    id: str
    kind: str
    area: str
    area_name: str | None
    point: str
    point_name: str | None
    start: Moment
    end: Moment | None
    duration_s: float | None
    payload: dict[str, Any]


@router.get(
    "/ledger",
    summary="Ledger",
    description="What became of every received reading, by area, domain and source, with totals.",
)
async def ledger(
    seen: Annotated[View, Depends(view)],
    page: Annotated[Paging, Depends(paging)],
    area: Annotated[str | None, Query(description="This area and everything under it.")] = None,
    domain: Annotated[str | None, Query()] = None,
    source: Annotated[str | None, Query(description="Gateway.")] = None,
) -> LedgerPage:
    after_area, after_domain, after_source = page.key(str, str, str)
    codes = await seen.codes_below(area)
    rows = await seen.reader.rows(
        LedgerRow,
        "ledger",
        areas=codes,
        domain=domain,
        source=source,
        after_area=after_area,
        after_domain=after_domain,
        after_source=after_source,
        limit=page.limit + 1,
    )
    (totals,) = await seen.reader.rows(
        LedgerCounts, "ledger_totals", areas=codes, domain=domain, source=source
    )
    kept, cursor = page.cut(rows, lambda row: (row.area, row.domain, row.source))
    return LedgerPage(
        items=[
            LedgerItem(area=r.area, domain=r.domain, source=r.source, counts=counts(r))
            for r in kept
        ],
        next=cursor,
        totals=counts(totals),
        freshness=seen.freshness(),
    )


@router.get(
    "/tickets",
    summary="Maintenance tickets",
    description="Sensors and sources that need somebody, newest first: what each kind means and "
    "what to do is in docs/quality.md. Of one kind, property and sensor at most one is open.",
)
async def tickets(
    seen: Annotated[View, Depends(view)],
    page: Annotated[Paging, Depends(paging)],
    open: Annotated[bool | None, Query(description="Only open, or only closed, ones.")] = None,
    area: Annotated[str | None, Query(description="This area and everything under it.")] = None,
    kind: Annotated[str | None, Query()] = None,
) -> Page[TicketItem]:
    opened, sensor, subject, prop, after_kind = page.key(datetime, str, str, str, str)
    rows = await seen.reader.rows(
        TicketRow,
        "tickets",
        areas=await seen.codes_below(area),
        kind=kind,
        open=open,
        after_opened=opened,
        after_sensor=sensor,
        after_subject=subject,
        after_property=prop,
        after_kind=after_kind,
        limit=page.limit + 1,
    )
    kept, cursor = page.cut(
        rows,
        lambda row: (row.opened.isoformat(), row.sensor, row.subject, row.property, row.kind),
    )
    return Page[TicketItem](
        items=[ticket_item(row) for row in kept], next=cursor, freshness=seen.freshness()
    )


@router.get(
    "/episodes",
    summary="Episodes",
    description="Continuous hazards at one point (start, peak, end), newest first. `from`/`to` "
    "keep those that were running at some moment in between.",
)
async def episodes(
    seen: Annotated[View, Depends(view)],
    page: Annotated[Paging, Depends(paging)],
    when: Annotated[Span, Depends(span)],
    open: Annotated[bool | None, Query(description="Only running, or only ended, ones.")] = None,
    area: Annotated[str | None, Query(description="This area and everything under it.")] = None,
    point: Annotated[str | None, Query()] = None,
    kind: Annotated[str | None, Query()] = None,
) -> Page[EpisodeItem]:
    start, key = page.key(datetime, str)
    rows = await seen.reader.rows(
        EpisodeRow,
        "episodes",
        areas=await seen.codes_below(area),
        point=point,
        kind=kind,
        open=open,
        start=when.start,
        end=when.end,
        after_start=start,
        after_id=key,
        limit=page.limit + 1,
    )
    kept, cursor = page.cut(rows, lambda row: (row.start.isoformat(), row.id))
    return Page[EpisodeItem](
        items=[episode_item(row) for row in kept], next=cursor, freshness=seen.freshness()
    )


def counts(row: LedgerRow | LedgerCounts) -> Counts:
    """The counts with the ledger law checked."""
    received = row.rejected + row.quarantined + row.duplicate + row.stored
    return Counts(
        received=row.received,
        rejected=row.rejected,
        quarantined=row.quarantined,
        duplicate=row.duplicate,
        stored=row.stored,
        on_time=row.on_time,
        late=row.late,
        revised=row.revised,
        closes=row.received == received and row.stored == row.on_time + row.late,
    )


def ticket_item(row: TicketRow) -> TicketItem:
    """The row for people."""
    return TicketItem(
        id=row.id,
        area=row.area,
        area_name=row.area_name,
        point=row.point,
        sensor=row.sensor or None,
        subject=row.subject,
        property=row.property,
        kind=row.kind,
        opened=row.opened,
        closed=row.closed,
        evidence=dict(row.evidence),
    )


def episode_item(row: EpisodeRow) -> EpisodeItem:
    """The row for people."""
    return EpisodeItem(
        id=row.id,
        kind=row.kind,
        area=row.area,
        area_name=row.area_name,
        point=row.point,
        point_name=row.point_name,
        start=row.start,
        end=row.end,
        duration_s=None if row.end is None else (row.end - row.start).total_seconds(),
        payload=dict(row.payload),
    )
