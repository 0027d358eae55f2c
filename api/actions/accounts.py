"""Accounts of people: add, grant, revoke, disable, passwords. Each change stands in the audit.

Passwords come in hashed: hashing is slow and has no place in a transaction.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.access.role import ALL, Grant, Role
from api.actions.database import Desk
from api.actions.places import mistakes_of
from api.actions.refusal import Conflict, Refused, Unknown

FIRST = "admin"
LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
OIDC_LOGIN = re.compile(r"[^a-z0-9._@-]")


@dataclass(frozen=True, slots=True)
class By:
    """Who does it, from where, and when."""

    who: str
    now: datetime
    address: str | None = None


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account with what it was granted."""

    id: int
    login: str
    name: str
    password: str | None
    issuer: str | None
    subject: str | None
    must_change_password: bool
    disabled_at: datetime | None
    created_at: datetime
    created_by: str
    grants: Sequence[dict[str, str]]

    def granted(self, source: str | None = None) -> tuple[Grant, ...]:
        """Its roles and areas, of all sources or of one."""
        return tuple(
            Grant(Role(each["role"]), each["area"])
            for each in self.grants
            if source in (None, each["source"])
        )


async def accounts(desk: Desk) -> list[AccountRow]:
    """All, by login."""
    return await desk.rows(AccountRow, "accounts", login=None)


async def account(desk: Desk, login: str) -> AccountRow:
    """The account; `Unknown` when there is none."""
    found = await known(desk, login)
    if found is None:
        raise Unknown(f"there is no account {login!r}")
    return found


async def known(desk: Desk, login: str) -> AccountRow | None:
    """The account, or None."""
    return await desk.row(AccountRow, "accounts", login=login.lower())


async def add(
    desk: Desk,
    login: str,
    by: By,
    *,
    name: str = "",
    password: str | None = None,
    grants: Sequence[Grant] = (),
    must_change: bool = False,
    subject: tuple[str, str] | None = None,
) -> int:
    """A new account; `subject` is the issuer and the subject of OpenID Connect. Its number."""
    login = login.lower()
    mistakes = [] if LOGIN.fullmatch(login) else [f"{login!r}: letters, digits, . _ @ -"]
    mistakes += await mistakes_of(desk, (each.area for each in grants))
    if mistakes:
        raise Refused(mistakes)
    issuer, of = subject or (None, None)
    number = await desk.value(
        "add_account",
        login=login,
        name=name.strip()[:200],
        password=password,
        issuer=issuer,
        subject=of,
        must_change=must_change,
        now=by.now,
        who=by.who,
    )
    if number is None:
        raise Conflict(f"there is an account {login!r} already")
    source = "local" if subject is None else "oidc"
    for each in grants:
        await _grant(desk, int(number), each, by, source)
    detail = {"login": login, "grants": [f"{g.role}@{g.area}" for g in grants], "issuer": issuer}
    await desk.note(by.who, "account.add", detail, address=by.address)
    return int(number)


async def grant(desk: Desk, login: str, given: Grant, by: By) -> None:
    """A role in an area; nothing happens when it is there already."""
    if mistakes := await mistakes_of(desk, [given.area]):
        raise Refused(mistakes)
    row = await account(desk, login)
    if await _grant(desk, row.id, given, by, "local"):
        detail = {"login": row.login, "role": given.role, "area": given.area}
        await desk.note(by.who, "account.grant", detail, address=by.address)


async def revoke(desk: Desk, login: str, given: Grant, by: By) -> None:
    """Takes a local grant back. `Conflict` when nobody would administer everything any more."""
    await desk.run("lock_accounts")
    row = await account(desk, login)
    if given == Grant(Role.ADMINISTRATOR, ALL) and row.disabled_at is None:
        await _not_the_last(desk, row)
    gone = await desk.run(
        "revoke_grant", account=row.id, role=given.role, area=given.area, source="local"
    )
    if not gone:
        raise Unknown(f"{row.login} was not granted {given.role} for {given.area} here")
    detail = {"login": row.login, "role": given.role, "area": given.area}
    await desk.note(by.who, "account.revoke", detail, address=by.address)


