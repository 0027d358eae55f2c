"""Alerts that span areas: a city's facts under a domain's rule, and gateways that fall silent.

One `Book` per subject, kept as a page; its timers fire before the moment that passes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import msgspec

from streams.alerting.book import Book, Moment
from streams.alerting.in_force import Subject
from streams.alerting.rule import Thresholds, fill
from streams.alerting.ruleset import RuleSet
from streams.alerting.ruling import Ruling, everywhere, rulings
from streams.alerting.stages.parameters import flap_numbers
from streams.alerting.track import BookState, Flap, Track
from streams.catalog import Registry
from streams.contracts.closing import Close, Closed
from streams.contracts.completeness import Completeness
from streams.contracts.domain import Domain, TierRule, Title
from streams.contracts.outcome import RegionMessage, Transition
from streams.contracts.reason import NamespaceKind, Origin
from streams.quality.parameters import ALERT_VALID, whole
from streams.region.fold import CityValue
from streams.region.gateway import (
    RULE,
    AreaSilence,
    evidence,
    is_silent,
    scaled_share,
    sum_silence,
)
from streams.region.pages import Pages
from streams.region.parameters import (
    PARAMETERS,
    SILENT_SHARE,
    GatewayNumbers,
    domain_parameters,
    gateway_numbers,
    offset_ms,
    read_parameters,
)
from streams.resilience.composite import completeness, roll_up

DEADLINES = "book deadlines"
IN_FORCE = "rule set in force"
REGION = "region"
SHARE_SCALE = 4
ORIGINS = {
    NamespaceKind.LIVE: Origin.LIVE,
    NamespaceKind.SIMULATED: Origin.SIMULATED,
    NamespaceKind.REPLAY: Origin.REPLAYED,
    NamespaceKind.VERIFY: Origin.REPLAYED,
    NamespaceKind.DRILL: Origin.DRILL,
}


class RegionAlerts:
    """Judges city values and gateway silences; see the module."""

    def __init__(
        self,
        registry: Registry,
        domains: Mapping[str, Domain],
        values: Mapping[str, str],
        pages: Pages,
        origin: Origin,
        rules: RuleSet | None = None,
    ) -> None:
        self._domains = domains
        self._values = values
        self._said = rules
        self._registry = registry
        self._pages = pages
        self._origin = origin
        self._numbers = gateway_numbers(values)
        self._valid_ms = whole(values, ALERT_VALID) * 1000
        self._flap = flap_numbers(values)
        self._rules: dict[str, dict[str, dict[str, Ruling]]] = {}  # by city and domain
        self._gateway_rule = everywhere(gateway_rule(self._numbers, values))
        self._sensors = count_sensors(registry)

    def refit(self, now_ms: int, position: int) -> list[Transition]:
        """The first moment under another rule set: alerts of cities go on under it, or end."""
        mark = "" if self._said is None else self._said.mark
        if self._pages.state(IN_FORCE).get("mark", "") == mark:
            return []
        found: list[Transition] = []
        for area in sorted(self._registry.areas.values(), key=lambda area: area.code):
            if area.level == "city":
                book = self._load(f"area:{area.code}")
                found += book.refit(Moment(now_ms, position, self._origin))
                self._keep(f"area:{area.code}", book)
        self._pages.put_state(IN_FORCE, {"mark": mark})
        return found

    def fire_due(self, now_ms: int, position: int) -> list[Transition]:
        """Timers of open alerts with a deadline up to now, in (deadline, subject) order."""
        found: list[Transition] = []
        deadlines: dict[str, int] = dict(self._pages.state(DEADLINES))
        while deadlines:
            at, subject = min((at, subject) for subject, at in deadlines.items())
            if at > now_ms:
                break
            book = self._load(subject)
            while (due := book.due()) is not None and due[0] <= at:
                found += book.fire(due[1], due[0], position)
            self._keep(subject, book)
            deadlines = dict(self._pages.state(DEADLINES))
        return found

    def judge_city(self, value: CityValue, position: int) -> list[Transition]:
        """One value of a city, in event order."""
        subject = f"area:{value.city}"
        book = self._load(subject)
        told = {
            "indicator": value.fact.key.indicator,
            "start_ms": value.fact.key.start_ms,
            "detail": value.fact.value.detail,
        }
        found: list[Transition] = []
        for name in book.followers(value.rule):
            found += book.judge(
                name,
                Subject(subject, None),
                value.time_ms,
                value.value,
                Moment(value.decided_ms, position, self._origin),
                evidence=told,
            )
        self._keep(subject, book)
        return found

    def book_of(self, city: str) -> Book:
        """The alerts that the region stage holds on a city."""
        return self._load(f"area:{city}")

    def close(self, message: RegionMessage, position: int) -> tuple[Closed, list[Transition]]:
        """A person's word that an alert of a city or a gateway has ended."""
        close = msgspec.convert(message.payload, Close)
        book = self._load(close.subject)
        moment = Moment(message.proc_ms, position, self._origin)
        verdict, found = book.close(close, moment)
        if found:
            self._keep(close.subject, book)
        told = Closed(
            close.alert, close.number, verdict, book.area, message.proc_ms, message.position
        )
        return told, found

    def judge_gateways(self, messages: Sequence[RegionMessage]) -> list[Transition]:
        """Source messages of one processing time: each gateway is judged once, after them."""
        found: list[Transition] = []
        touched: dict[str, list[RegionMessage]] = {}
        for message in messages:
            touched.setdefault(str(message.payload["source"]), []).append(message)
        for gateway, told in sorted(touched.items()):
            areas = dict(self._pages.state(f"gateway/{gateway}"))
            areas |= {m.area: asdict(AreaSilence.of(m)) for m in told}
            self._pages.put_state(f"gateway/{gateway}", areas)
            found += self._judge_gateway(gateway, areas, told)
        return found

    def _judge_gateway(
        self, gateway: str, stored: Mapping[str, Any], told: Sequence[RegionMessage]
    ) -> list[Transition]:
        last = told[-1]
        areas = {area: AreaSilence(**silence) for area, silence in stored.items()}
        silence = sum_silence(areas, self._sensors.get(gateway, {}), self._numbers)
        subject = Subject(f"gateway:{gateway}", None)
        book = self._load(subject.key)
        onset = book.onset(RULE, subject)
        if onset is None and not is_silent(silence, self._numbers):
            return []
        count = silence.together if onset is None else silence.silent
        found = book.judge(
            RULE,
            subject,
            silence.onset_ms if onset is None else max(onset, last.proc_ms),
            scaled_share(count, silence.total, SHARE_SCALE),
            Moment(last.proc_ms, last.position, self._origin_of(told)),
            evidence=evidence(gateway, areas, silence, self._numbers),
        )
        self._keep(subject.key, book)
        return found

    def _origin_of(self, told: Sequence[RegionMessage]) -> Origin:
        """Live only when the namespace is and nobody says otherwise."""
        said = (Origin(m.payload.get("origin", self._origin)) for m in told)
        return next((origin for origin in said if origin is not Origin.LIVE), self._origin)

    # -- books as pages ---------------------------------------------------------------------------

    def _load(self, subject: str) -> Book:
        kind, _, name = subject.partition(":")
        valid_ms = self._numbers.valid_ms if kind == "gateway" else self._valid_ms
        book = Book(self._area_of(kind, name), valid_ms)
        book.complete = partial(self._complete, book.area)
        book.mark = "" if self._said is None else self._said.mark
        book.stages.numbers = self._flap
        if kind == "gateway":
            book.use(REGION, {RULE: self._gateway_rule})
        else:
            for domain, rules in self._rules_of(name).items():
                book.use(domain, rules)
        content = self._pages.state(f"book/{subject}")
        if content:
            book.state = BookState(
                {key: Track(**track) for key, track in content["tracks"].items()},
                dict(content["points"]),
                dict(content["origins"]),
                dict(content.get("onsets", {})),
                {key: Flap(**flap) for key, flap in content.get("flaps", {}).items()},
            )
        return book

    def _rules_of(self, city: str) -> Mapping[str, Mapping[str, Ruling]]:
        if city not in self._rules:
            self._rules[city] = {
                name: city_rules(domain, self._values, self._said or RuleSet(), city)
                for name, domain in self._domains.items()
            }
        return self._rules[city]

    def _keep(self, subject: str, book: Book) -> None:
        self._pages.put_state(f"book/{subject}", asdict(book.state))
        deadlines = dict(self._pages.state(DEADLINES))
        due = book.due()
        if due is None:
            deadlines.pop(subject, None)
        else:
            deadlines[subject] = due[0]
        self._pages.put_state(DEADLINES, deadlines)

    def _complete(self, area: str) -> Completeness | None:
        """Of an area, by what the counties have told: before this moment, as everything here."""
        known = self._registry.areas.get(area)
        if known is None:
            return None
        city = self._registry.city_of(area)
        members = self._pages.state(f"risk/{city}")
        if area != city:
            member = members.get(area, {})
            return Completeness.of_counts(member, bool(member.get("unknown")))
        return completeness(roll_up(city, members, 0, 0))

    def _area_of(self, kind: str, name: str) -> str:
        if kind != "gateway":
            return name
        known = self._registry.gateways.get(name)
        return known.area if known is not None else ""


