"""`citybrain verify`: how far our stored results agree with what the source itself published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sensors.feeds.verification import Verdict

FIRST_SHOWN = 10
EXIT_INCOMPLETE = 1


def register(app: typer.Typer) -> None:
    """Adds the verb."""

    @app.command()
    def verify(
        feed: Annotated[
            str, typer.Argument(help="aarhus, cnemc_2020, cnemc_2026, prsa, floodnet.")
        ],
        files: Annotated[
            list[Path], typer.Argument(help="Readings, stations and published results.")
        ],
        shuffle: Annotated[int | None, typer.Option(help="As in `replay`.")] = None,
        duplicate: Annotated[float, typer.Option(min=0.0, max=1.0, help="As in `replay`.")] = 0.0,
        setting: Annotated[
            list[str] | None, typer.Option("--set", help="Profile KEY=VALUE.")
        ] = None,
        least: Annotated[
            float | None,
            typer.Option(help="Exit code 1 when an expected share (%) is below this.", max=100),
        ] = None,
        show_all: Annotated[bool, typer.Option("--all", help="List every disagreement.")] = False,
        keep: Annotated[bool, typer.Option("--keep", help="Keep the schema.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        """Replay recordings into a throwaway schema and compare with the published results.

        Exit code 1 when the ledger does not close or a share is below --least.
        """
        import secrets

        from deploy.commands.replay import load_settings_here, read_settings, zhejiang
        from deploy.progress import ReplayProgress
        from sensors.feeds import feed_named
        from sensors.feeds.replay import Request, prepare
        from sensors.feeds.verification import verify as run_verification

        source = feed_named(feed)
        settings = load_settings_here()
        prepared = prepare(
            Request(
                feed=source,
                paths=tuple(files),
                shuffle=shuffle,
                duplicate=duplicate,
                settings=read_settings(setting or []),
                gazetteer=zhejiang(settings, source),
            )
        )
        namespace = f"verify_{source.name}_{secrets.token_hex(4)}"
        with ReplayProgress(prepared.tally, quiet=as_json) as progress:
            verdict = run_verification(
                prepared, settings.conninfo(), namespace, progress.watcher, keep=keep
            )
        if keep:
            typer.echo(f"kept: schema {namespace}", err=True)
        show(verdict, None if show_all else FIRST_SHOWN, as_json)
        if not verdict.account.complete or below(verdict, least):
            raise typer.Exit(EXIT_INCOMPLETE)


def below(verdict: Verdict, least: float | None) -> bool:
    """An expected share is below this many percent."""
    if least is None:
        return False
    shares = (s for s in verdict.agreement.shares if s.expected)
    return any(s.of and s.agree * 100 < least * s.of for s in shares)


def show(verdict: Verdict, shown: int | None, as_json: bool) -> None:
    """Shares, disagreements, notes and the account."""
    import json

    if as_json:
        content = {
            **verdict.agreement.to_dict(shown),
            "account": verdict.account.to_dict(),
        }
        typer.echo(json.dumps(content, ensure_ascii=False, indent=1))
        return
    _show_tables(verdict, shown)


def _show_tables(verdict: Verdict, shown: int | None) -> None:
    from datetime import UTC, datetime

    from rich.console import Console
    from rich.table import Table

    agreement, console = verdict.agreement, Console()
    shares = Table("what", "agree", "of", "share", "", title="agreement with the published")
    for s in agreement.shares:
        shares.add_row(s.what, f"{s.agree:,}", f"{s.of:,}", s.percent(), s.note)
    console.print(shares)
    if agreement.disagreements:
        count = len(agreement.disagreements)
        misses = Table(
            "what", "where", "time (UTC)", "line", "published", "ours", "why",
            title=f"disagreements: {min(count, count if shown is None else shown)} of {count}",
        )  # fmt: skip
        for d in agreement.disagreements[:shown]:
            moment = datetime.fromtimestamp(d.start_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
            misses.add_row(d.what, d.subject, moment, str(d.line), d.published, d.ours, d.why)
        console.print(misses)
    for note in agreement.notes:
        console.print(f"- {note}")
    account = Table(title="account", show_header=False)
    for what, how_much in verdict.account.lines():
        account.add_row(what, how_much)
    console.print(account)
