"""Messages to the public: drafts, the signature of somebody else, refusal, and that it was sent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.access.guard import must_cover
from api.acting import ACTING_RESPONSES, in_sight, last_seen, limits, now, who_acts, written
from api.actions import messages as doing
from api.actions.actor import Actor
from api.actions.message import Draft, Given, Step
from api.actions.settings import ActingSettings
from api.moment import GivenMoment, Moment
from api.paging import Paging, paging
from api.problem import RESPONSES, not_found
from api.queries.acting_rows import MessageRow, MessageStepRow
from api.queries.database import Reader
from api.queries.listing import MESSAGES
from api.routers.actions import read_alert
from api.strict import StrictRoute
from api.view import Page, View, chosen_namespace, parts, view

router = APIRouter(
    route_class=StrictRoute, prefix="/messages", tags=["acting"], responses=RESPONSES
)
State = Literal["draft", "signed", "sent", "refused"]
Id = Annotated[int, Path(ge=1, le=2**53)]


class MessageStepItem(BaseModel):
    """One step of a message; `sign` is the signature."""

    number: int
    step: str
    who: str
    at: Moment
    digest: str = Field(description="What was signed.")
    note: str
    reference: str


class MessageItem(BaseModel):
    """A message as it stands."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 5,
                    "area": "330106",
                    "area_name": "西湖区",
                    "alert": "9f2c41d07b3a",
                    "corrects": None,
                    "text_zh": "文三路下穿积水, 已封闭, 请绕行。",
                    "text_en": "",
                    "digest": "3b1f…",
                    "expires": "2026-07-01T12:00:00+08:00",
                    "expired": False,
                    "exercise": False,
                    "author": "account:wang",
                    "state": "signed",
                    "sequence": 2,
                    "created_at": "2026-07-01T10:04:00+08:00",
                    "event_time": "2026-07-01T10:01:30+08:00",
                    "steps": None,
                }
            ]
        }
    )

    id: int
    area: str
    area_name: str | None
    alert: str | None
    corrects: int | None = Field(description="The message that this one takes the place of.")
    text_zh: str
    text_en: str
    digest: str = Field(description="SHA-256 over text, area, end and references.")
    expires: Moment
    expired: bool
    exercise: bool = Field(description="Never sent.")
    author: str
    state: str = Field(description="draft, signed, sent or refused.")
    sequence: int = Field(description="Number of its newest step, for `If-Match`.")
    created_at: Moment
    event_time: Moment | None = Field(description="Event time of its alert when it was written.")
    steps: list[MessageStepItem] | None = Field(description="Only where one is asked for.")


class WantedMessage(BaseModel):
    """A draft. It is never edited: refuse it and write another."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "area": "330106",
                    "alert": "9f2c41d07b3a",
                    "text_zh": "文三路下穿积水 31 厘米, 已封闭, 请绕行。",
                    "text_en": "Wensan Road underpass is flooded and closed; take another way.",
                    "expires": "2026-07-01T12:00:00+08:00",
                }
            ]
        },
    )

    area: str = Field(description="For whom: this area and everything under it.")
    text_zh: str = Field(max_length=5000)
    text_en: str = Field("", max_length=5000)
    expires: GivenMoment
    alert: str | None = None
    corrects: int | None = Field(None, ge=1, le=2**53)

    def draft(self) -> Draft:
        """The same for the state machine."""
        return Draft(self.area, self.text_zh, self.text_en, self.expires, self.alert, self.corrects)


class WantedSignature(BaseModel):
    """A signature is for what was read."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"digest": "3b1f…"}]})

    digest: str = Field(min_length=1, max_length=64, description="`digest` of what was read.")


class WantedRefusal(BaseModel):
    """Why it must not go out."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"note": "wrong road"}]}
    )

    note: str = Field(max_length=2000)


class WantedSending(BaseModel):
    """That it was put out, by whoever did it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reference": "broadcast 2026-07-01/17"}]}
    )

    reference: str = Field(max_length=200, description="The sender's own number of it.")


@router.get(
    "",
    summary="Messages to the public",
    description="Of an area and everything under it, newest first. A broadcasting system asks for "
    "`sendable=true`: signed by a second person, still valid, and not of an exercise.",
)
async def messages(
    seen: Annotated[View, Depends(view)],
    page: Annotated[Paging, Depends(paging)],
    at: Annotated[datetime, Depends(now)],
    state: Annotated[State | None, Query()] = None,
    area: Annotated[str | None, Query(description="This area and everything under it.")] = None,
    sendable: Annotated[bool | None, Query(description="What may be sent now.")] = None,
) -> Page[MessageItem]:
    rows = await MESSAGES.read(
        seen.reader,
        page.limit + 1,
        areas=await seen.codes_below(area),
        states=None if state is None else [state],
        sendable=sendable,
        after_id=page.key(int)[0],
    )
    kept, cursor = page.cut(rows, lambda row: (row.id,))
    items = [message_item(row, at) for row in kept]
    return Page[MessageItem](items=items, next=cursor, freshness=seen.freshness())


