"""`citybrain replay`: real recordings through the same pipeline as live readings."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sensors.feeds.account import Account
    from sensors.feeds.backfill import Backfill
    from sensors.feeds.feed import Feed, Gazetteer
    from sensors.feeds.replay import Prepared, Request
    from sensors.feeds.tally import Period, Tally
    from streams.log import Log
    from streams.settings import Settings
    from streams.storage.stored import StoredRun

EXIT_INCOMPLETE = 1  # the account does not close: a bug, not the input's fault


def register(app: typer.Typer) -> None:
    """Adds the verb."""

    @app.command()
    def replay(
        feed: Annotated[
            str, typer.Argument(help="aarhus, cnemc_2020, cnemc_2026, prsa, floodnet.")
        ],
        files: Annotated[list[Path], typer.Argument(help="Readings, and what describes them.")],
        speed: Annotated[str, typer.Option(help="Simulated s per s, or max.")] = "max",
        since: Annotated[str | None, typer.Option("--from", help="First event time.")] = None,
        until: Annotated[str | None, typer.Option("--to", help="First one left out.")] = None,
        shuffle: Annotated[
            int | None, typer.Option(help="Seed: rows come late, a tenth beyond the horizon.")
        ] = None,
        duplicate: Annotated[
            float, typer.Option(min=0.0, max=1.0, help="Probability of a second copy.")
        ] = 0.0,
        setting: Annotated[
            list[str] | None,
            typer.Option("--set", help="Profile KEY=VALUE, e.g. air.timing.horizon_s=86400."),
        ] = None,
        namespace: Annotated[
            str | None, typer.Option(help="Default replay_<feed>; made anew every time.")
        ] = None,
        backfill: Annotated[
            bool, typer.Option("--backfill", help="Into the live namespace: revises, is silent.")
        ] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Only read the files.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="The account as JSON.")] = False,
    ) -> None:
        """Replay recordings into a namespace of their own, or backfill the live one.

        Exit code 1 when the account does not close, 2 for wrong files or options.
        """
        from sensors.feeds import feed_named
        from sensors.feeds.backfill import open_backfill
        from sensors.feeds.replay import Request, prepare

        source = feed_named(feed)
        pace = read_speed(speed)
        settings = load_settings_here()
        request = Request(
            feed=source,
            paths=tuple(files),
            period=read_period(source, since, until),
            shuffle=shuffle,
            duplicate=duplicate,
            settings=read_settings(setting or []),
            gazetteer=zhejiang(settings, source),
        )
        refuse_contradictions(request, backfill, speed, namespace)
        if backfill:
            opened = open_backfill(request)
            if dry_run:
                read_through(opened, quiet=as_json)
                account = only_read(source, opened.tally)
            else:
                account = into_live(opened, settings, quiet=as_json)
        elif dry_run:
            account = only_read(source, prepare(request).tally)
        else:
            name = namespace or f"replay_{source.name}"
            account = into_own(prepare(request), settings, name, pace, quiet=as_json)
        show(account, as_json)
        if not account.complete:
            raise typer.Exit(EXIT_INCOMPLETE)


def load_settings_here() -> Settings:
    """The settings with an absolute var folder."""
    from deploy.var_dir import settings_here

    return settings_here()


def read_speed(text: str) -> float | None:
    """Simulated seconds per second; None = as fast as it goes."""
    from streams.errors import Misconfigured

    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise Misconfigured([f"--speed {text}: a positive number or `max`"])
    return speed


def read_period(feed: Feed, since: str | None, until: str | None) -> Period:
    """Event times; without a zone they are the feed's own. `Misconfigured` lists both mistakes."""
    from datetime import datetime, timedelta, timezone

    from sensors.feeds.cells import epoch_ms
    from sensors.feeds.tally import Period
    from streams.errors import Misconfigured

    zone = timezone(timedelta(hours=feed.utc_offset_hours))
    times: list[int | None] = []
    mistakes = []
    for name, text in (("--from", since), ("--to", until)):
        try:
            moment = None if text is None else datetime.fromisoformat(text)
        except ValueError:
            mistakes.append(f"{name} {text}: no ISO 8601 date or time")
            continue
        if moment is not None and moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        times.append(None if moment is None else epoch_ms(moment))
    if mistakes:
        raise Misconfigured(mistakes)
    return Period(*times)


def read_settings(pairs: list[str]) -> dict[str, str]:
    """KEY=VALUE pairs of a profile."""
    from streams.errors import Misconfigured

    mistakes = [f"--set {pair}: KEY=VALUE is wanted" for pair in pairs if "=" not in pair]
    if mistakes:
        raise Misconfigured(mistakes)
    return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}


def refuse_contradictions(
    request: Request, backfill: bool, speed: str, namespace: str | None
) -> None:
    """A backfill knows no speed, disorder, profile or namespace of its own."""
    from streams.errors import Misconfigured

    given = {
        "--shuffle": request.shuffle is not None,
        "--duplicate": request.duplicate > 0,
        "--set": bool(request.settings),
        "--namespace": namespace is not None,
    }
    mistakes = [f"{name} cannot go with --backfill" for name, is_given in given.items() if is_given]
    if speed != "max":
        mistakes.append(
            f"--speed {speed} cannot go with --backfill: it goes as fast as the workers take it in "
            "(--speed max)"
        )
    if backfill and mistakes:
        raise Misconfigured(mistakes)


