"""One line of what `citybrain doctor` reports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check went; only `BROKEN` makes the doctor fail."""

    FINE = "ok"
    OFF = "off"  # not there, and that is no fault
    BROKEN = "BROKEN"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it went, and what to do."""

    subject: str
    verdict: Verdict
    detail: str
