"""`citybrain warnings`: official warnings brought in by hand, and which are in force."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from api.routers.warnings import WarningItem
    from api.view import View
    from deploy.warning_import import Found

MOST = 1000
EXIT_REFUSED = 1
STYLES = {"blue": "bold blue", "yellow": "bold yellow", "orange": "bold dark_orange"}
STYLES["red"] = "bold red"
NamespaceOption = Annotated[
    str | None, typer.Option(help="Default: CITYBRAIN_NAMESPACE, or citybrain.")
]
verbs = typer.Typer(help="Official warnings, CAP and rows of the national list: docs/cap.md.")


def register(app: typer.Typer) -> None:
    """Adds the verb with its own verbs."""
    app.add_typer(verbs, name="warnings", no_args_is_help=True)


@verbs.command("import")
def import_(
    paths: Annotated[
        list[Path], typer.Argument(exists=True, help="Files, or folders with .xml and .json files.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    at: Annotated[
        str | None,
        typer.Option(
            help="When they come in, ISO 8601; without a zone Asia/Shanghai. Default: now, in a "
            "namespace that is not live by its own clock."
        ),
    ] = None,
    namespace: NamespaceOption = None,
) -> None:
    """Reads official warnings and appends them to the log; refused ones to the dead letters.

    Exit code 1: something was refused, and why is printed. The same file may be imported again.
    """
    from deploy.var_dir import settings_here
    from deploy.warning_import import bring_in, look

    settings = settings_here()
    name = namespace or settings.namespace
    found = look(settings, name, paths)
    for one in found:
        _print(one)
    if not dry_run:
        bring_in(settings, name, found, at)
    refused = sum(one.is_refused for one in found)
    verb = "would go" if dry_run else "went"
    typer.echo(f"{len(found) - refused} {verb} into the log of {name}, {refused} refused")
    if refused:
        raise typer.Exit(EXIT_REFUSED)


@verbs.command("list")
def list_(
    active_only: Annotated[
        bool, typer.Option("--active/--all", help="Only those in force, or the history as well.")
    ] = True,
    area: Annotated[str | None, typer.Option(help="What lies in this area or holds it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="Most warnings.")] = 50,
    namespace: NamespaceOption = None,
) -> None:
    """Official warnings, newest first."""
    import asyncio

    from deploy.var_dir import settings_here

    settings = settings_here()
    asked = (area, active_only, limit)
    asyncio.run(_list(settings.conninfo(), namespace or settings.namespace, asked, as_json))


async def _list(
    conninfo: str, namespace: str, asked: tuple[str | None, bool, int], as_json: bool
) -> None:
    from rich.console import Console

    from api.reading import opened, viewing
    from api.routers.warnings import list_warnings

    async with opened(conninfo) as database, viewing(database, namespace) as view:
        found = await list_warnings(view, *asked)
        if as_json:
            for item in found:
                print(item.model_dump_json())
        else:
            Console().print(_table(found, view))


def _table(found: list[WarningItem], view: View) -> Table:
    from rich.table import Table
    from rich.text import Text

    from api.moment import iso

    as_of = "no data yet" if view.as_of is None else iso(view.as_of)
    title = f"{len(found)} official warnings · {view.clock.name} ({view.clock.kind}) as of {as_of}"
    table = Table(title=title, title_justify="left", box=None)
    for name in ("colour", "event", "issuer", "area", "sent", "until", "state"):
        table.add_column(name)
    for item in found:
        colour = item.severity
        table.add_row(
            Text(f"{colour.zh} {colour.name}", STYLES[colour.name]) if colour else "–",
            item.event or item.headline,
            "、".join(item.issuers),
            item.area_text or " ".join(item.areas),
            iso(item.sent)[5:16].replace("T", " "),
            iso(item.expires)[5:16].replace("T", " ") + ("" if item.expires_stated else " *"),
            item.state if item.status == "Actual" else f"{item.state} ({item.status})",
        )
    return table


def _print(one: Found) -> None:
    for line in one.in_words():
        typer.echo(line)
