"""`citybrain migrate`: makes a namespace, or brings it up to date."""

from __future__ import annotations

from typing import Annotated

import typer

from streams.contracts.reason import LogKind, NamespaceKind

LIVE_NAME = "citybrain"
WITH_A_LOG = (None, NamespaceKind.LIVE, NamespaceKind.SIMULATED)  # of their own, maybe in Kafka


def register(app: typer.Typer) -> None:
    """Adds the verb."""

    @app.command()
    def migrate(
        namespace: Annotated[
            str | None, typer.Option(help="Namespace to migrate (default: the setting).")
        ] = None,
        kind: Annotated[
            NamespaceKind | None,
            typer.Option(help="What it is for; needed for any other than the live one."),
        ] = None,
    ) -> None:
        """Create or upgrade the tables of a namespace; forward only, one migration at a time."""
        from deploy.var_dir import settings_here
        from streams.domains import find_domains
        from streams.errors import Misconfigured
        from streams.log.opening import make_topics
        from streams.storage.keeping import Keeping
        from streams.storage.migrate import migrate as run
        from streams.storage.reader import ROLE

        settings = settings_here()
        name = namespace or settings.namespace
        if kind is None and name != LIVE_NAME:
            raise Misconfigured([f"--kind is needed for a namespace other than {LIVE_NAME}"])
        kept = settings.log_kind() if kind in WITH_A_LOG else LogKind.TABLE
        done = run(
            settings.conninfo(),
            name,
            kind or NamespaceKind.LIVE,
            domains=find_domains(settings.domain_path),
            partitions=settings.partitions,
            log=kept,
            keeping=Keeping.of(settings),
            reader_password=settings.plain_reader_password(),
        )
        topics = make_topics(settings, name, done.partitions, kept)
        for file in done.applied:
            typer.echo(f"applied {file}")
        for topic in topics:
            typer.echo(f"made topic {topic}")
        typer.echo(f"{name} is up to date: {done.partitions} partitions, store {done.store}")
        typer.echo(f"role {ROLE} {done.reader}")
        if kind in (None, NamespaceKind.LIVE):
            import sys

            from deploy import access

            there = settings.model_copy(update={"namespace": name})
            made = access.first_administrator(there, seen=sys.stdout.isatty())
            for line in access.welcome_lines(made):
                typer.echo(line)
