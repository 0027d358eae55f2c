"""`citybrain tickets`: which sensors and sources need somebody, in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from api.routers.accounts import TicketItem
    from api.view import View

MOST = 1000


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("tickets")(tickets)


def tickets(
    open_only: Annotated[
        bool, typer.Option("--open/--all", help="Only open ones, or closed ones as well.")
    ] = True,
    area: Annotated[str | None, typer.Option(help="This area and everything under it.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind, e.g. drift.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="Most tickets.")] = 50,
    namespace: Annotated[
        str | None, typer.Option(help="Default: CITYBRAIN_NAMESPACE, or citybrain.")
    ] = None,
) -> None:
    """Lists maintenance tickets, newest first; what each kind means: docs/quality.md."""
    import asyncio

    from deploy.var_dir import settings_here

    settings = settings_here()
    asyncio.run(
        _print(
            settings.conninfo(),
            namespace or settings.namespace,
            (area, kind, open_only, limit),
            as_json,
        )
    )


async def _print(
    conninfo: str, namespace: str, wanted: tuple[str | None, str | None, bool, int], as_json: bool
) -> None:
    from rich.console import Console

    from api.reading import list_tickets, opened, viewing

    async with opened(conninfo) as database, viewing(database, namespace) as view:
        found = await list_tickets(view, *wanted)
    if as_json:
        for item in found:
            print(item.model_dump_json())
        return
    Console().print(_table(found, view))


def _table(found: list[TicketItem], view: View) -> Table:
    from rich.table import Table

    from api.moment import iso

    as_of = "no data yet" if view.as_of is None else iso(view.as_of)
    title = f"{len(found)} tickets · {view.clock.name} ({view.clock.kind}) as of {as_of}"
    table = Table(title=title, title_justify="left", box=None)
    for name in ("kind", "area", "sensor or source", "property", "since", "until", "evidence"):
        table.add_column(name)
    for item in found:
        evidence = ", ".join(f"{key} {value}" for key, value in item.evidence.items())
        table.add_row(
            item.kind,
            item.area_name or item.area,
            item.sensor or item.subject,
            item.property,
            _short(iso(item.opened)),
            "open" if item.closed is None else _short(iso(item.closed)),
            evidence,
        )
    return table


def _short(moment: str) -> str:
    return moment[5:16].replace("T", " ")