def city_rules(
    domain: Domain, values: Mapping[str, str], rules: RuleSet, city: str
) -> dict[str, Ruling]:
    """The rules that judge facts of this domain in a city, as a rule set leaves them."""
    wanted = {spec.rule for spec in domain.facts if spec.rule is not None}
    parameters = domain_parameters(domain, values)
    found = rulings(domain, parameters, rules, city, (), offset_ms(values))
    return {name: ruling for name, ruling in found.items() if ruling.watches in wanted}


def gateway_rule(numbers: GatewayNumbers, values: Mapping[str, str]) -> Thresholds:
    """The gateway rule over the silent share of its sensors; ends with the first share below."""
    rule = TierRule(
        name=RULE,
        title=Title("网关静默", "gateway silent"),
        levels=((SILENT_SHARE.key, numbers.severity),),
        unit_scale=SHARE_SCALE,
        clear_count="1",
        unit="1",
    )
    return fill(rule, read_parameters(PARAMETERS, values))


def count_sensors(registry: Registry) -> dict[str, dict[str, int]]:
    """Sensors of every gateway in the registry, by area."""
    found: dict[str, dict[str, int]] = {}
    for area, sensors in registry.sensors_by_area.items():
        for sensor in sensors:
            counts = found.setdefault(sensor.gateway, {})
            counts[area] = counts.get(area, 0) + 1
    return found
