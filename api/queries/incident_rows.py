"""Typed rows of incidents, their members and steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from api.queries.rows import AlertRow


@dataclass(frozen=True, slots=True)
class IncidentRow:
    id: str
    status: str
    domain: str
    area: str
    area_name: str | None
    area_name_en: str | None
    began: datetime
    changed: datetime
    severity: int
    peak_severity: int
    by_severity: Sequence[int]
    open: int
    hidden: int
    ended: int
    quiet_since: datetime | None
    closed: datetime | None
    steps: int
    worst: str | None


@dataclass(frozen=True, slots=True)
class MemberRow(AlertRow):
    shown: int
    began: datetime
    hidden_by: str | None


@dataclass(frozen=True, slots=True)
class IncidentStepRow:
    number: int
    step: str
    at: datetime
    severity: int
    alert: str | None


@dataclass(frozen=True, slots=True)
class NotGroupedRow:
    waiting: int
    severity: int
    pending: int


@dataclass(frozen=True, slots=True)
class AreaNameRow:
    code: str
    name: str
    name_en: str
