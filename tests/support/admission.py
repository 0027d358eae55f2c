"""Keys, accounts and sessions for tests, and the API served to who holds a key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import httpx

from api.access import password, secret
from api.access.guard import COOKIE, CSRF, CSRF_HEADER
from api.access.role import ALL, Grant, Role, Scope
from api.access.settings import AccessSettings, Opening
from api.actions import accounts, keys
from api.actions.accounts import By
from api.actions.database import Desk, opened
from api.app import create_app
from streams.contracts.domain import Domain
from tests.support.served import served

T = TypeVar("T")
OPEN = AccessSettings.model_construct(api_open=Opening.VIEWER)  # whoever comes may read
PASSWORD = "correct horse battery"
_HASHED: list[str] = []


def by(now: datetime | None = None) -> By:
    """The test does it."""
    return By("test", now or datetime.now(UTC))


def act(conninfo: str, namespace: str, work: Callable[[Desk], Awaitable[T]]) -> T:
    """One transaction of the API's actions, in a thread: a browser's test has a loop already."""

    async def run() -> T:
        async with opened(conninfo) as actions, actions.acting(namespace) as desk:
            return await work(desk)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(run())).result()


def make_key(
    conninfo: str,
    namespace: str,
    *,
    scopes: Sequence[Scope] = (Scope.READ,),
    areas: Sequence[str] = (ALL,),
    made: datetime | None = None,
    days: int | None = None,
) -> str:
    """The text of a new key."""
    order = keys.Order("a test", scopes, areas, days)
    return act(conninfo, namespace, lambda desk: keys.create(desk, order, by(made))).text


def make_account(conninfo: str, namespace: str, login: str, *grants: tuple[Role, str]) -> None:
    """An account whose password is `PASSWORD`."""
    if not _HASHED:
        _HASHED.append(password.hashed(PASSWORD))
    given = [Grant(role, area) for role, area in grants]
    act(
        conninfo,
        namespace,
        lambda desk: accounts.add(desk, login, by(), password=_HASHED[0], grants=given),
    )


def make_session(conninfo: str, namespace: str, login: str) -> str:
    """The token of a session of the account, begun without a password."""
    token = secret.make_token()

    async def begin(desk: Desk) -> None:
        row = await accounts.account(desk, login)
        now = datetime.now(UTC)
        await desk.run(
            "add_session",
            digest=secret.digest(token),
            account=row.id,
            method="password",
            now=now,
            expires=now + timedelta(hours=1),
        )

    act(conninfo, namespace, begin)
    return token


def bearer(key: str) -> dict[str, str]:
    """The header that shows a key."""
    return {"authorization": f"Bearer {key}"}


def as_person(token: str) -> dict[str, str]:
    """The headers of a session, with the word that changes need."""
    return {"cookie": f"{COOKIE}={token}", CSRF_HEADER: secret.derived(token, CSRF)}


@contextmanager
def api_served(
    conninfo: str,
    namespace: str,
    domains: Mapping[str, Domain] | None = None,
    **options: Any,
) -> Iterator[httpx.Client]:
    """A client of the API that reads everything by a key, when the namespace has keys."""
    key = make_key(conninfo, namespace)
    with served(create_app(conninfo, namespace, domains, **options)) as client:
        client.headers.update(bearer(key))
        yield client