async def disable(desk: Desk, login: str, by: By) -> None:
    """Ends all sessions of the account, and lets it in no more."""
    await desk.run("lock_accounts")
    row = await account(desk, login)
    if Grant(Role.ADMINISTRATOR, ALL) in row.granted():
        await _not_the_last(desk, row)
    await desk.run("set_disabled", account=row.id, at=by.now)
    await end_sessions(desk, row.id)
    await desk.note(by.who, "account.disable", {"login": row.login}, address=by.address)


async def enable(desk: Desk, login: str, by: By) -> None:
    """Lets the account in again."""
    row = await account(desk, login)
    await desk.run("set_disabled", account=row.id, at=None)
    await desk.note(by.who, "account.enable", {"login": row.login}, address=by.address)


async def rename(desk: Desk, login: str, name: str, by: By) -> None:
    """The name for people."""
    row = await account(desk, login)
    await desk.run("set_name", account=row.id, name=name.strip()[:200])
    await desk.note(by.who, "account.rename", {"login": row.login}, address=by.address)


async def set_password(
    desk: Desk,
    login: str,
    password: str,
    by: By,
    *,
    must_change: bool,
    but_session: bytes | None = None,
) -> None:
    """A new password (hashed); every session but one ends, and so do links."""
    row = await account(desk, login)
    if row.subject is not None:
        raise Conflict(f"{row.login} logs in at {row.issuer}, without a password here")
    await desk.run("set_password", account=row.id, password=password, must_change=must_change)
    await end_sessions(desk, row.id, but_session)
    await desk.note(by.who, "account.password", {"login": row.login}, address=by.address)


async def make_first(desk: Desk, password: str | None, by: By) -> str | None:
    """The first account of a namespace, an administrator of everything; its login.

    None when there are accounts already: then nothing happens.
    """
    await desk.run("lock_accounts")
    if await desk.value("count_accounts"):
        return None
    grants = (Grant(Role.ADMINISTRATOR, ALL),)
    await add(desk, FIRST, by, password=password, grants=grants, must_change=password is not None)
    return FIRST


async def make_link(desk: Desk, login: str, digest: bytes, by: By, lasts: timedelta) -> None:
    """A link that lets the account in, once, for a while."""
    row = await account(desk, login)
    if row.disabled_at is not None:
        raise Conflict(f"{row.login} is disabled")
    await desk.run("forget_links", now=by.now)
    await desk.run("add_link", digest=digest, account=row.id, expires=by.now + lasts)
    await desk.note(by.who, "account.link", {"login": row.login}, address=by.address)


async def end_sessions(desk: Desk, number: int, but: bytes | None = None) -> None:
    """All sessions and links of an account, but one session."""
    await desk.run("end_sessions", account=number, but=but)
    await desk.run("end_links", account=number)


async def take_oidc_grants(desk: Desk, row: AccountRow, grants: Sequence[Grant], by: By) -> None:
    """What a person's groups grant now, in place of what they did; a change is in the audit."""
    before, after = set(row.granted("oidc")), set(grants)
    for each in before - after:
        await desk.run(
            "revoke_grant", account=row.id, role=each.role, area=each.area, source="oidc"
        )
    for each in after - before:
        await _grant(desk, row.id, each, by, "oidc")
    if before != after:
        detail = {
            "login": row.login,
            "given": sorted(f"{g.role}@{g.area}" for g in after - before),
            "taken": sorted(f"{g.role}@{g.area}" for g in before - after),
        }
        await desk.note(by.who, "account.groups", detail, address=by.address)


async def _grant(desk: Desk, number: int, given: Grant, by: By, source: str) -> bool:
    return bool(
        await desk.run(
            "grant",
            account=number,
            role=given.role,
            area=given.area,
            source=source,
            now=by.now,
            who=by.who,
        )
    )


async def _not_the_last(desk: Desk, row: AccountRow) -> None:
    if not await desk.value("other_administrators", account=row.id):
        raise Conflict(f"{row.login} is the last administrator of everything: make another first")
