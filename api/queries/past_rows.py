"""Typed rows of the history's statements: fields are the columns, with the place of each row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from api.queries.rows import FactRow, Json


@dataclass(frozen=True, slots=True)
class PastReadingRow:
    t: datetime
    sensor: str
    property: str
    point: str | None
    point_name: str | None
    area: str | None
    lon: float | None
    lat: float | None
    value: int
    flag: int
    position: int


@dataclass(frozen=True, slots=True)
class PastWindowRow:
    start: datetime
    sensor: str
    property: str
    point: str | None
    point_name: str | None
    area: str | None
    lon: float | None
    lat: float | None
    size_s: int
    n: int
    bad: int
    total: int
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class PastResultRow:
    start: datetime
    kind: str
    subject: str
    point: str | None
    point_name: str | None
    area: str | None
    lon: float | None
    lat: float | None
    period_s: int
    payload: Json


@dataclass(frozen=True, slots=True)
class PastTransitionRow:
    event_time: datetime
    alert: str
    sequence: int
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
    position: int
    evidence: Json
    domain: str
    rule: str
    area: str
    point: str | None
    point_name: str | None
    subject: str
    lon: float | None
    lat: float | None


@dataclass(frozen=True, slots=True)
class PastFactRow(FactRow):
    lon: float | None
    lat: float | None
