"""Runs a test of rules through the real pipeline, in memory: no log, no database, no clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.rules.came import Came, came, fits
from deploy.rules.case import Case, Wanted, clock
from deploy.rules.city import Stretch, Version, close_of, stretches
from deploy.rules.stand_in import stand_in
from streams.alerting.ruleset import RuleSet
from streams.catalog import Profile, Registry
from streams.contracts.codec import encode_control
from streams.contracts.domain import Domain
from streams.contracts.frame import Record
from streams.contracts.outcome import RegionMessage, Transition
from streams.contracts.reason import Change, NamespaceKind, Origin
from streams.log import OBSERVATION_TOPIC, Entry
from streams.pipeline import Pipeline, PipelineSetup
from streams.region.order import Sequencer
from streams.region.pages import MemoryPages
from streams.region.stage import RegionStage
from streams.storage.alerts import alert_state

Row = tuple[Wanted | None, Came | None]
UNSPOKEN = (Change.ONSET, Change.HIDDEN, Change.SHOWN)  # a test may leave them out


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a test went: what happened, each wanted transition beside the one that came, and what
    is wrong."""

    case: Case
    came: list[Came]
    rows: list[Row]
    faults: list[str]

    @property
    def passed(self) -> bool:
        return not self.faults


def judge_case(case: Case, rules: RuleSet, domains: Mapping[str, Domain]) -> Verdict:
    """Plays the test under its own rule set, or else the one given, and compares."""
    used = domains_of(case, domains)
    states, refused = _play(case, case.rules or rules, used)
    return judge(case, states, refused)


def domains_of(case: Case, domains: Mapping[str, Domain]) -> dict[str, Domain]:
    """The domains that the test is played with."""
    return {name: stand_in(domain, case) for name, domain in domains.items()}


def judge(case: Case, states: Sequence[Mapping[str, Any]], refused: Sequence[str] = ()) -> Verdict:
    """Compares full states of alerts, each alert's in its order, with what the test wants."""
    found = came(case, states)
    rows = list(_rows(case, found))
    return Verdict(case, found, rows, [*refused, *_faults(case, rows)])


def is_fault(row: Row) -> bool:
    """Whether the transition did not come, or is not wanted."""
    wanted, one = row
    return one is None or (wanted is None and one.change not in UNSPOKEN)


def told(one: Came) -> str:
    """A transition for people."""
    return f"{one.change.value} {one.severity.name.lower()}"


def hoped(one: Wanted) -> str:
    """What was wanted, for people."""
    change = "" if one.change is None else one.change.value
    colour = "" if one.severity is None else f" {one.severity.name.lower()}"
    return ", ".join([change + colour, *(f"{name} {text}" for name, text in one.more.items())])


def _faults(case: Case, rows: Sequence[Row]) -> Iterator[str]:
    for wanted, one in filter(is_fault, rows):
        if wanted is None and one is not None:
            at = clock(case, one.event_ms)
            yield f"not wanted: {at} {one.rule} at {one.subject}: {told(one)}"
        elif wanted is not None:
            between = f"{clock(case, wanted.from_ms)} and {clock(case, wanted.to_ms)}"
            yield f"line {wanted.line}: did not come: {hoped(wanted)} between {between}"


def _rows(case: Case, found: Sequence[Came]) -> Iterator[Row]:
    """Every transition of a rule and subject that the test speaks of beside the one it wants."""
    for rule, subject in dict.fromkeys((one.rule, one.subject) for one in case.wanted):
        there = [one for one in found if (one.rule, one.subject) == (rule, subject)]
        wanted = [
            one
            for one in case.wanted
            if (one.rule, one.subject) == (rule, subject) and not one.never
        ]
        yield from _aligned(wanted, there)


def _aligned(wanted: Sequence[Wanted], there: Sequence[Came]) -> Iterator[Row]:
    """Both in their order, with as many pairs that fit as there can be."""
    best = [[0] * (len(there) + 1) for _ in range(len(wanted) + 1)]
    for i in reversed(range(len(wanted))):
        for j in reversed(range(len(there))):
            paired = best[i + 1][j + 1] + 1 if fits(wanted[i], there[j]) else 0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    i = j = 0
    while i < len(wanted) and j < len(there):
        if fits(wanted[i], there[j]) and best[i][j] == best[i + 1][j + 1] + 1:
            yield wanted[i], there[j]
            i, j = i + 1, j + 1
            continue
        earlier = there[j].event_ms < wanted[i].to_ms
        if best[i][j + 1] > best[i + 1][j] or (best[i][j + 1] == best[i + 1][j] and earlier):
            yield None, there[j]
            j += 1
        else:
            yield wanted[i], None
            i += 1
    yield from ((one, None) for one in wanted[i:])
    yield from ((None, one) for one in there[j:])


# both stages ----------------------------------------------------------------------------------


def _play(
    case: Case, rules: RuleSet, domains: Mapping[str, Domain]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Full states of alerts in their order, and what was refused."""
    names = sorted(p.name for domain in domains.values() for p in domain.properties)
    numbers = {name: number for number, name in enumerate(names, 1)}
    setup = PipelineSetup(OBSERVATION_TOPIC, 0, NamespaceKind.SIMULATED, domains, numbers)
    pipeline, region = Pipeline(setup), _Region(domains)
    states, refused, offset = list[dict[str, Any]](), list[str](), 0
    for stretch in stretches(case, rules, domains):
        closes = {one: close_of(case, one, states, stretch.start_ms) for one in stretch.closes}
        refused += [
            f"nothing to close: {c.rule} at {c.subject}" for c, e in closes.items() if not e
        ]
        entries = [entry for entry in closes.values() if entry is not None]
        records = list(_records(stretch, entries, offset))
        offset += len(records)
        contents = {one.version: one.to_dict() for one in stretch.versions.values()}
        outcome = pipeline.process(records, contents)
        found = outcome.transitions + region.take(stretch.versions, outcome.region)
        states += [alert_state(one) for one in found]
        refused += [f"refused: {one.reason.value}: {one.detail}" for one in outcome.dead_letters]
    return states, refused


def _records(stretch: Stretch, closes: Sequence[Entry], offset: int) -> Iterator[Record]:
    at = stretch.start_ms
    first: list[tuple[int, Entry]] = [
        (at, encode_control(kind, v.version, at)) for kind, v in stretch.versions.items()
    ]
    first += [(at, entry) for entry in closes]
    for number, (time_ms, message) in enumerate([*first, *stretch.messages], offset):
        yield Record(number, time_ms, *message)


class _Region:
    """The second stage, as its runner drives it, without a store."""

    def __init__(self, domains: Mapping[str, Domain]) -> None:
        self._domains = domains
        self._pages = MemoryPages()
        self._order = Sequencer(())
        self._versions: dict[str, Version] = {}

    def take(
        self, changed: Mapping[str, Version], messages: Sequence[RegionMessage]
    ) -> list[Transition]:
        """What the messages make happen, from these versions on."""
        self._versions |= changed
        registry, profile = self._versions["registry"], self._versions["profile"]
        rules = self._versions["rules"]
        assert isinstance(registry, Registry)
        assert isinstance(profile, Profile)
        assert isinstance(rules, RuleSet)
        stage = RegionStage(
            registry, self._domains, profile.values, self._pages, Origin.SIMULATED, rules
        )
        self._order.areas = set(registry.partitions)
        return stage.apply(self._order.push(messages)).transitions
