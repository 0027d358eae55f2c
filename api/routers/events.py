"""Events that programs follow: by cursor, waiting when nothing is new, or as a stream."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access.guard import guard_of, reach_here, unauthorized
from api.access.role import Reach
from api.access.watch import while_admitted
from api.colour import RANKS, ColourName
from api.events.cursor import Cursor
from api.events.event import CLOUD_EVENTS, Wanted, cloud_event, event
from api.events.page import Stretch, place, read_bounds, read_completeness, read_stretch
from api.events.stream import EventStream, Streams
from api.events.tail import Tails, completeness
from api.moment import Moment, iso
from api.paging import MAX_LIMIT
from api.problem import RESPONSES, ProblemDocument
from api.queries.event_rows import CompletenessRow, EventBoundsRow
from api.strict import StrictRoute
from api.view import Freshness, Parts, View, chosen_namespace, parts, viewing
from streams.contracts.reason import Change

MOST_WAIT_S = 30.0
GONE: dict[int | str, dict[str, Any]] = {
    410: {
        "model": ProblemDocument,
        "description": "The cursor is too old, or of another log: begin anew with `snapshot`.",
        "content": {"application/problem+json": {}},
    }
}
router = APIRouter(
    route_class=StrictRoute, prefix="/events", tags=["events"], responses=RESPONSES | GONE
)


class Complete(BaseModel):
    """How much of an area spoke."""

    model_config = ConfigDict(extra="forbid")

    points: int | None = Field(description="Points with sensors; null: not known.")
    reporting: int | None = Field(description="Of them, those with a sensor that speaks.")
    unknown: bool = Field(description="The area's colour is not to be believed: data is missing.")


class AreaComplete(Complete):
    """How much of an area speaks now."""

    area: str
    as_of: Moment = Field(description="Processing time up to which it was looked at.")


class Held(BaseModel):
    """It flaps: people's lists go on showing this colour until then (event time)."""

    model_config = ConfigDict(extra="forbid")

    severity: int
    until_ms: int


class EventItem(BaseModel):
    """One transition of an alert, with the alert's full state after it."""

    model_config = ConfigDict(extra="forbid")

    cursor: str = Field(description="Go on behind this event.")
    sequence: int = Field(description="In the order in which it became visible; no gaps.")
    decided_at: Moment
    valid_until: Moment = Field(description="Nobody acts on it later without asking again.")
    status: Literal["Actual", "Exercise", "Test"]
    origin: str = Field(description="live, simulated, replayed or drill.")
    notify: bool = Field(description="Whether people are told; programs get everything.")
    peak_severity: int = Field(description="The worst that the alert has been, 0 … 4.")
    completeness: Complete | None = Field(description="Of its area when it was decided.")
    suppressed_by: str | None = Field(
        description="Alert, or `ticket:<id>`, that stands for it in people's lists."
    )
    held: Held | None
    alert: dict[str, Any] = Field(description="Full state: docs/schemas/alert.schema.json.")


class EventPage(BaseModel):
    """Events behind a cursor."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "events": [],
                    "next": "AT8BPSwL7UGYtXS0Z_pz0HkAAAAAAAAAKlFBUVE",
                    "more": False,
                    "hint": None,
                    "kept_days": 30,
                    "sent_at": "2024-09-16T06:31:02.120+08:00",
                    "completeness": [
                        {
                            "area": "330106",
                            "points": 12,
                            "reporting": 12,
                            "unknown": False,
                            "as_of": "2024-09-16T06:31:02+08:00",
                        }
                    ],
                    "freshness": {
                        "namespace": "citybrain",
                        "kind": "live",
                        "as_of": "2024-09-16T06:31:02+08:00",
                        "newest_event": "2024-09-16T06:31:00+08:00",
                        "lag_records": 0,
                        "areas": 90,
                        "areas_reporting": 90,
                        "areas_unknown": 0,
                        "complete": True,
                    },
                }
            ]
        },
    )

    events: list[EventItem]
    next: str = Field(description="`after` of the next request, also when no event matched.")
    more: bool = Field(description="More is there already: ask again at once.")
    hint: str | None = Field(description="What to do first, when no cursor was given.")
    kept_days: int = Field(description="How long a cursor is good for; 0 = for ever.")
    sent_at: Moment = Field(description="By the server's clock.")
    completeness: list[AreaComplete] = Field(description="Of the areas asked for, now.")
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose events, and which."""

    parts: Parts
    namespace: str
    area: str | None
    domain: str | None
    severity: ColourName | None
    change: Change | None
    snapshot: str  # path where to begin anew
    reach: Reach
    admits: Callable[[], Awaitable[bool]]  # whether who asked may still be told

    async def wanted(self, seen: View) -> Wanted:
        """What an event must be. `Problem` 422 for an unknown area or domain."""
        seen.domain_named(self.domain)
        areas = await seen.reached_below(self.area)
        return Wanted(
            None if areas is None else frozenset(areas),
            self.domain,
            int(RANKS[self.severity]) if self.severity else 0,
            self.change.value if self.change else None,
        )


def asked(
    request: Request,
    given: Annotated[Parts, Depends(parts)],
    namespace: Annotated[str, Depends(chosen_namespace)],
    area: Annotated[str | None, Query(description="This area and everything under it.")] = None,
    domain: Annotated[str | None, Query()] = None,
    severity: Annotated[
        ColourName | None,
        Query(description="Alerts that were this colour or worse: from then on to their end."),
    ] = None,
    change: Annotated[Change | None, Query(description="This kind of transition only.")] = None,
) -> Asked:
    """Dependency: what is asked for."""
    kept = ("namespace", "area", "domain")
    query = urlencode({k: v for k, v in request.query_params.items() if k in kept})
    snapshot = f"/v1/alerts?{query}" if query else "/v1/alerts"
    admits = partial(guard_of(request).still_admits, request)
    reach = reach_here(request)
    return Asked(given, namespace, area, domain, severity, change, snapshot, reach, admits)


