"""`citybrain incidents`: alerts put together for people: a list, a screen, one with its alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pydantic import BaseModel

    from api.view import View

STYLES = ("green", "bold blue", "bold yellow", "bold dark_orange", "bold red")
AsJson = Annotated[bool, typer.Option("--json", help="JSON.")]
Area = Annotated[str | None, typer.Option(help="This area and everything under it.")]
Namespace = Annotated[str | None, typer.Option(help="Default: CITYBRAIN_NAMESPACE, or citybrain.")]


def register(app: typer.Typer) -> None:
    """Adds the verbs."""
    group = typer.Typer(
        no_args_is_help=True, help="Alerts put together into incidents, for people."
    )
    for name, verb in (("list", list_), ("screen", screen), ("show", show)):
        group.command(name)(verb)
    app.add_typer(group, name="incidents")


def list_(
    area: Area = None,
    domain: Annotated[str | None, typer.Option(help="Of this domain.")] = None,
    open_only: Annotated[
        bool, typer.Option("--open/--all", help="Only open ones, or closed ones as well.")
    ] = True,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most incidents.")] = 50,
    as_json: AsJson = False,
    namespace: Namespace = None,
) -> None:
    """Lists incidents, worst first."""

    async def read(view: View) -> list[BaseModel]:
        from api.incident_items import incident_item, read_incidents

        view.domain_named(domain)
        rows = await read_incidents(
            view,
            areas=await view.codes_below(area),
            domain=domain,
            open=True if open_only else None,
            limit=limit,
        )
        return [incident_item(row, view) for row in rows]

    _told(read, namespace, as_json)


def screen(
    area: Area = None,
    lines: Annotated[int, typer.Option(min=5, max=200, help="Most lines.")] = 25,
    as_json: AsJson = False,
    namespace: Namespace = None,
) -> None:
    """All open incidents on so many lines; the mildest are put together first."""

    async def read(view: View) -> list[BaseModel]:
        from api.incident_items import screen_of

        found = await screen_of(view, lines, area=area)
        return list(found.lines)

    _told(read, namespace, as_json)


def show(
    incident: Annotated[str, typer.Argument(metavar="INCIDENT", help="Its id, from `--json`.")],
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Most alerts.")] = 50,
    namespace: Namespace = None,
) -> None:
    """One incident with its steps and its alerts, as JSON, one object a line."""

    async def read(view: View) -> list[BaseModel]:
        from api.incident_items import incident_item, incident_row, members, steps_of
        from api.queries.incident_rows import MemberRow

        row = await incident_row(incident, view)
        rows = await view.reader.rows(
            MemberRow,
            "incident_alerts",
            incident=incident,
            after_shown=None,
            after_began=None,
            after_id=None,
            limit=limit,
        )
        found: list[BaseModel] = [incident_item(row, view)]
        return [*found, *await steps_of(incident, view), *await members(rows, view)]

    _told(read, namespace, as_json=True)


def _told(
    read: Callable[[View], Awaitable[list[BaseModel]]], namespace: str | None, as_json: bool
) -> None:
    import asyncio

    from deploy.var_dir import settings_here

    settings = settings_here()
    asyncio.run(_run(settings.conninfo(), namespace or settings.namespace, read, as_json))


async def _run(
    conninfo: str,
    namespace: str,
    read: Callable[[View], Awaitable[list[BaseModel]]],
    as_json: bool,
) -> None:
    from api.reading import opened, viewing

    async with opened(conninfo) as database, viewing(database, namespace) as view:
        found = await read(view)
    for item in found:
        if as_json:
            print(item.model_dump_json())
        else:
            _print(item.model_dump())


def _print(item: dict[str, object]) -> None:
    from datetime import datetime

    from rich.console import Console
    from rich.text import Text

    from api.moment import iso

    severity, counts = item["severity"], item["by_severity"]
    assert isinstance(severity, dict)
    assert isinstance(counts, dict)
    colours = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    place = item["area_name"] or item["area"] or "全部"
    domain = item["domain_zh"] or "多个领域"
    many = f" · {item['incidents']} incidents" if item.get("incidents", 1) != 1 else ""
    line = f" {place} {domain}{many} · {item['open']} open ({colours or 'quiet'})"
    line += f", {item['hidden']} hidden, {item['ended']} ended"
    began = item["began"]
    assert isinstance(began, datetime)
    line += f" · since {iso(began)[5:16].replace('T', ' ')}"
    word = Text(f"{severity['zh']} {severity['name']}", STYLES[severity["rank"]])
    Console(soft_wrap=True).print(word, line, f" [{item['status']}]", sep="", markup=False)
