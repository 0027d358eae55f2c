"""Sessions: begun by a password, a link or OpenID Connect, ended by the person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.access.throttle import Failures
from api.actions.accounts import AccountRow, By
from api.actions.database import Desk


@dataclass(frozen=True, slots=True)
class LinkRow:
    login: str
    expires_at: datetime


async def begin(
    desk: Desk,
    row: AccountRow,
    method: str,
    digest: bytes,
    by: By,
    *,
    longest: timedelta,
    idle: timedelta,
) -> None:
    """A new session of this account; always of a new token, whatever the browser had before.

    Forgets those that ended of themselves.
    """
    await desk.run("forget_sessions", now=by.now, idle=by.now - idle)
    await desk.run(
        "add_session",
        digest=digest,
        account=row.id,
        method=method,
        now=by.now,
        expires=by.now + longest,
    )
    detail = {"method": method}
    await desk.note(f"account:{row.login}", "session.begin", detail, address=by.address)


async def end(desk: Desk, digest: bytes, by: By) -> None:
    """Ends it."""
    if await desk.run("end_session", digest=digest):
        await desk.note(by.who, "session.end", {}, address=by.address)


async def used_link(desk: Desk, digest: bytes, now: datetime) -> str | None:
    """The login of a link that was valid until now, and is not any more; None for no such link."""
    found = await desk.row(LinkRow, "use_link", digest=digest)
    return None if found is None or found.expires_at <= now else found.login


async def failures(desk: Desk, login: str, address: str, since: datetime) -> Failures:
    """Failed logins since then."""
    (found,) = await desk.rows(Failures, "failures", login=login, address=address, since=since)
    return found


async def failed(desk: Desk, login: str, address: str, now: datetime, since: datetime) -> None:
    """One more; older ones are forgotten."""
    await desk.run("forget_old_failures", since=since)
    await desk.run("add_failure", login=login[:64], address=address, now=now)


async def forget_failures(desk: Desk, login: str, address: str, since: datetime) -> None:
    """Of who was let in from there; and old ones."""
    await desk.run("forget_failures", login=login[:64], address=address, since=since)
