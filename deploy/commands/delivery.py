"""`citybrain delivery list|retry`: what became of deliveries, and dead letters once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deploy.subscriptions import Place

_Space = Annotated[str | None, typer.Option(help="Default: CITYBRAIN_NAMESPACE, or citybrain.")]


def register(app: typer.Typer) -> None:
    """Adds the verb and its two."""
    verbs = typer.Typer(help="Deliveries to subscribers: list, retry.", no_args_is_help=True)
    verbs.command("list")(show)
    verbs.command("retry")(retry)
    app.add_typer(verbs, name="delivery")


def show(
    subscription: Annotated[str, typer.Argument(metavar="SUBSCRIPTION")],
    state: Annotated[
        str | None, typer.Option(help="Only waiting, sent, dead or superseded ones.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    namespace: _Space = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """List deliveries of a subscription, newest first."""
    import asyncio

    from api.subscribed import delivery_item
    from deploy import subscriptions as work

    rows = asyncio.run(work.deliveries(_place(namespace), subscription, state, limit))
    items = [delivery_item(row) for row in rows]
    if as_json:
        for each in items:
            typer.echo(each.model_dump_json())
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("id", "alert", "state", "attempts", "queued", "answer", box=None)
    for each in items:
        answer = each.error or each.receipt or str(each.status or "")
        queued = f"{each.queued_at:%m-%d %H:%M:%S}"
        table.add_row(each.id, each.alert, each.state, str(each.attempts), queued, answer)
    Console().print(table)


def retry(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Dead letters, from `list`.")
    ] = None,
    all_of: Annotated[
        str | None, typer.Option("--all-of", help="All dead letters of this subscription.")
    ] = None,
    namespace: _Space = None,
) -> None:
    """Send dead letters again, under their old keys."""
    from deploy import subscriptions as work
    from streams.errors import Misconfigured

    if not ids and all_of is None:
        raise Misconfigured(["name dead letters, or --all-of a subscription"])
    with work.changing(_place(namespace)) as connection:
        count = work.retry_some(connection, ids or [], all_of)
    typer.echo(f"{count} wait again")


def _place(namespace: str | None) -> Place:
    from deploy.subscriptions import Place
    from deploy.var_dir import settings_here

    settings = settings_here()
    return Place(settings, namespace or settings.namespace)
