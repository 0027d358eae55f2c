"""Typed rows of what people and programs did with alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ActedRow:
    id: str
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    assigned_to: str | None
    silenced_until: datetime | None
    closed_as: str | None
    closed_by: str | None
    closed_at: datetime | None
    close_state: str | None
    closure_state: str | None
    closure: int | None
    executed: int
    refused: int
    failed: int


@dataclass(frozen=True, slots=True)
class ActionRow:
    alert: str
    number: int
    area: str
    action: str
    who: str
    at: datetime
    alert_sequence: int
    event_time: datetime
    severity: int
    note: str
    assignee: str
    until: datetime | None
    ending: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class ClosureRow:
    id: int
    area: str
    area_name: str | None
    link: str
    link_name: str | None
    state: str
    exercise: bool
    alerts: Sequence[str]
    sequence: int
    since: datetime
    due: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ClosureStepRow:
    number: int
    step: str
    who: str
    at: datetime
    alert: str | None
    event_time: datetime | None
    hazard: str
    note: str
    reference: str
    despite: bool


@dataclass(frozen=True, slots=True)
class MessageRow:
    id: int
    area: str
    area_name: str | None
    alert: str | None
    corrects: int | None
    text_zh: str
    text_en: str
    digest: str
    expires: datetime
    exercise: bool
    author: str
    state: str
    sequence: int
    created_at: datetime
    event_time: datetime | None


@dataclass(frozen=True, slots=True)
class MessageStepRow:
    number: int
    step: str
    who: str
    at: datetime
    digest: str
    note: str
    reference: str


@dataclass(frozen=True, slots=True)
class AnswerRow:
    event: int
    subscription: str
    number: int
    alert: str
    alert_sequence: int
    area: str
    outcome: str
    reference: str
    reason: str
    late: bool
    who: str
    at: datetime
    event_time: datetime


@dataclass(frozen=True, slots=True)
class CalloutRow:
    alert: str
    area: str
    area_name: str | None
    exercise: bool
    severity: int
    lines: Sequence[Mapping[str, Any]]
    sequence: int
    due: datetime | None
    overdue: bool
    ended: bool
    started: datetime


@dataclass(frozen=True, slots=True)
class CalloutStepRow:
    number: int
    event: str
    line: str
    level: str | None
    post: str | None
    who: str
    at: datetime
    note: str
    reference: str
