"""Which stretch of time a backtest plays, from what was typed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from deploy.rules.backtest import Span
from deploy.rules.store import InForce
from streams.errors import Misconfigured

HOUR_MS = 3_600_000


def zone_of(held: InForce) -> timezone:
    """The profile's."""
    return timezone(timedelta(hours=float(held.values.get("profile.utc_offset_hours", "8"))))


def read_span(since: str, until: str, area: str, lead_h: float, held: InForce) -> Span:
    """Raises `Misconfigured` with every mistake."""
    mistakes: list[str] = []

    def moment(name: str, text: str) -> int:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            mistakes.append(f"{name} {text}: no ISO 8601 date or time")
            return 0
        found = found if found.tzinfo else found.replace(tzinfo=zone_of(held))
        return int(found.timestamp() * 1000)

    start, end = moment("--from", since), moment("--to", until)
    if not mistakes and end <= start:
        mistakes.append("--to must be later than --from")
    if area and area not in held.registry.areas:
        mistakes.append(f"--area {area}: not in the registry of {held.namespace}")
    if mistakes:
        raise Misconfigured(mistakes)
    return Span(start, end, int(lead_h * HOUR_MS), area)
