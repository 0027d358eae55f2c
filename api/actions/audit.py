"""The audit, read: who did or tried what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.actions.database import Desk


@dataclass(frozen=True, slots=True)
class AuditRow:
    id: int
    at: datetime
    who: str
    what: str
    outcome: str
    times: int
    address: str | None
    detail: Mapping[str, Any]


async def audit_lines(
    desk: Desk,
    who: str | None,
    outcome: str | None,
    known: list[str] | None,
    before: int | None,
    limit: int,
) -> list[AuditRow]:
    """Lines before one, the newest first; `known`: only of these callers."""
    return await desk.rows(
        AuditRow, "audit", who=who, outcome=outcome, known=known, before=before, limit=limit
    )
