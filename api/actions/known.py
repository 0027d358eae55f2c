"""What the actions need to know of an alert and of the namespace; reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from api.actions.refusal import Unknown
from streams.contracts.message_status import message_status
from streams.contracts.reason import NamespaceKind, Origin
from streams.storage.connect import Connection
from streams.storage.migrate import namespace_kind

ALERT = """
select id, area, point, subject, domain, state, severity, stale, sequence, updated, origin
from alert where id = %s
"""
AS_OF = """
select greatest((select max(decided_at) from area_latest), (select max(decided_at) from area_risk))
"""
LOCK = "select pg_advisory_xact_lock(hashtextextended(current_schema || ' ' || %s, 0))"


@dataclass(frozen=True, slots=True)
class KnownAlert:
    """An alert as it stands."""

    id: str
    area: str
    point: str | None
    subject: str
    domain: str
    state: str
    severity: int
    stale: bool
    sequence: int
    updated: datetime
    origin: str

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.state != "resolved"


def alert_of(connection: Connection, id: str) -> KnownAlert:
    """The alert; `Unknown` when there is none."""
    found = find_alert(connection, id)
    if found is None:
        raise Unknown(f"there is no alert {id!r}")
    return found


def find_alert(connection: Connection, id: str) -> KnownAlert | None:
    """The alert, if it is (still) kept."""
    with connection.cursor(row_factory=class_row(KnownAlert)) as cursor:
        return cursor.execute(ALERT, (id,)).fetchone()


def must_be_area(connection: Connection, code: str) -> None:
    """`Unknown` when the registry has no such area."""
    if connection.execute("select from area where code = %s", (code,)).fetchone() is None:
        raise Unknown(f"there is no area {code!r}")


def lock(connection: Connection, what: str) -> None:
    """One at a time, by name, until the transaction ends; the pipeline is never kept waiting."""
    connection.execute(LOCK, (what,))


def is_exercise(connection: Connection, alert: KnownAlert | None = None) -> bool:
    """Whether nothing of it may become public: anything but live input in the live namespace."""
    origin = Origin.LIVE if alert is None else Origin(alert.origin)
    return message_status(namespace_kind(connection), origin) != "Actual"


def city_time(connection: Connection, now: datetime) -> datetime:
    """By which an event is valid or not: the wall clock where the city is live, else its own."""
    if namespace_kind(connection) is NamespaceKind.LIVE:
        return now
    row = connection.execute(AS_OF).fetchone()
    return now if row is None or row[0] is None else row[0]
