"""Typed rows of the events that programs follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class EventBoundsRow:
    log: UUID
    next: int
    first: int


@dataclass(frozen=True, slots=True)
class EventRow:
    sequence: int
    key: str
    area: str
    status: str
    notify: bool
    content: Mapping[str, Any]
    peak: int  # worst severity of the alert so far


@dataclass(frozen=True, slots=True)
class CompletenessRow:
    area: str
    unknown: bool
    points: int | None
    reporting: int | None
    as_of: datetime
