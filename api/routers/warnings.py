"""Official warnings: what agencies said, shown as context beside our own alerts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.colour import RANKS, Colour, ColourName, colour
from api.geojson import collection
from api.moment import Moment
from api.offer import RESPONSE, Wanted, next_link, table_response, wanted
from api.paging import Paging, paging
from api.problem import RESPONSES, bad_parameter, not_found
from api.queries.cap_rows import OriginalRow, WarningRow
from api.strict import StrictRoute
from api.table import cell
from api.view import Freshness, Page, Span, View, span, view
from streams.contracts.area_code import city_of, is_area_code, stem_of
from streams.contracts.reason import NamespaceKind

router = APIRouter(
    route_class=StrictRoute, prefix="/warnings", tags=["warnings"], responses=RESPONSES
)

COLUMNS = [
    "id",
    "state",
    "sent",
    "expires",
    "issuers",
    "event",
    "colour",
    "areas",
    "area_text",
    "headline",
]


class WarningItem(BaseModel):
    """One message of an agency, as it was sent, and what became of it."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(description="Fingerprint of sender and identifier.")
    sender: str
    identifier: str
    kind: str = Field(description="Alert, Update or Cancel.")
    status: str = Field(description="CAP status: Actual, Exercise, System, Test, Draft.")
    state: str = Field(
        description="active, updated (another took its place), cancelled, expired, cancel (the "
        "message that ended another), not_actual (never in force here)."
    )
    form: str = Field(description="cap or cma_row.")
    issuers: list[str]
    event: str = Field(description="The agency's word.")
    type: str | None = Field(description="Known type of warning; null when it is none.")
    severity: Colour | None = Field(description="Colour; null when none was stated.")
    areas: list[str] = Field(description="GB/T 2260.")
    cities: list[str] = Field(description="The areas rolled up to their cities.")
    area_text: str
    language: str
    headline: str
    description: str
    instruction: str
    sent: Moment
    effective: Moment | None
    onset: Moment | None
    expires: Moment
    expires_stated: bool = Field(description="False: the house's rule, the agency stated none.")
    refers: list[str] = Field(description="Messages that it updates or cancels, by `id`.")
    ended_by: str | None = Field(description="The message that took its place or cancelled it.")
    ended_at: Moment | None
    origin: str
    source: str = Field(description="Who brought it here.")
    heard: Moment


class WarningDetail(BaseModel):
    """One warning with its geometry."""

    warning: WarningItem
    geometry: dict[str, Any] | None = Field(description="GeoJSON, when it has any.")
    freshness: Freshness


@router.get(
    "",
    response_model=Page[WarningItem],
    responses=RESPONSE,
    summary="Official warnings",
    description="Warnings of agencies, newest first; default: those in force by the namespace's "
    "clock. `area` keeps what lies in it and what holds it. `from`/`to` keep warnings that were "
    "in force at some moment in between. `format=geojson` adds the geometry where there is one.",
)
async def warnings(
    request: Request,
    seen: Annotated[View, Depends(view)],
    page: Annotated[Paging, Depends(paging)],
    want: Annotated[Wanted, Depends(wanted)],
    when: Annotated[Span, Depends(span)],
    state: Annotated[
        Literal["active", "all"], Query(description="all = every message, the history.")
    ] = "active",
    area: Annotated[str | None, Query(description="GB/T 2260 code.")] = None,
    severity: Annotated[ColourName | None, Query(description="This colour or worse.")] = None,
    type: Annotated[str | None, Query(description="Known type, e.g. 暴雨.")] = None,
) -> Any:
    sent, key = page.key(datetime, str)
    rows = await seen.reader.rows(
        WarningRow,
        "warnings",
        active=state == "active",
        **_where(area),
        now=seen.as_of,
        statuses=counting(seen),
        severity=RANKS[severity] if severity else 0,
        type=type,
        start=when.start,
        end=when.end,
        after_sent=sent,
        after_id=key,
        limit=page.limit + 1,
    )
    kept, cursor = page.cut(rows, lambda row: (row.sent.isoformat(), row.id))
    items = [warning_item(row, seen) for row in kept]
    if want.form == "geojson":
        shapes = [(i.id, r.geometry, i) for i, r in zip(items, kept, strict=True)]
        return collection(shapes, cursor, seen.freshness())
    if want.form == "csv":
        link = next_link(request, cursor)
        return table_response(COLUMNS, map(_cells, items), seen.freshness(), want, link)
    return Page[WarningItem](items=items, next=cursor, freshness=seen.freshness())


