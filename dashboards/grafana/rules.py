"""The thresholds of a panel, from the rule that judges what it shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from dashboards.grafana.model import COLOURS, Step
from streams.contracts.domain import Domain, FactSpec, Property, TierRule
from streams.contracts.reason import Severity


def rules_of(domain: Domain, prop: Property) -> Iterator[TierRule]:
    """Rules that judge the raw property."""
    return (rule for rule in domain.rules if rule.property == prop.name)


def rule_of(domain: Domain, fact: FactSpec) -> TierRule | None:
    """The rule that judges the fact."""
    return next((rule for rule in domain.rules if rule.name == fact.rule), None)


def steps(
    rule: TierRule, parameters: Mapping[str, str], scale: int | None = None
) -> tuple[Step, ...]:
    """One step per level, in the rule's own unit, or, with the `scale` of the property that it
    judges, in the property's unit; green below the first.

    A level's scaled value is parameter × 10^unit_scale; the property's is value × 10^scale.
    """
    shift = rule.unit_scale - scale if scale is not None else 0
    levels = [
        (Decimal(parameters[key]) * Decimal(10) ** shift, severity)
        for key, severity in rule.levels
        if key in parameters
    ]
    return (
        Step(None, COLOURS[Severity.NONE]),
        *(Step(float(value), COLOURS[severity]) for value, severity in sorted(levels)),
    )


def parameters_of(domain: Domain, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The domain's numbers: those of a city where it has its own, else the defaults."""
    own = given or {}
    return {p.key: own.get(p.key, p.default) for p in domain.parameters}
