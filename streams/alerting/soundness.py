"""Whether a rule set can come into force: everything in it that no rule could be made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from streams.alerting.ruleset import COLOURS, NO, Clause, Override, RuleSet, Terms
from streams.alerting.ruling import Standing, filled, season_of, standings, watchable
from streams.catalog import Registry
from streams.contracts.area_code import is_area_code
from streams.contracts.domain import Domain
from streams.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: in which rule, at which of its overrides ("" = the rule itself), and what."""

    rule: str
    place: str
    text: str

    def __str__(self) -> str:
        where = f"{self.rule}, {self.place}" if self.place else self.rule
        return f"rule {where}: {self.text}"


def rule_mistakes(
    domains: Mapping[str, Domain],
    values: Mapping[str, str],
    rules: RuleSet,
    registry: Registry | None,
) -> list[Mistake]:
    """All mistakes under a profile's values. Without a registry, thresholds of a point are looked
    at as if no area around it had its own."""
    found: list[Mistake] = []
    names = [clause.name for clause in rules.rules]
    found += [
        Mistake(n, "", "is in the set twice") for n in sorted(set(names)) if names.count(n) > 1
    ]
    for clause in rules.rules:
        domain = domains.get(clause.domain)
        if domain is None:
            known = ", ".join(sorted(domains))
            found.append(Mistake(clause.name, "", f"domain {clause.domain!r}: there are {known}"))
            continue
        mistakes = [*_in_words(domain, clause)]
        found += mistakes or _in_numbers(domain, values, clause, registry)
    return found + list(_of_hiding(parents_of(domains, rules), rules))


def parents_of(domains: Mapping[str, Domain], rules: RuleSet) -> dict[str, tuple[str, ...]]:
    """By rule, of the domains and of the set: the rules whose alerts hide its own."""
    found = {rule.name: rule.hidden_by for domain in domains.values() for rule in domain.rules}
    for clause in rules.rules:
        said = clause.hidden_by
        found[clause.name] = found.get(clause.name, ()) if said is None else said
    return {name: tuple(one for one in above if one != NO) for name, above in found.items()}


def _of_hiding(parents: Mapping[str, tuple[str, ...]], rules: RuleSet) -> Iterator[Mistake]:
    for clause in rules.rules:
        said = clause.hidden_by or ()
        if NO in said and len(said) > 1:
            yield Mistake(clause.name, "", f"hidden_by: either {NO} or rules")
        for name in parents[clause.name]:
            if name == clause.name:
                yield Mistake(clause.name, "", "hidden_by: it cannot hide itself")
            elif name not in parents:
                yield Mistake(clause.name, "", f"hidden_by: there is no rule {name!r}")
        circle = next(_circles(clause.name, parents, ()), None)
        if circle is not None and len(circle) > 1:
            way = " → ".join((*circle, clause.name))
            yield Mistake(clause.name, "", f"hidden_by: they hide each other: {way}")


