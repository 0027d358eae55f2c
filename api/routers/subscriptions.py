"""Subscriptions: who is told of what, how far each one is, and trying them out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from api.access.caller import Caller
from api.access.guard import actor, address_of, must_cover, reach_here
from api.access.role import Role, reach_of
from api.actions import delivery as delivery_actions
from api.actions import subscription as actions
from api.actions.subscription import Wish, places
from api.actions.trail import act_from, record
from api.delivery.filter import Filter
from api.delivery.preview import preview
from api.delivery.settings import DeliverSettings
from api.delivery.subscription import Subscription
from api.delivery.trial import find, send_test
from api.paging import Paging, paging
from api.problem import RESPONSES, Problem, not_found
from api.queries.delivery_rows import DeliveryRow, SubscriptionRow
from api.strict import StrictRoute
from api.subscribed import (
    DeliveryItem,
    DeliveryState,
    NewSubscription,
    PreviewResult,
    Retried,
    SubscriptionItem,
    TestResult,
    delivery_item,
    item,
    shown,
)
from api.view import Freshness, Page, View, chosen_namespace, parts, view, viewing
from streams.storage.connect import Connection, connect, translated

router = APIRouter(
    route_class=StrictRoute, prefix="/subscriptions", tags=["subscriptions"], responses=RESPONSES
)
Name = Annotated[str, Depends(chosen_namespace)]


class DeliveryPage(BaseModel):
    """One page of a subscription's deliveries."""

    items: list[DeliveryItem]
    next: str | None
    subscription: SubscriptionItem
    freshness: Freshness


def who(caller: Annotated[Caller, Depends(actor)]) -> str:
    """Dependency: who acts."""
    return caller.who


async def reachable(request: Request, id: str, name: Name) -> str:
    """Dependency: the id; 404 for a subscription that tells of another's areas."""
    async with viewing(parts(request), name, reach_here(request)) as seen:
        await _row(seen, id)
    return id


Id = Annotated[str, Depends(reachable)]


def must_cover_wish(request: Request, caller: Caller, wish: Wish) -> None:
    """`Problem` 403 for a wish beyond what the caller may."""
    must_cover_filter(request, wish.filter)
    administers = caller.reach_as(Role.ADMINISTRATOR)
    if wish.inner_network and not reach_of(places(wish.filter)).within(administers):
        raise Problem(403, "Only an administrator lets a subscription into the inner network.")


def must_cover_filter(request: Request, wants: Filter) -> None:
    """`Problem` 403 unless the caller has all areas that the filter may tell of."""
    for area in places(wants):
        must_cover(request, area)


@router.get("", summary="Subscriptions", description="By id, with what waits and what died.")
async def subscriptions(
    seen: Annotated[View, Depends(view)], page: Annotated[Paging, Depends(paging)]
) -> Page[SubscriptionItem]:
    (after,) = page.key(str)
    rows = await seen.reader.rows(
        SubscriptionRow, "subscriptions", after=after or "", id=None, limit=page.limit + 1
    )
    kept, cursor = page.cut(rows, lambda row: (row.id,))
    return Page(items=[item(row) for row in kept], next=cursor, freshness=seen.freshness())


@router.post(
    "",
    status_code=201,
    summary="Subscribe",
    description="It gets the transitions that are numbered from now on. The secret of a webhook's "
    "signatures is in the answer, and nowhere else later.",
)
def subscribe(
    request: Request, name: Name, wish: Wish, caller: Annotated[Caller, Depends(actor)]
) -> NewSubscription:
    must_cover_wish(request, caller, wish)
    with changing(request, name) as connection:
        try:
            made = actions.create(connection, wish, caller.who)
        except actions.TooMany as error:
            raise Problem(409, str(error)) from error
    return NewSubscription(id=made.id, secret=made.secret)


@router.post(
    "/preview",
    summary="Preview of a filter",
    description="What a subscription with this filter would have got in the last days.",
)
def preview_filter(
    request: Request,
    name: Name,
    wants: Filter,
    days: Annotated[float, Query(gt=0, le=31)] = 7.0,
    people: Annotated[bool, Query(description="As mail or chat: only what notifies.")] = False,
) -> PreviewResult:
    must_cover_filter(request, wants)
    with changing(request, name) as connection:
        return shown(preview(connection, wants, people=people, days=days))


@router.get("/{id}", summary="One subscription", description="How far it is, too.")
async def subscription(id: str, seen: Annotated[View, Depends(view)]) -> SubscriptionItem:
    return item(await _row(seen, id))


@router.put(
    "/{id}",
    summary="Change a subscription",
    description="Replaces what was wished; what waits, waits on.",
)
def change(
    request: Request, id: Id, name: Name, wish: Wish, caller: Annotated[Caller, Depends(actor)]
) -> NewSubscription:
    must_cover_wish(request, caller, wish)
    with changing(request, name) as connection, known(id):
        made = actions.change(connection, id, wish, caller.who)
    return NewSubscription(id=made.id, secret=made.secret)


