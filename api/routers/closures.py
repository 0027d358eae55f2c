"""Road closures: advised, ordered, confirmed, reopened, and the steps that lead there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.acting import ACTING_RESPONSES, in_sight, last_seen, limits, now, who_acts, written
from api.actions import closures as doing
from api.actions.actor import Actor
from api.actions.closure import Given, Step
from api.actions.settings import ActingSettings
from api.moment import Moment
from api.paging import Paging, paging
from api.problem import RESPONSES, not_found
from api.queries.acting_rows import ClosureRow, ClosureStepRow
from api.queries.database import Reader
from api.queries.listing import CLOSURES
from api.routers.actions import read_alert
from api.strict import StrictRoute
from api.view import Page, View, chosen_namespace, parts, view

router = APIRouter(
    route_class=StrictRoute, prefix="/closures", tags=["acting"], responses=RESPONSES
)
Shown = Literal[
    "running", "closed", "advised", "ordered", "confirmed", "reopened", "withdrawn", "any"
]
STATES: dict[str, list[str] | None] = {
    "running": ["advised", "ordered", "confirmed"],
    "closed": ["ordered", "confirmed"],
    "any": None,
}
Id = Annotated[int, Path(ge=1, le=2**53)]


class ClosureStepItem(BaseModel):
    """One step of a closure."""

    number: int
    step: str
    who: str
    at: Moment = Field(description="By the wall clock.")
    alert: str | None
    event_time: Moment | None = Field(description="Event time of the alert at that moment.")
    hazard: str = Field(description="What the alerts behind it said: open, stale or over.")
    note: str
    reference: str
    despite: bool = Field(description="Reopened although the hazard was not over.")


class ClosureItem(BaseModel):
    """A road closure as it stands."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 12,
                    "area": "330106",
                    "area_name": "西湖区",
                    "link": "rl-330106-0003",
                    "link_name": "路段3",
                    "state": "ordered",
                    "closed": True,
                    "exercise": False,
                    "alerts": ["9f2c41d07b3a"],
                    "sequence": 2,
                    "since": "2026-07-01T10:03:00+08:00",
                    "due": "2026-07-01T10:18:00+08:00",
                    "overdue": False,
                    "created_at": "2026-07-01T10:01:00+08:00",
                    "steps": None,
                }
            ]
        }
    )

    id: int
    area: str
    area_name: str | None
    link: str
    link_name: str | None
    state: str = Field(description="advised, ordered, confirmed, reopened or withdrawn.")
    closed: bool = Field(description="By order; only a person reopens it.")
    exercise: bool = Field(description="Of a drill or a simulation: nothing real is closed.")
    alerts: list[str]
    sequence: int = Field(description="Number of its newest step, for `If-Match`.")
    since: Moment
    due: Moment | None = Field(description="When the next step is overdue.")
    overdue: bool
    created_at: Moment
    steps: list[ClosureStepItem] | None = Field(description="Only where one is asked for.")


class WantedClosure(BaseModel):
    """A closure as somebody begins it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"link": "rl-330106-0003", "alert": "9f2c41d07b3a", "step": "order"}]
        },
    )

    link: str = Field(min_length=1, max_length=100, description="Point id of the road link.")
    alert: str | None = Field(None, description="Why.")
    step: Literal["advise", "order"] = "advise"
    note: str = Field("", max_length=2000)


class WantedStep(BaseModel):
    """The next step of a closure."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"step": "order"},
                {"step": "confirm", "reference": "gate 7/221"},
                {"step": "reopen", "note": "drained, no debris; crew 4 on the spot"},
            ]
        },
    )

    step: Literal["order", "confirm", "reopen", "withdraw", "note"]
    note: str = Field("", max_length=2000, description="Needed to reopen, withdraw and note.")
    reference: str = Field("", max_length=200, description="Needed from a program that confirms.")
    despite: bool = Field(False, description="Reopen although its alert is open or stale.")

    def given(self) -> Given:
        """What comes with the step."""
        return Given(self.note, self.reference, self.despite)


