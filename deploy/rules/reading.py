"""Files of a rule set → `RuleSet`, with every mistake and the line that it is in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.rules.nodes import Mistakes, Node, files_of, read_file
from streams.alerting.ruleset import Clause, Override, RuleSet, Scope, Terms
from streams.alerting.soundness import Mistake, rule_mistakes
from streams.catalog import Registry
from streams.contracts.domain import Domain
from streams.errors import Misconfigured

TERMS = ("levels", "for", "jump", "clear", "off")
OF_RULE = ("title", "watches", "unit", *TERMS, "scope", "season", "hidden_by", "overrides")
Places = dict[tuple[str, str], tuple[str, int]]  # (rule, override's place) → (file, line)


@dataclass(slots=True)
class Read:
    """What the files say; `rules` is only whole when there are no mistakes."""

    rules: RuleSet
    mistakes: list[str]
    files: list[Path] = field(default_factory=list)


def read_rules(
    folder: Path,
    domains: Mapping[str, Domain],
    values: Mapping[str, str] | None = None,
    registry: Registry | None = None,
) -> Read:
    """Reads and checks all rule files of a folder, under a profile and a registry if given."""
    mistakes, places = Mistakes(), Places()
    files = files_of(folder, mistakes)
    if not files and not mistakes.lines:
        mistakes.add(str(folder), 1, "no rule file (.yaml) in this folder")
    clauses: list[Clause] = []
    for path in files:
        node = read_file(path, mistakes)
        if node is not None:
            clauses += _file(node, places)
    rules = RuleSet(tuple(clauses))
    found = rule_mistakes(domains, values or {}, rules, registry)
    found += [] if registry is None else _strangers(rules, registry)
    for one in found:
        file, line = places.get((one.rule, one.place), places.get((one.rule, ""), ("", 1)))
        mistakes.add(file, line, str(one))
    return Read(rules, list(dict.fromkeys(mistakes.lines)), files)


def good_rules(
    folder: Path,
    domains: Mapping[str, Domain],
    values: Mapping[str, str] | None = None,
    registry: Registry | None = None,
) -> RuleSet:
    """The rule set of a folder. Raises `Misconfigured` with all mistakes."""
    read = read_rules(folder, domains, values, registry)
    if read.mistakes:
        raise Misconfigured(read.mistakes)
    return read.rules


def _strangers(rules: RuleSet, registry: Registry) -> Iterator[Mistake]:
    """Areas and points that nobody knows: what is said of them would never hold."""
    for clause in rules.rules:
        for override in clause.overrides:
            known = registry.points if override.point else registry.areas
            if (override.point or override.area) not in known:
                yield Mistake(clause.name, override.place, "is not in the registry")
        for name in (n for n in clause.scope.points if n not in registry.points):
            yield Mistake(clause.name, "", f"scope: point {name} is not in the registry")
        for code in (n for n in clause.scope.areas if n not in registry.areas):
            yield Mistake(clause.name, "", f"scope: area {code} is not in the registry")


def _file(node: Node, places: Places) -> list[Clause]:
    parts = node.fields("file", ("domain", "rules"))
    if "domain" not in parts:
        node.wrong("file: `domain: …` is wanted: whose rules these are")
        return []
    domain = parts["domain"].text("domain")
    return clauses_of(domain, parts["rules"], places) if "rules" in parts else []


def clauses_of(domain: str, node: Node, places: Places | None = None) -> list[Clause]:
    """Rules by name. `places` is told where each was said; whether they can hold is not checked."""
    where, found = Places() if places is None else places, []
    for name, rule in node.entries("rules"):
        where.setdefault((name, ""), (rule.file, rule.line))
        found.append(_clause(domain, name, rule, where))
    return found


def _clause(domain: str, name: str, node: Node, places: Places) -> Clause:
    said = node.fields(f"rule {name}", OF_RULE)
    title = said["title"].fields("title", ("zh", "en")) if "title" in said else {}
    overrides = said["overrides"].items("overrides") if "overrides" in said else []
    return Clause(
        name=name,
        domain=domain,
        watches=_text(said, "watches"),
        title_zh=_text(title, "zh"),
        title_en=_text(title, "en"),
        unit=_text(said, "unit"),
        terms=_terms(said),
        scope=_scope(said["scope"]) if "scope" in said else Scope(),
        season=_season(said["season"]) if "season" in said else (),
        overrides=tuple(_override(name, one, places) for one in overrides),
        hidden_by=said["hidden_by"].texts("hidden_by") if "hidden_by" in said else None,
    )


def _override(name: str, node: Node, places: Places) -> Override:
    said = node.fields("override", ("area", "point", *TERMS))
    found = Override(_text(said, "area"), _text(said, "point"), _terms(said))
    places.setdefault((name, found.place), (node.file, node.line))
    return found


def _terms(said: Mapping[str, Node]) -> Terms:
    lasting = said["for"].fields("for", ("readings", "minutes")) if "for" in said else {}
    clear = (
        said["clear"].fields("clear", ("below_by", "readings", "minutes"))
        if "clear" in said
        else {}
    )
    levels = said["levels"].entries("levels") if "levels" in said else ()
    return Terms(
        levels={colour: text.text(f"level {colour}") for colour, text in levels},
        for_readings=_text(lasting, "readings") or None,
        for_minutes=_text(lasting, "minutes") or None,
        jump=_text(said, "jump") or None,
        below_by=_text(clear, "below_by") or None,
        clear_readings=_text(clear, "readings") or None,
        clear_minutes=_text(clear, "minutes") or None,
        off=said["off"].flag("off") if "off" in said else None,
    )


def _scope(node: Node) -> Scope:
    said = node.fields("scope", ("areas", "types", "points", "where"))
    where = said["where"].entries("where") if "where" in said else ()
    lists = {
        name: said[name].texts(name) if name in said else ()
        for name in ("areas", "types", "points")
    }
    return Scope(
        areas=lists["areas"],
        types=lists["types"],
        points=lists["points"],
        where={name: value.text(f"where {name}") for name, value in where},
    )


def _season(node: Node) -> tuple[tuple[str, str], ...]:
    """Each range `MM-DD..MM-DD`; whether the days exist is checked with the rest."""
    found = []
    for one in node.items("season"):
        first, dots, last = one.text("season").partition("..")
        if not dots:
            one.wrong("season: MM-DD..MM-DD is wanted, e.g. 04-15..10-15")
            continue
        found.append((first.strip(), last.strip()))
    return tuple(found)


def _text(said: Mapping[str, Node], name: str) -> str:
    return said[name].text(name) if name in said else ""
