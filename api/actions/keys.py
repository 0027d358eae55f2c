"""API keys of programs: made, listed, revoked. Each change stands in the audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.access.role import ALL, Scope
from api.access.secret import NewKey, make_key
from api.actions.accounts import By
from api.actions.database import Desk
from api.actions.places import mistakes_of
from api.actions.refusal import Refused, Unknown

LONGEST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Order:
    """A key as a person asks for it."""

    name: str
    scopes: Sequence[Scope]
    areas: Sequence[str]
    expires_days: int | None = None


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key without what is secret of it."""

    id: str
    name: str
    scopes: Sequence[str]
    areas: Sequence[str]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None


async def create(desk: Desk, order: Order, by: By) -> NewKey:
    """A new key; its text is known only now. `Refused` lists all mistakes of the order."""
    mistakes = await mistakes_of(desk, order.areas)
    if not order.name.strip():
        mistakes.append("a name is needed: which program is it for?")
    if not order.scopes:
        mistakes.append(f"a scope is needed: {', '.join(Scope)}")
    if not order.areas:
        mistakes.append(f"an area is needed: a code, or {ALL}")
    if order.expires_days is not None and not 1 <= order.expires_days <= LONGEST_DAYS:
        mistakes.append(f"it may last 1 to {LONGEST_DAYS} days")
    if mistakes:
        raise Refused(mistakes)
    key = make_key()
    expires = None if order.expires_days is None else by.now + timedelta(days=order.expires_days)
    scopes, areas = sorted(set(order.scopes)), sorted(set(order.areas))
    await desk.run(
        "add_key",
        id=key.id,
        digest=key.digest,
        name=order.name.strip()[:200],
        scopes=[str(scope) for scope in scopes],
        areas=areas,
        now=by.now,
        who=by.who,
        expires=expires,
    )
    detail = {"id": key.id, "name": order.name, "scopes": scopes, "areas": areas}
    await desk.note(by.who, "key.create", detail, address=by.address)
    return key


async def keys(desk: Desk) -> list[KeyRow]:
    """All keys, the newest first."""
    return await desk.rows(KeyRow, "keys", id=None)


async def key(desk: Desk, id: str) -> KeyRow:
    """The key with this public part; `Unknown` when there is none."""
    row = await desk.row(KeyRow, "keys", id=id)
    if row is None:
        raise Unknown(f"there is no API key {id!r}")
    return row


async def revoke(desk: Desk, id: str, by: By) -> KeyRow:
    """Ends a key for good; nothing happens when it was ended before."""
    row = await key(desk, id)
    if await desk.run("revoke_key", id=id, now=by.now):
        await desk.note(by.who, "key.revoke", {"id": id, "name": row.name}, address=by.address)
    return await key(desk, id)


def state_of(row: KeyRow, now: datetime) -> str:
    """In one word: valid | expired | revoked."""
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "valid"
