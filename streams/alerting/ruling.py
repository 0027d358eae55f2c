"""The rules of a domain in one area under a rule set: numbers, scope and season of each.

The nearest word wins, number by number: point over county over city over province over the rule
over the domain's own parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from streams.alerting.rule import Level, Numbers, Thresholds, numbers_of, thresholds
from streams.alerting.ruleset import COLOURS, NO, Clause, Override, RuleSet, Scope, Terms
from streams.alerting.season import Season, day_number
from streams.contracts.area_code import covers, stem_of
from streams.contracts.domain import Domain, Point, TierRule, Title
from streams.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Ruling:
    """A rule as it holds in one area. None for thresholds: it does not hold there.

    `whole` judges the area itself, `others` its points but for those that have their `own`.
    `watches`: whose derived values it judges; itself unless it follows another rule. `hidden_by`:
    the rules whose alerts hide its own in people's lists.
    """

    rule: TierRule
    whole: Thresholds | None
    others: Thresholds | None
    own: Mapping[str, Thresholds | None] = field(default_factory=dict)
    season: Season | None = None
    watches: str = ""
    hidden_by: tuple[str, ...] = ()

    @property
    def holds_somewhere(self) -> bool:
        """Whether anything of the area is judged by it."""
        return bool(self.whole or self.others or any(self.own.values()))

    def of(self, point: str | None) -> Thresholds | None:
        """What judges a point (None: the area itself)."""
        return self.whole if point is None else self.own.get(point, self.others)


def everywhere(filled: Thresholds) -> Ruling:
    """A rule that no rule set says anything of."""
    rule = filled.rule
    return Ruling(rule, filled, filled, watches=rule.name, hidden_by=rule.hidden_by)


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule with the numbers it starts from, before any override: its own or the set's."""

    rule: TierRule
    numbers: Numbers
    clause: Clause | None = None
    watches: str = ""

    @property
    def is_off(self) -> bool:
        """Whether it holds nowhere but where an override says so."""
        return self.clause is not None and self.clause.terms.off is True

    @property
    def hidden_by(self) -> tuple[str, ...]:
        """Rules whose alerts hide those of this one in people's lists: the set's word, else its
        own."""
        said = None if self.clause is None else self.clause.hidden_by
        if said is None:
            return self.rule.hidden_by
        return tuple(name for name in said if name != NO)


@dataclass(frozen=True, slots=True)
class Effective:
    """What holds at one place, and who said it: by field (or colour) the override's place."""

    numbers: Numbers
    is_off: bool
    said_by: Mapping[str, str]


def standings(domain: Domain, parameters: Mapping[str, str], rules: RuleSet) -> dict[str, Standing]:
    """By name: the domain's own rules in their order, with what the set changes, then new ones.

    Raises `Misconfigured` for what no rule can be made of.
    """
    clauses = {one.name: one for one in rules.rules if one.domain == domain.name}
    found: dict[str, Standing] = {}
    for rule in domain.rules:
        numbers, clause = numbers_of(rule, parameters), clauses.pop(rule.name, None)
        if clause is None:
            found[rule.name] = Standing(rule, numbers, None, rule.name)
            continue
        titled = Title(clause.title_zh or rule.title.zh, clause.title_en or rule.title.en)
        numbers = changed(numbers, clause.terms)
        found[rule.name] = Standing(replace(rule, title=titled), numbers, clause, rule.name)
    for name, clause in sorted(clauses.items()):
        rule = new_rule(domain, clause)
        blank = Numbers({})
        watches = name if rule.property is not None else clause.watches
        found[name] = Standing(rule, changed(blank, clause.terms), clause, watches)
    return found


def rulings(
    domain: Domain,
    parameters: Mapping[str, str],
    rules: RuleSet,
    area: str,
    points: Sequence[Point],
    zone_ms: int,
) -> dict[str, Ruling]:
    """The domain's rules in an area with these points; `Misconfigured` lists every mistake."""
    mistakes: list[str] = []
    found: dict[str, Ruling] = {}
    for name, standing in standings(domain, parameters, rules).items():
        try:
            found[name] = _ruling(standing, area, points, zone_ms)
        except Misconfigured as error:
            mistakes += error.mistakes
    if mistakes:
        raise Misconfigured(mistakes)
    return found


