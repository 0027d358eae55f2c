"""`citybrain rules explain`: why an alert fired, step by step, from what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from deploy.registry_store import opened
from deploy.rules.picture import Line, chart
from deploy.rules.staged import stage_lines
from deploy.rules.store import in_force
from streams.alerting.ruleset import RuleSet
from streams.alerting.ruling import Standing, effective, standings
from streams.alerting.stages.parameters import flap_numbers
from streams.area.view import parameters_of
from streams.contracts.domain import Domain
from streams.contracts.reason import Severity
from streams.errors import Misconfigured
from streams.storage.explaining import (
    AlertHead,
    Hazard,
    Late,
    Move,
    Named,
    Reading,
    Told,
    find_alert,
    hazards_around,
    late_beside,
    moves_of,
    named,
    readings_around,
    transitions_of,
)
from streams.storage.registry import known_versions, load_version

SHOWN_READINGS = 2  # before and after each transition
WOULD = {
    "earlier": "it would have begun earlier, {}",
    "higher": "it would have been {} then",
    "longer": "it would not have ended then",
    "raised": "there would have been another alert, {}",
}


@dataclass(frozen=True)
class Story:
    """Everything of one alert. `standing` is its rule as the set of its last transition has it."""

    alert: AlertHead
    told: list[Told]
    readings: list[Reading]
    hazards: list[Hazard]
    late: list[Late]
    versions: Mapping[str, str]  # short mark → hash of the rule set
    standing: Standing | None
    thresholds: Mapping[str, Decimal]
    zone: timezone
    moves: list[Move]  # of the colour, over the alerts of its rule and subject
    others: Mapping[str, Named]  # that hid it
    within: timedelta  # in which too many moves are flapping


def tell_story(
    conninfo: str, namespace: str, beginning: str, domains: Mapping[str, Domain]
) -> Story:
    """Reads it. Raises `Misconfigured` when no alert, or more than one, begins so."""
    held = in_force(conninfo, namespace)
    with opened(conninfo, namespace) as connection:
        alert = find_alert(connection, beginning)
        told = transitions_of(connection, alert.id)
        late = late_beside(connection, alert.id)
        versions: dict[str, str] = {}
        for mark in dict.fromkeys(one.rule_version.partition("@")[2] for one in told):
            known = known_versions(connection, mark, "rules") if mark else []
            versions |= {mark: known[0]} if known else {}
        last = versions.get(told[-1].rule_version.partition("@")[2])
        rules = RuleSet.from_dict(load_version(connection, last)) if last else RuleSet()
        standing = _standing(alert, domains, held.values, rules)
        prop = None if standing is None else standing.rule.property
        within = timedelta(milliseconds=flap_numbers(held.values).within_ms)
        moves, others = moves_of(connection, alert, told, within), named(connection, told)
        readings, hazards = [], []
        if alert.point is not None:
            hazards = hazards_around(connection, alert.point, told)
            if prop is not None:
                readings = readings_around(connection, alert.point, prop, told)
    hours = float(held.values.get("profile.utc_offset_hours", "8"))
    zone = timezone(timedelta(hours=hours))
    thresholds = _thresholds(alert, standing)
    return Story(
        alert,
        told,
        readings,
        hazards,
        late,
        versions,
        standing,
        thresholds,
        zone,
        moves,
        others,
        within,
    )


def _standing(
    alert: AlertHead, domains: Mapping[str, Domain], values: Mapping[str, str], rules: RuleSet
) -> Standing | None:
    domain = domains.get(alert.domain)
    if domain is None:
        return None
    try:
        return standings(domain, parameters_of(domain, values), rules).get(alert.rule)
    except Misconfigured:
        return None  # of another release: the transitions still say what they say


def _thresholds(alert: AlertHead, standing: Standing | None) -> dict[str, Decimal]:
    if standing is None:
        return {}
    levels = effective(standing, alert.area, alert.point).numbers.levels
    return {severity.name.lower(): Decimal(level.text) for severity, level in levels.items()}


def story_lines(story: Story) -> Iterator[str]:
    """For people."""
    alert, zone = story.alert, story.zone
    title = "" if story.standing is None else f"{story.standing.rule.title.zh} · "
    title += "" if story.standing is None else story.standing.rule.title.en
    yield f"{alert.id}  {alert.rule}  {title}".rstrip()
    where = f"{alert.subject} in {alert.area}, origin {alert.origin}"
    now = f"{alert.state} {Severity(alert.severity).name.lower()}"
    yield f"{where}; now {now}; onset {_at(alert.onset, zone)}"
    for one in story.told:
        yield ""
        yield from _step_lines(story, one)
    yield ""
    yield from _chart(story)
    for hazard in story.hazards:
        end = "goes on" if hazard.end is None else f"to {_at(hazard.end, zone)}"
        yield f"episode {hazard.kind} {hazard.id}: from {_at(hazard.start, zone)}, {end}"
    for late in story.late:
        yield from _late_lines(late, zone)


def _step_lines(story: Story, one: Told) -> Iterator[str]:
    severity = Severity(one.severity).name.lower()
    marks = [name for name, on in (("stale", one.stale), ("unverified", one.unverified)) if on]
    yield (
        f"{one.sequence}. {_at(one.event_time, story.zone)}  {one.change} → {one.state} {severity}"
        f"{' (' + ', '.join(marks) + ')' if marks else ''}"
    )
    if one.value is not None and one.threshold:
        compared = "≥" if Decimal(one.value) >= Decimal(one.threshold) else "<"
        yield f"   value {one.value} {one.unit} {compared} threshold {one.threshold} {one.unit}"
    elif one.value is None:
        yield "   no measurement decided it"
    numbers, _, mark = one.rule_version.partition("@")
    version = story.versions.get(mark, mark) or "none: the domain's own rules and the profile"
    yield f"   thresholds {numbers or '-'}, rule set {version}"
    yield (
        f"   decided {_at(one.decided_at, story.zone)} by {one.topic}[{one.partition}] "
        f"at position {one.position}"
    )
    for line in stage_lines(one, story.moves, story.others, story.within, story.zone):
        yield f"   {line}"
    if one.evidence:
        yield f"   evidence {one.evidence}"
    before = [r for r in story.readings if r.t <= one.event_time][-SHOWN_READINGS:]
    after = [r for r in story.readings if r.t > one.event_time][:1]
    for reading in before + after:
        sign = "·" if reading.t <= one.event_time else "›"
        flag = "" if reading.flag <= 1 else f" flag {reading.flag}"
        value = Decimal(reading.value).scaleb(-reading.scale).normalize()
        yield (
            f"   {sign} {_at(reading.t, story.zone)} {reading.sensor} {value:f} {reading.unit}"
            f"{flag} (position {reading.position})"
        )


def _late_lines(late: Late, zone: timezone) -> Iterator[str]:
    severity = Severity(late.severity).name.lower()
    yield (
        f"too late to be judged: {late.readings} readings from {_at(late.first_time, zone)}, worst "
        f"{late.worst_value} {late.unit} ≥ {late.threshold} at {_at(late.worst_time, zone)} "
        f"({late.sensor}): {WOULD[late.kind].format(severity)}"
    )
    yield (
        f"   came {_at(late.decided_at, zone)}, {late.topic}[{late.partition}] position "
        f"{late.position}"
    )


def _chart(story: Story) -> Iterator[str]:
    """In the unit of the rule, which may be another than the property's. A derived value is known
    where the alert moved only."""
    standing = story.standing
    if standing is None:
        return
    if story.readings:
        scale, name = standing.rule.unit_scale, standing.rule.property or ""
        values = [(r.t, Decimal(r.value).scaleb(-scale)) for r in story.readings]
    else:
        name = standing.watches
        values = [(t.event_time, Decimal(t.value)) for t in story.told if t.value is not None]
    if not values:
        return
    points = [(_ms(at), float(value)) for at, value in values]
    lines = [Line(colour, float(value)) for colour, value in story.thresholds.items()]
    first, last = (_at(values[n][0], story.zone) for n in (0, -1))
    yield f"{name} in {standing.rule.unit or '1'}, {first} to {last}"
    yield from chart(points, lines, [_ms(one.event_time) for one in story.told])


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def story_json(story: Story) -> dict[str, Any]:
    """For programs."""
    return {
        "alert": asdict(story.alert),
        "transitions": [asdict(one) for one in story.told],
        "readings": [asdict(one) for one in story.readings],
        "episodes": [asdict(one) for one in story.hazards],
        "late": [asdict(one) for one in story.late],
        "colour_moves": [asdict(one) for one in story.moves],
        "hidden_by": [asdict(one) for one in story.others.values()],
        "rule_sets": dict(story.versions),
        "thresholds": {name: str(value) for name, value in story.thresholds.items()},
    }


def _at(moment: datetime, zone: timezone) -> str:
    return moment.astimezone(zone).strftime("%m-%d %H:%M:%S")
