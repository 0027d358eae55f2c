"""`citybrain subscription add|list|show|test|preview|pause|resume|remove|rotate`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from deploy.subscriptions import Place

_Id = Annotated[str, typer.Argument(metavar="ID", help="From `citybrain subscription list`.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
_Space = Annotated[str | None, typer.Option(help="Default: CITYBRAIN_NAMESPACE, or citybrain.")]
_Filter = Annotated[
    str | None,
    typer.Option(
        "--filter",
        help='JSON, {"areas": ["330100"], "min_severity": 2}, or @file; docs/delivery.md.',
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the verb and its nine."""
    verbs = typer.Typer(
        help="Who is told of alerts: add, list, test, preview, pause, remove, rotate.",
        no_args_is_help=True,
    )
    for name, function in (
        ("add", add),
        ("list", show_all),
        ("show", show),
        ("test", send),
        ("preview", preview),
        ("pause", pause),
        ("resume", resume),
        ("remove", remove),
        ("rotate", rotate),
    ):
        verbs.command(name)(function)
    app.add_typer(verbs, name="subscription")


def add(
    name: Annotated[str, typer.Argument(help="For people.")],
    target: Annotated[str, typer.Argument(help="URL, addresses of mail, or a robot's token.")],
    channel: Annotated[
        str, typer.Option(help="webhook, mail, dingtalk, wecom, feishu.")
    ] = "webhook",
    wanted: _Filter = None,
    mode: Annotated[str, typer.Option(help="every, or latest_state for devices.")] = "every",
    language: Annotated[str, typer.Option(help="Of mail and chat: zh, en.")] = "zh",
    owner: Annotated[str, typer.Option(help="Who answers for it.")] = "",
    answered_by: Annotated[
        str, typer.Option(help="key:ID of the program that answers what became of the events.")
    ] = "",
    heartbeat: Annotated[bool, typer.Option(help="Of webhooks.")] = True,
    inner_network: Annotated[
        bool, typer.Option("--inner-network", help="It lies in CITYBRAIN_DELIVER_ALLOW_NETWORKS.")
    ] = False,
    namespace: _Space = None,
    as_json: _Json = False,
) -> None:  # fmt: skip
    """Subscribe; the secret of a webhook is shown once."""
    from api.actions.subscription import create
    from deploy import subscriptions as work

    wish = work.wish_of(
        {"name": name, "target": target, "channel": channel, "mode": mode, "language": language,
         "owner": owner, "answered_by": answered_by, "heartbeat": heartbeat,
         "inner_network": inner_network, "filter": work.filter_of(wanted)}
    )  # fmt: skip
    with work.changing(_place(namespace)) as connection:
        made = create(connection, wish, work.operator())
    _tell_secret(made.id, made.secret, as_json)


def show_all(namespace: _Space = None, as_json: _Json = False) -> None:
    """List subscriptions with what waits and what died."""
    import asyncio

    from api.subscribed import item
    from deploy import subscriptions as work

    items = [item(row) for row in asyncio.run(work.listed(_place(namespace)))]
    if as_json:
        typer.echo("[" + ",\n".join(each.model_dump_json() for each in items) + "]")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("id", "name", "channel", "target", "state", "waiting", "dead", box=None)
    for each in items:
        state = "paused" if each.paused else "on"
        table.add_row(
            each.id, each.name, each.channel, each.target, state, str(each.waiting), str(each.dead)
        )
    Console().print(table)


def show(id: _Id, namespace: _Space = None) -> None:
    """Show one, as JSON."""
    import asyncio

    from api.subscribed import item
    from deploy import subscriptions as work
    from streams.errors import Misconfigured

    rows = asyncio.run(work.listed(_place(namespace), id))
    if not rows:
        raise Misconfigured([f"there is no subscription {id}"])
    typer.echo(item(rows[0]).model_dump_json(indent=1))


