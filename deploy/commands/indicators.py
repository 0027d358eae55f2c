"""`citybrain indicators`: the newest figures in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from api.routers.facts import FactItem
    from api.view import View


def register(app: typer.Typer) -> None:
    """Adds the verb."""
    app.command("indicators")(indicators)


def indicators(
    area: Annotated[str | None, typer.Option(help="Exactly this area, e.g. 330000.")] = None,
    period: Annotated[
        str | None, typer.Option(help="Only this period: hour, day, month, year or state.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    namespace: Annotated[
        str | None, typer.Option(help="Default: CITYBRAIN_NAMESPACE, or citybrain.")
    ] = None,
) -> None:
    """Lists the newest value of every indicator, with its completeness, for cities and province."""
    import asyncio

    from deploy.var_dir import settings_here

    settings = settings_here()
    chosen = namespace or settings.namespace
    view, found = asyncio.run(_read(settings.conninfo(), chosen, area, period))
    if as_json:
        for item in found:
            print(item.model_dump_json())
        return
    from rich.console import Console

    Console().print(_table(view, found))


async def _read(
    conninfo: str, namespace: str, area: str | None, period: str | None
) -> tuple[View, list[FactItem]]:
    from api.reading import newest_figures, opened, viewing

    async with opened(conninfo) as database, viewing(database, namespace) as view:
        return view, await newest_figures(view, area, period)


def _table(view: View, found: list[FactItem]) -> Table:
    from rich.table import Table

    from api.moment import iso
    from api.routers.facts import catalogue

    titles = {
        item.indicator: item.title_zh
        for domain in view.domains.values()
        for item in catalogue(domain)
    }
    as_of = "no data yet" if view.as_of is None else iso(view.as_of)
    title = f"{len(found)} figures · {view.clock.name} ({view.clock.kind}) as of {as_of}"
    table = Table(title=title, title_justify="left", box=None)
    for name in ("indicator", "title", "area", "period", "value", "have/want", "known from", "rev"):
        table.add_column(name, justify="right" if name in {"value", "have/want", "rev"} else "left")
    for item in found:
        table.add_row(
            item.indicator,
            titles.get(item.indicator, ""),
            item.area_name or item.area,
            f"{item.period} {iso(item.start)[:16]}",
            f"{item.value or '–'} {item.unit}".strip(),
            f"{item.have}/{item.want}",
            iso(item.known_from)[:19],
            str(item.revision),
        )
    return table