@router.get("/{id}", summary="One message", description="As it stands, with all its steps.")
async def message(
    id: Id, seen: Annotated[View, Depends(view)], at: Annotated[datetime, Depends(now)]
) -> MessageItem:
    return await read_message(seen.reader, id, at)


@router.post(
    "",
    responses=ACTING_RESPONSES,
    status_code=201,
    summary="Draft a message",
    description="An operator or a program writes it. It goes nowhere before a commander other than "
    "its author has signed it.",
)
async def draft(
    request: Request,
    wanted: WantedMessage,
    namespace: Annotated[str, Depends(chosen_namespace)],
    by: Annotated[Actor, Depends(who_acts)],
    at: Annotated[datetime, Depends(now)],
    settings: Annotated[ActingSettings, Depends(limits)],
) -> MessageItem:
    most = settings.message_limits()
    must_cover(request, wanted.area)
    async with in_sight(request, namespace) as reader:
        if wanted.alert is not None:
            await read_alert(reader, wanted.alert)
        if wanted.corrects is not None:
            await read_message(reader, wanted.corrects, at)
    id = await written(request, namespace, lambda c: doing.draft(c, by, at, wanted.draft(), most))
    async with parts(request).database.reading(namespace) as reader:
        return await read_message(reader, id, at)


@router.post(
    "/{id}/signature",
    responses=ACTING_RESPONSES,
    summary="Sign a message",
    description="By a commander who is not its author; 409 when it is not what was read, or has "
    "expired.",
)
async def sign(
    request: Request,
    id: Id,
    wanted: WantedSignature,
    namespace: Annotated[str, Depends(chosen_namespace)],
    by: Annotated[Actor, Depends(who_acts)],
    at: Annotated[datetime, Depends(now)],
    expected: Annotated[int | None, Depends(last_seen)],
) -> MessageItem:
    given = Given(digest=wanted.digest)
    return await _take(request, namespace, by, at, id, Step.SIGN, given, expected)


@router.post(
    "/{id}/refusal",
    responses=ACTING_RESPONSES,
    summary="Refuse a message",
    description="By a commander, or by its author; also when it is signed and not yet sent.",
)
async def refuse(
    request: Request,
    id: Id,
    wanted: WantedRefusal,
    namespace: Annotated[str, Depends(chosen_namespace)],
    by: Annotated[Actor, Depends(who_acts)],
    at: Annotated[datetime, Depends(now)],
    expected: Annotated[int | None, Depends(last_seen)],
) -> MessageItem:
    given = Given(note=wanted.note)
    return await _take(request, namespace, by, at, id, Step.REFUSE, given, expected)


@router.post(
    "/{id}/sending",
    responses=ACTING_RESPONSES,
    summary="Say that a message was sent",
    description="By the program or person that put it out, with their own reference. 409 for an "
    "exercise, an expired or an unsigned message: then it must not be put out.",
)
async def send(
    request: Request,
    id: Id,
    wanted: WantedSending,
    namespace: Annotated[str, Depends(chosen_namespace)],
    by: Annotated[Actor, Depends(who_acts)],
    at: Annotated[datetime, Depends(now)],
    expected: Annotated[int | None, Depends(last_seen)],
) -> MessageItem:
    given = Given(reference=wanted.reference)
    return await _take(request, namespace, by, at, id, Step.SEND, given, expected)


async def _take(
    request: Request,
    namespace: str,
    by: Actor,
    at: datetime,
    id: int,
    step: Step,
    given: Given,
    expected: int | None,
) -> MessageItem:
    async with in_sight(request, namespace) as reader:
        await read_message(reader, id, at)
    await written(request, namespace, lambda c: doing.take(c, by, at, id, step, given, expected))
    async with parts(request).database.reading(namespace) as reader:
        return await read_message(reader, id, at)


async def read_message(reader: Reader, id: int, at: datetime) -> MessageItem:
    """One message with its steps; `Problem` 404 when there is none."""
    row = await MESSAGES.one(reader, id=id)
    if row is None:
        raise not_found("message", str(id))
    steps = await reader.rows(MessageStepRow, "message_steps", id=id)
    return message_item(row, at, steps)


def message_item(
    row: MessageRow, at: datetime, steps: list[MessageStepRow] | None = None
) -> MessageItem:
    """The row for people."""
    return MessageItem(
        id=row.id,
        area=row.area,
        area_name=row.area_name,
        alert=row.alert,
        corrects=row.corrects,
        text_zh=row.text_zh,
        text_en=row.text_en,
        digest=row.digest,
        expires=row.expires,
        expired=row.expires <= at,
        exercise=row.exercise,
        author=row.author,
        state=row.state,
        sequence=row.sequence,
        created_at=row.created_at,
        event_time=row.event_time,
        steps=None if steps is None else [message_step_item(step) for step in steps],
    )


def message_step_item(row: MessageStepRow) -> MessageStepItem:
    """The row for people."""
    return MessageStepItem(
        number=row.number,
        step=row.step,
        who=row.who,
        at=row.at,
        digest=row.digest,
        note=row.note,
        reference=row.reference,
    )
