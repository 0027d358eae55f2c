"""The region stage in one screen: ordered messages in, facts and alert transitions out.

Moments (all messages of one processing time) one after the other: timers first, then each domain's
facts, then what the facts and the gateways say to the alert rules, then what people close, then
the colours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from streams.alerting.ruleset import RuleSet
from streams.catalog import Registry
from streams.contracts.closing import Closed
from streams.contracts.domain import Domain
from streams.contracts.outcome import AreaRisk, RegionMessage, Transition
from streams.contracts.reason import Origin
from streams.region.alerts import RegionAlerts
from streams.region.fold import DomainFold
from streams.region.members import find_members
from streams.region.order import moments
from streams.region.pages import Fact, Pages
from streams.region.parameters import domain_parameters, judge_within_ms, offset_ms
from streams.region.risk import RiskFold, cities_of

FOLDED = ("partial", "watermark")


@dataclass(slots=True)
class RegionResult:
    """What a stretch of ordered messages changed."""

    facts: list[Fact] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)
    risks: dict[str, AreaRisk] = field(default_factory=dict)


class RegionStage:
    """See the module. Holds no state of its own: everything is in the pages.

    `values` are the profile's house numbers. Messages must come in order, and all messages of one
    processing time in the same call (`streams.region.order`).
    """

    def __init__(
        self,
        registry: Registry,
        domains: Mapping[str, Domain],
        values: Mapping[str, str],
        pages: Pages,
        origin: Origin,
        rules: RuleSet | None = None,
    ) -> None:
        self._city_of = {area: registry.city_of(area) for area in registry.areas}
        self._alerts = RegionAlerts(registry, domains, values, pages, origin, rules)
        self._risks = RiskFold(registry, pages)
        self._folds = {
            name: DomainFold(
                domain,
                find_members(registry, domain),
                domain_parameters(domain, values),
                offset_ms(values),
                judge_within_ms(values),
                pages,
            )
            for name, domain in sorted(domains.items())
        }

    def apply(self, messages: Iterable[RegionMessage]) -> RegionResult:
        """Folds the messages; facts and transitions come in the order of their processing time."""
        result = RegionResult()
        for proc_ms, moment in moments(messages):
            position, known = max(m.position for m in moment), len(result.transitions)
            result.transitions += self._alerts.fire_due(proc_ms, position)
            result.transitions += self._alerts.refit(proc_ms, position)
            for name, fold in self._folds.items():
                own = [m for m in moment if m.domain == name and m.kind in FOLDED]
                if own:
                    facts, values = fold.fold(proc_ms, self._city_of, own)
                    result.facts += facts
                    for value in values:
                        result.transitions += self._alerts.judge_city(value, position)
            sources = [m for m in moment if m.kind == "source"]
            if sources:
                result.transitions += self._alerts.judge_gateways(sources)
            for message in (m for m in moment if m.kind == "close"):
                closed, found = self._alerts.close(message, position)
                result.closed.append(closed)
                result.transitions += found
            told = [m for m in moment if m.kind == "risk"]
            changed = cities_of({t.subject for t in result.transitions[known:]})
            if told or changed:
                books = {city: self._alerts.book_of(city) for city in changed}
                result.risks |= {r.area: r for r in self._risks.fold(proc_ms, told, books)}
        return result