def new_rule(domain: Domain, clause: Clause) -> TierRule:
    """A rule that the domain does not have, over a property or a value that it derives."""
    title = Title(clause.title_zh, clause.title_en)
    model = next((r for r in domain.rules if r.name == clause.watches and not r.property), None)
    if model is not None:
        return TierRule(
            clause.name,
            title,
            (),
            model.unit_scale,
            unit=model.unit,
            covers_area=model.covers_area,
        )
    units = units_of(domain, clause.watches)
    if not units:
        raise Misconfigured(
            [
                f"rule {clause.name}: {domain.name} has nothing called "
                f"{clause.watches!r} to watch: {', '.join(watchable(domain))}"
            ]
        )
    unit = clause.unit or next(iter(units))
    if unit not in units:
        raise Misconfigured([f"rule {clause.name}: unit {unit!r}: {' or '.join(units)} is known"])
    return TierRule(clause.name, title, (), units[unit], property=clause.watches, unit=unit)


def units_of(domain: Domain, watched: str) -> dict[str, int]:
    """Units in which a property may be compared, with their scales; the property's own first."""
    found = {p.unit: p.scale for p in domain.properties if p.name == watched}
    for rule in domain.rules:
        if found and rule.property == watched:
            found.setdefault(rule.unit, rule.unit_scale)
    return found


def watchable(domain: Domain) -> list[str]:
    """What a new rule of the domain can watch: properties, and rules over derived values."""
    derived = [rule.name for rule in domain.rules if rule.property is None]
    return [p.name for p in domain.properties] + derived


def changed(numbers: Numbers, terms: Terms) -> Numbers:
    """The numbers with what the terms say. A duration that is said replaces both its kinds."""
    levels = dict(numbers.levels)
    for colour, text in terms.levels.items():
        if text == NO:
            levels.pop(COLOURS[colour], None)
        else:
            over = text.startswith(">")
            levels[COLOURS[colour]] = Level(text.removeprefix(">").strip(), over)
    found = replace(numbers, levels=levels)
    if terms.for_readings is not None or terms.for_minutes is not None:
        lasting = None if terms.for_minutes == NO else terms.for_minutes
        found = replace(found, consecutive=terms.for_readings or "1", raise_minutes=lasting)
    if terms.jump is not None:
        found = replace(found, jump_over=None if terms.jump == NO else terms.jump)
    if terms.below_by is not None:
        found = replace(found, hysteresis=terms.below_by)
    if terms.clear_readings is not None or terms.clear_minutes is not None:
        found = replace(found, clear_count=terms.clear_readings, clear_minutes=terms.clear_minutes)
    return found


def effective(standing: Standing, area: str, point: str | None) -> Effective:
    """What holds for a point of an area (None: the area itself), and from which override."""
    numbers, off = standing.numbers, standing.is_off
    said = {} if standing.clause is None else dict.fromkeys(fields(standing.clause.terms), "rule")
    for override in nearest_last(standing.clause, area, point):
        numbers = changed(numbers, override.terms)
        off = off if override.terms.off is None else override.terms.off
        said |= dict.fromkeys(fields(override.terms), override.place)
    return Effective(numbers, off, said)


def fields(terms: Terms) -> Iterator[str]:
    """What the terms say something of: colours, for, jump, below_by, clear, off."""
    yield from terms.levels
    said = {
        "for": terms.for_readings or terms.for_minutes,
        "jump": terms.jump,
        "below_by": terms.below_by,
        "clear": terms.clear_readings or terms.clear_minutes,
        "off": terms.off,
    }
    yield from (name for name, value in said.items() if value is not None)


