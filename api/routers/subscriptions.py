"""Subscriptions: who is told of what, how far each one is, and trying them out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from api.actions import delivery as delivery_actions
from api.actions import subscription as actions
from api.actions.subscription import Wish
from api.delivery.filter import Filter
from api.delivery.preview import Preview, preview
from api.delivery.settings import DeliverSettings
from api.delivery.subscription import Channel
from api.delivery.trial import find, send_test
from api.moment import Moment, from_ms
from api.paging import Paging, paging
from api.problem import RESPONSES, Problem, not_found
from api.queries.delivery_rows import DeliveryRow, SubscriptionRow
from api.strict import StrictRoute
from api.view import Freshness, Page, View, chosen_namespace, parts, view
from streams.storage.connect import Connection, connect, translated

router = APIRouter(
    route_class=StrictRoute, prefix="/subscriptions", tags=["subscriptions"], responses=RESPONSES
)
Name = Annotated[str, Depends(chosen_namespace)]
DeliveryState = Literal["waiting", "sent", "dead", "superseded"]


class SubscriptionItem(BaseModel):
    """One subscription; its secret is never shown again, its target without what may be secret."""

    model_config = ConfigDict(extra="forbid")

    id: str
    name: str
    owner: str
    channel: Channel
    target: str = Field(description="Scheme and host of a webhook; robots' tokens are hidden.")
    filter: Filter
    mode: str
    language: str
    heartbeat: bool
    inner_network: bool
    paused: bool
    old_secret_until: Moment | None = Field(description="Until then two secrets sign.")
    created_at: Moment
    changed_at: Moment
    waiting: int = Field(description="Deliveries that wait.")
    waiting_since: Moment | None = Field(description="Since when the oldest of them waits.")
    behind: int = Field(description="Numbers of the outbox that it may still be owed.")
    dead: int = Field(description="Dead letters.")


class DeliveryItem(BaseModel):
    """One delivery of an alert's transition."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(description="`webhook-id` of every attempt.")
    sequence: int = Field(description="Number in the outbox.")
    alert: str
    state: DeliveryState
    retried: bool
    attempts: int
    queued_at: Moment
    next_at: Moment | None
    done_at: Moment | None
    status: int | None = Field(description="What the receiver answered last.")
    error: str | None
    receipt: str | None


class NewSubscription(BaseModel):
    """What a change gives back; the secret only here and only now."""

    id: str
    secret: str | None = Field(description="Of the webhook's signatures. Shown once.")


class TestResult(BaseModel):
    """How one attempt ended."""

    delivered: bool
    status: int | None
    error: str | None
    receipt: str | None


class PreviewItem(BaseModel):
    """One transition that would have come."""

    sequence: int
    decided_at: Moment
    alert: str
    area: str
    domain: str
    severity: int
    change: str
    status: str


class PreviewResult(BaseModel):
    """What would have come."""

    since: Moment | None = Field(description="By the namespace's own time.")
    looked_at: int = Field(description="Transitions of that time.")
    whole: bool = Field(description="False: there were more, only the newest were looked at.")
    matched: int
    alerts: int = Field(description="Different alerts among them.")
    by_day: dict[str, int]
    by_domain: dict[str, int]
    by_severity: dict[int, int]
    newest: list[PreviewItem]


class Retried(BaseModel):
    """How many dead letters wait again."""

    retried: int


class DeliveryPage(BaseModel):
    """One page of a subscription's deliveries."""

    items: list[DeliveryItem]
    next: str | None
    subscription: SubscriptionItem
    freshness: Freshness


def who(request: Request) -> str:
    """Dependency: who acts."""
    return str(getattr(request.state, "who", "api"))


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
def subscribe(request: Request, name: Name, wish: Wish, by: str = Depends(who)) -> NewSubscription:
    with changing(request, name) as connection:
        try:
            made = actions.create(connection, wish, by)
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
    with changing(request, name) as connection:
        return shown(preview(connection, wants, people=people, days=days))


@router.get("/{id}", summary="One subscription")
async def subscription(id: str, seen: Annotated[View, Depends(view)]) -> SubscriptionItem:
    return item(await _row(seen, id))


@router.put(
    "/{id}",
    summary="Change a subscription",
    description="Replaces what was wished; what waits, waits on.",
)
def change(
    request: Request, id: str, name: Name, wish: Wish, by: str = Depends(who)
) -> NewSubscription:
    with changing(request, name) as connection, known(id):
        made = actions.change(connection, id, wish, by)
    return NewSubscription(id=made.id, secret=made.secret)


