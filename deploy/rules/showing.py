"""`citybrain rules show`: what holds in a namespace, or at one place of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from deploy.rules.store import InForce
from deploy.rules.words import clause_lines, effective_rows, number_words
from streams.alerting.rule import numbers_of
from streams.alerting.ruleset import RuleSet
from streams.alerting.ruling import Standing, covers_point, effective, rulings, standings
from streams.area.view import day_zone_ms, parameters_of
from streams.catalog import Profile
from streams.contracts.domain import Domain, Point
from streams.errors import Misconfigured


def show_everything(
    domains: Mapping[str, Domain], held: InForce, rules: RuleSet, version: str, *, as_json: bool
) -> None:
    """Every rule as it is said, overrides included."""
    found = {
        name: standing
        for domain in domains.values()
        for name, standing in standings(domain, parameters_of(domain, held.values), rules).items()
    }
    if as_json:
        said = {name: list(clause_lines(one)) for name, one in found.items()}
        typer.echo(json.dumps({"version": version, "rules": said}, ensure_ascii=False))
        return
    typer.echo(f"{held.namespace}: rules {version or 'of the domains, no rule set in force'}")
    for name, standing in found.items():
        typer.echo(f"{name}{' (rule set)' if standing.clause else ''}")
        for line in clause_lines(standing):
            typer.echo(f"    {line}")


def show_place(
    domains: Mapping[str, Domain],
    held: InForce,
    rules: RuleSet,
    point: str | None,
    area: str | None,
    *,
    as_json: bool,
) -> None:
    """Every rule that can speak of the place: each number, and who said it."""
    known = held.registry.points.get(point) if point else None
    if point and known is None:
        raise Misconfigured([f"no point {point!r} in the registry of {held.namespace}"])
    code = known.area if known else area or ""
    if code not in held.registry.areas:
        raise Misconfigured([f"no area {code!r} in the registry of {held.namespace}"])
    rows = list(_rows(domains, held, rules, code, known))
    if as_json:
        typer.echo(json.dumps({"area": code, "point": point, "rules": rows}, ensure_ascii=False))
        return
    table = Table(title=f"{known.name if known else ''} {point or ''} {code}".strip())
    for head in ("rule", "what", "holds", "said by"):
        table.add_column(head, overflow="fold")
    for row in rows:
        state = "" if row["holds"] else " (does not hold here)"
        for number, (what, text, by) in enumerate(row["numbers"]):
            table.add_row(row["rule"] + state if not number else "", what, text, by)
        table.add_section()
    Console().print(table)


def _rows(
    domains: Mapping[str, Domain], held: InForce, rules: RuleSet, code: str, point: Point | None
) -> Iterator[dict[str, Any]]:
    zone_ms = day_zone_ms(Profile("", held.values))
    for domain in domains.values():
        if point is not None and point.type not in {kind.name for kind in domain.points}:
            continue
        parameters = parameters_of(domain, held.values)
        points = [point] if point else []
        here = rulings(domain, parameters, rules, code, points, zone_ms)
        own = {rule.name: numbers_of(rule, parameters) for rule in domain.rules}
        for name, standing in standings(domain, parameters, rules).items():
            found = effective(standing, code, point.id if point else None)
            words = number_words(own[name]) if name in own else {}
            numbers = list(effective_rows(found, standing.rule.unit, words))
            numbers += [("season", _season(standing), "rule")] if _season(standing) else []
            numbers += _hidden_by(standing)
            holds = here[name].of(point.id if point else None) is not None
            yield {
                "rule": name,
                "holds": holds,
                "why": _why(found.is_off, standing, point),
                "numbers": numbers,
            }


def _season(standing: Standing) -> str:
    ranges = standing.clause.season if standing.clause else ()
    return ", ".join(f"{first}..{last}" for first, last in ranges)


def _hidden_by(standing: Standing) -> list[tuple[str, str, str]]:
    said = standing.clause is not None and standing.clause.hidden_by is not None
    by = "rule" if said else "domain and profile"
    names = ", ".join(standing.hidden_by)
    return [("hidden_by", names or "none", by)] if names or said else []


def _why(off: bool, standing: Standing, point: Point | None) -> str:
    """Why a rule does not hold at a place; "" where nothing of it speaks against."""
    if off:
        return "off"
    scope = standing.clause.scope if standing.clause else None
    if scope is not None and point is not None and not covers_point(scope, point):
        return "out of scope"
    return ""
