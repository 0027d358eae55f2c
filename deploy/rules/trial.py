"""Runs a test of rules through the real pipeline, in memory: no log, no database, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np

from deploy.rules.case import Case, Seen, Wanted
from streams.alerting.ruleset import RuleSet
from streams.catalog import Area, Gateway, Profile, Registry, Sensor
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.domain import (
    AreaView,
    Batch,
    Checks,
    Domain,
    Judgement,
    Outputs,
    Point,
    Property,
)
from streams.contracts.frame import Frame, Record
from streams.contracts.outcome import DeadLetter, Transition
from streams.contracts.reason import NamespaceKind, Origin
from streams.log import OBSERVATION_TOPIC, Entry
from streams.pipeline import Pipeline, PipelineSetup

GATEWAY = "/rules/test"
TICK_MS = 30_000
TRAVEL_MS = 1000  # from the end of what a value covers to its ingest


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a test went: what happened, what of it was not wanted or missing, and refused input."""

    case: Case
    transitions: list[Transition]
    faults: list[str]

    @property
    def passed(self) -> bool:
        return not self.faults


def judge_case(case: Case, rules: RuleSet, domains: Mapping[str, Domain]) -> Verdict:
    """Plays the test's values under the rule set and compares."""
    used = {name: _stand_in(domain, case) for name, domain in domains.items()}
    transitions, letters = _play(case, rules, used)
    faults = [f"refused: {one.reason.value}: {one.detail}" for one in letters]
    return Verdict(case, transitions, faults + list(_compare(case, transitions)))


def _play(
    case: Case, rules: RuleSet, domains: Mapping[str, Domain]
) -> tuple[list[Transition], list[DeadLetter]]:
    names = sorted(p.name for domain in domains.values() for p in domain.properties)
    numbers = {name: number for number, name in enumerate(names, 1)}
    setup = PipelineSetup(OBSERVATION_TOPIC, 0, NamespaceKind.SIMULATED, domains, numbers)
    profile, registry = Profile("test", case.profile), _registry(case, domains)
    versions: dict[str, Profile | Registry | RuleSet] = {
        "profile": profile,
        "registry": registry,
        "rules": rules,
    }
    contents = {one.version: one.to_dict() for one in versions.values()}
    start = case.start_ms
    controls = [(start, encode_control(kind, v.version, start)) for kind, v in versions.items()]
    sent = [*_frames(case, domains)]
    sent += [(at, encode_tick(at)) for at in range(start, case.until_ms + TICK_MS, TICK_MS)]
    ordered = controls + sorted(sent, key=lambda one: one[0])
    records = [Record(n, at, *message) for n, (at, message) in enumerate(ordered)]
    outcome = Pipeline(setup).process(records, contents)
    return outcome.transitions, outcome.dead_letters


def _compare(case: Case, transitions: Sequence[Transition]) -> Iterator[str]:
    """Every transition of a rule and point that the test speaks of must be one that it wants."""
    spoken = dict.fromkeys((one.rule, one.point or next(iter(case.places))) for one in case.wanted)
    for rule, point in spoken:
        came = [t for t in transitions if t.rule == rule and t.point == point]
        wanted = [w for w in case.wanted if w.rule == rule and w.point in ("", point)]
        left = [w for w in wanted if not w.never]
        for transition in came:
            if left and fits(left[0], transition):
                left.pop(0)
            elif transition.change.value != "onset":
                yield f"not wanted: {told(case, transition)}"
        yield from (f"line {one.line}: did not come: {hoped(case, one)}" for one in left)


def fits(wanted: Wanted, found: Transition) -> bool:
    """Whether the transition is the wanted one."""
    return (
        found.change is wanted.change
        and wanted.from_ms <= found.event_ms <= wanted.to_ms
        and wanted.severity in (None, found.severity)
    )


def told(case: Case, one: Transition) -> str:
    """A transition for people."""
    at = clock(case, one.event_ms)
    return f"{at} {one.rule} at {one.point}: {one.change.value} {one.severity.name.lower()}"


def hoped(case: Case, one: Wanted) -> str:
    """What was wanted, for people."""
    severity = "" if one.severity is None else f" {one.severity.name.lower()}"
    change = "" if one.change is None else one.change.value
    return f"{change}{severity} between {clock(case, one.from_ms)} and {clock(case, one.to_ms)}"


