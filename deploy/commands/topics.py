"""`citybrain topics`: the topics of a namespace in Kafka, and how far the workers are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deploy.lag import Lag, PartitionLag
    from streams.log.catalogue import Topic
    from streams.log.kafka_admin import Difference, Found
    from streams.settings import Settings

EXIT_FOUND = 1

NamespaceOption = Annotated[
    str | None, typer.Option(help="Default: CITYBRAIN_NAMESPACE, or citybrain.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs, everything in full.")]

verbs = typer.Typer(help="Topics in Kafka and the progress of the workers: docs/kafka.md.")


def register(app: typer.Typer) -> None:
    """Adds the verb with its own verbs."""
    app.add_typer(verbs, name="topics", no_args_is_help=True)


@verbs.command()
def create(
    namespace: NamespaceOption = None,
    configure: Annotated[
        bool, typer.Option("--configure", help="Also set what `check` finds different.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say it, do nothing.")] = False,
) -> None:
    """Make the topics that are missing; what exists keeps its settings."""
    from streams.log.kafka_admin import UNCONFIGURABLE, ensure_topics
    from streams.log.kafka_admin import configure as set_right

    settings, name, wanted = _wanted(namespace)
    told = _differences(settings, wanted)
    for each in told:
        if each.what == "topic":
            topic = next(t for t in wanted if t.name == each.topic)
            typer.echo(f"{'would make' if dry_run else 'make'} {_words(topic)}")
        elif configure and each.what not in UNCONFIGURABLE:
            verb = "would set" if dry_run else "set"
            typer.echo(f"{verb} {each.topic} {each.what}={each.wanted} (is {each.found})")
    if dry_run:
        return
    ensure_topics(settings, name, wanted[0].partitions)
    if configure:
        set_right(settings, told)
    typer.echo(f"{len(wanted)} topics of {name} are there; `citybrain topics check` compares them")


@verbs.command()
def describe(namespace: NamespaceOption = None, as_json: JsonOption = False) -> None:
    """Show the topics as the brokers have them."""
    from streams.log.kafka_admin import find_topics

    settings, _, wanted = _wanted(namespace)
    found = find_topics(settings, wanted)
    if as_json:
        _print_json([_plain_topic(found[t.name], t) for t in wanted if t.name in found])
    else:
        _show_topics(wanted, found)


@verbs.command()
def check(namespace: NamespaceOption = None, as_json: JsonOption = False) -> None:
    """Compare the brokers' topics with the catalogue. Exit code 1: something differs."""
    from dataclasses import asdict

    settings, name, wanted = _wanted(namespace)
    told = _differences(settings, wanted)
    if as_json:
        _print_json([asdict(each) for each in told])
    for each in () if as_json else told:
        typer.echo(f"{each.topic}: {each.what} is {each.found}, should be {each.wanted}")
        typer.echo(f"    {each.mend}")
    if told:
        raise typer.Exit(EXIT_FOUND)
    if not as_json:
        typer.echo(f"{len(wanted)} topics of {name} are as they should be")


@verbs.command()
def lag(namespace: NamespaceOption = None, as_json: JsonOption = False) -> None:
    """Show how far the workers are behind, and up to when everything is complete."""
    import time

    from deploy.lag import look
    from deploy.var_dir import settings_here

    settings = settings_here()
    found = look(settings, namespace or settings.namespace, int(time.time() * 1000))
    if as_json:
        _print_json(_plain_lag(found))
    else:
        _show_lag(found)


def _wanted(namespace: str | None) -> tuple[Settings, str, tuple[Topic, ...]]:
    """The catalogue of a namespace in Kafka: with its own partitions, where it exists already."""
    from deploy.var_dir import settings_here
    from streams.log.catalogue import catalogue
    from streams.log.opening import kafka_partitions

    settings = settings_here()
    name = namespace or settings.namespace
    return settings, name, catalogue(settings, name, kafka_partitions(settings, name))