def send(id: _Id, namespace: _Space = None) -> None:
    """Send one test message now; exit code 1 when it does not get through."""
    import asyncio

    from api.actions.trail import record
    from api.delivery.settings import load_deliver_settings
    from api.delivery.trial import send_test
    from deploy import subscriptions as work

    with work.changing(_place(namespace)) as connection:
        to = work.found(connection, id)
        record(connection, work.operator(), "subscription.test", {"id": id})
    end = asyncio.run(send_test(to, load_deliver_settings()))
    answer = end.error or f"status {end.status}" + (
        f", receipt {end.receipt}" if end.receipt else ""
    )
    typer.echo(f"{'delivered' if end.delivered else 'not delivered'}: {answer}")
    if not end.delivered:
        raise typer.Exit(1)


def preview(
    id: _Id,
    days: Annotated[float, typer.Option(min=0.01, max=31, help="So many days back.")] = 7.0,
    namespace: _Space = None,
    as_json: _Json = False,
) -> None:
    """Show what it would have got in the last days."""
    from api.delivery import preview as looking
    from api.subscribed import shown
    from deploy import subscriptions as work

    with work.changing(_place(namespace)) as connection:
        to = work.found(connection, id)
        people = to.channel.for_people
        found = shown(looking.preview(connection, to.filter, people=people, days=days))
    if as_json:
        typer.echo(found.model_dump_json(indent=1))
        return
    typer.echo(f"{found.matched} of {found.looked_at} transitions, {found.alerts} alerts")
    for day, count in sorted(found.by_day.items()):
        typer.echo(f"  {day}  {count}")
    for each in found.newest:
        typer.echo(
            f"  {each.decided_at:%m-%d %H:%M} {each.status} {each.domain} {each.area} "
            f"severity {each.severity} {each.change} {each.alert}"
        )


def pause(id: _Id, namespace: _Space = None) -> None:
    """Stop sending; what comes meanwhile waits."""
    _pause(id, namespace, True)


def resume(id: _Id, namespace: _Space = None) -> None:
    """Go on after a pause."""
    _pause(id, namespace, False)


def remove(id: _Id, namespace: _Space = None) -> None:
    """Unsubscribe for good; what waits is dead."""
    from api.actions import subscription as actions
    from deploy import subscriptions as work

    with work.changing(_place(namespace)) as connection:
        actions.remove(connection, id, work.operator())
    typer.echo(f"subscription {id} is removed")


def rotate(
    id: _Id,
    keep_hours: Annotated[
        float, typer.Option(min=0, help="How long the old secret signs beside the new one.")
    ] = 24.0,
    namespace: _Space = None,
    as_json: _Json = False,
) -> None:
    """Make a new secret and show it, once."""
    from datetime import UTC, datetime, timedelta

    from api.actions import subscription as actions
    from deploy import subscriptions as work

    with work.changing(_place(namespace)) as connection:
        keep = timedelta(hours=keep_hours)
        made = actions.rotate(connection, id, work.operator(), datetime.now(UTC), keep)
    _tell_secret(made.id, made.secret, as_json)


def _pause(id: str, namespace: str | None, paused: bool) -> None:
    from api.actions import subscription as actions
    from deploy import subscriptions as work

    with work.changing(_place(namespace)) as connection:
        actions.pause(connection, id, paused, work.operator())
    typer.echo(f"subscription {id} {'is paused' if paused else 'goes on'}")


def _tell_secret(id: str, secret: str | None, as_json: bool) -> None:
    """The only place that shows a secret."""
    if as_json:
        import json

        shown: dict[str, Any] = {"id": id, "secret": secret}
        typer.echo(json.dumps(shown))
        return
    typer.echo(f"subscription {id}")
    if secret is not None:
        typer.echo(f"\n{secret}\n\nIt is shown once: with it the receiver verifies signatures.")


def _place(namespace: str | None) -> Place:
    from deploy.subscriptions import Place
    from deploy.var_dir import settings_here

    settings = settings_here()
    return Place(settings, namespace or settings.namespace)
