"""`citybrain callout list|answer|act`: who must be called about alerts, in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deploy.acting import Area, AsJson, Most, Namespace, Note, Reference, Who

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.actions.callout import Level
    from api.routers.callouts import CalloutItem

Alert = Annotated[str, typer.Argument(metavar="ALERT", help="Id of the alert, from `list`.")]
LEVELS = "village, owner, town, county, city or province."
LevelName = Annotated[str, typer.Argument(metavar="LEVEL", help=LEVELS)]
Name = Annotated[str, typer.Option(help="Who it was, by name.")]
COLUMNS = ("alert", "area", "severity", "since", "next deadline", "lines")


def register(app: typer.Typer) -> None:
    """Adds the verb and its three."""
    callouts = typer.Typer(
        help="Call-outs (叫应): who is called, who answered, who acts.", no_args_is_help=True
    )
    for name, verb in (("list", show_list), ("answer", answer), ("act", confirm)):
        callouts.command(name)(verb)
    app.add_typer(callouts, name="callout")


def show_list(
    area: Area = None,
    overdue: Annotated[bool, typer.Option(help="Only not reached, or not acting.")] = False,
    limit: Most = 50,
    as_json: AsJson = False,
    namespace: Namespace = None,
) -> None:
    """Lists call-outs that run, newest first."""
    from api.reading import list_callouts
    from deploy.acting import read, show

    late = True if overdue else None
    found = read(namespace, lambda view: list_callouts(view, area, late, limit))
    show(found, COLUMNS, _row, as_json=as_json)


def answer(
    alert: Alert,
    level: LevelName,
    deputy: Annotated[bool, typer.Option(help="The deputy, not the officer.")] = False,
    name: Name = "",
    note: Note = "",
    reference: Reference = "",
    who: Who = None,
    namespace: Namespace = None,
) -> None:
    """Says that somebody who was called has answered."""
    from api.actions import callouts
    from api.actions.callout import Call, Post
    from api.actions.callouts import Said
    from deploy.acting import doing, house, local, now

    call = Call(_level(level), Post.DEPUTY if deputy else Post.OFFICER)
    said, most = Said(name, note, reference), house().callout_limits()
    with doing(namespace) as connection:
        callouts.answer(connection, local(who), now(), alert, call, said, most)
    typer.echo(f"the {call.post} of the {level} has answered")


def confirm(
    alert: Alert,
    level: LevelName,
    name: Name = "",
    note: Note = "",
    reference: Reference = "",
    who: Who = None,
    namespace: Namespace = None,
) -> None:
    """Says that a level acts."""
    from api.actions import callouts
    from api.actions.callouts import Said
    from deploy.acting import doing, house, local, now

    said, most = Said(name, note, reference), house().callout_limits()
    with doing(namespace) as connection:
        callouts.confirm(connection, local(who), now(), alert, _level(level), said, most)
    typer.echo(f"the {level} acts")


def _level(text: str) -> Level:
    from api.actions.callout import Level
    from streams.errors import Misconfigured

    try:
        return Level(text)
    except ValueError as error:
        raise Misconfigured([f"{text!r} is no level: {LEVELS}"]) from error


def _row(item: CalloutItem) -> Sequence[str]:
    from deploy.acting import short

    lines = []
    for line in item.lines:
        state = f"calls {line.level} {line.post}"
        if line.acting_by is not None:
            state = f"acts: {line.acting_by}"
        elif line.answered_by is not None:
            state = f"answered: {line.answered_by}"
        elif line.unreached:
            state = "not reached"
        lines.append(f"{line.line} {state}{' (late)' if line.not_acting else ''}")
    return (
        item.alert,
        item.area_name or item.area,
        item.severity.zh,
        short(item.started),
        short(item.due),
        "\n".join(lines),
    )
