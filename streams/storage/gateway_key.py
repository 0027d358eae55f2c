"""Keys of gateways in the store: digests, never the keys themselves.

Writes are people's (`citybrain gateway-key`), reads are the gateway's. Which key is valid when is
`sensors.gateway.keys`' matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from streams.storage.connect import Connection

LIST = """
select id, gateway, areas, digest, note, readings_s, readings_burst, bytes_s, bytes_burst,
    created_at, expires_at, revoked_at
from gateway_key
where (%(gateway)s::text is null or gateway = %(gateway)s) and (%(id)s::text is null or id = %(id)s)
order by gateway, created_at desc, id
"""
INSERT = """
insert into gateway_key (id, gateway, areas, digest, note, readings_s, readings_burst, bytes_s,
    bytes_burst, created_at, expires_at, revoked_at)
values (%(id)s, %(gateway)s, %(areas)s, %(digest)s, %(note)s, %(readings_s)s, %(readings_burst)s,
    %(bytes_s)s, %(bytes_burst)s, %(created_at)s, %(expires_at)s, %(revoked_at)s)
"""
# A key never lives longer than it did: rotating twice does not prolong the first.
EXPIRE = """
update gateway_key set expires_at = least(expires_at, %s)
where id = %s and revoked_at is null returning id
"""
REVOKE = """
update gateway_key set revoked_at = %s where id = %s and revoked_at is null returning id
"""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One row of `gateway_key`. Quotas are None where the settings' default holds."""

    id: str
    gateway: str
    areas: Sequence[str]
    digest: bytes
    note: str
    readings_s: int | None
    readings_burst: int | None
    bytes_s: int | None
    bytes_burst: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def add_key(connection: Connection, row: KeyRow) -> None:
    """Stores a new key."""
    values = {name: getattr(row, name) for name in KeyRow.__slots__}
    connection.execute(INSERT, values | {"areas": list(row.areas)})


def list_keys(connection: Connection, gateway: str | None = None) -> list[KeyRow]:
    """All keys, or those of one gateway, the newest first."""
    return _select(connection, gateway, None)


def find_key(connection: Connection, id: str) -> KeyRow | None:
    """The key with this public part."""
    return next(iter(_select(connection, None, id)), None)


def expire_key(connection: Connection, id: str, at: datetime) -> bool:
    """Lets a key end at a time, or earlier when it ends earlier; whether there was one."""
    return connection.execute(EXPIRE, (at, id)).fetchone() is not None


def revoke_key(connection: Connection, id: str, at: datetime) -> bool:
    """Ends a key for good; whether there was one that was not revoked."""
    return connection.execute(REVOKE, (at, id)).fetchone() is not None


def _select(connection: Connection, gateway: str | None, id: str | None) -> list[KeyRow]:
    with connection.cursor(row_factory=class_row(KeyRow)) as cursor:
        cursor.execute(LIST, {"gateway": gateway, "id": id})
        return cursor.fetchall()
