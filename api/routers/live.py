"""Server-sent events of what changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.access.guard import Guard, guard_of, reach_here
from api.access.watch import while_admitted
from api.live import Broadcaster
from api.problem import RESPONSES
from api.view import Parts, chosen_namespace, parts

router = APIRouter(tags=["live"], responses=RESPONSES)


async def existing_namespace(
    namespace: Annotated[str, Depends(chosen_namespace)], given: Annotated[Parts, Depends(parts)]
) -> str:
    """Dependency: 404 before the stream begins, not inside it."""
    async with given.database.reading(namespace) as reader:
        return reader.namespace


@router.get(
    "/live",
    response_class=EventSourceResponse,
    summary="Live events",
    description="Event `snapshot` with all sections (freshness, areas, alerts, open, ledger, "
    "rates, figures, taken, looked), then about every second an event `change` with the sections "
    "that changed; of `areas` only the areas that did. `now` is the server's clock; `looked` when "
    "the database was asked; `taken` when the log took the newest record that is processed. With "
    "nothing to tell an event `beat` comes with `now`, three of them within `patience.lost_s` "
    "seconds, so that silence means a lost connection. After a reconnect (`Last-Event-ID`) a "
    "snapshot comes first, so nothing can be missed. Of the caller's areas only, and as long as "
    "the caller may.",
)
async def live(
    request: Request,
    namespace: Annotated[str, Depends(existing_namespace)],
    guard: Annotated[Guard, Depends(guard_of)],
) -> AsyncIterator[ServerSentEvent]:
    broadcaster: Broadcaster = request.app.state.broadcaster
    followed = broadcaster.follow(namespace, reach_here(request))
    admits = partial(guard.still_admits, request)
    async for event in while_admitted(followed, admits, guard.ask_every_s):
        yield ServerSentEvent(id=event.id, event=event.kind, data=event.data)
