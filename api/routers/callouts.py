"""Call-outs (叫应): who must be called about an alert, who answered, who acts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.acting import ACTING_RESPONSES, in_sight, last_seen, limits, now, who_acts, written
from api.actions import callouts as doing
from api.actions.actor import Actor
from api.actions.callout import Call, Level, Line, Post, ladder
from api.actions.callouts import LINES, Said
from api.actions.settings import ActingSettings
from api.colour import Colour, colour
from api.moment import Moment
from api.paging import Paging, paging
from api.problem import RESPONSES, not_found
from api.queries.acting_rows import CalloutRow, CalloutStepRow
from api.queries.database import Reader
from api.queries.listing import CALLOUTS
from api.strict import StrictRoute
from api.view import Page, View, chosen_namespace, parts, view

router = APIRouter(
    route_class=StrictRoute, prefix="/callouts", tags=["acting"], responses=RESPONSES
)


class LineItem(BaseModel):
    """One level that must know."""

    line: str = Field(description="village, owner, town, county, city or province.")
    level: str = Field(description="Who is called now: the level,")
    post: str = Field(description="and its officer or deputy.")
    called_at: Moment
    answered_by: str | None
    acting_by: str | None
    unreached: bool = Field(description="Nobody is left to be called.")
    not_acting: bool = Field(description="Acting was not confirmed in time.")


class CalloutStepItem(BaseModel):
    """One thing that happened."""

    number: int
    event: str = Field(description="called, answered, acting, unreached, not_acting or ended.")
    line: str
    level: str | None
    post: str | None
    who: str
    at: Moment = Field(description="By the wall clock; of a deadline, the deadline.")
    note: str
    reference: str


class CalloutItem(BaseModel):
    """The call-out of an alert as it stands."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "alert": "9f2c41d07b3a",
                    "area": "330106",
                    "area_name": "西湖区",
                    "exercise": False,
                    "severity": {
                        "rank": 3,
                        "name": "orange",
                        "zh": "橙",
                        "risk_zh": "高",
                        "risk_en": "high",
                    },
                    "lines": [
                        {
                            "line": "county",
                            "level": "county",
                            "post": "deputy",
                            "called_at": "2026-07-01T10:06:00+08:00",
                            "answered_by": None,
                            "acting_by": None,
                            "unreached": False,
                            "not_acting": False,
                        }
                    ],
                    "sequence": 3,
                    "due": "2026-07-01T10:11:00+08:00",
                    "overdue": False,
                    "ended": False,
                    "started": "2026-07-01T10:01:00+08:00",
                    "steps": None,
                }
            ]
        }
    )

    alert: str
    area: str
    area_name: str | None
    exercise: bool
    severity: Colour
    lines: list[LineItem]
    sequence: int = Field(description="Number of its newest step, for `If-Match`.")
    due: Moment | None = Field(description="Next deadline.")
    overdue: bool = Field(description="A level is not reached, or does not act.")
    ended: bool
    started: Moment
    steps: list[CalloutStepItem] | None = Field(description="Only where one is asked for.")


class WantedCallAnswer(BaseModel):
    """That somebody who was called has answered."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"level": "county", "post": "officer", "who": "王伟", "note": "by phone"}]
        },
    )

    level: Level
    post: Post = Post.OFFICER
    who: str = Field("", max_length=100, description="Who answered; default: who says so.")
    note: str = Field("", max_length=2000)
    reference: str = Field("", max_length=200, description="Of the calling system.")


class WantedConfirmation(BaseModel):
    """That a level acts."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"line": "town", "who": "王伟", "note": "12 people moved"}]
        },
    )

    line: Level
    who: str = Field("", max_length=100, description="Who acts; default: who says so.")
    note: str = Field("", max_length=2000)
    reference: str = Field("", max_length=200)


@router.get(
    "",
    summary="Call-outs",
    description="Of an area and everything under it, newest first. Default: those that run.",
)
async def callouts(
    seen: Annotated[View, Depends(view)],
    page: Annotated[Paging, Depends(paging)],
    ended: Annotated[bool | None, Query(description="Only over, or only running, ones.")] = False,
    overdue: Annotated[bool | None, Query(description="Not reached, or not acting.")] = None,
    area: Annotated[str | None, Query(description="This area and everything under it.")] = None,
) -> Page[CalloutItem]:
    after_started, after_alert = page.key(datetime, str)
    rows = await CALLOUTS.read(
        seen.reader,
        page.limit + 1,
        areas=await seen.codes_below(area),
        ended=ended,
        overdue=overdue,
        after_started=after_started,
        after_alert=after_alert,
    )
    kept, cursor = page.cut(rows, lambda row: (row.started.isoformat(), row.alert))
    items = [callout_item(row) for row in kept]
    return Page[CalloutItem](items=items, next=cursor, freshness=seen.freshness())


