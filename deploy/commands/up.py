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
            str, typer.Option(help="embedded, or external (address in CITYBRAIN_DATABASE).")
        ] = "embedded",
    ) -> None:
        """Start citybrain, or what of it does not run; wait until each part works."""
        from deploy import startup
        from deploy.var_dir import settings_here

        settings = settings_here()
        startup.check(settings, infra, play)
        steps = startup.Milestones(typer.echo)
        startup.start_all(settings, infra, play, steps)
        typer.echo("citybrain is up. `citybrain status` shows it, `citybrain down` stops it.")