@router.get("/{id}", summary="One official warning", description="With its geometry.")
async def warning(id: str, seen: Annotated[View, Depends(view)]) -> WarningDetail:
    row = await seen.reader.row(WarningRow, "warning", id=id)
    if row is None:
        raise not_found("warning", id)
    return WarningDetail(
        warning=warning_item(row, seen),
        geometry=None if row.geometry is None else dict(row.geometry),
        freshness=seen.freshness(),
    )


@router.get(
    "/{id}/original",
    response_class=Response,
    responses={200: {"description": "The bytes.", "content": {"application/octet-stream": {}}}},
    summary="A warning as it came",
    description="The very bytes that the agency sent, to be saved, never shown by the browser.",
)
async def original(id: str, seen: Annotated[View, Depends(view)]) -> Response:
    row = await seen.reader.row(OriginalRow, "warning_original", id=id)
    if row is None:
        raise not_found("warning", id)
    return Response(
        row.original,
        media_type="application/octet-stream",
        headers={
            "content-disposition": f'attachment; filename="{id}"',
            "citybrain-media-type": row.media_type,
        },
    )


async def list_warnings(
    seen: View, area: str | None, active: bool, limit: int
) -> list[WarningItem]:
    """Warnings for the command line and the start page, newest first."""
    rows = await seen.reader.rows(
        WarningRow,
        "warnings",
        active=active,
        **_where(area),
        now=seen.as_of,
        statuses=counting(seen),
        severity=0,
        type=None,
        start=None,
        end=None,
        after_sent=None,
        after_id=None,
        limit=limit,
    )
    return [warning_item(row, seen) for row in rows]


def counting(seen: View) -> list[str]:
    """The statuses that may be in force here: a live city takes nothing but Actual."""
    live = seen.clock.kind == NamespaceKind.LIVE
    return ["Actual"] if live else ["Actual", "Exercise", "Test"]


def warning_item(row: WarningRow, seen: View) -> WarningItem:
    """The row for people."""
    return WarningItem(
        id=row.id,
        sender=row.sender,
        identifier=row.identifier,
        kind=row.kind,
        status=row.status,
        state=_state(row, seen),
        form=row.form,
        issuers=row.issuers,
        event=row.event,
        type=row.type or None,
        severity=colour(row.severity) if row.severity else None,
        areas=row.areas,
        cities=sorted({city_of(code) for code in row.areas}),
        area_text=row.area_text,
        language=row.language,
        headline=row.headline,
        description=row.description,
        instruction=row.instruction,
        sent=row.sent,
        effective=row.effective,
        onset=row.onset,
        expires=row.expires,
        expires_stated=row.expires_stated,
        refers=row.refers,
        ended_by=row.ended_by,
        ended_at=row.ended_at,
        origin=row.origin,
        source=row.source,
        heard=row.heard,
    )


def _state(row: WarningRow, seen: View) -> str:
    if row.kind == "Cancel":
        return "cancel"
    if row.status not in counting(seen):
        return "not_actual"
    if row.ended_by is not None:
        return "cancelled" if row.ended_kind == "Cancel" else "updated"
    if seen.as_of is not None and row.expires <= seen.as_of:
        return "expired"
    return "active"


def _where(area: str | None) -> dict[str, list[str] | None]:
    """The stem of codes in the area, and the codes that hold it."""
    if area is None:
        return {"stems": None, "above": None}
    if not is_area_code(area):
        raise bad_parameter("area", f"{area!r} is no GB/T 2260 code")
    above = [f"{area[:2]}0000", f"{area[:4]}00", area[:6], area]
    return {"stems": [stem_of(area)], "above": above}


def _cells(item: WarningItem) -> dict[str, str]:
    return {
        "id": item.id,
        "state": item.state,
        "sent": cell(item.sent),
        "expires": cell(item.expires),
        "issuers": "、".join(item.issuers),
        "event": item.event,
        "colour": item.severity.name if item.severity else "",
        "areas": " ".join(item.areas),
        "area_text": item.area_text,
        "headline": item.headline,
    }
