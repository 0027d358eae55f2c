"""Typed rows of subscriptions and deliveries."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from api.queries.rows import Json


@dataclass(frozen=True, slots=True)
class SubscriptionRow:
    id: str
    name: str
    owner: str
    answered_by: str
    channel: str
    target: str = field(repr=False)
    filter: Json
    mode: str
    language: str
    heartbeat: bool
    inner_network: bool
    paused: bool
    previous_until: datetime | None
    created_at: datetime
    changed_at: datetime
    waiting: int
    oldest: datetime | None
    dead: int
    newest: int | None
    done_to: int


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    subscription: str
    sequence: int
    alert: str
    state: str
    retried: bool
    attempts: int
    queued_at: datetime
    next_at: datetime | None
    done_at: datetime | None
    status: int | None
    error: str | None
    receipt: str | None
