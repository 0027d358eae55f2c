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
        from deploy import infrastructure, service
        from deploy.var_dir import given_settings
        from deploy.var_dir import purge as remove_files

        var_dir = given_settings().var_dir
        ran = service.stop(var_dir)
        for server in infrastructure.every_server(var_dir):
            ran = server.process() is not None or ran
            server.stop()
        ran = infrastructure.stop_containers(var_dir) or ran
        typer.echo("stopped" if ran else "nothing was running")
        if purge:
            infrastructure.purge(var_dir)
            remove_files(var_dir)
            typer.echo(f"removed the data of {var_dir}")