@router.delete(
    "/{id}", status_code=204, summary="Unsubscribe", description="For good; what waits is dead."
)
def remove(request: Request, id: Id, name: Name, by: str = Depends(who)) -> None:
    with changing(request, name) as connection, known(id):
        actions.remove(connection, id, by)


@router.post(
    "/{id}/pause", status_code=204, summary="Pause", description="What comes meanwhile waits."
)
def pause(request: Request, id: Id, name: Name, by: str = Depends(who)) -> None:
    with changing(request, name) as connection, known(id):
        actions.pause(connection, id, True, by)


@router.post(
    "/{id}/resume", status_code=204, summary="Go on after a pause", description="With what waits."
)
def resume(request: Request, id: Id, name: Name, by: str = Depends(who)) -> None:
    with changing(request, name) as connection, known(id):
        actions.pause(connection, id, False, by)


@router.post(
    "/{id}/rotate",
    summary="Rotate the secret",
    description="The new one is in the answer. The old one signs beside it for 24 hours.",
)
def rotate(request: Request, id: Id, name: Name, by: str = Depends(who)) -> NewSubscription:
    with changing(request, name) as connection, known(id):
        made = actions.rotate(connection, id, by, datetime.now(UTC))
    return NewSubscription(id=made.id, secret=made.secret)


@router.post(
    "/{id}/test",
    summary="Test button",
    description="Sends one message of type `citybrain.test.v1` now, and tells how it ended.",
)
async def send(request: Request, id: Id, name: Name, by: str = Depends(who)) -> TestResult:
    to = await run_in_threadpool(_to_test, request, name, id, by)
    settings: DeliverSettings = request.app.state.deliver_settings
    end = await send_test(to, settings)
    return TestResult(
        delivered=end.delivered, status=end.status, error=end.error, receipt=end.receipt
    )


@router.get(
    "/{id}/preview",
    summary="What would I have got",
    description="In the last days, by the namespace's own time.",
)
def preview_subscription(
    request: Request, id: Id, name: Name, days: Annotated[float, Query(gt=0, le=31)] = 7.0
) -> PreviewResult:
    with changing(request, name) as connection:
        to = find(connection, id)
        if to is None:
            raise not_found("subscription", id)
        people = to.channel.for_people
        return shown(preview(connection, to.filter, people=people, days=days))


@router.get(
    "/{id}/deliveries",
    summary="Deliveries of a subscription",
    description="Newest first, each with its attempts and the receiver's last answer.",
)
async def deliveries(
    id: str,
    seen: Annotated[View, Depends(view)],
    page: Annotated[Paging, Depends(paging)],
    state: Annotated[DeliveryState | None, Query(description="Only these.")] = None,
) -> DeliveryPage:
    own = item(await _row(seen, id))
    (after,) = page.key(int)
    rows = await seen.reader.rows(
        DeliveryRow, "deliveries", subscription=id, state=state, after=after, limit=page.limit + 1
    )
    kept, cursor = page.cut(rows, lambda row: (row.sequence,))
    return DeliveryPage(
        items=[delivery_item(row) for row in kept],
        next=cursor,
        subscription=own,
        freshness=seen.freshness(),
    )


@router.post(
    "/{id}/retry", summary="Send all its dead letters again", description="Under their old keys."
)
def retry_all(request: Request, id: Id, name: Name, by: str = Depends(who)) -> Retried:
    with changing(request, name) as connection:
        try:
            count = delivery_actions.retry(connection, id, None, by)
        except delivery_actions.NothingToRetry as error:
            raise Problem(404, f"Subscription {id!r} has no dead letters.") from error
    return Retried(retried=count)


@contextmanager
def changing(request: Request, name: str) -> Iterator[Connection]:
    """A transaction in the namespace; 404 when there is none."""
    given = parts(request)
    with translated(), connect(given.conninfo, name, "citybrain api") as connection:
        if connection.execute("select to_regclass('subscription')").fetchone() == (None,):
            raise Problem(404, f"There is no namespace {name!r}.")
        act_from(connection, address_of(request))
        yield connection


@contextmanager
def known(id: str) -> Iterator[None]:
    """404 for a subscription that is not there."""
    try:
        yield
    except actions.UnknownSubscription as error:
        raise not_found("subscription", id) from error


async def _row(seen: View, id: str) -> SubscriptionRow:
    row = await seen.reader.row(SubscriptionRow, "subscriptions", after="", id=id, limit=1)
    if row is None:
        raise not_found("subscription", id)
    return row


def _to_test(request: Request, name: str, id: str, by: str) -> Subscription:
    with changing(request, name) as connection:
        to = find(connection, id)
        if to is None:
            raise not_found("subscription", id)
        record(connection, by, "subscription.test", {"id": id})
        return to
