"""What `citybrain subscription` and `citybrain delivery` do, for people at a terminal."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from api.actions.delivery import NothingToRetry, retry, split_id
from api.actions.subscription import UnknownSubscription, Wish
from api.delivery.subscription import Subscription
from api.delivery.trial import find
from api.queries.delivery_rows import DeliveryRow, SubscriptionRow
from api.reading import opened, viewing
from streams.errors import Misconfigured
from streams.settings import Settings
from streams.storage.connect import Connection, connect, translated


@dataclass(frozen=True)
class Place:
    """Where to work."""

    settings: Settings
    namespace: str


@contextmanager
def changing(place: Place) -> Iterator[Connection]:
    """A transaction in the namespace; what people do wrong becomes `Misconfigured`."""
    conninfo = place.settings.conninfo()
    with translated(), connect(conninfo, place.namespace, "citybrain subscription") as connection:
        if connection.execute("select to_regclass('subscription')").fetchone() == (None,):
            raise Misconfigured(
                [f"namespace {place.namespace} has no subscriptions: run `citybrain migrate`"]
            )
        try:
            yield connection
        except UnknownSubscription as error:
            raise Misconfigured(
                [f"there is no subscription {error}: `citybrain subscription list` shows all"]
            ) from error
        except NothingToRetry as error:
            raise Misconfigured([f"there is no dead letter {error}"]) from error


def wish_of(given: dict[str, Any]) -> Wish:
    """The wish; `Misconfigured` lists all mistakes. What is None was not said."""
    said = {name: value for name, value in given.items() if value is not None}
    try:
        return Wish.model_validate(said)
    except ValidationError as error:
        raise Misconfigured(
            [
                f"{'.'.join(map(str, e['loc'])) or 'subscription'}: {e['msg']}"
                for e in error.errors()
            ]
        ) from error


def filter_of(text: str | None) -> dict[str, Any]:
    """A filter from JSON text, or from a file when it begins with @."""
    if text is None:
        return {}
    try:
        content = Path(text[1:]).read_bytes() if text.startswith("@") else text
        found = orjson.loads(content)
    except (OSError, orjson.JSONDecodeError) as error:
        raise Misconfigured([f"--filter: {error}"]) from error
    if not isinstance(found, dict):
        raise Misconfigured(["--filter must be a JSON object"])
    return found


def found(connection: Connection, id: str) -> Subscription:
    """The subscription. Raises `UnknownSubscription`."""
    to = find(connection, id)
    if to is None:
        raise UnknownSubscription(id)
    return to


async def listed(place: Place, id: str | None = None) -> list[SubscriptionRow]:
    """All, or one."""
    async with (
        opened(place.settings.conninfo()) as database,
        viewing(database, place.namespace, {}) as view,
    ):
        return await view.reader.rows(
            SubscriptionRow, "subscriptions", after="", id=id, limit=10_000
        )


async def deliveries(
    place: Place, subscription: str, state: str | None, limit: int
) -> list[DeliveryRow]:
    """The newest of one subscription."""
    async with (
        opened(place.settings.conninfo()) as database,
        viewing(database, place.namespace, {}) as view,
    ):
        return await view.reader.rows(
            DeliveryRow,
            "deliveries",
            subscription=subscription,
            state=state,
            after=None,
            limit=limit,
        )


def retry_some(connection: Connection, ids: Sequence[str], all_of: str | None) -> int:
    """Puts these dead letters, or all of a subscription, back; gives how many."""
    count = 0 if all_of is None else retry(connection, all_of, None, operator())
    for id in ids:
        subscription, sequence = split_id(id)
        count += retry(connection, subscription, sequence, operator())
    return count


def operator() -> str:
    """Who acts at this terminal, for the audit."""
    return f"cli:{getpass.getuser()}"