def nearest_last(clause: Clause | None, area: str, point: str | None) -> list[Override]:
    """The overrides that concern a place, the widest first."""
    overrides = () if clause is None else clause.overrides
    wide = [one for one in overrides if one.area and covers(one.area, area)]
    wide.sort(key=lambda one: len(stem_of(one.area)))
    return wide + [one for one in overrides if point is not None and one.point == point]


def _ruling(standing: Standing, area: str, points: Sequence[Point], zone_ms: int) -> Ruling:
    clause = standing.clause
    if clause is None:
        return everywhere(thresholds(standing.rule, standing.numbers))
    season = season_of(clause, zone_ms)
    hidden_by = standing.hidden_by
    ruling = Ruling(standing.rule, None, None, {}, season, standing.watches, hidden_by)
    if not _reaches(clause.scope, area):
        return ruling
    of_area = filled(standing, area, None)
    named = {one.point for one in clause.overrides if one.point}
    if not clause.scope.is_of_points:
        own = {p.id: filled(standing, area, p.id) for p in points if p.id in named}
        return replace(ruling, whole=of_area, others=of_area, own=own)
    inside = (p.id for p in points if covers_point(clause.scope, p))
    own = {p: filled(standing, area, p) if p in named else of_area for p in inside}
    return replace(ruling, own=own)


def covers_point(scope: Scope, point: Point) -> bool:
    """Whether the scope's lists of points allow it."""
    return (
        (not scope.types or point.type in scope.types)
        and (not scope.points or point.id in scope.points)
        and all(point.attributes.get(name) == value for name, value in scope.where.items())
    )


def season_of(clause: Clause, zone_ms: int) -> Season | None:
    """When the rule holds; None: always. Raises `Misconfigured` for a day that is none."""
    ranges = []
    for first, last in clause.season:
        days = day_number(first), day_number(last)
        if days[0] is None or days[1] is None:
            raise Misconfigured([f"rule {clause.name}: season {first}..{last}: MM-DD is wanted"])
        ranges.append((days[0], days[1]))
    return Season(tuple(ranges), zone_ms) if ranges else None


def _reaches(scope: Scope, area: str) -> bool:
    return not scope.areas or any(covers(outer, area) for outer in scope.areas)


def filled(standing: Standing, area: str, point: str | None) -> Thresholds | None:
    """What judges a point of an area (None: the area itself), None where the rule is off.

    Scope and season are not looked at. Raises `Misconfigured` for numbers that make no rule.
    """
    found = effective(standing, area, point)
    if found.is_off:
        return None
    where = f"point {point}" if point else f"area {area}"
    try:
        made = thresholds(standing.rule, found.numbers)
    except Misconfigured as error:
        raise Misconfigured([f"{mistake} ({where})" for mistake in error.mistakes]) from error
    if mistakes := _senseless(standing.rule, found.numbers, made):
        raise Misconfigured([f"rule {standing.rule.name}: {m} ({where})" for m in mistakes])
    return made


def _senseless(rule: TierRule, numbers: Numbers, made: Thresholds) -> list[str]:
    """Numbers that can be compared with but make no rule: it would never end, or never begin."""
    found = [] if made.meet else ["no level is left: switch it off instead (off: true)"]
    if made.consecutive < 1:
        found.append(f"for: {numbers.consecutive} readings: at least 1")
    if made.raise_ms < 0:
        found.append(f"for: {numbers.raise_minutes} minutes: not negative")
    if (made.clear_ms or 0) <= 0 and (made.clear_count or 0) < 1:
        found.append("clear: it would never end: some minutes, or at least 1 reading, below")
    for what, text in (("jump", numbers.jump_over), ("below_by", numbers.hysteresis)):
        if text is not None and Decimal(text) < 0:
            found.append(f"{what}: {text}: not negative")
    for level in numbers.levels.values():
        scaled = Decimal(level.text).scaleb(rule.unit_scale)
        if scaled != int(scaled):
            found.append(f"{level.text} is finer than the rule compares (10^-{rule.unit_scale})")
    return found
