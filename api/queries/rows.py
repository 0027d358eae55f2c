"""Typed rows of the named statements: fields are the columns, in the words of the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ClockRow:
    name: str
    kind: str
    as_of: datetime | None
    newest_event: datetime | None
    areas: int
    reporting: int
    unknown: int
    lag: int


@dataclass(frozen=True, slots=True)
class IntakeRow:
    append_ms: int | None


@dataclass(frozen=True, slots=True)
class PartitionRow:
    topic: str
    partition: int
    first_offset: int
    log_end: int
    position: int
    checkpoint: int
    epoch: int
    headers: bytes | None
    append_ms: int | None
    waiting_ms: int | None


@dataclass(frozen=True, slots=True)
class WorkerRow:
    name: str
    pid: int
    started: datetime
    beat: datetime


@dataclass(frozen=True, slots=True)
class PropertyRow:
    id: int
    name: str
    domain: str
    unit: str
    scale: int


@dataclass(frozen=True, slots=True)
class AreaRow:
    code: str
    level: str
    parent: str | None
    name: str
    name_en: str
    lon: float | None
    lat: float | None
    severity: int | None
    led_by: str | None
    unknown: bool | None
    stale_alerts: int | None
    open_alerts: int | None
    as_of: datetime | None
    oldest_as_of: datetime | None
    decided_at: datetime | None
    detail: Json
    points: int
    geometry: Json | None


@dataclass(frozen=True, slots=True)
class RiskRow:
    area: str
    severity: int
    led_by: str | None
    unknown: bool
    stale_alerts: int
    open_alerts: int
    detail: Json


@dataclass(frozen=True, slots=True)
class BoundsRow:
    code: str
    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class AreaDomainRow:
    domain: str
    as_of: datetime
    decided_at: datetime
    watermark_ms: int | None
    silent: int


@dataclass(frozen=True, slots=True)
class PointRow:
    id: str
    type: str
    area: str
    area_name: str | None
    name: str
    lon: float | None
    lat: float | None
    attributes: Json
    severity: int
    stale: bool
    unverified: bool
    open_alerts: int


@dataclass(frozen=True, slots=True)
class SensorRow:
    id: int
    name: str
    point: str
    gateway: str
    properties: list[str]
    report_s: int


@dataclass(frozen=True, slots=True)
class ExternalIdRow:
    point: str
    sensor: int | None
    scheme: str
    id: str


@dataclass(frozen=True, slots=True)
class LatestRow:
    area: str
    domain: str
    as_of: datetime
    decided_at: datetime
    payload: Json


@dataclass(frozen=True, slots=True)
class ResultRow:
    kind: str
    start: datetime
    period_s: int
    payload: Json


@dataclass(frozen=True, slots=True)
class AlertRow:
    id: str
    rule: str
    rule_version: str
    domain: str
    area: str
    point: str | None
    subject: str
    onset: datetime
    state: str
    severity: int
    stale: bool
    unverified: bool
    change: str
    value: str | None
    threshold: str | None
    unit: str
    origin: str
    sequence: int
    updated: datetime
    peak_severity: int
    ended: datetime | None
    suppressed_by: str | None
    held_severity: int | None
    held_until: datetime | None
    area_name: str | None
    area_name_en: str | None
    point_name: str | None


@dataclass(frozen=True, slots=True)
class TransitionRow:
    sequence: int
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
    rule_version: str
    origin: str
    topic: str
    partition: int
    position: int
    evidence: Json
    suppressed_by: str | None
    held: Json | None


@dataclass(frozen=True, slots=True)
class LateRow:
    kind: str
    alert: str | None
    readings: int
    first_time: datetime
    first_value: str
    worst_time: datetime
    worst_value: str
    unit: str
    threshold: str
    severity: int
    sensor: str | None
    property: str | None
    topic: str
    partition: int
    position: int
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class FollowedRow:
    alert: str
    sequence: int
    event_time: datetime
    decided_at: datetime
    state: str
    severity: int
    stale: bool
    unverified: bool
    change: str
    value: str | None
    threshold: str | None
    unit: str
    origin: str
    domain: str
    rule: str
    area: str
    area_name: str | None
    point_name: str | None
    subject: str


@dataclass(frozen=True, slots=True)
class AlertCountRow:
    severity: int
    state: str
    alerts: int
    stale: int
    unverified: int


@dataclass(frozen=True, slots=True)
class FactRow:
    indicator: str
    area: str
    period: str
    start: datetime
    end: datetime
    revision: int
    value: str | None
    numerator: str | None
    denominator: str | None
    have: int
    want: int
    lower: str | None
    upper: str | None
    unit: str
    method: str
    detail: Json
    cause: str
    known_from: datetime
    known_to: datetime | None
    area_name: str | None
    area_name_en: str | None


@dataclass(frozen=True, slots=True)
class ReadingRow:
    t: datetime
    sensor: str
    point: str | None
    value: int
    flag: int
    position: int


@dataclass(frozen=True, slots=True)
class WindowRow:
    start: datetime
    sensor: str
    point: str | None
    n: int
    bad: int
    total: int
    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class LedgerCounts:
    received: int
    rejected: int
    quarantined: int
    duplicate: int
    stored: int
    on_time: int
    late: int
    revised: int


@dataclass(frozen=True, slots=True)
class LedgerRow:
    area: str
    domain: str
    source: str
    received: int
    rejected: int
    quarantined: int
    duplicate: int
    stored: int
    on_time: int
    late: int
    revised: int


@dataclass(frozen=True, slots=True)
class RuleTitleRow:
    version: str  # of the rule set
    rule: str | None  # None: the set says nothing of any
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class TicketRow:
    id: str
    area: str
    area_name: str | None
    sensor: str
    subject: str
    point: str | None
    property: str
    kind: str
    opened: datetime
    closed: datetime | None
    evidence: Json


@dataclass(frozen=True, slots=True)
class SensorHealthRow:
    day_start: datetime
    sensor: str
    point: str
    area: str
    property: str
    expected: int
    received: int
    good: int
    late: int
    intervals: int
    covered: int
    gap_s: int
    score: int


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    id: str
    kind: str
    area: str
    area_name: str | None
    point: str
    point_name: str | None
    start: datetime
    end: datetime | None
    payload: Json
