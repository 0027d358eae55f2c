"""What subscribers did with an event: executed, refused or failed, with their own reference."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.acting import ACTING_RESPONSES, in_sight, now, who_acts, written
from api.actions import answers as doing
from api.actions.acting import Answer, Outcome
from api.actions.actor import Actor
from api.moment import Moment
from api.problem import RESPONSES, Problem, not_found
from api.queries.acting_rows import AnswerRow
from api.queries.database import Reader
from api.strict import StrictRoute
from api.view import Freshness, View, chosen_namespace, parts, view

router = APIRouter(route_class=StrictRoute, tags=["acting"], responses=RESPONSES)
MOST = 10_000
EventId = Annotated[
    str,
    Path(
        max_length=100,
        pattern=r"^(?:[A-Za-z0-9_.:]+-)?\d{1,18}$",
        description="Number of the event, or the id of the message that carried it "
        "(`<subscription>-<number>`).",
    ),
]


class WantedAnswer(BaseModel):
    """What a subscriber says."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"subscription": "5f1c", "outcome": "executed", "reference": "signal plan 7/221"},
                {
                    "subscription": "5f1c",
                    "outcome": "failed",
                    "reference": "signal plan 7/222",
                    "reason": "controller 14 does not answer",
                },
            ]
        },
    )

    subscription: str = Field(
        min_length=1,
        max_length=100,
        description="Which one was told; who follows /v1/events names itself, `key:<id>`.",
    )
    outcome: Outcome
    reference: str = Field(
        max_length=200, description="The subscriber's own number of what it did."
    )
    reason: str = Field("", max_length=2000, description="Needed unless it was executed.")


class AnswerItem(BaseModel):
    """One answer to one event. The newest of a subscription counts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "event": 8812,
                    "subscription": "5f1c",
                    "number": 1,
                    "alert": "9f2c41d07b3a",
                    "alert_sequence": 3,
                    "area": "330106",
                    "outcome": "failed",
                    "reference": "signal plan 7/222",
                    "reason": "controller 14 does not answer",
                    "late": False,
                    "who": "key:4f21",
                    "at": "2026-07-01T10:02:10+08:00",
                    "event_time": "2026-07-01T10:01:30+08:00",
                }
            ]
        }
    )

    event: int
    subscription: str
    number: int = Field(description="Counts this subscription's answers to this event.")
    alert: str
    alert_sequence: int
    area: str
    outcome: str
    reference: str
    reason: str
    late: bool = Field(description="The event was not valid any more when it was acted on.")
    who: str
    at: Moment
    event_time: Moment


class Answers(BaseModel):
    """Answers, by event, subscription and number."""

    items: list[AnswerItem]
    freshness: Freshness


@router.post(
    "/events/{event}/answers",
    responses=ACTING_RESPONSES,
    status_code=201,
    summary="Answer an event",
    description="The same answer again is answered with 200 and changes nothing; another one is "
    "kept beside it, and the newest counts. Refused and failed make the alert stand out. 403 for a "
    "subscription that names another program in `answered_by`, and that the caller may not manage.",
)
async def answer(
    request: Request,
    response: Response,
    event: EventId,
    wanted: WantedAnswer,
    namespace: Annotated[str, Depends(chosen_namespace)],
    by: Annotated[Actor, Depends(who_acts)],
    at: Annotated[datetime, Depends(now)],
) -> AnswerItem:
    sequence = _sequence_of(event, wanted.subscription)
    async with in_sight(request, namespace) as reader:
        await _must_be_there(reader, "answered_event", "event", sequence)
    said = Answer(wanted.outcome, wanted.reference, wanted.reason)
    kept = await written(
        request,
        namespace,
        lambda c: doing.answer(c, by, at, sequence, wanted.subscription, said),
    )
    if not kept.new:
        response.status_code = 200
    async with parts(request).database.reading(namespace) as reader:
        rows = await reader.rows(AnswerRow, "answers", event=sequence, alert=None, limit=MOST)
    wanted_key = (wanted.subscription, kept.number)
    return answer_item(next(r for r in rows if (r.subscription, r.number) == wanted_key))


@router.get(
    "/events/{event}/answers",
    summary="Answers to an event",
    description="Of all subscribers, every answer that was kept.",
)
async def answers(event: EventId, seen: Annotated[View, Depends(view)]) -> Answers:
    sequence = _sequence_of(event, None)
    rows = await seen.reader.rows(AnswerRow, "answers", event=sequence, alert=None, limit=MOST)
    if not rows:
        await _must_be_there(seen.reader, "answered_event", "event", sequence)
    return Answers(items=[answer_item(row) for row in rows], freshness=seen.freshness())


@router.get(
    "/alerts/{id}/answers",
    summary="Answers to the events of an alert",
    description="Of all subscribers, every answer that was kept.",
)
async def answers_of_alert(id: str, seen: Annotated[View, Depends(view)]) -> Answers:
    rows = await seen.reader.rows(AnswerRow, "answers", event=None, alert=id, limit=MOST)
    if not rows:
        await _must_be_there(seen.reader, "alert", "alert", id)
    return Answers(items=[answer_item(row) for row in rows], freshness=seen.freshness())


async def _must_be_there(reader: Reader, statement: str, what: str, key: int | str) -> None:
    given: dict[str, object] = {"event": key} if what == "event" else {"id": key}
    if not await reader.column(statement, **given):
        raise not_found(what, str(key))


def _sequence_of(event: str, subscription: str | None) -> int:
    whose, _, number = event.rpartition("-")
    if whose and subscription is not None and whose != subscription:
        raise Problem(409, f"Event {event!r} was told to another subscription.")
    return int(number)


def answer_item(row: AnswerRow) -> AnswerItem:
    """The row for people."""
    return AnswerItem(
        event=row.event,
        subscription=row.subscription,
        number=row.number,
        alert=row.alert,
        alert_sequence=row.alert_sequence,
        area=row.area,
        outcome=row.outcome,
        reference=row.reference,
        reason=row.reason,
        late=row.late,
        who=row.who,
        at=row.at,
        event_time=row.event_time,
    )
