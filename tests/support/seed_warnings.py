"""Official warnings of the seeded typhoon morning: two in force, one replaced, one over."""

from __future__ import annotations

from datetime import datetime, timedelta

from streams.contracts.outcome import HeardWarning
from streams.contracts.reason import Origin, Severity
from streams.contracts.warning import Announcement, Kind, OfficialWarning
from streams.storage.connect import Connection
from streams.storage.warnings import write_warnings
from tests.support.official import warning

HOUR_MS = 3_600_000


def seed_warnings(connection: Connection, as_of: datetime) -> None:
    """Adds them; `as_of` is the namespace's clock."""
    now = int(as_of.timestamp() * 1000)
    ago, ahead = now - 3 * HOUR_MS, now + 9 * HOUR_MS
    found = [
        warning(
            "typhoon",
            ago,
            event="台风",
            type="台风",
            headline="浙江省气象台发布台风红色预警",
            expires_ms=ahead,
            geometry={"type": "Point", "coordinates": [121.3, 28.9]},
        ),
        warning("rain.1", ago, areas=("331000",), severity=Severity.YELLOW, expires_ms=ahead),
        warning(
            "rain.2",
            ago + HOUR_MS,
            areas=("331000",),
            area_text="台州市",
            issuers=("台州市气象台",),
            severity=Severity.ORANGE,
            kind=Kind.UPDATE,
            refers=("rain.1",),
        ),
        warning("wind", ago - 40 * HOUR_MS, event="大风", type="大风", expires_ms=ago),
    ]
    with connection.cursor() as cursor:
        write_warnings(cursor, [heard(one, as_of) for one in found])


def heard(one: OfficialWarning, as_of: datetime) -> HeardWarning:
    heard_ms = int((as_of - timedelta(hours=2)).timestamp() * 1000)
    return HeardWarning(Announcement("gw", heard_ms, Origin.SIMULATED, one), one.ends_ms(24))
