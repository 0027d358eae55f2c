"""`citybrain rules`: alert rules as files: check, test, compare, explain, put into force."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deploy.rules.trial import Verdict

EXIT_FOUND = 1  # a check or a test failed
PACKAGED = Path(__file__).parents[1] / "city" / "zhejiang" / "rules"

FolderArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder of rule files; without it the packaged one.")
]
NamespaceOption = Annotated[
    str | None, typer.Option(help="Default: CITYBRAIN_NAMESPACE, or citybrain.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs, everything in full.")]

verbs = typer.Typer(help="Alert rules as files: docs/rules.md describes them.")


def register(app: typer.Typer) -> None:
    """Adds the verb with its own verbs."""
    app.add_typer(verbs, name="rules", no_args_is_help=True)


@verbs.command()
def check(folder: FolderArgument = PACKAGED, as_json: JsonOption = False) -> None:
    """Read rule files and their tests, and list every mistake. Needs no server; exit code 1."""
    import json

    from deploy.rules.case_reading import read_cases
    from deploy.rules.reading import read_rules
    from streams.domains import find_domains
    from streams.errors import Misconfigured

    domains = find_domains()
    found = read_rules(folder, domains)
    mistakes, tests = list(found.mistakes), 0
    try:
        tests = len(read_cases(folder / "tests", domains))
    except Misconfigured as error:
        mistakes += error.mistakes
    version = "" if mistakes else found.rules.version
    if as_json:
        told = {"rules": len(found.rules.rules), "tests": tests, "version": version}
        typer.echo(json.dumps(told | {"mistakes": mistakes}, ensure_ascii=False))
    else:
        for line in mistakes:
            typer.echo(line)
        count = f"{len(found.files)} files, {len(found.rules.rules)} rules, {tests} tests"
        typer.echo(f"{count}: {len(mistakes)} mistakes {version}".rstrip())
    if mistakes:
        raise typer.Exit(EXIT_FOUND)


@verbs.command("test")
def try_out(
    folder: FolderArgument = PACKAGED,
    only: Annotated[str, typer.Option("--only", help="Tests whose name contains this.")] = "",
    verbose: Annotated[bool, typer.Option("--verbose", help="A picture of every test.")] = False,
    tests: Annotated[
        Path | None, typer.Option("--tests", help="Folder of the tests; default: DIR/tests.")
    ] = None,
) -> None:
    """Play the tests in DIR/tests through the pipeline. Needs no server; exit code 1 if one fails.

    A test that fails prints what was wanted beside what happened, and all of it in order.
    """
    from deploy.rules.case_reading import read_cases
    from deploy.rules.reading import good_rules
    from deploy.rules.trial import judge_case
    from streams.domains import find_domains
    from streams.errors import Misconfigured

    domains = find_domains()
    rules = good_rules(folder, domains)
    place = tests or folder / "tests"
    cases = [case for case in read_cases(place, domains) if only in case.name]
    if not cases:
        raise Misconfigured([f"{place}: no test" + (f" with {only!r}" if only else "")])
    failed = 0
    for case in cases:
        verdict = judge_case(case, rules, domains)
        failed += not verdict.passed
        tell_verdict(verdict, verbose)
    typer.echo(f"{len(cases)} tests, {failed} failed")
    if failed:
        raise typer.Exit(EXIT_FOUND)


@verbs.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write the files.")],
    namespace: Annotated[
        str | None, typer.Option(help="With the numbers of this namespace's profile.")
    ] = None,
) -> None:
    """Write the domains' own rules as files to start from. Nothing there is overwritten."""
    from deploy.rules.store import in_force
    from deploy.rules.writing import export as written
    from deploy.var_dir import settings_here
    from streams.domains import find_domains
    from streams.errors import Misconfigured

    values = in_force(settings_here().conninfo(), namespace).values if namespace else {}
    files = {folder / f"{d.name}.yaml": written(d, values) for d in find_domains().values()}
    if there := [str(path) for path in files if path.exists()]:
        raise Misconfigured([f"{path} is there already: nothing was written" for path in there])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Misconfigured([f"{folder}: {error.strerror}"]) from error
    typer.echo(f"{len(files)} files → {folder}")


