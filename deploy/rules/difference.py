"""What another rule set would change: which rules, which numbers, which points."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from deploy.rules.words import clause_lines
from streams.alerting.ruleset import RuleSet
from streams.alerting.ruling import Ruling, rulings, standings
from streams.area.view import day_zone_ms, parameters_of
from streams.catalog import Profile, Registry
from streams.contracts.domain import Domain


@dataclass(slots=True)
class RuleChange:
    """One rule: `added`, `removed` or `changed`; what is said differently; whom it concerns."""

    rule: str
    kind: str
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    points: list[str] = field(default_factory=list)
    areas: list[str] = field(default_factory=list)


def difference(
    domains: Mapping[str, Domain],
    values: Mapping[str, str],
    registry: Registry,
    old: RuleSet,
    new: RuleSet,
) -> list[RuleChange]:
    """Every rule that one of the sets makes otherwise than the other, by name."""
    found: list[RuleChange] = []
    for domain in domains.values():
        concerned = _concerned(domain, values, registry, old, new)
        parameters = parameters_of(domain, values)
        one, other = (standings(domain, parameters, rules) for rules in (old, new))
        for name in sorted({*one, *other}):
            before, after = (list(clause_lines(side.get(name))) for side in (one, other))
            points, areas = concerned.get(name, ([], []))
            if before == after and not points and not areas:
                continue
            kind = "added" if name not in one else "removed" if name not in other else "changed"
            said = [line for line in before if line not in after]
            says = [line for line in after if line not in before]
            found.append(RuleChange(name, kind, said, says, points, areas))
    return found


def _concerned(
    domain: Domain, values: Mapping[str, str], registry: Registry, old: RuleSet, new: RuleSet
) -> dict[str, tuple[list[str], list[str]]]:
    """By rule: points and areas that are judged otherwise."""
    parameters, found = parameters_of(domain, values), dict[str, tuple[list[str], list[str]]]()
    types = {kind.name for kind in domain.points}
    zone_ms = day_zone_ms(Profile("", values))
    for code in sorted(registry.areas):
        points = [p for p in registry.points_by_area.get(code, ()) if p.type in types]
        sides = [rulings(domain, parameters, rules, code, points, zone_ms) for rules in (old, new)]
        for name in {*sides[0], *sides[1]}:
            one, other = (side.get(name) for side in sides)
            held = found.setdefault(name, ([], []))
            held[0].extend(p.id for p in points if _judged(one, p.id) != _judged(other, p.id))
            if points and _judged(one, None) != _judged(other, None):
                held[1].append(code)
    return found


def _judged(ruling: Ruling | None, point: str | None) -> object:
    held = None if ruling is None else ruling.of(point)
    return None if held is None or ruling is None else (held.version, ruling.season)


def change_lines(changes: list[RuleChange], shown: int = 5) -> Iterator[str]:
    """For people."""
    for one in changes:
        yield f"{one.rule}: {one.kind}; {_whom(one, shown)}"
        yield from (f"    - {line}" for line in one.before)
        yield from (f"    + {line}" for line in one.after)


def _whom(one: RuleChange, shown: int) -> str:
    more = ", …" if len(one.points) > shown else ""
    points = f"{len(one.points):,} points" + (
        f" ({', '.join(one.points[:shown])}{more})" if one.points else ""
    )
    return f"{points}, {len(one.areas)} areas judged otherwise"
