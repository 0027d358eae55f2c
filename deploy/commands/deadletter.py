"""`citybrain deadletter`: what was refused, why, and trying it again once the cause is mended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deploy.dead_letters import Account, Known
    from streams.settings import Settings
    from streams.storage.connect import Connection
    from streams.storage.dead_letters import StoredLetter, Wanted

EXIT_KEPT = 1  # letters that were asked for by their ids were not tried
MOST = 10_000

ReasonOption = Annotated[str | None, typer.Option(help="Only this reason, e.g. unknown_sensor.")]
SourceOption = Annotated[str | None, typer.Option(help="Only this gateway.")]
AreaOption = Annotated[str | None, typer.Option(help="Only this area (as the frame said).")]
DomainOption = Annotated[str | None, typer.Option(help="Only this domain.")]
SinceOption = Annotated[
    str | None, typer.Option(help="Only stored since, ISO 8601; without a zone Asia/Shanghai.")
]
NamespaceOption = Annotated[
    str | None, typer.Option(help="Default: CITYBRAIN_NAMESPACE, or citybrain.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs, everything in full.")]

verbs = typer.Typer(help="What was refused, why, and another try: docs/dead-letters.md.")


def register(app: typer.Typer) -> None:
    """Adds the verb with its own verbs."""
    app.add_typer(verbs, name="deadletter", no_args_is_help=True)


@verbs.command("list")
def list_(
    reason: ReasonOption = None,
    source: SourceOption = None,
    area: AreaOption = None,
    domain: DomainOption = None,
    since: SinceOption = None,
    retried: Annotated[
        bool, typer.Option("--all/--waiting", help="Also those that were tried again.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST, help="Most letters.")] = 50,
    namespace: NamespaceOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line; the last one has the counts.")
    ] = False,
) -> None:
    """Dead letters, newest first, and how many there are by reason."""
    from streams.storage.dead_letters import count_letters, find_letters

    wanted = read_wanted((), reason, source, area, domain, since, retried=retried)
    with opened(settings_here_(), namespace) as (connection, name):
        letters = find_letters(connection, wanted, limit)
        counts = count_letters(connection, wanted)
    if as_json:
        print_json_lines(letters, counts)
    else:
        print_table(letters, counts, name)


@verbs.command()
def show(
    id: Annotated[int, typer.Argument(help="As `list` shows it.")],
    namespace: NamespaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """One dead letter: what it holds, where it came from, why it was refused, what to do."""
    import json

    from deploy.dead_letter_text import lines, plain_in_full
    from streams.errors import Misconfigured
    from streams.storage.dead_letters import Wanted, find_letters

    with opened(settings_here_(), namespace) as (connection, name):
        found = find_letters(connection, Wanted(ids=(id,), retried=True), 1)
    if not found:
        raise Misconfigured([f"namespace {name} has no dead letter {id}"])
    if as_json:
        typer.echo(json.dumps(plain_in_full(found[0]), ensure_ascii=False, indent=1))
        return
    for line in lines(found[0]):
        typer.echo(line)


@verbs.command()
def retry(
    ids: Annotated[list[int] | None, typer.Argument(help="Letters, or none with a filter.")] = None,
    reason: ReasonOption = None,
    source: SourceOption = None,
    area: AreaOption = None,
    domain: DomainOption = None,
    since: SinceOption = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="Without ids and filters: all that may help.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also what no try can mend, or was tried already.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    namespace: NamespaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Appends refused records and rows to the log again, with their origin and ingest time.

    Letters that cannot be mended by a try are kept, with the reason why. The letter itself stays.
    Exit code 1 when a letter named by its id was not tried.
    """
    from deploy.dead_letters import retry as try_again
    from streams.errors import Misconfigured
    from streams.log.opening import open_log

    chosen = bool(ids) or any((reason, source, area, domain, since))
    if chosen == everything:
        raise Misconfigured(["name letters, a filter, or --everything (and only one of these)"])
    wanted = read_wanted(ids or (), reason, source, area, domain, since, retried=bool(ids) or force)
    settings = settings_here_()
    with opened(settings, namespace) as (connection, name):
        known = read_known(connection, name)
        missing = absent(connection, ids or ())
        if missing:
            raise Misconfigured([f"namespace {name} has no dead letter {n}" for n in missing])
        opener = None if dry_run else (lambda: open_log(settings, name))
        account = try_again(connection, opener, wanted, known, force=force)
    print_account(account, dry_run=dry_run, as_json=as_json)
    if ids and account.kept:
        raise typer.Exit(EXIT_KEPT)


def settings_here_() -> Settings:
    """The settings with an absolute var folder."""
    from deploy.var_dir import settings_here

    return settings_here()