def clock(case: Case, time_ms: int) -> str:
    """The time of the test's day."""
    minutes, seconds = divmod((time_ms - case.start_ms) // 1000, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}"


# the city of a test -------------------------------------------------------------------------------


def _registry(case: Case, domains: Mapping[str, Domain]) -> Registry:
    owner = {kind.name: domain for domain in domains.values() for kind in domain.points}
    areas: dict[str, Area] = {}
    points, sensors = dict[str, Point](), dict[str, Sensor]()
    for number, place in enumerate(case.places.values(), 1):
        city = place.area[:4] + "00"
        areas |= {city: Area(city, "city", None, city, city)}
        if place.area != city:
            areas |= {place.area: Area(place.area, "county", city, place.area, place.area)}
        points[place.id] = Point(
            place.id, place.type, place.area, place.id, None, None, place.attributes
        )
        names = tuple(p.name for p in owner[place.type].properties)
        sensors[place.id] = Sensor(number, place.id, place.id, GATEWAY, names)
    where = next(iter(case.places.values())).area
    gateways = {GATEWAY: Gateway(GATEWAY, where)}
    return Registry(areas, points, sensors, gateways, dict.fromkeys(areas, 0), 1)


def _frames(case: Case, domains: Mapping[str, Domain]) -> Iterator[tuple[int, Entry]]:
    """Values of one area, domain and moment in one frame."""
    owner = {p.name: (d, p) for d in domains.values() for p in d.properties}
    groups: dict[tuple[int, str, str], list[tuple[Seen, str]]] = {}
    for one in case.seen:
        name = value_of(one.what) if one.what not in owner else one.what
        domain, prop = owner[name]
        at = one.time_ms + prop.interval_s * 1000 + TRAVEL_MS
        key = (at, case.places[one.point].area, domain.name)
        groups.setdefault(key, []).append((one, name))
    for number, ((at, area, domain_name), rows) in enumerate(sorted(groups.items())):
        yield at, encode(_frame(number, at, area, domain_name, rows))


def _frame(
    number: int, at_ms: int, area: str, domain: str, rows: Sequence[tuple[Seen, str]]
) -> Frame:
    sensors = sorted({one.point for one, _ in rows})
    properties = sorted({name for _, name in rows})
    return Frame(
        source=GATEWAY,
        id=str(number),
        domain=domain,
        area=area,
        origin=Origin.SIMULATED,
        ingest_ms=at_ms,
        sensors=tuple(sensors),
        properties=tuple(properties),
        units=None,
        sensor=np.array([sensors.index(one.point) for one, _ in rows], np.int32),
        property=np.array([properties.index(name) for _, name in rows], np.int32),
        time_ms=np.array([one.time_ms for one, _ in rows], np.int64),
        value=np.array([one.value for one, _ in rows], np.float64),
    )


# derived values -----------------------------------------------------------------------------------


def value_of(rule: str) -> str:
    """The property that stands for what a domain derives for the rule."""
    return rule.replace(".", "_") + "_value"


def _stand_in(domain: Domain, case: Case) -> Domain:
    """The domain as it is; or, when the test itself says what it derives, a stand-in that computes
    nothing and takes those values."""
    rules = {rule.name: rule for rule in domain.rules if rule.property is None}
    said = sorted({one.what for one in case.seen} & rules.keys())
    if not said:
        return domain
    values = [
        Property(
            name=value_of(name),
            unit=rules[name].unit,
            scale=rules[name].unit_scale,
            title=rules[name].title,
            low=Decimal(-1_000_000_000),
            high=Decimal(1_000_000_000),
            report_s=86_400,
            windows_s=domain.properties[0].windows_s,
            checks=Checks(health=False),
        )
        for name in said
    ]
    first = len(domain.properties)

    def step(state: Any, view: AreaView, batch: Batch) -> tuple[Any, Outputs]:
        outputs = Outputs()
        for row in np.flatnonzero(batch.fresh).tolist():
            series = int(batch.rows.series[row])
            number = int(view.series_property[series]) - first
            if number >= 0:
                time_ms, value = int(batch.rows.time_ms[row]), int(batch.rows.value[row])
                point = int(view.series_point[series])
                outputs.judgements.append(Judgement(said[number], point, time_ms, value))
        return state, outputs

    return replace(
        Domain(domain.name, domain.title, (*domain.properties, *values), domain.points),
        timing=domain.timing,
        parameters=domain.parameters,
        rules=domain.rules,
        step=step,
    )
