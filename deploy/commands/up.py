"""`citybrain up`: starts everything, waits until it works, says how long each step took."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the verb."""

    @app.command()
    def up(
        play: Annotated[
            str | None,
            typer.Option(
                help="Also play this scenario over a simulated city; see `simulate --help`."
            ),
        ] = None,
        infra: Annotated[
            str | None,
            typer.Option(
                help="embedded: PostgreSQL of a wheel. native: Kafka and TimescaleDB without "
                "containers. compose: the same by containers. external: addresses in "
                "CITYBRAIN_DATABASE and CITYBRAIN_KAFKA. Without it: what this var folder had "
                "last, else embedded."
            ),
        ] = None,
    ) -> None:
        """Start citybrain, or what of it does not run; wait until each part works."""
        import sys

        from deploy import access, startup
        from deploy.var_dir import given_settings, settings_here

        settings = given_settings()
        meant = startup.check(settings, infra, play)
        steps = startup.Milestones(typer.echo)
        steps.reached(f"infrastructure: {meant}")
        startup.start_all(settings, meant, play, steps)
        typer.echo("citybrain is up. `citybrain status` shows it, `citybrain down` stops it.")
        for line in access.welcome(settings_here(), play, seen=sys.stdout.isatty()):
            typer.echo(line)
