"""Which gateway was heard when, and what it said of itself and its devices.

Operational data by the wall clock, beside the stream: no pipeline reads it, no replay makes it
again, and the canonical views leave it out. Several doors may write; the newest word wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from streams.storage.connect import Connection

SAVE_SEEN = """
insert into gateway_seen as old (gateway, seen_at, state, said_at, version, queue, detail)
select * from unnest(%s::text[], %s::timestamptz[], %s::text[], %s::timestamptz[], %s::text[],
    %s::bigint[], %s::text[])
on conflict (gateway) do update set
    seen_at = greatest(old.seen_at, excluded.seen_at),
    (state, said_at, version, queue, detail) = (
        select n.state, n.said_at, n.version, n.queue, n.detail
        from (values (excluded.state, excluded.said_at, excluded.version, excluded.queue,
                      excluded.detail),
                     (old.state, old.said_at, old.version, old.queue, old.detail))
            as n (state, said_at, version, queue, detail)
        order by n.said_at desc nulls last limit 1)
"""
SAVE_DEVICES = """
insert into device_seen as old (gateway, device, state, said_at, seen_at)
select * from unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[])
on conflict (gateway, device) do update set
    state = excluded.state, said_at = excluded.said_at,
    seen_at = greatest(old.seen_at, excluded.seen_at)
where old.said_at <= excluded.said_at
"""
READ_SEEN = """
select gateway, seen_at, state, said_at, version, queue, detail from gateway_seen
where %(gateway)s::text is null or gateway = %(gateway)s order by gateway
"""
READ_DEVICES = """
select gateway, device, state, said_at, seen_at from device_seen
where gateway = %s order by device
"""


@dataclass(frozen=True, slots=True)
class SeenRow:
    """One gateway. `seen_at` is None while only its will was heard, the rest while it was silent
    about itself."""

    gateway: str
    seen_at: datetime | None
    state: str | None = None
    said_at: datetime | None = None
    version: str | None = None
    queue: int | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """One device, as its gateway says."""

    gateway: str
    device: str
    state: str
    said_at: datetime
    seen_at: datetime | None


def save_seen(
    connection: Connection, rows: Sequence[SeenRow], devices: Sequence[DeviceRow]
) -> None:
    """One upsert each, in the order of names so that two writers never wait for each other."""
    ordered = sorted(rows, key=lambda row: row.gateway)
    listed = sorted(devices, key=lambda row: (row.gateway, row.device))
    with connection.transaction():
        if ordered:
            columns = [[getattr(row, name) for row in ordered] for name in SeenRow.__slots__]
            connection.execute(SAVE_SEEN, columns)
        if listed:
            columns = [[getattr(row, name) for row in listed] for name in DeviceRow.__slots__]
            connection.execute(SAVE_DEVICES, columns)


def read_seen(connection: Connection, gateway: str | None = None) -> list[SeenRow]:
    """All gateways that were ever heard, or one, by name."""
    with connection.cursor(row_factory=class_row(SeenRow)) as cursor:
        cursor.execute(READ_SEEN, {"gateway": gateway})
        return cursor.fetchall()


def read_devices(connection: Connection, gateway: str) -> list[DeviceRow]:
    """The devices that a gateway spoke of, by name."""
    with connection.cursor(row_factory=class_row(DeviceRow)) as cursor:
        cursor.execute(READ_DEVICES, (gateway,))
        return cursor.fetchall()


def has_seen(connection: Connection) -> bool:
    """Whether this namespace has the table: an older one has not."""
    row = connection.execute("select to_regclass('gateway_seen') is not null").fetchone()
    return row is not None and bool(row[0])
