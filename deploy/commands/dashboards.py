"""`citybrain dashboards build|check|diff|push|render`: dashboards for Grafana."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from dashboards.grafana.push import Step
    from dashboards.grafana.remote import Remote
    from deploy.dashboards import Made

EXIT_FOUND = 1
NamespaceOption = Annotated[
    str | None, typer.Option(help="Default: CITYBRAIN_NAMESPACE, or citybrain.")
]
HoursOption = Annotated[float, typer.Option(min=0.1, help="Length of the time range.")]
UntilOption = Annotated[
    str | None, typer.Option(help="Its end, ISO 8601; default: the newest data.")
]
StoredOption = Annotated[
    bool,
    typer.Option("--stored", help="Thresholds at the numbers of the profile that is stored."),
]

verbs = typer.Typer(help="Dashboards for Grafana, made from the domains: docs/dashboards.md.")


def register(app: typer.Typer) -> None:
    """Adds the verb with its own verbs."""
    app.add_typer(verbs, name="dashboards", no_args_is_help=True)


@verbs.command()
def build(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made when it is missing.")],
    namespace: NamespaceOption = None,
    stored: StoredOption = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="Dashboards only, without provisioning files.")
    ] = False,
) -> None:
    """Write the dashboards, and the files that provision a Grafana with them and a data source."""
    from deploy import dashboards

    made = _make(namespace, stored)
    for path in dashboards.write(made, folder, provisioning=not plain):
        typer.echo(f"wrote {path}")


@verbs.command()
def check(
    namespace: NamespaceOption = None,
    stored: StoredOption = False,
    schema: Annotated[
        Path | None, typer.Option(help="JSON Schema of dashboards, as Grafana publishes it.")
    ] = None,
    queries: Annotated[
        bool, typer.Option("--queries", help="Also ask every query, as Grafana would.")
    ] = False,
    hours: HoursOption = 6.0,
    until: UntilOption = None,
) -> None:
    """Check ids, places, units, thresholds; with --queries the answers. Exit code 1: mistakes."""
    from deploy import dashboards

    made = _make(namespace, stored)
    found = dashboards.mistakes(made, schema)
    if queries:
        asked = dashboards.ask(made, hours, until)
        for line in dashboards.slowest(asked):
            typer.echo(line)
        found += dashboards.query_mistakes(asked)
    for line in found:
        typer.echo(line)
    if found:
        raise typer.Exit(EXIT_FOUND)
    panels = sum(len(board.panels) for board, _ in made.models)
    typer.echo(f"{len(made.models)} dashboards with {panels} panels are as they should be")


@verbs.command()
def diff(namespace: NamespaceOption = None, stored: StoredOption = False) -> None:
    """Show what a push would change. Exit code 1: something."""
    made = _make(namespace, stored)
    from dashboards.grafana.push import UNCHANGED

    steps = _told(_remote(), made)
    if any(step.what not in UNCHANGED for step in steps):
        raise typer.Exit(EXIT_FOUND)


@verbs.command()
def push(
    namespace: NamespaceOption = None,
    stored: StoredOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say it, do nothing.")] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove dashboards of domains that are gone.")
    ] = False,
) -> None:
    """Bring the dashboards into our folder of a Grafana; again changes nothing."""
    from dashboards.grafana.push import UNCHANGED, carry_out

    made, remote = _make(namespace, stored), _remote()
    steps = _told(remote, made, prune=prune)
    if dry_run:
        return
    carry_out(remote, steps, [model for _, model in made.models], made.settings.folder)
    typer.echo(f"{sum(step.what not in UNCHANGED for step in steps)} changes made")


@verbs.command()
def render(
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")],
    namespace: NamespaceOption = None,
    hours: HoursOption = 6.0,
    until: UntilOption = None,
) -> None:
    """Draw every panel's data as a picture, from the same query and unit. Needs matplotlib."""
    from deploy import dashboards

    made = _make(namespace)
    asked = dashboards.ask(made, hours, until)
    for path in dashboards.draw(asked, out):
        typer.echo(f"drew {path}")


def _make(namespace: str | None, stored: bool = False) -> Made:
    from deploy import dashboards
    from deploy.var_dir import settings_here

    settings = settings_here()
    return dashboards.make(settings, namespace or settings.namespace, stored=stored)


def _remote() -> Remote:
    import time

    from dashboards.grafana.remote import Remote
    from dashboards.grafana.settings import address_of, load_grafana_settings

    settings = load_grafana_settings()
    url, token = address_of(settings)
    return Remote(url, token, settings.timeout_s, time.sleep)


def _told(remote: Remote, made: Made, *, prune: bool = False) -> list[Step]:
    from dashboards.grafana.push import plan

    models: list[dict[str, Any]] = [model for _, model in made.models]
    own = made.settings
    steps, notes = plan(remote, models, own.folder, own.datasource, made.namespace, prune=prune)
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    for step in steps:
        typer.echo(f"{step.what} {step.uid} {step.title}")
        for part in step.parts[:20]:
            typer.echo(f"    {part}")
        if len(step.parts) > 20:
            typer.echo(f"    and {len(step.parts) - 20} more")
    return steps
