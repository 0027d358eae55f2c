"""`citybrain closure list|order|confirm|reopen|withdraw`: road closures in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deploy.acting import Area, AsJson, Most, Namespace, Note, Reference, Who

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.actions.closure import Given, Step
    from api.routers.closures import ClosureItem

Id = Annotated[int, typer.Argument(metavar="CLOSURE", help="Its number, from `list`.")]
COLUMNS = ("closure", "area", "road", "state", "since", "due", "why")


def register(app: typer.Typer) -> None:
    """Adds the verb and its five."""
    closures = typer.Typer(
        help="Road closures: advised, ordered, confirmed; reopened only by a person.",
        no_args_is_help=True,
    )
    for name, verb in (
        ("list", show_list),
        ("order", order),
        ("confirm", confirm),
        ("reopen", reopen),
        ("withdraw", withdraw),
    ):
        closures.command(name)(verb)
    app.add_typer(closures, name="closure")


def show_list(
    area: Area = None,
    state: Annotated[
        str, typer.Option(help="running, closed, any, or one state by name.")
    ] = "running",
    overdue: Annotated[bool, typer.Option(help="Only those that wait too long.")] = False,
    limit: Most = 50,
    as_json: AsJson = False,
    namespace: Namespace = None,
) -> None:
    """Lists closures, newest first."""
    from api.reading import list_closures
    from deploy.acting import now, read, show

    at, late = now(), True if overdue else None
    found = read(namespace, lambda view: list_closures(view, area, state, late, limit, at))
    show(found, COLUMNS, _row, as_json=as_json)


def order(
    closure: Annotated[
        int | None, typer.Argument(metavar="[CLOSURE]", help="One that is advised, from `list`.")
    ] = None,
    link: Annotated[str | None, typer.Option(help="Instead: a road that nobody advised.")] = None,
    alert: Annotated[str | None, typer.Option(help="Why, with --link.")] = None,
    note: Note = "",
    who: Who = None,
    namespace: Namespace = None,
) -> None:
    """Orders a road closed."""
    from api.actions.closure import Given, Step
    from api.actions.closures import begin
    from deploy.acting import doing, house, local, now
    from streams.errors import Misconfigured

    if (closure is None) == (link is None):
        raise Misconfigured(["give the number of a closure, or --link with a road"])
    if closure is not None:
        _take(closure, Step.ORDER, Given(note), who, namespace)
        return
    assert link is not None
    most = house().closure_limits()
    with doing(namespace) as connection:
        id = begin(connection, local(who), now(), Step.ORDER, link, alert, Given(note), most)
    typer.echo(f"closure {id} of {link} is ordered")


def confirm(
    closure: Id,
    reference: Reference = "",
    note: Note = "",
    who: Who = None,
    namespace: Namespace = None,
) -> None:
    """Says that the road is closed on the spot."""
    from api.actions.closure import Given, Step

    _take(closure, Step.CONFIRM, Given(note, reference), who, namespace)


def reopen(
    closure: Id,
    note: Annotated[str, typer.Option(help="What was seen on the spot.")],
    despite: Annotated[
        bool, typer.Option(help="Although its alert is open, or its sensor silent.")
    ] = False,
    who: Who = None,
    namespace: Namespace = None,
) -> None:
    """Reopens a road: nothing else ever does."""
    from api.actions.closure import Given, Step

    _take(closure, Step.REOPEN, Given(note, despite=despite), who, namespace)


def withdraw(
    closure: Id,
    note: Annotated[str, typer.Option(help="Why the road stays open.")],
    who: Who = None,
    namespace: Namespace = None,
) -> None:
    """Takes advice back that nobody has followed."""
    from api.actions.closure import Given, Step

    _take(closure, Step.WITHDRAW, Given(note), who, namespace)


def _take(id: int, step: Step, given: Given, who: str | None, namespace: str | None) -> None:
    from api.actions.closures import take
    from deploy.acting import doing, house, local, now

    most = house().closure_limits()
    with doing(namespace) as connection:
        state = take(connection, local(who), now(), id, step, given, most)
    typer.echo(f"closure {id} is {state}")


def _row(item: ClosureItem) -> Sequence[str]:
    from deploy.acting import short

    marks = [item.state, *(["exercise"] if item.exercise else ())]
    return (
        str(item.id),
        item.area_name or item.area,
        item.link_name or item.link,
        ", ".join(marks),
        short(item.since),
        f"{short(item.due)} overdue" if item.overdue else short(item.due),
        " ".join(item.alerts),
    )
