"""Typed rows of the statements behind NGSI-LD entities."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from api.queries.rows import Json


@dataclass(frozen=True, slots=True)
class NewestResultRow:
    point: str
    kind: str
    start: datetime
    period_s: int
    payload: Json


@dataclass(frozen=True, slots=True)
class FiringRow:
    id: str
    rule: str
    rule_version: str
    domain: str
    area: str
    area_name: str | None
    point: str | None
    point_name: str | None
    subject: str
    onset: datetime
    state: str
    severity: int
    peak_severity: int
    stale: bool
    unverified: bool
    change: str
    value: str | None
    threshold: str | None
    unit: str
    origin: str
    sequence: int
    updated: datetime
    ended: datetime | None
    lon: float | None
    lat: float | None
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class ProfileRow:
    numbers: Json
