"""`citybrain status`: what runs, how far the workers are, what is stored, where to look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from deploy.report import Report


def register(app: typer.Typer) -> None:
    """Adds the verb."""

    @app.command()
    def status(
        as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    ) -> None:
        """Show what runs. Exit code 0: all that is planned; 3: something is missing."""
        import json

        from deploy.report import observe
        from deploy.var_dir import settings_here

        report = observe(settings_here())
        if as_json:
            typer.echo(json.dumps(_plain(report), indent=1, default=str))
        else:
            _show(report)
        raise typer.Exit(0 if report.complete else 3)


def _plain(report: Report) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(report), "complete": report.complete}


def _show(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    processes = Table("process", "pid", "up", "restarts", "state", box=None)
    for row in report.processes:
        uptime = "" if row.uptime_s is None else _duration(row.uptime_s)
        pid = "" if row.pid is None else str(row.pid)
        processes.add_row(row.name, pid, uptime, str(row.restarts), row.state)
    console.print(processes)
    if report.trouble:
        console.print(f"\n{report.trouble}")
    if report.namespaces:
        console.print()
        figures = Table(
            "namespace", "kind", "position", "log end", "processing time", "readings",
            "open alerts", box=None,
        )  # fmt: skip
        for found in report.namespaces:
            time = found.processing_time
            figures.add_row(
                found.namespace, found.kind, f"{found.position:,}", f"{found.log_end:,}",
                time.isoformat(timespec="seconds") if time else "", f"{found.stored:,}",
                str(found.open_alerts),
            )  # fmt: skip
        console.print(figures)
        _show_workers(console, report)
    if report.gateways is not None:
        console.print(f"\ngateways: {report.gateways.in_words()}", highlight=False)
    _show_deliveries(console, report)
    if report.url:
        console.print(f"\n{report.url}")


def _show_deliveries(console: Console, report: Report) -> None:
    from deploy.deliveries import counts, leader

    for found in report.deliveries:
        told = f"{leader(found)}; {counts(found)}"
        console.print(f"\ndelivery of {found.namespace}: {told}", highlight=False)
        for why in found.off:
            console.print(f"  off: {why}", highlight=False)


def _show_workers(console: Console, report: Report) -> None:
    from rich.table import Table

    workers = Table("namespace", "worker", "partitions", "behind", box=None)
    for found in report.namespaces:
        for worker in found.workers:
            held = ", ".join(str(number) for number in worker.partitions) or "none"
            behind = "" if worker.behind is None else f"{worker.behind:,}"
            workers.add_row(found.namespace, worker.name, held, behind)
    if workers.row_count:
        console.print()
        console.print(workers)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}"