def _circles(
    name: str, parents: Mapping[str, tuple[str, ...]], way: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    """Ways up that come back to where they began."""
    if name in way:
        if name == way[0]:
            yield way
        return
    for parent in parents.get(name, ()):
        yield from _circles(parent, parents, (*way, name))


def _in_words(domain: Domain, clause: Clause) -> Iterator[Mistake]:
    """What can be seen without comparing numbers."""

    def of_rule(text: str) -> Mistake:
        return Mistake(clause.name, "", text)

    own = next((rule for rule in domain.rules if rule.name == clause.name), None)
    if not clause.name.startswith(f"{domain.name}.") or clause.name == f"{domain.name}.":
        yield of_rule(f"its name begins with {domain.name!r} and a dot")
    if any(mark in clause.name for mark in "|@ "):
        yield of_rule("no blank, | or @ in its name")
    if own is None:
        yield from map(of_rule, _of_new(domain, clause))
    else:
        if clause.watches and clause.watches not in (own.property, own.name):
            yield of_rule(f"the domain's own rule watches {own.property or own.name}, for ever")
        if clause.unit and clause.unit != own.unit:
            yield of_rule(f"the domain's own rule is in {own.unit or 'no unit'}")
    types = {kind.name for kind in domain.points}
    for kind in clause.scope.types:
        if kind not in types:
            yield of_rule(
                f"scope: point type {kind!r}: {domain.name} has {', '.join(sorted(types))}"
            )
    known = {name for kind in domain.points for name in kind.attributes}
    for name in clause.scope.where:
        if name not in known:
            yield of_rule(
                f"scope: attribute {name!r}: {domain.name} reads {', '.join(sorted(known))}"
            )
    for code in clause.scope.areas:
        if not is_area_code(code):
            yield of_rule(f"scope: {code!r} is no area code (six digits)")
    try:
        season_of(clause, 0)
    except Misconfigured as error:
        yield from (of_rule(m.removeprefix(f"rule {clause.name}: ")) for m in error.mistakes)
    yield from _of_terms(clause.name, "", clause.terms)
    yield from _of_overrides(clause)


def _of_new(domain: Domain, clause: Clause) -> Iterator[str]:
    if clause.watches not in watchable(domain):
        yield (
            f"it is no rule of {domain.name}, so `watches` has to say what it looks at: "
            f"{', '.join(watchable(domain))} (and not {clause.watches!r})"
        )
    if not clause.title_zh or not clause.title_en:
        yield "a new rule needs a title in both languages (title: {zh: …, en: …})"
    if not any(text != NO for text in clause.terms.levels.values()):
        yield "a new rule needs levels"
    if clause.terms.clear_minutes is None and clause.terms.clear_readings is None:
        yield "a new rule needs `clear`: when it ends"


def _of_overrides(clause: Clause) -> Iterator[Mistake]:
    seen: set[str] = set()
    for override in clause.overrides:
        place = override.place
        if bool(override.area) == bool(override.point):
            yield Mistake(clause.name, place, "an override names either an area or a point")
        elif override.area and not is_area_code(override.area):
            yield Mistake(clause.name, place, "is no area code (six digits)")
        if place in seen:
            yield Mistake(clause.name, place, "is overridden twice")
        seen.add(place)
        yield from _of_terms(clause.name, place, override.terms)


def _of_terms(name: str, place: str, terms: Terms) -> Iterator[Mistake]:
    for colour in terms.levels:
        if colour not in COLOURS:
            yield Mistake(name, place, f"level {colour!r}: there are {', '.join(COLOURS)}")
    if terms.clear_minutes is not None and terms.clear_readings is not None:
        yield Mistake(name, place, "clear: either minutes or readings")


def _in_numbers(
    domain: Domain, values: Mapping[str, str], clause: Clause, registry: Registry | None
) -> list[Mistake]:
    """The numbers, at the rule itself and wherever an override changes them."""
    parameters = {p.key: values.get(p.key, p.default) for p in domain.parameters}
    try:
        standing = standings(domain, parameters, RuleSet((clause,)))[clause.name]
    except Misconfigured as error:
        return [_told(clause, "", mistake) for mistake in error.mistakes]
    found = _tried(standing, clause, "", None, "")
    for override in clause.overrides:
        area = override.area or _area_of(override, registry)
        found += _tried(standing, clause, area, override.point or None, override.place)
    return found


def _tried(
    standing: Standing, clause: Clause, area: str, point: str | None, place: str
) -> list[Mistake]:
    try:
        filled(standing, area, point)
    except Misconfigured as error:
        return [_told(clause, place, mistake) for mistake in error.mistakes]
    return []


def _told(clause: Clause, place: str, mistake: str) -> Mistake:
    text = mistake.removeprefix(f"rule {clause.name}: ")
    return Mistake(clause.name, place, text.rsplit(" (area ", 1)[0].rsplit(" (point ", 1)[0])


def _area_of(override: Override, registry: Registry | None) -> str:
    point = None if registry is None else registry.points.get(override.point)
    return "" if point is None else point.area
