"""Typed rows of who asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SessionRow:
    login: str
    must_change_password: bool
    disabled_at: datetime | None
    method: str
    seen_at: datetime
    expires_at: datetime
    grants: Sequence[dict[str, str]]


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    id: str
    digest: bytes
    scopes: Sequence[str]
    areas: Sequence[str]
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None