@contextmanager
def opened(settings: Settings, namespace: str | None) -> Iterator[tuple[Connection, str]]:
    """A connection into the namespace, and its name; `Misconfigured` when it is not migrated."""
    from streams.errors import Misconfigured
    from streams.storage.connect import connect, translated
    from streams.storage.migrate import is_migrated

    name = namespace or settings.namespace
    with (
        translated(),
        connect(settings.conninfo(), name, "citybrain deadletter", autocommit=True) as connection,
    ):
        if not is_migrated(connection):
            raise Misconfigured(
                [f"namespace {name} does not exist or is older: run `citybrain migrate`"]
            )
        yield connection, name


def read_wanted(
    ids: list[int] | tuple[()],
    reason: str | None,
    source: str | None,
    area: str | None,
    domain: str | None,
    since: str | None,
    *,
    retried: bool,
) -> Wanted:
    """The filters. `Misconfigured` lists a reason or time that cannot be read."""
    from datetime import datetime, timedelta, timezone

    from streams.contracts.reason import Reason
    from streams.errors import Misconfigured
    from streams.storage.dead_letters import Wanted

    mistakes = []
    moment = found = None
    if reason is not None:
        found = {r.value: r for r in Reason}.get(reason)
        if found is None:
            mistakes.append(f"--reason {reason}: one of {', '.join(r.value for r in Reason)}")
    if since is not None:
        try:
            moment = datetime.fromisoformat(since)
        except ValueError:
            mistakes.append(f"--since {since}: no ISO 8601 date or time")
        else:
            zone = timezone(timedelta(hours=8))
            moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
    if mistakes:
        raise Misconfigured(mistakes)
    return Wanted(tuple(ids) or None, found, source, area, domain, moment, retried)


def read_known(connection: Connection, namespace: str) -> Known:
    """What a try is checked against; `Misconfigured` when the namespace has no registry."""
    from deploy.dead_letters import Known
    from streams.catalog import Registry
    from streams.domains import find_domains
    from streams.errors import Misconfigured
    from streams.storage.registry import newest

    found = newest(connection, "registry")
    if found is None:
        raise Misconfigured([f"namespace {namespace} has no registry: run `citybrain up` once"])
    return Known(Registry.from_dict(found[1]), find_domains())


def absent(connection: Connection, ids: list[int] | tuple[()]) -> list[int]:
    """Ids that no letter has."""
    from streams.storage.dead_letters import Wanted, find_letters

    if not ids:
        return []
    found = find_letters(connection, Wanted(ids=tuple(ids), retried=True), len(ids))
    return sorted(set(ids) - {letter.id for letter in found})


def print_json_lines(letters: list[StoredLetter], counts: dict[str, int]) -> None:
    """One letter a line, then the counts."""
    import json

    from deploy.dead_letter_text import plain

    for letter in letters:
        typer.echo(json.dumps(plain(letter), ensure_ascii=False))
    typer.echo(json.dumps({"counts": counts, "total": sum(counts.values())}))


def print_table(letters: list[StoredLetter], counts: dict[str, int], namespace: str) -> None:
    """The letters, then how many there are by reason and whether a try can help."""
    from rich.console import Console
    from rich.table import Table

    from deploy.dead_letter_words import ADVICE
    from streams.contracts.reason import Reason

    total = sum(counts.values())
    title = f"{len(letters)} of {total:,} dead letters · {namespace}"
    table = Table(title=title, title_justify="left", box=None)
    for name in ("id", "reason", "source", "area", "domain", "from", "row", "stored", "detail"):
        table.add_column(name, justify="right" if name in ("id", "row") else "left")
    for letter in letters:
        stored = "" if letter.stored_at is None else f"{letter.stored_at:%m-%d %H:%M}"
        where = f"{'?' if letter.partition is None else letter.partition}/{letter.position}"
        table.add_row(
            str(letter.id),
            letter.reason + (" (tried)" if letter.retried_at else ""),
            letter.source,
            letter.area,
            letter.domain,
            where,
            str(letter.row) if letter.row >= 0 else "",
            stored,
            letter.detail[:60],
        )
    Console().print(table)
    for reason, count in counts.items():
        advice = ADVICE[Reason(reason)]
        typer.echo(f"{count:>9,}  {reason:<17} retry: {advice.hope.value:<25} {advice.do}")


def print_account(account: Account, *, dry_run: bool, as_json: bool) -> None:
    """What was done, or would be."""
    import json

    if as_json:
        kept = [{"reason": r, "why": w, "count": n} for (r, w), n in account.kept.most_common()]
        told = {"dry_run": dry_run, "letters": account.letters, "frames": account.frames}
        typer.echo(json.dumps(told | {"readings": account.readings, "kept": kept}))
        return
    verb = "would be tried" if dry_run else "tried"
    typer.echo(
        f"{account.letters:,} dead letters {verb} again: {account.frames:,} frames with "
        f"{account.readings:,} readings"
    )
    for (reason, why), count in account.kept.most_common():
        typer.echo(f"{count:>9,}  {reason:<17} kept: {why}")