def _differences(settings: Settings, wanted: tuple[Topic, ...]) -> list[Difference]:
    from streams.log.kafka_admin import differences, find_topics

    return differences(wanted, find_topics(settings, wanted))


def _words(topic: Topic) -> str:
    config = ", ".join(f"{name}={value}" for name, value in topic.config.items())
    return f"{topic.name}: {topic.partitions} partitions, {topic.replication} replicas, {config}"


def _plain_topic(found: Found, wanted: Topic) -> dict[str, Any]:
    return {
        "name": found.name,
        "id": found.id,
        "partitions": found.partitions,
        "replication": found.replication,
        "in_sync": found.in_sync,
        "config": {name: found.config.get(name) for name in wanted.config},
    }


def _show_topics(wanted: Sequence[Topic], found: Mapping[str, Found]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    table.add_column("topic", overflow="fold")
    for name in ("partitions", "replicas", "in sync", "cleanup", "kept"):
        table.add_column(name)
    for topic in wanted:
        has = found.get(topic.name)
        if has is None:
            table.add_row(topic.name, "missing")
            continue
        cleanup = has.config.get("cleanup.policy", "")
        kept = _days(has.config.get("retention.ms", "")) if "delete" in cleanup else "by key"
        counts = (str(n) for n in (has.partitions, has.replication, has.in_sync))
        table.add_row(topic.name, *counts, cleanup, kept)
    Console().print(table)


def _days(retention_ms: str) -> str:
    from streams.log.catalogue import DAY_MS

    return "for ever" if retention_ms == "-1" else f"{int(retention_ms) / DAY_MS:g} days"


def _show_lag(found: Lag) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    table = Table("partition", "first", "end", "D", "C", "behind", "complete up to", box=None)
    for each in found.partitions:
        table.add_row(
            *(f"{n:,}" for n in (each.partition, each.first, each.end, each.done)),
            f"{each.checkpoint:,}",
            f"{each.behind:,}",
            _moment(each.complete_ms),
        )
    console.print(table)
    console.print(
        f"\n{found.namespace} (log: {found.log}): {found.behind:,} records behind, "
        f"complete up to {_moment(found.complete_ms)}"
    )
    for member in found.members or ():
        held = ", ".join(str(n) for n in member.partitions) or "none"
        console.print(f"worker {member.client} at {member.host}: partitions {held}", markup=False)
    for each in found.partitions:
        if each.warning:
            console.print(f"warning: partition {each.partition}: {each.warning}", markup=False)


def _moment(time_ms: int | None) -> str:
    """Asia/Shanghai; with the day when it is not today's."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    if time_ms is None:
        return "nothing yet"
    zone = ZoneInfo("Asia/Shanghai")
    moment = datetime.fromtimestamp(time_ms / 1000, zone)
    today = moment.date() == datetime.now(zone).date()
    return moment.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S")


def _plain_lag(found: Lag) -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "namespace": found.namespace,
        "log": found.log,
        "behind": found.behind,
        "complete_up_to": _iso(found.complete_ms),
        "partitions": [_plain_partition(each) for each in found.partitions],
        "members": None if found.members is None else [asdict(m) for m in found.members],
    }


def _plain_partition(each: PartitionLag) -> dict[str, Any]:
    return {
        "partition": each.partition,
        "first": each.first,
        "end": each.end,
        "next_offset": each.done,
        "checkpoint_offset": each.checkpoint,
        "behind": each.behind,
        "complete_up_to": _iso(each.complete_ms),
        "warning": each.warning,
    }


def _iso(time_ms: int | None) -> str | None:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    if time_ms is None:
        return None
    moment = datetime.fromtimestamp(time_ms / 1000, ZoneInfo("Asia/Shanghai"))
    return moment.isoformat(timespec="milliseconds")


def _print_json(plain: object) -> None:
    import json

    typer.echo(json.dumps(plain, ensure_ascii=False, indent=1))
