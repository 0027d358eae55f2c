"""Accounts and API keys from the command line, and the first administrator of a new city.

A password or link is handed back to be shown once; nothing here writes one to a log.
"""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from api.access import password as words
from api.access import secret
from api.access.role import ALL, Grant, Role
from api.actions import accounts
from api.actions.accounts import By
from api.actions.database import Desk, opened
from api.actions.refusal import Refused
from api.queries.pool import UnknownNamespace
from streams.errors import Misconfigured
from streams.settings import Settings

T = TypeVar("T")
LINK_LASTS = timedelta(minutes=15)
SUPPORT = Grant(Role.ADMINISTRATOR, ALL)


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a person needs to come in; either may be missing."""

    login: str | None = None
    password: str | None = None
    link: str | None = None


def work(settings: Settings, what: Callable[[Desk, By], Awaitable[T]]) -> T:
    """One transaction in the namespace of the settings. `Misconfigured` when it is refused."""

    async def run() -> T:
        async with (
            opened(settings.conninfo()) as actions,
            actions.acting(settings.namespace) as desk,
        ):
            return await what(desk, here())

    try:
        return asyncio.run(run())
    except Refused as error:
        raise Misconfigured(list(error.mistakes)) from error
    except UnknownNamespace as error:
        raise Misconfigured(
            [f"namespace {settings.namespace}: run `citybrain migrate` or `up` first"]
        ) from error


def here() -> By:
    """Whoever types this, now."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # no name for this number, as in a container
        name = str(os.getuid())
    return By(f"command:{name}", datetime.now(UTC))


def password_for(login: str, given: str | None) -> tuple[str, str | None]:
    """The hash to store, and the new password to show when none was given."""
    text = words.generated() if given is None else given
    mistake = words.mistake_of(text, login)
    if mistake is not None:
        raise Misconfigured([f"the password: {mistake}"])
    return words.hashed(text), text if given is None else None


def first_administrator(settings: Settings, *, seen: bool) -> Welcome:
    """Makes one when there is no account at all.

    Where nobody would see a password (`seen` is false: the output goes to a file), it has none;
    `citybrain account password` gives it one.
    """
    stored, text = password_for(accounts.FIRST, None) if seen else (None, None)
    login = work(settings, lambda desk, by: accounts.make_first(desk, stored, by))
    return Welcome() if login is None else Welcome(login, text)


def welcome(settings: Settings, play: str | None, *, seen: bool) -> list[str]:
    """What `citybrain up` says at the end: the first administrator, and a link to come in by.

    The link, too, is only for a terminal that somebody sees.
    """
    from deploy.plan import LIVE_NAMESPACE
    from deploy.startup import page_url

    there = settings.model_copy(update={"namespace": LIVE_NAMESPACE})
    found = first_administrator(there, seen=seen)
    if seen:
        found = replace(found, link=login_link(there, page_url(there, play)))
    return welcome_lines(found)


def login_link(settings: Settings, url: str, login: str | None = None) -> str | None:
    """A link that lets in once: by default the first administrator that may; None without one.

    The word stands behind `#`, which browsers send to nobody and servers never log.
    """
    token = secret.make_token()

    async def make(desk: Desk, by: By) -> bool:
        chosen = login or await _administrator(desk)
        if chosen is None:
            return False
        await accounts.make_link(desk, chosen, secret.digest(token), by, LINK_LASTS)
        return True

    return f"{url}#enter={token}" if work(settings, make) else None


async def _administrator(desk: Desk) -> str | None:
    for row in await accounts.accounts(desk):
        if row.disabled_at is None and SUPPORT in row.granted():
            return row.login
    return None


def welcome_lines(found: Welcome) -> list[str]:
    """For the terminal."""
    lines = []
    if found.login is not None and found.password is not None:
        lines += [
            f"administrator {found.login}, password {found.password}",
            "  shown once; to be changed at the first login",
        ]
    elif found.login is not None:
        lines.append(
            f"administrator {found.login} has no password yet: "
            f"`citybrain account password {found.login}` makes one"
        )
    if found.link is not None:
        minutes = int(LINK_LASTS.total_seconds()) // 60
        lines += [f"log in without a password (once, within {minutes} minutes):", f"  {found.link}"]
    return lines
