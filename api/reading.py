"""The API's answers without HTTP, for the command line: the same queries, the same shapes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from api.alert_items import AlertItem, alert_items
from api.events.cursor import Cursor
from api.events.event import Wanted, event
from api.events.page import place, read_bounds, read_stretch
from api.live import read_newest
from api.problem import Problem
from api.queries.database import Database
from api.queries.listing import CALLOUTS, CLOSURES, MESSAGES
from api.queries.pool import UnknownNamespace
from api.queries.rows import AlertRow, FactRow, FollowedRow, TicketRow
from api.routers.accounts import TicketItem, ticket_item
from api.routers.callouts import CalloutItem, callout_item
from api.routers.closures import STATES as CLOSURE_STATES
from api.routers.closures import ClosureItem, closure_item
from api.routers.facts import FactItem, catalogue, fact_item
from api.routers.messages import MessageItem, message_item
from api.view import View, read_clock
from streams.contracts.domain import Domain
from streams.domains import find_domains
from streams.errors import Misconfigured

MOST_AT_ONCE = 10_000
MOST_EVENTS = 500
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@asynccontextmanager
async def opened(conninfo: str) -> AsyncIterator[Database]:
    """A database that is closed at the end."""
    database = Database(conninfo, size=1)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def viewing(
    database: Database, namespace: str, domains: Mapping[str, Domain] | None = None
) -> AsyncIterator[View]:
    """One snapshot. `Misconfigured` when the namespace, or an area asked for in it, is unknown."""
    found = find_domains() if domains is None else domains
    try:
        async with database.reading(namespace) as reader:
            yield View(reader, await read_clock(reader), found)
    except UnknownNamespace as error:
        raise Misconfigured([f"there is no namespace {error.args[0]!r}"]) from error
    except Problem as error:
        raise Misconfigured([each.detail for each in error.errors] or [error.detail]) from error


async def list_alerts(view: View, area: str | None, open_only: bool, limit: int) -> list[AlertItem]:
    """Alerts of the area and everything under it, worst first."""
    rows = await view.reader.rows(
        AlertRow,
        "alerts_worst",
        areas=await view.codes_below(area),
        domain=None,
        states=["pending", "firing"] if open_only else None,
        point=None,
        severity=0,
        start=None,
        end=None,
        after_severity=None,
        after_onset=None,
        after_id=None,
        limit=limit,
    )
    return await alert_items(rows, view)


async def list_tickets(
    view: View, area: str | None, kind: str | None, open_only: bool, limit: int
) -> list[TicketItem]:
    """Maintenance tickets of the area and everything under it, newest first."""
    rows = await view.reader.rows(
        TicketRow,
        "tickets",
        areas=await view.codes_below(area),
        kind=kind,
        open=True if open_only else None,
        after_opened=None,
        after_sensor=None,
        after_subject=None,
        after_property=None,
        after_kind=None,
        limit=limit,
    )
    return [ticket_item(row) for row in rows]


async def transitions_since(
    view: View, area: str | None, since: datetime | None
) -> list[FollowedRow]:
    """Transitions decided at or after this processing time, in order; None = all."""
    return await view.reader.rows(
        FollowedRow,
        "transitions_since",
        areas=await view.codes_below(area),
        since=since or BEGINNING,
        limit=MOST_AT_ONCE,
    )


@dataclass(frozen=True, slots=True)
class Followed:
    """Events, the cursor behind them, and whether more are there."""

    events: list[dict[str, Any]]
    after: str
    more: bool


async def events_after(
    view: View, after: str | None, area: str | None, domain: str | None
) -> Followed:
    """Events of the area and everything under it behind the cursor; without one, from now on."""
    view.domain_named(domain)
    areas = await view.codes_below(area)
    bounds = await read_bounds(view.reader)
    start = place(after, bounds, 0, "GET /v1/alerts")
    wanted = Wanted(areas=areas, domain=domain)
    found = await read_stretch(view.reader, start, bounds, wanted, MOST_EVENTS)
    cursor = Cursor(bounds.log, found.next)
    events = [event(row, cursor) for row in found.rows]
    return Followed(events, cursor.text(), found.next < bounds.next)


async def newest_figures(view: View, area: str | None, period: str | None) -> list[FactItem]:
    """The newest fact of every indicator for exactly this area, or for cities and province."""
    if area is not None:
        await view.codes_below(area)
    wanted = [
        (item.indicator, each)
        for domain in view.domains.values()
        for item in catalogue(domain)
        for each in item.periods
        if period in (None, each)
    ]
    rows: list[FactRow] = await read_newest(
        view.reader,
        wanted,
        None if area else ["province", "city"],
        [area] if area else None,
    )
    return [fact_item(row) for row in rows]


async def list_closures(
    view: View, area: str | None, state: str, overdue: bool | None, limit: int, now: datetime
) -> list[ClosureItem]:
    """Road closures of the area and everything under it, newest first."""
    states = CLOSURE_STATES.get(state, [state])
    areas = await view.codes_below(area)
    rows = await CLOSURES.read(view.reader, limit, areas=areas, states=states, overdue=overdue)
    return [closure_item(row, now) for row in rows]


async def list_messages(
    view: View, area: str | None, state: str | None, limit: int, now: datetime
) -> list[MessageItem]:
    """Public messages of the area and everything under it, newest first."""
    states = None if state is None else [state]
    areas = await view.codes_below(area)
    rows = await MESSAGES.read(view.reader, limit, areas=areas, states=states)
    return [message_item(row, now) for row in rows]


async def list_callouts(
    view: View, area: str | None, overdue: bool | None, limit: int
) -> list[CalloutItem]:
    """Call-outs that run, of the area and everything under it, newest first."""
    areas = await view.codes_below(area)
    rows = await CALLOUTS.read(view.reader, limit, areas=areas, ended=False, overdue=overdue)
    return [callout_item(row) for row in rows]
