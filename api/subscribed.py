"""Subscriptions, deliveries and previews as people and programs see them: never a secret."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from api.delivery.filter import Filter
from api.delivery.preview import Preview
from api.delivery.subscription import Channel
from api.moment import Moment, from_ms
from api.queries.delivery_rows import DeliveryRow, SubscriptionRow

DeliveryState = Literal["waiting", "sent", "dead", "superseded"]


class SubscriptionItem(BaseModel):
    """One subscription; its secret is never shown again, its target without what may be secret."""

    model_config = ConfigDict(extra="forbid")

    id: str
    name: str
    owner: str
    answered_by: str = Field(description="The program that answers for it, `key:<id>`; or empty.")
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


def item(row: SubscriptionRow) -> SubscriptionItem:
    """The row for people."""
    return SubscriptionItem(
        id=row.id,
        name=row.name,
        owner=row.owner,
        answered_by=row.answered_by,
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
