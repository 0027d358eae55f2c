"""Makes, rotates and ends keys of gateways, for `citybrain gateway-key`.

Checks what a person asks for against the registry and lists all mistakes. The text of a key is
given back once and kept nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sensors.gateway.keys import NewKey, Quota, make_key
from streams.catalog import Registry
from streams.contracts.area_code import covers, is_area_code
from streams.errors import Misconfigured
from streams.settings import Settings
from streams.storage.connect import Connection, connect, translated
from streams.storage.gateway_key import (
    KeyRow,
    add_key,
    expire_key,
    find_key,
    list_keys,
    revoke_key,
)
from streams.storage.registry import newest


@dataclass(frozen=True, slots=True)
class Order:
    """A key as a person asks for it. No areas = those in which the gateway has sensors."""

    gateway: str
    areas: tuple[str, ...] = ()
    expires_days: int | None = None
    note: str = ""
    quota: Quota = field(default_factory=Quota)


@dataclass(frozen=True, slots=True)
class Made:
    """A new key and its row; `text` is shown once."""

    text: str
    row: KeyRow


@contextmanager
def store(settings: Settings) -> Iterator[Connection]:
    """A transaction in the namespace of the settings."""
    with translated(), connect(settings.conninfo(), settings.namespace, "citybrain key") as found:
        yield found


def create(connection: Connection, order: Order, now: datetime, *, dry_run: bool = False) -> Made:
    """A new key. `Misconfigured` lists what of the order the registry does not know."""
    areas = _areas(connection, order)
    key = make_key()
    expires = None if order.expires_days is None else now + timedelta(days=order.expires_days)
    made = Made(key.text, _row(key, order, areas, now, expires))
    if not dry_run:
        add_key(connection, made.row)
    return made


def rotate(
    connection: Connection, id: str, keep: timedelta, now: datetime, *, dry_run: bool = False
) -> tuple[Made, datetime]:
    """A new key like `id`; both are valid until the old one ends, `keep` from now or earlier."""
    old = _living(connection, id, now)
    key = make_key()
    life = None if old.expires_at is None else old.expires_at - old.created_at
    expires = None if life is None else now + life
    row = replace(old, id=key.id, digest=key.digest, created_at=now, expires_at=expires)
    ends = min(now + keep, old.expires_at or now + keep)
    if not dry_run:
        add_key(connection, row)
        expire_key(connection, old.id, ends)
    return Made(key.text, row), ends


def revoke(connection: Connection, id: str, now: datetime, *, dry_run: bool = False) -> KeyRow:
    """Ends a key for good."""
    row = find_key(connection, id)
    if row is None:
        raise Misconfigured([f"there is no key {id}: `citybrain gateway-key list` shows all"])
    if not dry_run:
        revoke_key(connection, id, now)
    return row


def listed(connection: Connection, gateway: str | None) -> Sequence[KeyRow]:
    """All keys, or those of one gateway."""
    return list_keys(connection, gateway)


def state_of(row: KeyRow, now: datetime) -> str:
    """In one word: valid | expiring | expired | revoked."""
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at is None:
        return "valid"
    return "expired" if row.expires_at <= now else "expiring"


def _living(connection: Connection, id: str, now: datetime) -> KeyRow:
    row = find_key(connection, id)
    if row is None:
        raise Misconfigured([f"there is no key {id}: `citybrain gateway-key list` shows all"])
    state = state_of(row, now)
    if state in ("revoked", "expired"):
        raise Misconfigured([f"key {id} is {state}: make a new one with `gateway-key create`"])
    return row


def _areas(connection: Connection, order: Order) -> tuple[str, ...]:
    saved = newest(connection, "registry")
    if saved is None:
        raise Misconfigured(["no registry is stored yet: `citybrain up` makes the first one"])
    registry = Registry.from_dict(saved[1])
    if order.gateway not in registry.gateways:
        raise Misconfigured([f"gateway {order.gateway!r} is not registered"])
    reached = {
        registry.points[sensor.point].area
        for sensor in registry.sensors.values()
        if sensor.gateway == order.gateway
    }
    areas = order.areas or tuple(sorted(reached)) or (registry.gateways[order.gateway].area,)
    mistakes = [
        f"--area {code}: not an area of the registry"
        for code in areas
        if not (is_area_code(code) and code in registry.areas)
    ]
    if mistakes:
        raise Misconfigured(mistakes)
    if reached and not any(covers(code, area) for code in areas for area in reached):
        known = ", ".join(sorted(reached))
        raise Misconfigured([f"--area: this gateway's sensors stand in {known}, all outside"])
    return tuple(areas)


def _row(
    key: NewKey, order: Order, areas: tuple[str, ...], now: datetime, expires: datetime | None
) -> KeyRow:
    quota = order.quota
    return KeyRow(
        id=key.id,
        gateway=order.gateway,
        areas=list(areas),
        digest=key.digest,
        note=order.note,
        readings_s=quota.readings_s,
        readings_burst=quota.readings_burst,
        bytes_s=quota.bytes_s,
        bytes_burst=quota.bytes_burst,
        created_at=now,
        expires_at=expires,
        revoked_at=None,
    )
