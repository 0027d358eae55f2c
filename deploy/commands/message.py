"""`citybrain message draft|sign|refuse|list`: messages to the public, by two people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deploy.acting import Area, AsJson, Most, Namespace, Who

if TYPE_CHECKING:
    from collections.abc import Sequence

    from api.actions.message import Given, Step
    from api.routers.messages import MessageItem

Id = Annotated[int, typer.Argument(metavar="MESSAGE", help="Its number, from `list`.")]
COLUMNS = ("message", "area", "state", "author", "until", "text")


def register(app: typer.Typer) -> None:
    """Adds the verb and its four."""
    messages = typer.Typer(
        help="Messages to the public: a draft goes out when somebody else has signed it.",
        no_args_is_help=True,
    )
    for name, verb in (("list", show_list), ("draft", draft), ("sign", sign), ("refuse", refuse)):
        messages.command(name)(verb)
    app.add_typer(messages, name="message")


def show_list(
    area: Area = None,
    state: Annotated[
        str | None, typer.Option(help="draft, signed, sent or refused; default: all.")
    ] = None,
    limit: Most = 50,
    as_json: AsJson = False,
    namespace: Namespace = None,
) -> None:
    """Lists messages, newest first."""
    from api.reading import list_messages
    from deploy.acting import now, read, show

    at = now()
    found = read(namespace, lambda view: list_messages(view, area, state, limit, at))
    show(found, COLUMNS, _row, as_json=as_json)


def draft(
    area: Annotated[str, typer.Option(help="For whom: this area and everything under it.")],
    zh: Annotated[str, typer.Option(help="The Chinese text.")],
    en: Annotated[str, typer.Option(help="The English text.")] = "",
    hours: Annotated[float, typer.Option(min=0.1, help="How long it holds.")] = 2.0,
    alert: Annotated[str | None, typer.Option(help="Why.")] = None,
    corrects: Annotated[int | None, typer.Option(help="The message it takes the place of.")] = None,
    who: Who = None,
    namespace: Namespace = None,
) -> None:
    """Writes a message; it goes nowhere before somebody else has signed it."""
    from datetime import timedelta

    from api.actions import messages
    from api.actions.message import Draft
    from deploy.acting import doing, house, local, now

    at, most = now(), house().message_limits()
    wanted = Draft(area, zh, en, at + timedelta(hours=hours), alert, corrects)
    with doing(namespace) as connection:
        id = messages.draft(connection, local(who), at, wanted, most)
    typer.echo(f"message {id} is a draft: another commander signs it")


def sign(
    message: Id,
    digest: Annotated[str, typer.Option(help="Of what was read, from `list --json`.")],
    who: Who = None,
    namespace: Namespace = None,
) -> None:
    """Signs a message that somebody else wrote."""
    from api.actions.message import Given, Step

    _take(message, Step.SIGN, Given(digest=digest), who, namespace)


def refuse(
    message: Id,
    note: Annotated[str, typer.Option(help="Why it must not go out.")],
    who: Who = None,
    namespace: Namespace = None,
) -> None:
    """Refuses a message, or takes the own draft back."""
    from api.actions.message import Given, Step

    _take(message, Step.REFUSE, Given(note=note), who, namespace)


def _take(id: int, step: Step, given: Given, who: str | None, namespace: str | None) -> None:
    from api.actions.messages import take
    from deploy.acting import doing, local, now

    with doing(namespace) as connection:
        state = take(connection, local(who), now(), id, step, given)
    typer.echo(f"message {id} is {state}")


def _row(item: MessageItem) -> Sequence[str]:
    from deploy.acting import short

    marks = [item.state]
    marks += [name for name in ("exercise", "expired") if getattr(item, name)]
    return (
        str(item.id),
        item.area_name or item.area,
        ", ".join(marks),
        item.author,
        short(item.expires),
        item.text_zh,
    )