@router.get(
    "",
    summary="Road closures",
    description="Of an area and everything under it, newest first. Default: those that run "
    "(advised, ordered, confirmed).",
)
async def closures(
    seen: Annotated[View, Depends(view)],
    page: Annotated[Paging, Depends(paging)],
    at: Annotated[datetime, Depends(now)],
    state: Annotated[Shown, Query(description="closed = ordered or confirmed.")] = "running",
    area: Annotated[str | None, Query(description="This area and everything under it.")] = None,
    overdue: Annotated[bool | None, Query(description="Waits too long for its next step.")] = None,
    exercise: Annotated[
        bool | None, Query(description="Only of drills, or only real ones.")
    ] = None,
) -> Page[ClosureItem]:
    rows = await CLOSURES.read(
        seen.reader,
        page.limit + 1,
        areas=await seen.codes_below(area),
        states=STATES.get(state, [state]),
        exercise=exercise,
        overdue=overdue,
        after_id=page.key(int)[0],
    )
    kept, cursor = page.cut(rows, lambda row: (row.id,))
    items = [closure_item(row, at) for row in kept]
    return Page[ClosureItem](items=items, next=cursor, freshness=seen.freshness())


@router.get("/{id}", summary="One road closure", description="As it stands, with all its steps.")
async def closure(
    id: Id, seen: Annotated[View, Depends(view)], at: Annotated[datetime, Depends(now)]
) -> ClosureItem:
    return await read_closure(seen.reader, id, at)


@router.post(
    "",
    responses=ACTING_RESPONSES,
    status_code=201,
    summary="Begin a road closure",
    description="An operator advises it, a commander may order it at once. 409 when the road has "
    "a closure that runs.",
)
async def begin(
    request: Request,
    wanted: WantedClosure,
    namespace: Annotated[str, Depends(chosen_namespace)],
    by: Annotated[Actor, Depends(who_acts)],
    at: Annotated[datetime, Depends(now)],
    settings: Annotated[ActingSettings, Depends(limits)],
) -> ClosureItem:
    given, most = Given(wanted.note), settings.closure_limits()
    if wanted.alert is not None:
        async with in_sight(request, namespace) as reader:
            await read_alert(reader, wanted.alert)
    id = await written(
        request,
        namespace,
        lambda c: doing.begin(c, by, at, Step(wanted.step), wanted.link, wanted.alert, given, most),
    )
    async with parts(request).database.reading(namespace) as reader:
        return await read_closure(reader, id, at)


@router.post(
    "/{id}/steps",
    responses=ACTING_RESPONSES,
    summary="The next step of a road closure",
    description="A commander orders and reopens, an operator or a program with its reference "
    "confirms. No measurement and no program ever reopens a road.",
)
async def take(
    request: Request,
    id: Id,
    wanted: WantedStep,
    namespace: Annotated[str, Depends(chosen_namespace)],
    by: Annotated[Actor, Depends(who_acts)],
    at: Annotated[datetime, Depends(now)],
    expected: Annotated[int | None, Depends(last_seen)],
    settings: Annotated[ActingSettings, Depends(limits)],
) -> ClosureItem:
    step, given, most = Step(wanted.step), wanted.given(), settings.closure_limits()
    async with in_sight(request, namespace) as reader:
        await read_closure(reader, id, at)
    await written(
        request, namespace, lambda c: doing.take(c, by, at, id, step, given, most, expected)
    )
    async with parts(request).database.reading(namespace) as reader:
        return await read_closure(reader, id, at)


async def read_closure(reader: Reader, id: int, at: datetime) -> ClosureItem:
    """One closure with its steps; `Problem` 404 when there is none."""
    row = await CLOSURES.one(reader, id=id)
    if row is None:
        raise not_found("closure", str(id))
    steps = await reader.rows(ClosureStepRow, "closure_steps", id=id)
    return closure_item(row, at, steps)


def closure_item(
    row: ClosureRow, at: datetime, steps: list[ClosureStepRow] | None = None
) -> ClosureItem:
    """The row for people."""
    return ClosureItem(
        id=row.id,
        area=row.area,
        area_name=row.area_name,
        link=row.link,
        link_name=row.link_name,
        state=row.state,
        closed=row.state in ("ordered", "confirmed"),
        exercise=row.exercise,
        alerts=list(row.alerts),
        sequence=row.sequence,
        since=row.since,
        due=row.due,
        overdue=row.due is not None and row.due <= at,
        created_at=row.created_at,
        steps=None if steps is None else [closure_step_item(step) for step in steps],
    )


def closure_step_item(row: ClosureStepRow) -> ClosureStepItem:
    """The row for people."""
    return ClosureStepItem(
        number=row.number,
        step=row.step,
        who=row.who,
        at=row.at,
        alert=row.alert,
        event_time=row.event_time,
        hazard=row.hazard,
        note=row.note,
        reference=row.reference,
        despite=row.despite,
    )
