"""Which gateways of the live city are quiet, for `citybrain status` and `doctor`. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from deploy.plan import LIVE_NAMESPACE
from sensors.gateway.seen import is_quiet
from sensors.gateway.settings import load_gateway_settings
from streams.settings import Settings
from streams.storage.connect import connect, translated
from streams.storage.gateway_seen import SeenRow, has_seen, read_seen

MOST_NAMED = 5
_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class GatewayReport:
    """Gateways that were ever heard, and of these the quiet ones, the longest silence first."""

    heard: int
    quiet: tuple[SeenRow, ...]
    quiet_s: float

    def in_words(self) -> str:
        """One line."""
        if not self.heard:
            return "none was heard yet"
        minutes = f"{self.quiet_s / 60:g} min"
        if not self.quiet:
            return f"{self.heard} heard, none quiet for more than {minutes}"
        named = ", ".join(_name(row) for row in self.quiet[:MOST_NAMED])
        more = len(self.quiet) - MOST_NAMED
        rest = f" and {more} more" if more > 0 else ""
        return (
            f"{self.heard} heard, {len(self.quiet)} quiet for more than {minutes} or offline: "
            f"{named}{rest}"
        )


def look(
    settings: Settings, now: datetime | None = None, namespace: str = LIVE_NAMESPACE
) -> GatewayReport | None:
    """Asks the store; None before the namespace has the table.

    Raises `Unavailable`, or `Misconfigured` when the gateway's settings are wrong.
    """
    quiet_s = load_gateway_settings().quiet_s
    with translated(), connect(settings.conninfo(), namespace, "citybrain status") as found:
        if not has_seen(found):
            return None
        rows = read_seen(found)
    before = (now or datetime.now(UTC)) - timedelta(seconds=quiet_s)
    never = datetime.min.replace(tzinfo=UTC)
    quiet = [row for row in rows if is_quiet(row, before)]
    quiet.sort(key=lambda row: (row.seen_at or never, row.gateway))
    return GatewayReport(len(rows), tuple(quiet), quiet_s)


def _name(row: SeenRow) -> str:
    last = (
        "never" if row.seen_at is None else row.seen_at.astimezone(_ZONE).isoformat(" ", "seconds")
    )
    said = f", said {row.state}" if row.state else ""
    return f"{row.gateway} (last {last}{said})"
