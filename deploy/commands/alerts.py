"""`citybrain alerts`: what is open now, or what happened, and what people do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deploy.acting import Namespace, Note, Who

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rich.table import Table

    from api.actions.alert_action import Action, Given
    from api.alert_items import AlertItem
    from api.queries.database import Database
    from api.queries.rows import FollowedRow
    from api.view import View

FOLLOW_EVERY_S = 1.0
MOST = 1000
Alert = Annotated[str, typer.Argument(metavar="ALERT", help="Its id, from `--json`.")]
STYLES = ("green", "bold blue", "bold yellow", "bold dark_orange", "bold red")


def register(app: typer.Typer) -> None:
    """Adds the verb and what can be done with one alert."""
    group = typer.Typer(invoke_without_command=True)
    group.callback()(alerts)
    for name, verb in (
        ("ack", acknowledge),
        ("assign", assign),
        ("comment", comment),
        ("silence", silence),
        ("unsilence", unsilence),
        ("close", close),
    ):
        group.command(name)(verb)
    app.add_typer(group, name="alerts")


def alerts(
    context: typer.Context,
    open_only: Annotated[
        bool, typer.Option("--open/--all", help="Only open ones, or resolved ones as well.")
    ] = True,
    area: Annotated[str | None, typer.Option(help="This area and everything under it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    follow: Annotated[bool, typer.Option(help="Then print every new transition.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="Most alerts.")] = 50,
    namespace: Annotated[
        str | None, typer.Option(help="Default: CITYBRAIN_NAMESPACE, or citybrain.")
    ] = None,
) -> None:
    """Lists alerts, worst first; --follow goes on with every transition as it is decided."""
    import asyncio

    from deploy.interruption import until_interrupted
    from deploy.var_dir import settings_here

    if context.invoked_subcommand is not None:
        return
    settings = settings_here()
    request = _Request(namespace or settings.namespace, area, open_only, limit, as_json)
    asyncio.run(until_interrupted(_run(settings.conninfo(), request, follow)))


def acknowledge(
    alert: Alert, note: Note = "", who: Who = None, namespace: Namespace = None
) -> None:
    """Says that somebody looks after it."""
    from api.actions.alert_action import Action, Given

    _act(alert, Action.ACKNOWLEDGE, Given(note), who, namespace)


def assign(
    alert: Alert,
    assignee: Annotated[str, typer.Argument(metavar="NAME", help="To whom.")],
    note: Note = "",
    who: Who = None,
    namespace: Namespace = None,
) -> None:
    """Gives it to somebody."""
    from api.actions.alert_action import Action, Given

    _act(alert, Action.ASSIGN, Given(note, assignee), who, namespace)


def comment(
    alert: Alert,
    note: Annotated[str, typer.Argument(metavar="TEXT")],
    who: Who = None,
    namespace: Namespace = None,
) -> None:
    """Says something about it."""
    from api.actions.alert_action import Action, Given

    _act(alert, Action.COMMENT, Given(note), who, namespace)


def silence(
    alert: Alert,
    note: Annotated[str, typer.Option(help="Why.")],
    hours: Annotated[float, typer.Option(min=0.01, help="How long.")] = 1.0,
    who: Who = None,
    namespace: Namespace = None,
) -> None:
    """Puts it last in people's lists for a while; programs still get everything."""
    from datetime import timedelta

    from api.actions.alert_action import Action, Given
    from deploy.acting import now

    until = now() + timedelta(hours=hours)
    _act(alert, Action.SILENCE, Given(note, until=until), who, namespace)


def unsilence(alert: Alert, note: Note = "", who: Who = None, namespace: Namespace = None) -> None:
    """Ends a silence."""
    from api.actions.alert_action import Action, Given

    _act(alert, Action.UNSILENCE, Given(note), who, namespace)


def close(
    alert: Alert,
    note: Annotated[str, typer.Option(help="Why.")],
    false_alarm: Annotated[
        bool, typer.Option("--false-alarm/--over", help="There was no hazard, or it is over.")
    ],
    who: Who = None,
    namespace: Namespace = None,
) -> None:
    """Closes it by hand, whatever its sensors say: the stream ends it and tells everybody."""
    from contextlib import closing
    from functools import partial

    from api.actions.alert_action import Given
    from api.actions.closing import close as close_by_hand
    from api.actions.log_door import LogDoor
    from deploy.acting import doing, house, local, now
    from deploy.var_dir import settings_here
    from streams.contracts.closing import Ending
    from streams.log.opening import open_log

    ending = Ending.FALSE_ALARM if false_alarm else Ending.CLOSED_BY_HAND
    given, most, settings = Given(note, ending=ending), house().action_limits(), settings_here()
    with closing(LogDoor(partial(open_log, settings))) as door, doing(namespace) as connection:
        append = partial(door.append, namespace or settings.namespace)
        taken = close_by_hand(connection, append, local(who), now(), alert, given, most)
    typer.echo(f"{'closing' if taken.new else 'closed so before'}: {alert}")