@verbs.command()
def show(
    point: Annotated[str | None, typer.Option(help="What holds at this point.")] = None,
    area: Annotated[str | None, typer.Option(help="What holds in this area.")] = None,
    folder: Annotated[
        Path | None, typer.Option("--rules", help="Of these files instead of what is in force.")
    ] = None,
    namespace: NamespaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the rules in force; for a point or an area, every number and which override said it."""
    from deploy.rules.reading import good_rules
    from deploy.rules.showing import show_everything, show_place
    from deploy.rules.store import in_force
    from deploy.var_dir import settings_here
    from streams.domains import find_domains

    settings, domains = settings_here(), find_domains()
    held = in_force(settings.conninfo(), namespace or settings.namespace)
    rules = good_rules(folder, domains, held.values, held.registry) if folder else held.rules
    version = rules.version if folder else held.version
    if point or area:
        show_place(domains, held, rules, point, area, as_json=as_json)
    else:
        show_everything(domains, held, rules, version, as_json=as_json)


@verbs.command()
def activate(
    folder: Annotated[
        str,
        typer.Argument(metavar="DIR", help="Rule files, or how the hash of a stored set begins."),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check and compare only.")] = False,
    namespace: NamespaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check rule files, show what they change and for which points, and put them into force.

    Open alerts go on under the new numbers; where their rule does not hold any more they are
    retired. Exit code 2 with every mistake when the files cannot be used.
    """
    import json
    import time
    from dataclasses import asdict

    from deploy.rules.difference import change_lines, difference
    from deploy.rules.reading import good_rules
    from deploy.rules.store import in_force, put_into_force, refuse_unusable, stored_rules
    from deploy.var_dir import settings_here
    from streams.domains import find_domains

    settings, domains = settings_here(), find_domains()
    chosen = namespace or settings.namespace
    held = in_force(settings.conninfo(), chosen)
    rules = (
        good_rules(Path(folder), domains, held.values, held.registry)
        if Path(folder).is_dir()
        else stored_rules(settings.conninfo(), chosen, folder)
    )
    refuse_unusable(domains, held, rules)
    changes = difference(domains, held.values, held.registry, held.rules, rules)
    if not as_json:
        for line in change_lines(changes):
            typer.echo(line)
    stored = None
    if not dry_run:
        stored = put_into_force(settings, held, rules, lambda: time.time_ns() // 1_000_000)
    if as_json:
        told = {"namespace": chosen, "before": held.version, "version": rules.version}
        said = {"changes": [asdict(one) for one in changes], "changed": stored is not None}
        typer.echo(json.dumps(told | said, ensure_ascii=False))
    elif stored is None:
        typer.echo(f"dry run: nothing was changed in {chosen}; {len(changes)} rules would be")
    else:
        typer.echo(f"{chosen}: rules {stored[0]} in force; partitions told: {stored[1]}")


def tell_verdict(verdict: Verdict, verbose: bool) -> None:
    """One test: a line, and a picture when it failed."""
    from deploy.rules.picture import comparison, timeline

    case = verdict.case
    typer.echo(f"{'ok  ' if verdict.passed else 'FAIL'} {case.name}")
    if verdict.passed and not verbose:
        return
    typer.echo(f"     {case.file}:{case.line}")
    for line in [*verdict.faults, "", *comparison(verdict), "", *timeline(verdict)]:
        typer.echo(f"     {line}".rstrip())


@verbs.command()
def explain(
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="How its id begins.")],
    namespace: NamespaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print why an alert fired: each transition with value, threshold, rule version and position.

    With the readings around each, the episode, and a chart of the values over the thresholds.
    """
    import json

    from deploy.rules.explain import story_json, story_lines, tell_story
    from deploy.var_dir import settings_here
    from streams.domains import find_domains

    settings = settings_here()
    chosen = namespace or settings.namespace
    story = tell_story(settings.conninfo(), chosen, alert, find_domains())
    if as_json:
        typer.echo(json.dumps(story_json(story), ensure_ascii=False, default=str))
        return
    for line in story_lines(story):
        typer.echo(line)


@verbs.command()
def backtest(
    since: Annotated[str, typer.Option("--from", help="ISO 8601; without a zone the profile's.")],
    until: Annotated[str, typer.Option("--to", help="First moment left out.")],
    folder: Annotated[Path, typer.Option("--rules", metavar="DIR", help="The changed rules.")],
    area: Annotated[str, typer.Option(help="Only readings of this area and below it.")] = "",
    lead_h: Annotated[
        float, typer.Option("--lead", min=0, help="Hours before --from, to have a past.")
    ] = 2.0,
    shown: Annotated[int, typer.Option("--shown", min=1, help="Most alerts in the table.")] = 30,
    namespace: NamespaceOption = None,
    as_json: JsonOption = False,
) -> None:
    """Play stored readings under changed rules and compare with the rules in force.

    Both runs have a throwaway namespace each, notify nobody and are dropped. Compared are alerts
    that fired, by rule, subject and overlapping time: gained, lost, earlier, later, other severity.
    """
    import json

    from rich.console import Console

    from deploy.rules.backtest import backtest as run
    from deploy.rules.backtest_words import report_json, shift_table, summary
    from deploy.rules.progress import BacktestProgress
    from deploy.rules.reading import good_rules
    from deploy.rules.span import read_span, zone_of
    from deploy.rules.store import in_force
    from deploy.var_dir import settings_here
    from streams.domains import find_domains

    settings, domains = settings_here(), find_domains()
    held = in_force(settings.conninfo(), namespace or settings.namespace)
    rules = good_rules(folder, domains, held.values, held.registry)
    span = read_span(since, until, area, lead_h, held)
    with BacktestProgress(quiet=as_json) as progress:
        report = run(settings.conninfo(), held, rules, domains, span, progress.told)
    if as_json:
        typer.echo(json.dumps(report_json(report, held.namespace, span), ensure_ascii=False))
        return
    if report.shifts:
        Console().print(shift_table(report, span, zone_of(held), shown))
    for line in summary(report):
        typer.echo(line)
