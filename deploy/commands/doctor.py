"""`citybrain doctor`: what is installed, what is on or off and why, what is broken."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Adds the verb."""

    @app.command()
    def doctor() -> None:
        """Look for what is broken. Exit code 1 when something is."""
        from rich.console import Console
        from rich.table import Table

        from deploy.diagnosis import examine
        from deploy.finding import Verdict
        from deploy.var_dir import settings_here

        findings = examine(settings_here())
        table = Table("", "what", "found", box=None, show_header=False)
        for finding in findings:
            table.add_row(finding.verdict.value, finding.subject, finding.detail)
        Console().print(table)
        broken = [finding for finding in findings if finding.verdict is Verdict.BROKEN]
        raise typer.Exit(1 if broken else 0)