@router.get(
    "/{alert}", summary="The call-out of an alert", description="As it stands, with all steps."
)
async def callout(alert: str, seen: Annotated[View, Depends(view)]) -> CalloutItem:
    return await read_callout(seen.reader, alert)


@router.post(
    "/{alert}/answers",
    responses=ACTING_RESPONSES,
    summary="Somebody answered",
    description="Counts for every level that has called this post and waits; late ones count, too.",
)
async def answer(
    request: Request,
    alert: str,
    wanted: WantedCallAnswer,
    namespace: Annotated[str, Depends(chosen_namespace)],
    by: Annotated[Actor, Depends(who_acts)],
    at: Annotated[datetime, Depends(now)],
    expected: Annotated[int | None, Depends(last_seen)],
    settings: Annotated[ActingSettings, Depends(limits)],
) -> CalloutItem:
    call, most = Call(wanted.level, wanted.post), settings.callout_limits()
    said = Said(wanted.who, wanted.note, wanted.reference)
    async with in_sight(request, namespace) as reader:
        await read_callout(reader, alert)
    await written(
        request, namespace, lambda c: doing.answer(c, by, at, alert, call, said, most, expected)
    )
    async with parts(request).database.reading(namespace) as reader:
        return await read_callout(reader, alert)


@router.post(
    "/{alert}/confirmations",
    responses=ACTING_RESPONSES,
    summary="A level acts",
    description="Within 15 minutes of the call-out, else it is overdue.",
)
async def confirm(
    request: Request,
    alert: str,
    wanted: WantedConfirmation,
    namespace: Annotated[str, Depends(chosen_namespace)],
    by: Annotated[Actor, Depends(who_acts)],
    at: Annotated[datetime, Depends(now)],
    expected: Annotated[int | None, Depends(last_seen)],
    settings: Annotated[ActingSettings, Depends(limits)],
) -> CalloutItem:
    said, most = Said(wanted.who, wanted.note, wanted.reference), settings.callout_limits()
    async with in_sight(request, namespace) as reader:
        await read_callout(reader, alert)
    await written(
        request,
        namespace,
        lambda c: doing.confirm(c, by, at, alert, wanted.line, said, most, expected),
    )
    async with parts(request).database.reading(namespace) as reader:
        return await read_callout(reader, alert)


async def read_callout(reader: Reader, alert: str) -> CalloutItem:
    """One call-out with its steps; `Problem` 404 when there is none."""
    row = await CALLOUTS.one(reader, alert=alert)
    if row is None:
        raise not_found("call-out of alert", alert)
    steps = await reader.rows(CalloutStepRow, "callout_steps", alert=alert)
    return callout_item(row, steps)


def callout_item(row: CalloutRow, steps: list[CalloutStepRow] | None = None) -> CalloutItem:
    """The row for people."""
    return CalloutItem(
        alert=row.alert,
        area=row.area,
        area_name=row.area_name,
        exercise=row.exercise,
        severity=colour(row.severity),
        lines=[line_item(line) for line in LINES.validate_python(row.lines)],
        sequence=row.sequence,
        due=row.due,
        overdue=row.overdue,
        ended=row.ended,
        started=row.started,
        steps=None if steps is None else [callout_step_item(step) for step in steps],
    )


def line_item(line: Line) -> LineItem:
    """The line for people."""
    call = ladder(line.level)[line.rung]
    return LineItem(
        line=line.level,
        level=call.level,
        post=call.post,
        called_at=line.called_at,
        answered_by=line.answered_by,
        acting_by=line.acting_by,
        unreached=line.unreached,
        not_acting=line.not_acting,
    )


def callout_step_item(row: CalloutStepRow) -> CalloutStepItem:
    """The row for people."""
    return CalloutStepItem(
        number=row.number,
        event=row.event,
        line=row.line,
        level=row.level,
        post=row.post,
        who=row.who,
        at=row.at,
        note=row.note,
        reference=row.reference,
    )
