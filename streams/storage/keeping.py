"""How long a live namespace keeps what grows with time, and when it is compressed. Decides only.

A boundary is a midnight of Asia/Shanghai, so that a day is kept whole or not at all, and never
later than what the pipeline may still revise.
"""

from __future__ import annotations

from dataclasses import dataclass

from streams.contracts.domain import DAY_MS, SHANGHAI_OFFSET_MS
from streams.settings import Settings

SPARE_DAYS = 2  # behind the longest horizon: clocks that are ahead, a worker that was down


@dataclass(frozen=True, slots=True)
class Keeping:
    """Days; 0 = for ever, or never compressed."""

    readings_days: int = 0
    windows_days: int = 0
    health_days: int = 0
    events_days: int = 0
    warnings_days: int = 0
    compress_after_days: int = 7

    @classmethod
    def of(cls, settings: Settings) -> Keeping:
        """What the settings ask for."""
        return cls(
            settings.keep_readings_days,
            settings.keep_windows_days,
            settings.keep_health_days,
            settings.keep_events_days,
            settings.keep_warnings_days,
            settings.compress_after_days,
        )


FOR_EVER = Keeping()


def boundary(now_ms: int, days: int, horizon_ms: int) -> int | None:
    """Before which midnight nothing is kept; None = everything is."""
    return settled(now_ms, max(days * DAY_MS, horizon_ms)) if days > 0 else None


def settled(now_ms: int, horizon_ms: int) -> int:
    """Before which midnight the pipeline revises nothing any more."""
    age = horizon_ms + SPARE_DAYS * DAY_MS
    return (now_ms - age + SHANGHAI_OFFSET_MS) // DAY_MS * DAY_MS - SHANGHAI_OFFSET_MS