def _act(alert: str, action: Action, given: Given, who: str | None, namespace: str | None) -> None:
    from api.actions.alert_actions import act
    from deploy.acting import doing, house, local, now

    most = house().action_limits()
    with doing(namespace) as connection:
        act(connection, local(who), now(), alert, action, given, most)
    typer.echo(f"{action}: {alert}")


class _Request:
    """What was asked for."""

    def __init__(
        self, namespace: str, area: str | None, open_only: bool, limit: int, as_json: bool
    ) -> None:
        self.namespace = namespace
        self.area = area
        self.open_only = open_only
        self.limit = limit
        self.as_json = as_json


async def _run(conninfo: str, request: _Request, follow: bool) -> None:
    from api.reading import opened

    async with opened(conninfo) as database:
        await _print_list(database, request)
        if follow:
            async for row in _followed(database, request):
                print(_follow_line(row, request.as_json), flush=True)


async def _print_list(database: Database, request: _Request) -> None:
    from rich.console import Console

    from api.reading import list_alerts, viewing

    async with viewing(database, request.namespace) as view:
        found = await list_alerts(view, request.area, request.open_only, request.limit)
    if request.as_json:
        for item in found:
            print(item.model_dump_json())
        return
    Console().print(_table(found, view))


def _table(found: list[AlertItem], view: View) -> Table:
    from rich.table import Table
    from rich.text import Text

    from api.moment import iso

    as_of = "no data yet" if view.as_of is None else iso(view.as_of)
    title = f"{len(found)} alerts · {view.clock.name} ({view.clock.kind}) as of {as_of}"
    table = Table(title=title, title_justify="left", box=None)
    for name in ("severity", "place", "alert", "value / threshold", "since", "state"):
        table.add_column(name, justify="right" if name.startswith("value") else "left")
    for item in found:
        marks = [item.state]
        marks += [mark for mark in ("stale", "unverified") if getattr(item, mark)]
        marks += _acted_marks(item)
        table.add_row(
            Text(f"{item.severity.zh} {item.severity.name}", STYLES[item.severity.rank]),
            _place(item.area_name or item.area, item.point_name or item.subject),
            item.title_zh,
            f"{item.value or '–'} / {item.threshold or '–'} {item.unit}",
            iso(item.onset)[5:16].replace("T", " "),
            ", ".join(marks),
        )
    return table


def _acted_marks(item: AlertItem) -> list[str]:
    acted = item.acted
    if acted is None:
        return []
    marks = [f"acknowledged by {acted.acknowledged_by}"] if acted.acknowledged_by else []
    marks += [f"assigned to {acted.assigned_to}"] if acted.assigned_to else []
    marks += ["silenced"] if acted.silenced_until else []
    marks += [f"{acted.closed_as} ({acted.close_state})"] if acted.closed_as else []
    marks += [f"road {acted.closure_state}"] if acted.closure_state else []
    return [*marks, "not done by a subscriber"] if acted.stands_out else marks


async def _followed(database: Database, request: _Request) -> AsyncIterator[FollowedRow]:
    """Transitions decided after now, in order, for ever; each once."""
    import asyncio

    from api.reading import transitions_since, viewing

    async with viewing(database, request.namespace) as view:
        since = view.as_of
    seen: set[tuple[str, int]] = set()
    while True:
        async with viewing(database, request.namespace) as view:
            rows = await transitions_since(view, request.area, since)
        for row in rows:
            if (row.alert, row.sequence) not in seen:
                yield row
        if rows:
            since = rows[-1].decided_at
            seen = {(row.alert, row.sequence) for row in rows}
        await asyncio.sleep(FOLLOW_EVERY_S)


def _place(area: str, subject: str) -> str:
    return subject if subject.startswith(area) else f"{area} {subject}"


def _follow_line(row: FollowedRow, as_json: bool) -> str:
    from api.colour import colour
    from api.moment import iso

    if as_json:
        import dataclasses

        import orjson

        plain = dataclasses.asdict(row)
        return orjson.dumps(
            plain | {name: iso(plain[name]) for name in ("event_time", "decided_at")}
        ).decode()
    place = _place(row.area_name or row.area, row.point_name or row.subject)
    value = f"{row.value or '–'} / {row.threshold or '–'} {row.unit}"
    return f"{iso(row.event_time)}  {colour(row.severity).zh}  {row.change:13} {place}  {value}"