def zhejiang(settings: Settings, feed: Feed) -> Gazetteer:
    """The areas of Zhejiang and who contains a position; empty for a feed from elsewhere."""
    from sensors.feeds.feed import Gazetteer

    if feed.elsewhere:
        return Gazetteer()
    from deploy.city.zhejiang import codes
    from deploy.city.zhejiang.boundaries import load_boundaries

    boundaries = load_boundaries(settings.var_dir)

    def locate(lon: float, lat: float) -> str | None:
        return boundaries.area_of(lon, lat) if codes.BOX.holds(lon, lat) else None

    return Gazetteer(boundaries.areas, locate)


def read_through(backfill: Backfill, *, quiet: bool) -> None:
    """Reads everything, a chunk at a time, and keeps the tally only."""
    from deploy.progress import BackfillProgress
    from sensors.feeds.backfill import chunks

    with BackfillProgress(backfill, quiet=quiet) as progress:
        for chunk in chunks(backfill):
            chunk.reached(backfill.reach)
            progress.teller.appended(backfill)


def only_read(feed: Feed, tally: Tally) -> Account:
    """The account of a dry run: nothing is written, no database is needed."""
    from sensors.feeds.account import Account

    return Account(feed.name, None, tally, None, {}, {})


def into_own(
    prepared: Prepared, settings: Settings, namespace: str, speed: float | None, *, quiet: bool
) -> Account:
    """Plays into a throwaway namespace and gives the account of what was stored."""
    from deploy.progress import ReplayProgress
    from sensors.feeds.account import settle_account
    from sensors.feeds.playing import Pace, play
    from sensors.feeds.replay import open_namespace, records
    from streams.contracts.reason import NamespaceKind
    from streams.storage.stored import LedgerSums, StoredRun

    conninfo = settings.conninfo()
    feed = prepared.request.feed
    open_namespace(prepared, conninfo, namespace, NamespaceKind.REPLAY)
    with ReplayProgress(prepared.tally, quiet=quiet) as progress:
        entries = records(prepared, conninfo, namespace)
        play(conninfo, namespace, entries, Pace(speed), progress.watcher)
    run = StoredRun(conninfo, namespace)
    return settle_account(feed.source, feed.name, prepared.tally, run, LedgerSums())


def into_live(backfill: Backfill, settings: Settings, *, quiet: bool) -> Account:
    """Appends a backfill to the live log and waits for the workers to take it in.

    Broken off, it says how far it came: the same again is harmless.
    """
    import time

    from deploy.progress import BackfillProgress
    from sensors.feeds import backfill as bounds
    from sensors.feeds.account import Account, settle_account
    from sensors.feeds.backfill import Hold, append_backfill
    from streams.errors import Unavailable
    from streams.log.opening import open_log
    from streams.storage.connect import connect, translated
    from streams.storage.progress import records_behind
    from streams.storage.stored import StoredRun

    conninfo, namespace = settings.conninfo(), settings.namespace
    feed = backfill.request.feed
    run = StoredRun(conninfo, namespace)
    with (
        closing(open_log(settings, namespace)) as log,
        translated(),
        closing(connect(conninfo, namespace, "citybrain backfill", autocommit=True)) as watch,
        BackfillProgress(backfill, quiet=quiet) as progress,
    ):
        hold = Hold(
            lambda: records_behind(watch, log),
            time.monotonic,
            time.sleep,
            bounds.AHEAD_RECORDS,
            bounds.PATIENCE_S,
        )

        try:
            # What came before must not count as ours: an earlier backfill may have broken off.
            earlier = ends_of(log)
            settled = replace(hold, behind=lambda: waiting_before(earlier, run, log), ahead=0)
            settled.wait(progress.teller.waiting)
            before = run.ledger(feed.source)
            append_backfill(
                backfill,
                conninfo,
                namespace,
                log,
                lambda: time.time_ns() // 1_000_000,
                hold,
                progress.teller,
            )
            taken = progress.wait(run, watch, ends_of(log))
        except (KeyboardInterrupt, Unavailable):
            typer.echo(how_far(backfill), err=True)
            raise
    if not taken:
        typer.echo("appended; the live worker has not processed it yet", err=True)
        return Account(feed.name, namespace, backfill.tally, None, {}, {})
    return settle_account(feed.source, feed.name, backfill.tally, run, before)


def ends_of(log: Log) -> dict[int, int]:
    """The end of the log as it is now, by partition."""
    return {partition: log.end(partition) for partition in range(log.partitions())}


def waiting_before(ends: dict[int, int], run: StoredRun, log: Log) -> int:
    """Records before these ends whose outputs are not committed yet."""
    done = run.positions()
    return sum(max(0, end - done.get(n, log.first(n))) for n, end in ends.items())


def how_far(backfill: Backfill) -> str:
    """What to tell when a backfill broke off."""
    from datetime import UTC, datetime

    reach = backfill.reach
    if reach.time_ms is None:
        return "backfill broke off before anything was appended; run the same again"
    moment = datetime.fromtimestamp(reach.time_ms / 1000, UTC).isoformat(timespec="minutes")
    return (
        f"backfill broke off after {reach.file} line {reach.line:,} (event time {moment}), "
        f"{reach.lines:,} of {backfill.lines:,} lines are in the log. Run the same again: "
        "what is there already is recognised and changes nothing"
    )


def show(account: Account, as_json: bool) -> None:
    """The closing account, as a table or as JSON."""
    import json

    from rich.console import Console
    from rich.table import Table

    if as_json:
        typer.echo(json.dumps(account.to_dict(), ensure_ascii=False, indent=1))
        return
    table = Table(title=f"{account.feed} → {account.namespace or '(nowhere)'}", show_header=False)
    for what, how_much in account.lines():
        table.add_row(what, how_much)
    Console().print(table)
