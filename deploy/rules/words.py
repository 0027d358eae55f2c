"""Rules in words: numbers with their units, and where each was said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streams.alerting.rule import Numbers
from streams.alerting.ruleset import Clause, Scope
from streams.alerting.ruling import Effective, Standing, changed


def number_words(numbers: Numbers, unit: str = "") -> dict[str, str]:
    """By field of a rule file: what holds."""
    unit = f" {unit}" if unit else ""
    found = {
        severity.name.lower(): f"{'> ' if level.over else ''}{level.text}{unit}"
        for severity, level in sorted(numbers.levels.items())
    }
    lasting = "" if numbers.raise_minutes is None else f", {numbers.raise_minutes} min"
    found["for"] = f"{numbers.consecutive} readings{lasting}"
    if numbers.jump_over is not None:
        found["jump"] = f"{numbers.jump_over}{unit} over a level at once"
    if numbers.hysteresis is not None:
        found["below_by"] = f"{numbers.hysteresis}{unit}"
    if numbers.clear_minutes is not None:
        found["clear"] = f"{numbers.clear_minutes} min below"
    elif numbers.clear_count is not None:
        found["clear"] = f"{numbers.clear_count} readings below"
    return found


def clause_lines(standing: Standing | None) -> Iterator[str]:
    """Everything that a rule says, a line each; nothing for a rule that is not there."""
    if standing is None:
        return
    unit = standing.rule.unit
    yield f"title: {standing.rule.title.zh} · {standing.rule.title.en}"
    yield from (f"{name}: {text}" for name, text in number_words(standing.numbers, unit).items())
    if standing.hidden_by:
        yield f"hidden_by: {', '.join(standing.hidden_by)}"
    clause = standing.clause
    if clause is None:
        return
    if standing.is_off:
        yield "off"
    yield from _where_and_when(clause)
    for override in sorted(clause.overrides, key=lambda one: one.place):
        new = number_words(changed(standing.numbers, override.terms), unit)
        old = number_words(standing.numbers, unit)
        said = [f"{name} {text}" for name, text in new.items() if old.get(name) != text]
        said += [f"no {name}" for name in old if name not in new]
        if override.terms.off is not None:
            said.append("off" if override.terms.off else "on")
        yield f"{override.place}: {', '.join(said) or 'nothing else'}"


def _where_and_when(clause: Clause) -> Iterator[str]:
    if scope := scope_words(clause.scope):
        yield f"scope: {scope}"
    if clause.season:
        yield f"season: {', '.join(f'{first}..{last}' for first, last in clause.season)}"


def scope_words(scope: Scope) -> str:
    """Where a rule holds; "" for everywhere."""
    lists = {"areas": scope.areas, "types": scope.types, "points": scope.points}
    said = [f"{name} {', '.join(sorted(values))}" for name, values in lists.items() if values]
    return "; ".join(said + [f"{name}={value}" for name, value in sorted(scope.where.items())])


def effective_rows(
    found: Effective, unit: str, own: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """(what, how much, who said it) of a rule at a place; `own`: what the domain itself has."""
    for name, text in number_words(found.numbers, unit).items():
        by = found.said_by.get("below_by" if name == "below_by" else name)
        yield name, text, by or ("domain and profile" if name in own else "rule")
