"""Logging in, by password or by a link: throttled, and as slow for who does not exist."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import NoReturn

from api.access import password as words
from api.access import secret
from api.access.guard import Guard
from api.access.throttle import Limits, is_closed
from api.actions import accounts, sessions
from api.actions.accounts import AccountRow, By
from api.problem import Problem

HASHES_AT_ONCE = 2  # each takes a core and 64 MiB for a moment


@dataclass(frozen=True, slots=True)
class Login:
    """Owned by the app."""

    guard: Guard
    limits: Limits = field(default_factory=Limits)
    hashing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(HASHES_AT_ONCE))

    async def by_password(self, login: str, password: str, address: str) -> str:
        """The token of a new session. `Problem` 401 when it is wrong, 429 after too many."""
        login = login.strip().lower()
        async with self.hashing:
            row = await self._account(login, address)
            stored = row.password if row is not None else None
            right, better = await asyncio.to_thread(words.verified, password, stored)
            if row is None or not right or row.disabled_at is not None:
                await self._fail(row, login, address)
        async with self.guard.actions.acting(self.guard.namespace) as desk:
            now = self.guard.clock()
            if better is not None:
                await desk.run("rehash", account=row.id, password=better, before=stored)
            await sessions.forget_failures(desk, login, address, now - self.limits.within)
        return await self.begin(row, "password", address)

    async def by_link(self, token: str, address: str) -> str:
        """The token of a new session. `Problem` 401 when the link is used up, old or none."""
        async with self.guard.actions.acting(self.guard.namespace) as desk:
            now = self.guard.clock()
            login = await sessions.used_link(desk, secret.digest(token), now)
            row = None if login is None else await accounts.known(desk, login)
        if row is None or row.disabled_at is not None:
            raise Problem(401, "This link was used, or is too old: make another.")
        return await self.begin(row, "link", address)

    async def begin(self, row: AccountRow, method: str, address: str) -> str:
        """The token of a new session of this account."""
        token, now = secret.make_token(), self.guard.clock()
        by = By(f"account:{row.login}", now, address)
        settings = self.guard.settings
        async with self.guard.actions.acting(self.guard.namespace) as desk:
            await sessions.begin(
                desk,
                row,
                method,
                secret.digest(token),
                by,
                longest=settings.longest,
                idle=settings.idle,
            )
        return token

    async def new_password(
        self, login: str, old: str, new: str, but_session: bytes | None, address: str
    ) -> None:
        """Changes it; other sessions end. `Problem` 401 for the old one, 422 for the new."""
        mistake = words.mistake_of(new, login)
        if mistake is not None or new == old:
            raise Problem(422, f"The new password: {mistake or 'another than the old one'}.")
        async with self.hashing:
            row = await self._account(login, address)
            stored = row.password if row is not None else None
            right, _ = await asyncio.to_thread(words.verified, old, stored)
            if not right:
                await self._fail(row, login, address)
            hashed = await asyncio.to_thread(words.hashed, new)
        async with self.guard.actions.acting(self.guard.namespace) as desk:
            by = By(f"account:{login}", self.guard.clock(), address)
            await accounts.set_password(
                desk, login, hashed, by, must_change=False, but_session=but_session
            )

    async def _account(self, login: str, address: str) -> AccountRow | None:
        async with self.guard.actions.acting(self.guard.namespace) as desk:
            since = self.guard.clock() - self.limits.within
            row = await accounts.known(desk, login)
            if is_closed(await sessions.failures(desk, login, address, since), self.limits):
                raise _too_many(self.limits, row)
            return row

    async def _fail(self, row: AccountRow | None, login: str, address: str) -> NoReturn:
        async with self.guard.actions.acting(self.guard.namespace) as desk:
            now = self.guard.clock()
            await sessions.failed(desk, login, address, now, now - self.limits.within)
        raise Problem(401, "Login and password do not fit.", told=_named(row))


def _named(row: AccountRow | None) -> dict[str, str]:
    """For the audit; not what was typed: it may be a password in the wrong field."""
    return {} if row is None else {"login": row.login}


def _too_many(limits: Limits, row: AccountRow | None) -> Problem:
    wait_s = int(limits.within.total_seconds())
    return Problem(
        429,
        f"Too many failed logins: wait {wait_s // 60} minutes.",
        headers={"retry-after": str(wait_s)},
        told=_named(row),
    )
