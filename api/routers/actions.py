"""What people do with an alert: acknowledge, assign, comment, silence, close by hand."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.acting import (
    ACTING_RESPONSES,
    in_sight,
    last_seen,
    limits,
    log_door,
    now,
    who_acts,
    written,
)
from api.actions.actor import Actor
from api.actions.alert_action import Action, Given
from api.actions.alert_actions import act
from api.actions.closing import close
from api.actions.log_door import LogDoor
from api.actions.settings import ActingSettings
from api.colour import Colour, colour
from api.moment import GivenMoment, Moment
from api.problem import RESPONSES, not_found
from api.queries.acting_rows import ActionRow
from api.queries.database import Reader
from api.queries.rows import AlertRow
from api.strict import StrictRoute
from api.view import Freshness, View, chosen_namespace, parts, view
from streams.contracts.closing import Ending

router = APIRouter(route_class=StrictRoute, prefix="/alerts", tags=["acting"], responses=RESPONSES)


class WantedAction(BaseModel):
    """An action as it is asked for."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"action": "acknowledge", "note": "crew is on the way"},
                {"action": "assign", "assignee": "account:li"},
                {
                    "action": "silence",
                    "note": "pump works until noon",
                    "until": "2026-07-01T12:00:00+08:00",
                },
                {"action": "close", "ending": "false_alarm", "note": "the gauge was being cleaned"},
            ]
        },
    )

    action: Action
    note: str = Field("", max_length=2000, description="Needed to comment, silence and close.")
    assignee: str = Field("", max_length=100, description="To whom it is assigned.")
    until: GivenMoment | None = Field(None, description="End of a silence; it needs one.")
    ending: Ending | None = Field(
        None,
        description="Why it is closed by hand: there was no hazard, or it is over. Neither is "
        "an ending by measurement (`cleared`) or of a bad sensor (`withdrawn`).",
    )

    def given(self) -> Given:
        """What comes with the action."""
        return Given(self.note, self.assignee, self.until, self.ending)


class ActionItem(BaseModel):
    """One action on an alert."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": 1,
                    "action": "acknowledge",
                    "who": "account:wang",
                    "at": "2026-07-01T10:03:00+08:00",
                    "alert_sequence": 3,
                    "event_time": "2026-07-01T10:01:30+08:00",
                    "severity": {
                        "rank": 3,
                        "name": "orange",
                        "zh": "橙",
                        "risk_zh": "高",
                        "risk_en": "high",
                    },
                    "note": "crew is on the way",
                    "assignee": "",
                    "until": None,
                    "ending": None,
                    "outcome": None,
                }
            ]
        }
    )

    number: int
    action: str
    who: str
    at: Moment = Field(description="By the wall clock.")
    alert_sequence: int = Field(description="Newest transition of the alert at that moment.")
    event_time: Moment = Field(description="Its event time.")
    severity: Colour = Field(description="Of the alert then; the action holds until it rises.")
    note: str
    assignee: str
    until: Moment | None
    ending: str | None
    outcome: str | None = Field(
        description="Of a close: `closing` until the stream has taken it, then `closed`; "
        "`not_open`: the alert had ended by then; `risen`: it was worse by then than at the close, "
        "and goes on; `beside`: an old one, which the stream was never told of."
    )


class Actions(BaseModel):
    """All actions on an alert, in order."""

    items: list[ActionItem]
    sequence: int = Field(description="Number of the newest, for `If-Match`.")
    freshness: Freshness


@router.post(
    "/{id}/actions",
    responses=ACTING_RESPONSES
    | {
        202: {"model": ActionItem, "description": "A close was handed to the stream."},
        200: {"model": ActionItem, "description": "It had been closed so before."},
    },
    status_code=201,
    summary="Act on an alert",
    description="Acknowledge, assign, comment, silence, unsilence or close by hand. An action "
    "holds until the alert rises above the severity at which it was taken. A close is handed to "
    "the stream (202, `outcome` is `closing`), which ends the alert: everybody gets the transition "
    "`closed`. The same close again is 200 and changes nothing; 503 when the log does not answer.",
)
async def act_on(
    request: Request,
    id: str,
    wanted: WantedAction,
    namespace: Annotated[str, Depends(chosen_namespace)],
    by: Annotated[Actor, Depends(who_acts)],
    at: Annotated[datetime, Depends(now)],
    expected: Annotated[int | None, Depends(last_seen)],
    settings: Annotated[ActingSettings, Depends(limits)],
    door: Annotated[LogDoor, Depends(log_door)],
    response: Response,
) -> ActionItem:
    given, most = wanted.given(), settings.action_limits()
    async with in_sight(request, namespace) as reader:
        await read_alert(reader, id)
    if wanted.action is Action.CLOSE:
        append = partial(door.append, namespace)
        taken = await written(
            request, namespace, lambda c: close(c, append, by, at, id, given, most, expected)
        )
        number, response.status_code = taken.number, 202 if taken.new else 200
    else:
        number = await written(
            request, namespace, lambda c: act(c, by, at, id, wanted.action, given, most, expected)
        )
    async with parts(request).database.reading(namespace) as reader:
        rows = await reader.rows(ActionRow, "alert_actions", alert=id)
    return action_item(next(row for row in rows if row.number == number))


@router.get(
    "/{id}/actions",
    summary="What was done with an alert",
    description="Who did what, when, in order; with the alert's event time of that moment.",
)
async def actions(id: str, seen: Annotated[View, Depends(view)]) -> Actions:
    await read_alert(seen.reader, id)
    rows = await seen.reader.rows(ActionRow, "alert_actions", alert=id)
    return Actions(
        items=[action_item(row) for row in rows],
        sequence=rows[-1].number if rows else 0,
        freshness=seen.freshness(),
    )


async def read_alert(reader: Reader, id: str) -> AlertRow:
    """The alert; `Problem` 404 when there is none."""
    row = await reader.row(AlertRow, "alert", id=id)
    if row is None:
        raise not_found("alert", id)
    return row


def action_item(row: ActionRow) -> ActionItem:
    """The row for people."""
    return ActionItem(
        number=row.number,
        action=row.action,
        who=row.who,
        at=row.at,
        alert_sequence=row.alert_sequence,
        event_time=row.event_time,
        severity=colour(row.severity),
        note=row.note,
        assignee=row.assignee,
        until=row.until,
        ending=row.ending,
        outcome=row.outcome,
    )
