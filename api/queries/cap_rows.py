"""Typed rows for CAP messages and official warnings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from api.queries.rows import Json


@dataclass(frozen=True, slots=True)
class CapRow:
    """A transition with what its alert and its place are called."""

    alert: str
    sequence: int
    rule: str
    rule_version: str
    domain: str
    area: str
    point: str | None
    subject: str
    onset: datetime
    event_time: datetime
    decided_at: datetime
    valid_until: datetime
    state: str
    severity: int
    stale: bool
    unverified: bool
    change: str
    value: str | None
    threshold: str | None
    unit: str
    origin: str
    closed_as: str | None
    area_name: str | None
    area_name_en: str | None
    point_name: str | None
    lon: float | None
    lat: float | None
    judged_at: datetime | None  # up to where its area is judged: what is open was open until then


@dataclass(frozen=True, slots=True)
class FeedRow:
    """A transition of which a message was told, or `renewed`, told again."""

    alert: str
    sequence: int
    renewed: bool


@dataclass(frozen=True, slots=True)
class ProfileRow:
    values: Json


@dataclass(frozen=True, slots=True)
class ShapeRow:
    geometry: Json


@dataclass(frozen=True, slots=True)
class WarningRow:
    id: str
    sender: str
    identifier: str
    sent: datetime
    kind: str
    status: str
    form: str
    issuers: list[str]
    event: str
    type: str
    severity: int
    areas: list[str]
    area_text: str
    language: str
    headline: str
    description: str
    instruction: str
    effective: datetime | None
    onset: datetime | None
    expires: datetime
    expires_stated: bool
    refers: list[str]
    geometry: Json | None
    origin: str
    source: str
    heard: datetime
    media_type: str
    ended_by: str | None
    ended_kind: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class OriginalRow:
    media_type: str
    original: bytes
