"""`citybrain gateway-key create|list|rotate|revoke`: who may send to the gateway."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from streams.storage.gateway_key import KeyRow

KEEP_HOURS = 24.0
_Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
_Dry = Annotated[bool, typer.Option("--dry-run", help="Check and show, change nothing.")]
_Id = Annotated[str, typer.Argument(metavar="KEY_ID", help="The key's public part, from `list`.")]
_Most = Annotated[int | None, typer.Option(min=1, help="Quota of its own; else the settings'.")]


def register(app: typer.Typer) -> None:
    """Adds the verb and its four."""
    keys = typer.Typer(
        help="Keys of gateways: create, list, rotate, revoke. A key is shown once.",
        no_args_is_help=True,
    )
    keys.command("create")(create)
    keys.command("list")(show)
    keys.command("rotate")(rotate)
    keys.command("revoke")(revoke)
    app.add_typer(keys, name="gateway-key")


def create(
    gateway: Annotated[str, typer.Argument(metavar="GATEWAY", help="Id of a registered gateway.")],
    area: Annotated[
        list[str] | None,
        typer.Option(help="Code that it covers with what lies below; again for more. Default: "
                     "the areas of the gateway's sensors."),
    ] = None,
    expires_days: Annotated[int | None, typer.Option(min=1, help="Default: never.")] = None,
    note: Annotated[str, typer.Option(help="For people.")] = "",
    readings_per_s: _Most = None,
    readings_burst: _Most = None,
    bytes_per_s: _Most = None,
    bytes_burst: _Most = None,
    as_json: _Json = False,
    dry_run: _Dry = False,
) -> None:  # fmt: skip
    """Make a key for a gateway and show it, once."""
    from deploy import gateway_keys
    from sensors.gateway.keys import Quota

    quota = Quota(readings_per_s, readings_burst, bytes_per_s, bytes_burst)
    order = gateway_keys.Order(gateway, tuple(area or ()), expires_days, note, quota)
    with gateway_keys.store(_settings()) as connection:
        made = gateway_keys.create(connection, order, _now(), dry_run=dry_run)
    _tell_new(made.row, made.text, {}, as_json=as_json, dry_run=dry_run)


def show(
    gateway: Annotated[str | None, typer.Option(help="Only this gateway's.")] = None,
    as_json: _Json = False,
) -> None:
    """List keys, times at +08:00: never their text, which nobody has stored."""
    from deploy import gateway_keys

    now = _now()
    with gateway_keys.store(_settings()) as connection:
        rows = gateway_keys.listed(connection, gateway)
    if as_json:
        typer.echo(json.dumps({"keys": [_plain(row, now) for row in rows]}, indent=1))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("key", "gateway", "areas", "state", "created", "ends", "note", box=None)
    for row in rows:
        ends = row.revoked_at or row.expires_at
        table.add_row(
            row.id, row.gateway, " ".join(row.areas), gateway_keys.state_of(row, now),
            _shown(row.created_at), _shown(ends) if ends else "", row.note,
        )  # fmt: skip
    Console().print(table)


def rotate(
    key_id: _Id,
    keep_hours: Annotated[
        float, typer.Option(min=0, help="How long the old key stays valid beside the new one.")
    ] = KEEP_HOURS,
    as_json: _Json = False,
    dry_run: _Dry = False,
) -> None:
    """Make a new key like this one; the old one ends after a while."""
    from datetime import timedelta

    from deploy import gateway_keys

    with gateway_keys.store(_settings()) as connection:
        made, ends = gateway_keys.rotate(
            connection, key_id, timedelta(hours=keep_hours), _now(), dry_run=dry_run
        )
    more = {"replaces": key_id, "old_ends": ends.isoformat(timespec="seconds")}
    _tell_new(made.row, made.text, more, as_json=as_json, dry_run=dry_run)


def revoke(key_id: _Id, as_json: _Json = False, dry_run: _Dry = False) -> None:
    """End a key for good; the gateway follows within seconds."""
    from deploy import gateway_keys

    with gateway_keys.store(_settings()) as connection:
        row = gateway_keys.revoke(connection, key_id, _now(), dry_run=dry_run)
    word = "would be revoked" if dry_run else "is revoked"
    if as_json:
        typer.echo(json.dumps({"id": row.id, "gateway": row.gateway, "revoked": not dry_run}))
    else:
        typer.echo(f"key {row.id} of {row.gateway} {word}")


def _tell_new(
    row: KeyRow, text: str, more: dict[str, str], *, as_json: bool, dry_run: bool
) -> None:
    """The only place that shows a key. A dry run shows none: it would not be valid."""
    if as_json:
        shown: dict[str, Any] = {"key": None if dry_run else text, "dry_run": dry_run}
        typer.echo(json.dumps(shown | more | _plain(row, row.created_at), indent=1))
        return
    where = f"gateway {row.gateway}, areas {' '.join(row.areas)}"
    if dry_run:
        typer.echo(f"would make a key for {where}")
        return
    typer.echo(f"key {row.id} for {where}")
    for name, value in more.items():
        typer.echo(f"{name.replace('_', ' ')}: {value}")
    typer.echo(f"\n{text}\n\nIt is shown once. Send it as: Authorization: Bearer <key>")


def _plain(row: KeyRow, now: datetime) -> dict[str, Any]:
    from deploy.gateway_keys import state_of

    times = {"created": row.created_at, "expires": row.expires_at, "revoked": row.revoked_at}
    return {
        "id": row.id,
        "gateway": row.gateway,
        "areas": list(row.areas),
        "state": state_of(row, now),
        "note": row.note,
        "readings_per_s": row.readings_s,
        "readings_burst": row.readings_burst,
        "bytes_per_s": row.bytes_s,
        "bytes_burst": row.bytes_burst,
        **{k: v.isoformat(timespec="seconds") if v else None for k, v in times.items()},
    }


def _shown(at: datetime) -> str:
    from zoneinfo import ZoneInfo

    return f"{at.astimezone(ZoneInfo('Asia/Shanghai')):%Y-%m-%d %H:%M}"


def _settings() -> Any:
    from deploy.var_dir import settings_here

    return settings_here()


def _now() -> datetime:
    from datetime import UTC, datetime

    return datetime.now(UTC)
