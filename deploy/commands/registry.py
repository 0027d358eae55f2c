"""`citybrain registry`: import, export, check and compare areas, points, sensors and gateways."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deploy.registry_import import Prepared
    from sensors.registry.source import Reading
    from streams.catalog import Registry
    from streams.settings import Settings

EXIT_FOUND = 1  # rows were refused, a check found something, two versions differ


class CrsChoice(StrEnum):
    """`--crs`; the same names as `sensors.registry.crs.Crs`, which imports too much for --help."""

    wgs84 = "wgs84"
    cgcs2000 = "cgcs2000"
    gcj02 = "gcj02"
    bd09 = "bd09"


class EncodingChoice(StrEnum):
    """`--encoding`."""

    utf8 = "utf-8"
    gb18030 = "gb18030"


CrsOption = Annotated[
    CrsChoice | None,
    typer.Option("--crs", help="What the positions are, when the file does not say it itself."),
]
EncodingOption = Annotated[
    EncodingChoice | None, typer.Option("--encoding", help="Of the files; without it UTF-8.")
]
NamespaceOption = Annotated[
    str | None, typer.Option(help="Default: CITYBRAIN_NAMESPACE, or citybrain.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs, everything in full.")]

verbs = typer.Typer(help="Areas, points, sensors and gateways: docs/registry.md describes files.")


def register(app: typer.Typer) -> None:
    """Adds the verb with its own verbs."""
    app.add_typer(verbs, name="registry", no_args_is_help=True)


@verbs.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help=".csv or .geojson, also with .gz.")],
    crs: CrsOption = None,
    encoding: EncodingOption = None,
    type: Annotated[str | None, typer.Option(help="Point type of rows without one.")] = None,
    gateway: Annotated[str | None, typer.Option(help="Gateway of sensors without one.")] = None,
    properties: Annotated[
        str | None, typer.Option(help="What sensors measure that do not say it, e.g. depth;rain.")
    ] = None,
    format: Annotated[
        str | None, typer.Option(help="A vendor's format instead: taiwan-shelters.")
    ] = None,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace/--merge",
            help="The files are all there is; or (default) they add and update.",
        ),
    ] = False,
    rejects: Annotated[
        Path | None,
        typer.Option(help="Take the good rows, and write the refused ones into this file."),
    ] = None,
    namespace: NamespaceOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and compare only.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check files, show what they would change, and make that the registry in force.

    Nothing is changed while a row is refused, unless --rejects takes it. Exit code 1 then; 2 when
    a whole file cannot be used.
    """
    from deploy.registry_import import Request, carry_out, prepare
    from deploy.registry_words import write_rejects
    from deploy.var_dir import settings_here
    from sensors.registry.merge import Mode

    defaults = {"type": type, "gateway": gateway, "properties": properties}
    request = Request(
        files,
        reading(crs, encoding),
        Mode.REPLACE if replace else Mode.MERGE,
        namespace,
        format,
        {column: text for column, text in defaults.items() if text},
    )
    settings = settings_here()
    prepared = prepare(request, settings, progress(quiet=as_json))
    stopped = bool(prepared.draft.refused) and rejects is None
    if rejects is not None:
        write_rejects(rejects, prepared.draft.refused)
    if not as_json:
        tell_prepared(prepared, all_refused=stopped)
    stored = None if stopped or dry_run else carry_out(prepared, settings)
    if as_json:
        print_import(prepared, stored)
    else:
        typer.echo(conclusion(prepared, stored, stopped))
    if stopped:
        raise typer.Exit(EXIT_FOUND)


