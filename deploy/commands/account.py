"""`citybrain account …`: who may log in, and what each may do where."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from api.access.role import Grant
    from api.actions.accounts import AccountRow

_Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
_Login = Annotated[str, typer.Argument(metavar="LOGIN")]
_RoleWord = Annotated[
    str, typer.Argument(metavar="ROLE", help="viewer, operator, commander or administrator.")
]
_Area = Annotated[str, typer.Argument(metavar="AREA", help="Code, with what lies in it, or `all`.")]
_Stdin = Annotated[
    bool, typer.Option("--stdin", help="Read the password from the standard input, one line.")
]


def register(app: typer.Typer) -> None:
    """Adds the verb and its eight."""
    verbs = typer.Typer(
        help="Accounts of people: add, list, grant, revoke, disable, enable, password, link.",
        no_args_is_help=True,
    )
    verbs.command("add")(add)
    verbs.command("list")(show)
    verbs.command("grant")(grant)
    verbs.command("revoke")(revoke)
    verbs.command("disable")(disable)
    verbs.command("enable")(enable)
    verbs.command("password")(password)
    verbs.command("link")(link)
    app.add_typer(verbs, name="account")


def add(
    login: _Login,
    grants: Annotated[
        list[str] | None,
        typer.Option("--grant", metavar="ROLE@AREA", help="e.g. operator@330106; again for more."),
    ] = None,
    name: Annotated[str, typer.Option(help="For people.")] = "",
    stdin: _Stdin = False,
) -> None:
    """Add a person. Without --stdin a password is made and shown once.

    It is to be changed at the first login.
    """
    from api.actions import accounts
    from deploy import access

    given = [_grant(text) for text in grants or ()]
    hashed, shown = access.password_for(login, _read() if stdin else None)
    access.work(
        _settings(),
        lambda desk, by: accounts.add(
            desk, login, by, name=name, password=hashed, grants=given, must_change=True
        ),
    )
    typer.echo(f"account {login.lower()} is made")
    if not given:
        typer.echo("it may do nothing yet: `citybrain account grant`")
    _show_password(shown)


def show(as_json: _Json = False) -> None:
    """List accounts with their roles and areas."""
    from api.actions import accounts
    from deploy import access

    rows = access.work(_settings(), lambda desk, _: accounts.accounts(desk))
    if as_json:
        typer.echo(json.dumps({"accounts": [_plain(row) for row in rows]}, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("login", "name", "may", "by", "state", box=None)
    for row in rows:
        may = " ".join(f"{g.role}@{g.area}" for g in row.granted()) or "nothing"
        table.add_row(row.login, row.name, may, row.issuer or "password", _state(row))
    Console().print(table)


def grant(login: _Login, role: _RoleWord, area: _Area) -> None:
    """Give a role in an area and what lies in it; at once, also in sessions that run."""
    from api.actions import accounts
    from deploy import access

    given = _grant(f"{role}@{area}")
    access.work(_settings(), lambda desk, by: accounts.grant(desk, login, given, by))
    typer.echo(f"{login} is {given.role} for {given.area}")


def revoke(login: _Login, role: _RoleWord, area: _Area) -> None:
    """Take a role back; at once, also in sessions that run."""
    from api.actions import accounts
    from deploy import access

    given = _grant(f"{role}@{area}")
    access.work(_settings(), lambda desk, by: accounts.revoke(desk, login, given, by))
    typer.echo(f"{login} is no longer {given.role} for {given.area}")


def disable(login: _Login) -> None:
    """Let an account in no more; its sessions end at once."""
    from api.actions import accounts
    from deploy import access

    access.work(_settings(), lambda desk, by: accounts.disable(desk, login, by))
    typer.echo(f"{login} is disabled")


def enable(login: _Login) -> None:
    """Let a disabled account in again."""
    from api.actions import accounts
    from deploy import access

    access.work(_settings(), lambda desk, by: accounts.enable(desk, login, by))
    typer.echo(f"{login} is enabled")


def password(login: _Login, stdin: _Stdin = False) -> None:
    """Make a new password and show it once, to be changed at the next login; sessions end."""
    from api.actions import accounts
    from deploy import access

    hashed, shown = access.password_for(login, _read() if stdin else None)
    access.work(
        _settings(),
        lambda desk, by: accounts.set_password(desk, login, hashed, by, must_change=True),
    )
    typer.echo(f"{login} has a new password")
    _show_password(shown)


def link(login: _Login) -> None:
    """Make a link that lets an account in without a password: once, within 15 minutes."""
    from deploy import access
    from deploy.startup import page_url

    settings = _settings()
    typer.echo(access.login_link(settings, page_url(settings, None), login))


def _grant(text: str) -> Grant:
    from api.access.role import read_grant
    from streams.errors import Misconfigured

    try:
        return read_grant(text)
    except ValueError as error:
        raise Misconfigured([str(error)]) from error


def _read() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _show_password(text: str | None) -> None:
    if text is not None:
        typer.echo(f"\n{text}\n\nIt is shown once, and to be changed at the next login.")


def _state(row: AccountRow) -> str:
    if row.disabled_at is not None:
        return "disabled"
    if row.password is None and row.subject is None:
        return "without a password"
    return "password to be changed" if row.must_change_password else "ok"


def _plain(row: AccountRow) -> dict[str, Any]:
    return {
        "login": row.login,
        "name": row.name,
        "grants": [f"{g.role}@{g.area}" for g in row.granted()],
        "issuer": row.issuer,
        "state": _state(row),
        "created": row.created_at.isoformat(timespec="seconds"),
    }


def _settings() -> Any:
    from deploy.var_dir import settings_here

    return settings_here()
