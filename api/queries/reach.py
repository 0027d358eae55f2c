"""The typed row of `series_reach`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ReachRow:
    floor: datetime | None
    newest: datetime | None
    per_s: float | None
    areas: list[str] | None