@verbs.command()
def export(
    file: Annotated[
        Path, typer.Argument(help=".csv or .geojson to write; - writes CSV to stdout.")
    ],
    version: Annotated[
        str, typer.Option(help="`active`, or how the hash of a stored version begins.")
    ] = "active",
    encoding: EncodingOption = None,
    namespace: NamespaceOption = None,
) -> None:
    """Write points, sensors and gateways into a file that `import` reads again.

    CSV is UTF-8 with a byte order mark (Excel needs it), or --encoding gb18030.
    """
    from deploy.registry_words import write_file
    from deploy.var_dir import settings_here
    from sensors.registry.write import BOM, write_csv, write_geojson
    from streams.errors import Misconfigured

    settings = settings_here()
    if str(file) != "-" and file.suffix not in (".csv", ".geojson"):
        raise Misconfigured([f"{file}: write .csv or .geojson"])
    found = version_named(version, settings, namespace or settings.namespace)
    if str(file) == "-":
        typer.echo(write_csv(found), nl=False)
        return
    if file.suffix == ".geojson":
        write_file(file, write_geojson(found))
    elif encoding is EncodingChoice.gb18030:
        write_file(file, write_csv(found).encode("gb18030"))
    else:
        write_file(file, (BOM + write_csv(found)).encode())
    typer.echo(f"{len(found.points):,} points, {len(found.sensors):,} sensors → {file}", err=True)


@verbs.command()
def check(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Files to check instead of the registry in force.")
    ] = None,
    crs: CrsOption = None,
    encoding: EncodingOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look for what is wrong or strange: places, codes, names, references. Exit code 1 when found.

    With files: as `import --dry-run --merge` would leave the registry, their refused rows included.
    """
    import json

    from deploy.registry_import import Request, found_domains, prepare
    from deploy.registry_store import standing
    from deploy.registry_words import draft_json, draft_lines, finding_lines, findings_json
    from deploy.var_dir import settings_here
    from sensors.registry.check import check as look

    settings = settings_here()
    draft = None
    if files:
        request = Request(files, reading(crs, encoding), namespace=namespace)
        prepared = prepare(request, settings, progress(quiet=as_json))
        before, registry, draft = prepared.before, prepared.registry, prepared.draft
    else:
        before = standing(settings.conninfo(), namespace or settings.namespace)
        registry = before.registry
    findings = look(registry, before.geography, found_domains(settings))
    if as_json:
        rows = {} if draft is None else {"files": draft_json(draft)}
        typer.echo(json.dumps(rows | {"findings": findings_json(findings)}, ensure_ascii=False))
    else:
        for line in draft_lines(draft, all_refused=True) if draft else ():
            typer.echo(line)
        for line in finding_lines(findings, everything=False):
            typer.echo(line)
        count = f"{len(registry.points):,} points, {len(registry.sensors):,} sensors"
        typer.echo(f"{count}: {len(findings):,} findings")
    if findings or (draft and draft.refused):
        raise typer.Exit(EXIT_FOUND)


@verbs.command()
def diff(
    old: Annotated[str, typer.Argument(help="`active`, the beginning of a hash, or a file.")],
    new: Annotated[str, typer.Argument(help="The same; without it: active.")] = "active",
    crs: CrsOption = None,
    encoding: EncodingOption = None,
    namespace: NamespaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two versions of the registry, or files with it. Exit code 1 when they differ.

    A file stands for all points there are: what it lacks counts as removed.
    """
    import json

    from deploy.registry_words import change_lines, changes_json
    from deploy.var_dir import settings_here
    from sensors.registry.merge import difference

    settings = settings_here()
    chosen = namespace or settings.namespace
    sides = [side(text, settings, chosen, crs, encoding, quiet=as_json) for text in (old, new)]
    changes = difference(*sides)
    if as_json:
        typer.echo(json.dumps(changes_json(changes), ensure_ascii=False))
    else:
        for line in change_lines(changes, everything=True):
            typer.echo(line)
    if changes:
        raise typer.Exit(EXIT_FOUND)


def reading(crs: CrsChoice | None, encoding: EncodingChoice | None) -> Reading:
    """How the options say that files are to be read."""
    from sensors.registry.crs import Crs
    from sensors.registry.source import Reading

    return Reading(Crs(crs.value) if crs else None, encoding.value if encoding else None)


def progress(*, quiet: bool) -> Callable[[str], None]:
    """Tells on a terminal what is being done."""

    def tell(what: str) -> None:
        if not quiet:
            typer.echo(f"{what} …", err=True)

    return tell


