"""`citybrain api-key create|list|revoke`: programs that read the API, or act through it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from api.actions.keys import KeyRow

_Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def register(app: typer.Typer) -> None:
    """Adds the verb and its three."""
    verbs = typer.Typer(
        help="Keys of programs that use the API: create, list, revoke. A key is shown once. "
        "(Keys of gateways, which send readings: gateway-key.)",
        no_args_is_help=True,
    )
    verbs.command("create")(create)
    verbs.command("list")(show)
    verbs.command("revoke")(revoke)
    app.add_typer(verbs, name="api-key")


def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Which program it is for.")],
    scope: Annotated[
        list[str] | None,
        typer.Option(help="read, act, subscribe or report; again for more. Default: read."),
    ] = None,
    area: Annotated[
        list[str] | None,
        typer.Option(help="Code, with what lies in it; again for more. Default: all."),
    ] = None,
    expires_days: Annotated[int | None, typer.Option(min=1, help="Default: never.")] = None,
    as_json: _Json = False,
) -> None:
    """Make a key for a program and show it, once."""
    from api.access.role import ALL, Scope
    from api.actions import keys
    from deploy import access
    from streams.errors import Misconfigured

    unknown = [each for each in scope or () if each not in set(Scope)]
    if unknown:
        known = ", ".join(Scope)
        raise Misconfigured([f"--scope {each}: there are {known}" for each in unknown])
    scopes = [Scope(each) for each in scope or (Scope.READ,)]
    order = keys.Order(name, scopes, area or [ALL], expires_days)
    made = access.work(_settings(), lambda desk, by: keys.create(desk, order, by))
    if as_json:
        shown = {"key": made.text, "id": made.id, "scopes": scopes, "areas": order.areas}
        typer.echo(json.dumps(shown, indent=1))
        return
    typer.echo(f"key {made.id} for {name}: {', '.join(scopes)} in {', '.join(order.areas)}")
    typer.echo(f"\n{made.text}\n\nIt is shown once. Send it as: Authorization: Bearer <key>")


def show(as_json: _Json = False) -> None:
    """List keys, times at +08:00: never their text, which nobody has stored."""
    from api.actions import keys
    from deploy import access

    now = access.here().now
    rows = access.work(_settings(), lambda desk, _: keys.keys(desk))
    if as_json:
        typer.echo(json.dumps({"keys": [_plain(row, now) for row in rows]}, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("key", "name", "scopes", "areas", "state", "used", "ends", "by", box=None)
    for row in rows:
        table.add_row(
            row.id, row.name, " ".join(row.scopes), " ".join(row.areas), keys.state_of(row, now),
            _shown(row.used_at), _shown(row.revoked_at or row.expires_at), row.created_by,
        )  # fmt: skip
    Console().print(table)


def revoke(
    key_id: Annotated[
        str, typer.Argument(metavar="KEY_ID", help="The key's public part, from `list`.")
    ],
) -> None:
    """End a key, at once and for good."""
    from api.actions import keys
    from deploy import access

    row = access.work(_settings(), lambda desk, by: keys.revoke(desk, key_id, by))
    typer.echo(f"key {row.id} of {row.name} is revoked")


def _plain(row: KeyRow, now: datetime) -> dict[str, Any]:
    from api.actions.keys import state_of

    times = {
        "created": row.created_at,
        "expires": row.expires_at,
        "revoked": row.revoked_at,
        "used": row.used_at,
    }
    return {
        "id": row.id,
        "name": row.name,
        "scopes": list(row.scopes),
        "areas": list(row.areas),
        "state": state_of(row, now),
        "created_by": row.created_by,
        **{k: v.isoformat(timespec="seconds") if v else None for k, v in times.items()},
    }


def _shown(at: datetime | None) -> str:
    from zoneinfo import ZoneInfo

    return "" if at is None else f"{at.astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m-%d %H:%M}"


def _settings() -> Any:
    from deploy.var_dir import settings_here

    return settings_here()
