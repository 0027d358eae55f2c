"""What routes share that change something: who acts, what they have seen, how a refusal is told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import Header, Request

from api.access import role as access
from api.access.caller import Caller
from api.access.guard import actor, address_of
from api.actions.actor import Actor, Kind, NotAllowed, OutOfSight, Role
from api.actions.expected import Overtaken
from api.actions.log_door import LogDoor
from api.actions.opening import WritingPool
from api.actions.refusal import Conflict, Refused, Unknown
from api.actions.settings import ActingSettings
from api.problem import MEDIA_TYPE, RESPONSES, Mistake, Problem, ProblemDocument
from api.queries.database import Reader
from api.view import parts, viewing
from streams.storage.connect import Connection

T = TypeVar("T")

FIELD = re.compile(r"([a-z_]+): (.+)", re.DOTALL)
ETAG = re.compile(r'(?:W/)?"?(\d{1,9})"?')
ACTING_RESPONSES = RESPONSES | {
    status: {"model": ProblemDocument, "description": text, "content": {MEDIA_TYPE: {}}}
    for status, text in (
        (401, "Nobody known asks."),
        (403, "Not by this account or key."),
        (409, "It does not follow from how things stand now."),
        (412, "Somebody was faster: read it again."),
    )
}


ROLES = {
    access.Role.VIEWER: Role.VIEWER,
    access.Role.OPERATOR: Role.OPERATOR,
    access.Role.COMMANDER: Role.COMMANDER,
    access.Role.ADMINISTRATOR: Role.VIEWER,  # gives access, and no orders
}
SCOPES = {
    access.Scope.ACT: Role.OPERATOR,
    access.Scope.REPORT: Role.REPORTER,
    access.Scope.SUBSCRIBE: Role.SUBSCRIBER,
}


def who_acts(request: Request) -> Actor:
    """Dependency: who asks for a change, with what was granted to them."""
    return actor_of(actor(request))


def actor_of(caller: Caller) -> Actor:
    """The caller as the state machines know them."""
    if caller.key is None:
        grants = [(ROLES[grant.role], grant.area) for grant in caller.grants]
        managed = caller.reach_as(access.Role.OPERATOR).areas
        grants += [(Role.SUBSCRIBER, area) for area in managed]
        return Actor(caller.who, Kind.PERSON, tuple(grants))
    scopes, reach = caller.key
    roles = [role for scope, role in SCOPES.items() if scope in scopes]
    given = tuple((role, area) for role in roles for area in reach.areas)
    return Actor(caller.who, Kind.PROGRAM, given)


@asynccontextmanager
async def in_sight(request: Request, namespace: str) -> AsyncIterator[Reader]:
    """What the caller sees of the namespace: who changes a thing must see it first, else 404."""
    async with viewing(parts(request), namespace, actor(request).sight) as seen:
        yield seen.reader


def last_seen(
    if_match: Annotated[
        str | None,
        Header(
            description='`sequence` of what you have seen, e.g. `"3"`: 412 when it moved on since.'
        ),
    ] = None,
) -> int | None:
    """Dependency: the newest step that the caller knows; None when they do not say."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = ETAG.fullmatch(if_match.strip())
    if found is None:
        wrong = Mistake(parameter="header.if-match", detail='a number like "3"')
        raise Problem(422, "The request has a mistake.", [wrong])
    return int(found[1])


def now() -> datetime:
    """Dependency: the wall clock, by which people act."""
    return datetime.now(UTC)


def limits(request: Request) -> ActingSettings:
    """Dependency: house conventions."""
    found: ActingSettings = request.app.state.acting
    return found


def log_door(request: Request) -> LogDoor:
    """Dependency: the way to the log."""
    found: LogDoor = request.app.state.log_door
    return found


async def written(request: Request, namespace: str, call: Callable[[Connection], T]) -> T:
    """Does it in a thread; what the actions refuse becomes a problem document."""
    pool: WritingPool = request.app.state.writing

    def work() -> T:
        with pool.writing(namespace, address_of(request)) as connection:
            return call(connection)

    try:
        return await asyncio.to_thread(work)
    except Refused as refusal:
        raise told(refusal) from refusal


def told(refusal: Refused) -> Problem:
    """The problem that a refusal is."""
    match refusal:
        case OutOfSight():
            return Problem(404, "There is nothing like that here.", unseen=True)
        case NotAllowed():
            return Problem(403, _sentence(refusal))
        case Unknown():
            return Problem(404, _sentence(refusal), unseen=True)
        case Overtaken():
            return Problem(412, _sentence(refusal))
        case Conflict():
            return Problem(409, _sentence(refusal))
        case _:
            return Problem(
                422, "The request has a mistake.", [_mistake(m) for m in refusal.mistakes]
            )


def _sentence(refusal: Refused) -> str:
    text = str(refusal)
    return f"{text[:1].upper()}{text[1:]}."


def _mistake(text: str) -> Mistake:
    found = FIELD.fullmatch(text)
    if found is None:
        return Mistake(parameter="body", detail=text)
    return Mistake(parameter=f"body.{found[1]}", detail=found[2])
