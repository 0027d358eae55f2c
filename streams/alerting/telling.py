"""How a change of an alert is told: one step of its life as the transition that is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streams.alerting.rule import Thresholds
from streams.alerting.stages import Staged
from streams.alerting.track import Step, Track
from streams.contracts.completeness import Completeness
from streams.contracts.exact import to_text
from streams.contracts.outcome import Transition
from streams.contracts.reason import AlertState, Change, Origin, Severity


@dataclass(frozen=True, slots=True)
class Telling:
    """What a transition says besides the step. `rule` None: it does not hold there any more."""

    name: str
    domain: str
    area: str
    point: str | None
    subject: str
    rule: Thresholds | None
    mark: str  # short hash of the rule set in force, "" without one
    decided_ms: int
    valid_until_ms: int
    position: int
    origin: Origin
    completeness: Completeness | None  # of the area, None: not known


def tell(
    telling: Telling,
    track: Track,
    step: Step,
    staged: Staged,
    evidence: Mapping[str, Any],
) -> Transition:
    """The step of the alert as a transition; `track.sequence` is its number."""
    rule = telling.rule
    severity = severity_of(rule, track, step)
    return Transition(
        alert=track.alert,
        sequence=track.sequence,
        rule=telling.name,
        rule_version=rule_version(rule, telling.mark),
        domain=telling.domain,
        area=telling.area,
        point=telling.point,
        subject=telling.subject,
        onset_ms=track.onset_ms,
        event_ms=step.event_ms,
        decided_ms=telling.decided_ms,
        state=_state(step, track),
        severity=severity,
        stale=track.stale and not step.ended,
        unverified=track.unverified,
        change=step.change,
        value=_text(rule, step.value),
        threshold=_threshold(rule, severity),
        unit="" if rule is None else rule.rule.unit,
        origin=telling.origin,
        position=telling.position,
        valid_until_ms=telling.valid_until_ms,
        evidence=dict(evidence),
        completeness=telling.completeness,
        suppressed_by=staged.suppressed_by,
        held=staged.held,
    )


def rule_version(rule: Thresholds | None, mark: str) -> str:
    """`<numbers>`, or `<numbers>@<set>` under a rule set: twelve digits each.

    `<numbers>` is the hash of the thresholds that judged the alert (empty where the rule does not
    hold any more), `<set>` the beginning of the rule set's version.
    """
    numbers = "" if rule is None else rule.version
    return f"{numbers}@{mark}" if mark else numbers


def severity_of(rule: Thresholds | None, track: Track, step: Step) -> Severity:
    """Of the tier after the step (the one left, for an ending)."""
    tiers = track.tiers or ([] if rule is None else rule.severities)
    return Severity(tiers[step.tier - 1]) if step.tier else Severity.NONE


def _text(rule: Thresholds | None, value: int | None) -> str | None:
    return None if value is None or rule is None else to_text(value, rule.rule.unit_scale)


def _threshold(rule: Thresholds | None, severity: Severity) -> str | None:
    """The threshold of the severity, the lowest for none; None where the rule has no such level."""
    if rule is None:
        return None
    levels = dict(zip(rule.severities, rule.texts, strict=True))
    return rule.texts[0] if severity is Severity.NONE else levels.get(severity)


def _state(step: Step, track: Track) -> AlertState:
    if step.ended:
        return AlertState.RESOLVED
    if step.change is Change.ONSET:
        return AlertState.PENDING
    return track.state
