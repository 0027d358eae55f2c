"""`citybrain down`: stops everything; with `--purge` also removes the data for ever."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the verb."""

    @app.command()
    def down(
        purge: Annotated[
            bool, typer.Option("--purge", help="Also remove all data, for ever.")
        ] = False,
    ) -> None:
        """Stop citybrain. The data stays, unless it is purged."""
        from deploy import service
        from deploy.postgres import EmbeddedPostgres
        from deploy.var_dir import purge as remove_files
        from deploy.var_dir import settings_here

        var_dir = settings_here().var_dir
        ran = service.stop(var_dir)
        database = EmbeddedPostgres(var_dir)
        ran = database.process() is not None or ran
        database.stop()
        typer.echo("stopped" if ran else "nothing was running")
        if purge:
            database.purge()
            remove_files(var_dir)
            typer.echo(f"removed the data of {var_dir}")