@router.delete(
    "/{id}", status_code=204, summary="Unsubscribe", description="For good; what waits is dead."
)
def remove(request: Request, id: str, name: Name, by: str = Depends(who)) -> None:
    with changing(request, name) as connection, known(id):
        actions.remove(connection, id, by)


@router.post(
    "/{id}/pause", status_code=204, summary="Pause", description="What comes meanwhile waits."
)
def pause(request: Request, id: str, name: Name, by: str = Depends(who)) -> None:
    with changing(request, name) as connection, known(id):
        actions.pause(connection, id, True, by)


@router.post("/{id}/resume", status_code=204, summary="Go on after a pause")
def resume(request: Request, id: str, name: Name, by: str = Depends(who)) -> None:
    with changing(request, name) as connection, known(id):
        actions.pause(connection, id, False, by)


@router.post(
    "/{id}/rotate",
    summary="Rotate the secret",
    description="The new one is in the answer. The old one signs beside it for 24 hours.",
)
def rotate(request: Request, id: str, name: Name, by: str = Depends(who)) -> NewSubscription:
    with changing(request, name) as connection, known(id):
        made = actions.rotate(connection, id, by, datetime.now(UTC))
    return NewSubscription(id=made.id, secret=made.secret)


@router.post(
    "/{id}/test",
    summary="Test button",
    description="Sends one message of type `citybrain.test.v1` now, and tells how it ended.",
)
async def test(request: Request, id: str, name: Name) -> TestResult:
    from fastapi.concurrency import run_in_threadpool

    to = await run_in_threadpool(_find, request, name, id)
    if to is None:
        raise not_found("subscription", id)
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
    request: Request, id: str, name: Name, days: Annotated[float, Query(gt=0, le=31)] = 7.0
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
def retry_all(request: Request, id: str, name: Name, by: str = Depends(who)) -> Retried:
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
        yield connection


@contextmanager
def known(id: str) -> Iterator[None]:
    """404 for a subscription that is not there."""
    try:
        yield
    except actions.UnknownSubscription as error:
        raise not_found("subscription", id) from error


def item(row: SubscriptionRow) -> SubscriptionItem:
    """The row for people."""
    return SubscriptionItem(
        id=row.id,
        name=row.name,
        owner=row.owner,
        channel=Channel(row.channel),
        target=shown_target(row.channel, row.target),
        filter=Filter.model_validate(row.filter),
        mode=row.mode,
        language=row.language,
        heartbeat=row.heartbeat,
        inner_network=row.inner_network,
        paused=row.paused,
        old_secret_until=row.previous_until,
        created_at=row.created_at,
        changed_at=row.changed_at,
        waiting=row.waiting,
        waiting_since=row.oldest,
        behind=max(0, (row.newest if row.newest is not None else -1) - row.done_to),
        dead=row.dead,
    )


def delivery_item(row: DeliveryRow) -> DeliveryItem:
    """The row for people."""
    plain: dict[str, Any] = {name: getattr(row, name) for name in DeliveryRow.__slots__}
    return DeliveryItem(id=f"{plain.pop('subscription')}-{row.sequence}", **plain)


def shown(found: Preview) -> PreviewResult:
    """The preview for people."""
    return PreviewResult(
        since=None if found.since_ms is None else from_ms(found.since_ms),
        looked_at=found.looked_at,
        whole=found.whole,
        matched=found.matched,
        alerts=found.alerts,
        by_day=found.by_day,
        by_domain=found.by_domain,
        by_severity=found.by_severity,
        newest=[
            PreviewItem(
                sequence=event.sequence,
                decided_at=from_ms(event.content["decided_ms"]),
                status=event.status,
                **{n: event.content[n] for n in ("alert", "area", "domain", "severity", "change")},
            )
            for event in found.newest
        ],
    )


def shown_target(channel: str, target: str) -> str:
    """The target without what gives access."""
    if channel == Channel.MAIL:
        return target
    if channel == Channel.WEBHOOK:
        parts = urlsplit(target)
        return f"{parts.scheme}://{parts.netloc}/…"
    return f"{target[:4]}…"


async def _row(seen: View, id: str) -> SubscriptionRow:
    row = await seen.reader.row(SubscriptionRow, "subscriptions", after="", id=id, limit=1)
    if row is None:
        raise not_found("subscription", id)
    return row


def _find(request: Request, name: str, id: str) -> Any:
    with changing(request, name) as connection:
        return find(connection, id)
