"""What the command line does to alerts, closures and messages: as a local account, in the audit.

Whoever may start the program here has the database anyway; `--who` only says on whose behalf. The
state machines check everything else as for anybody.
"""

from __future__ import annotations

import getpass
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from streams.errors import Misconfigured

if TYPE_CHECKING:
    from pydantic import BaseModel

    from api.actions.actor import Actor
    from api.actions.settings import ActingSettings
    from api.view import View
    from streams.storage.connect import Connection

Item = TypeVar("Item", bound="BaseModel")
Who = Annotated[
    str | None, typer.Option(help="On whose behalf; default: the account that runs this.")
]
Namespace = Annotated[str | None, typer.Option(help="Default: CITYBRAIN_NAMESPACE, or citybrain.")]
Area = Annotated[str | None, typer.Option(help="This area and everything under it.")]
Most = Annotated[int, typer.Option(min=1, max=1000, help="Most of them.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
Note = Annotated[str, typer.Option(help="What was seen, or why.")]
Reference = Annotated[str, typer.Option(help="Of whoever did it.")]


def now() -> datetime:
    """The wall clock, by which people act."""
    return datetime.now(UTC)


def local(who: str | None) -> Actor:
    """The local account as an actor."""
    from api.actions.actor import EVERYWHERE, Actor, Kind, Role

    name = who or getpass.getuser()
    return Actor(f"local:{name}", Kind.PERSON, ((Role.COMMANDER, EVERYWHERE),))


def house() -> ActingSettings:
    """House conventions. `Misconfigured` lists all mistakes."""
    from api.actions.settings import load_acting_settings

    return load_acting_settings()


@contextmanager
def doing(namespace: str | None) -> Iterator[Connection]:
    """A connection in the namespace; `Misconfigured` says why something is not done."""
    from api.actions.refusal import Refused
    from deploy.var_dir import settings_here
    from streams.storage.connect import connect, translated
    from streams.storage.migrate import is_migrated

    settings = settings_here()
    name = namespace or settings.namespace
    with (
        translated(),
        connect(settings.conninfo(), name, "citybrain act", autocommit=True) as found,
    ):
        if not is_migrated(found):
            raise Misconfigured([f"namespace {name} is not there, or not up to date: migrate it"])
        try:
            yield found
        except Refused as refusal:
            raise Misconfigured(list(refusal.mistakes)) from refusal


def read(namespace: str | None, ask: Callable[[View], Awaitable[list[Item]]]) -> list[Item]:
    """What a reading of the API gives in this namespace."""
    import asyncio

    from api.reading import opened, viewing
    from deploy.var_dir import settings_here

    settings = settings_here()

    async def run() -> list[Item]:
        async with (
            opened(settings.conninfo()) as database,
            viewing(database, namespace or settings.namespace) as view,
        ):
            return await ask(view)

    return asyncio.run(run())


def show(
    items: Sequence[Item],
    columns: Sequence[str],
    row: Callable[[Item], Sequence[str]],
    *,
    as_json: bool,
) -> None:
    """Prints them as a table, or one JSON object a line."""
    if as_json:
        for item in items:
            print(item.model_dump_json())
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*columns, box=None)
    for item in items:
        table.add_row(*row(item))
    Console().print(table)


def short(moment: datetime | None) -> str:
    """Day and minute in +08:00."""
    from api.moment import iso

    return "" if moment is None else iso(moment)[5:16].replace("T", " ")