def side(
    text: str,
    settings: Settings,
    namespace: str,
    crs: CrsChoice | None,
    encoding: EncodingChoice | None,
    *,
    quiet: bool,
) -> Registry:
    """One side of a comparison. Raises `Misconfigured` when it is neither version nor good file."""
    from deploy.registry_import import Request, prepare
    from deploy.registry_words import refused_text
    from sensors.registry.merge import Mode
    from streams.errors import Misconfigured

    path = Path(text)
    if not path.is_file():
        return version_named(text, settings, namespace)
    request = Request([path], reading(crs, encoding), Mode.REPLACE, namespace)
    prepared = prepare(request, settings, progress(quiet=quiet))
    if prepared.draft.refused:
        raise Misconfigured([refused_text(r) for r in prepared.draft.refused])
    return prepared.registry


def version_named(text: str, settings: Settings, namespace: str) -> Registry:
    """The registry in force, or a stored version. Raises `Misconfigured` when there is none."""
    from deploy.registry_store import found_version, standing
    from streams.errors import Misconfigured

    if text == "active":
        return standing(settings.conninfo(), namespace).registry
    found = found_version(settings.conninfo(), namespace, text)
    if found is None:
        raise Misconfigured(
            [f"{text!r} is neither a file nor a registry version of namespace {namespace}"]
        )
    return found


def tell_prepared(prepared: Prepared, *, all_refused: bool) -> None:
    """What was read, and what it would change."""
    from deploy.registry_words import change_lines, draft_lines

    for line in draft_lines(prepared.draft, all_refused):
        typer.echo(line)
    for line in change_lines(prepared.changes):
        typer.echo(line)


def conclusion(prepared: Prepared, stored: tuple[str, int] | None, stopped: bool) -> str:
    """What was done, in a line."""
    where = prepared.before.namespace
    if stopped:
        return "nothing was changed: repair the rows above, or set them apart with --rejects FILE"
    if stored is None:
        return f"dry run: nothing was changed in {where}"
    version, told = stored
    return f"{where}: registry {version} in force; partitions told: {told}"


def print_import(prepared: Prepared, stored: tuple[str, int] | None) -> None:
    """The same for programs."""
    import json

    from deploy.registry_words import changes_json, draft_json

    content = draft_json(prepared.draft) | {
        "namespace": prepared.before.namespace,
        "changes": changes_json(prepared.changes),
        "changed": stored is not None,
        "version": stored[0] if stored else None,
    }
    typer.echo(json.dumps(content, ensure_ascii=False))


@verbs.command()
def boundaries(
    file: Annotated[Path, typer.Argument(help="GeoJSON of Polygons or MultiPolygons.")],
    crs: CrsOption = None,
    encoding: EncodingOption = None,
    code_field: Annotated[
        str | None, typer.Option(help="Property with the code; without it code, adcode or gb.")
    ] = None,
    namespace: NamespaceOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and fit only.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Put your own boundaries in the place of the packaged ones, for maps and for placing points.

    All or nothing: exit code 2 with every reason when a polygon cannot be used. Neighbours that the
    file leaves out give way to it.
    """
    import json

    from deploy.registry_boundaries import carry_out, plan, refuse
    from deploy.var_dir import settings_here

    settings = settings_here()
    chosen = namespace or settings.namespace
    progress(quiet=as_json)(f"reading {file.name}")
    made = plan(file, reading(crs, encoding), code_field, settings, chosen)
    refuse(made)
    if not dry_run:
        carry_out(made, settings)
    told = {
        "areas": list(made.given),
        "neighbours_trimmed": list(made.fitted.trimmed),
        "gap_m2": round(made.fitted.gap_m2) if made.fitted.gap_m2 > made.tolerance_m2 else 0,
        "points_outside_before": made.strays_before,
        "points_outside_after": made.strays_after,
        "changed": not dry_run,
    }
    if as_json:
        typer.echo(json.dumps(told))
        return
    for name, value in told.items():
        shown = f"{len(value)}: {', '.join(value[:10])}" if isinstance(value, list) else value
        typer.echo(f"{name.replace('_', ' '):<22} {shown}")
    if made.strays_after and not dry_run:
        typer.echo("`citybrain registry check` names the points that lie outside their area")