@dataclass(frozen=True, slots=True)
class Found:
    """One look."""

    stretch: Stretch
    bounds: EventBoundsRow
    completeness: list[CompletenessRow]
    freshness: Freshness

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.bounds.log, self.stretch.next)


@router.get(
    "",
    summary="Events behind a cursor",
    description="Every transition of every alert, in one order, each once. Begin with "
    "`GET /v1/alerts` and its `cursor`; then `after` = `next` of the answer before. With `wait` an "
    "answer without events comes only after so many seconds. Every answer says how fresh and how "
    "complete the areas are, so that no danger, no data and a dead citybrain are three things. "
    f"`Accept: {CLOUD_EVENTS}`: a batch of CloudEvents; the next cursor is in `citybrain-next`.",
    response_model=EventPage,
)
async def events(
    request: Request,
    what: Annotated[Asked, Depends(asked)],
    after: Annotated[
        str | None, Query(description="Cursor: of a snapshot, an event, or `next`.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most events.")] = 100,
    wait: Annotated[
        float, Query(ge=0, le=MOST_WAIT_S, description="Seconds to wait for the first event.")
    ] = 0,
) -> Response:
    found = await _look(what, after, limit)
    if wait and not found.stretch.rows:
        found = await _waited(_tails(request), what, found, limit, wait)
    source = f"{request.url.path}?namespace={what.namespace}"
    if CLOUD_EVENTS in request.headers.get("accept", ""):
        return _batch(found, source)
    return Response(orjson.dumps(_page(found, what, after)), media_type="application/json")


@router.get(
    "/stream",
    summary="Events as they come",
    description="Server-sent events: `alert` (data: one event) and every ten seconds `heartbeat` "
    "(`as_of`, `next_sequence`, completeness by area, `trouble`). The `id` of each is the cursor "
    "behind it: a client that comes again with `Last-Event-ID`, or `after`, misses nothing. "
    "Without either: from now on. A client that reads too slowly is sent away with a comment.",
    response_class=EventStream,
    responses={200: {"content": {"text/event-stream": {}}, "description": "The stream."}},
)
async def stream(
    request: Request,
    what: Annotated[Asked, Depends(asked)],
    after: Annotated[str | None, Query(description="Cursor; `Last-Event-ID` goes before.")] = None,
    last_event_id: Annotated[str | None, Header(description="Of the last event seen.")] = None,
) -> EventStream:
    async with viewing(what.parts, what.namespace, what.reach) as seen:
        wanted = await what.wanted(seen)
        bounds = await read_bounds(seen.reader)
    start = place(last_event_id or after, bounds, what.parts.keep_events_days, what.snapshot)
    streams: Streams = request.app.state.streams
    pieces = streams.follow(what.namespace, start, wanted)
    return EventStream(while_admitted(pieces, what.admits, guard_of(request).ask_every_s))


def _tails(request: Request) -> Tails:
    found: Tails = request.app.state.tails
    return found


async def _look(what: Asked, after: str | None, limit: int) -> Found:
    async with viewing(what.parts, what.namespace, what.reach) as seen:
        wanted, bounds = await what.wanted(seen), await read_bounds(seen.reader)
        start = place(after, bounds, what.parts.keep_events_days, what.snapshot)
        stretch = await read_stretch(seen.reader, start, bounds, wanted, limit)
        areas = None if wanted.areas is None else list(wanted.areas)
        told = await read_completeness(seen.reader, areas)
        return Found(stretch, bounds, told, seen.freshness())


async def _waited(tails: Tails, what: Asked, found: Found, limit: int, wait_s: float) -> Found:
    """The first look that finds events, or the last one when the time is over."""
    clock = asyncio.get_running_loop()
    until = clock.time() + wait_s
    async with tails.following(what.namespace) as tail:
        while not found.stretch.rows and clock.time() < until:
            seen = found.stretch.next
            await tail.wait(
                lambda tail: tail.next > seen or tail.lost is not None,  # noqa: B023
                until - clock.time(),
            )
            if not await what.admits():
                raise unauthorized("This session or key ended while the answer waited.")
            found = await _look(what, found.cursor.text(), limit)
            if tail.lost is not None:
                break
    return found


def _page(found: Found, what: Asked, after: str | None) -> dict[str, Any]:
    hint = f"Take {what.snapshot} first, then follow its `cursor`: this begins with now."
    return {
        "events": [event(row, found.cursor) for row in found.stretch.rows],
        "next": found.cursor.text(),
        "more": found.stretch.next < found.bounds.next,
        "hint": hint if after is None else None,
        "kept_days": what.parts.keep_events_days,
        "sent_at": iso(datetime.now(UTC)),
        "completeness": [completeness(row) for row in found.completeness],
        "freshness": found.freshness.model_dump(mode="json"),
    }


def _batch(found: Found, source: str) -> Response:
    batch = [cloud_event(row, found.cursor, source) for row in found.stretch.rows]
    headers = {"citybrain-next": found.cursor.text()}
    if found.freshness.as_of is not None:
        headers["citybrain-as-of"] = iso(found.freshness.as_of)
    return Response(orjson.dumps(batch), media_type=CLOUD_EVENTS, headers=headers)
