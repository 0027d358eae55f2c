"""The worst county's gateway dies in the typhoon: one alert, nothing drained, the colour kept."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from streams.catalog import Registry
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.frame import Frame, Record
from streams.contracts.outcome import AreaRisk, Transition
from streams.contracts.reason import AlertState, Change, NamespaceKind, Origin, Severity
from streams.pipeline import Pipeline, PipelineSetup
from streams.region.gateway import RULE
from streams.region.order import Sequencer
from streams.region.pages import MemoryPages
from streams.region.stage import RegionStage
from tests.support.simulated import START_MS, steps
from tests.support.small_city import DOMAINS, PROPERTY_IDS, TOPIC
from tests.support.zhejiang import registry_of

pytestmark = pytest.mark.acceptance

MINUTE = 60_000
DIES, LASTS, ENDS = 60, 20, 95
WITHIN_MS = 2 * MINUTE


def numbered(held: Registry) -> Registry:
    """As the store would save it: every sensor with a catalogue number."""
    names = sorted(held.sensors)
    sensors = {name: replace(held.sensors[name], id=n) for n, name in enumerate(names, 1)}
    return replace(held, sensors=sensors)


@dataclass
class City:
    """Both stages over the simulated city, as the host runs them, without a store."""

    held: Registry
    offset: int = 0
    region: list[Transition] = field(default_factory=list)
    first: list[Transition] = field(default_factory=list)
    risks: list[tuple[int, AreaRisk]] = field(default_factory=list)
    heard_ms: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pipelines = {
            part: Pipeline(
                PipelineSetup(TOPIC, part, NamespaceKind.SIMULATED, DOMAINS, PROPERTY_IDS)
            )
            for part in range(self.held.partition_count)
        }
        self.order = Sequencer(set(self.held.partitions))
        self.stage = RegionStage(self.held, DOMAINS, {}, MemoryPages(), Origin.SIMULATED)
        control = encode_control("registry", self.held.version, START_MS)
        for part in self.pipelines:
            self.put(part, START_MS, control)

    def put(self, part: int, at_ms: int, message: tuple[dict[str, str], bytes]) -> None:
        self.offset += 1
        record = Record(self.offset, at_ms, *message)
        contents = {self.held.version: self.held.to_dict()}
        outcome = self.pipelines[part].process([record], contents)
        self.first += outcome.transitions
        self.risks += [(at_ms, risk) for risk in outcome.risks.values()]
        self.region += self.stage.apply(self.order.push(outcome.region)).transitions

    def play(self) -> City:
        down = f"gateway-down:worst@{DIES}+{LASTS}"
        for step in steps(ENDS, spoil=[down], registry=self.held):
            for frame in step.frames:
                self.take(frame)
            for tick_ms in step.ticks_ms:
                for part in self.pipelines:
                    self.put(part, tick_ms, encode_tick(tick_ms))
        return self

    def take(self, frame: Frame) -> None:
        self.heard_ms.setdefault(frame.source, []).append(frame.ingest_ms)
        self.put(self.held.partitions[frame.area], frame.ingest_ms, encode(frame))

    def dead_gateway(self) -> tuple[str, int]:
        """The gateway with the longest pause, and when it was last heard before."""
        quiet_from = START_MS + DIES * MINUTE
        water = {s.gateway for s in self.held.sensors.values() if "depth" in s.properties}
        silent = {
            name: max(t for t in times if t < quiet_from + MINUTE)
            for name, times in self.heard_ms.items()
            if name in water
            and not any(quiet_from + MINUTE < t < quiet_from + 15 * MINUTE for t in times)
        }
        assert len(silent) == 1, "exactly one gateway died"
        return next(iter(silent.items()))


@pytest.fixture(scope="module")
def city() -> City:
    return City(numbered(registry_of(40))).play()


def area_of(city: City, gateway: str) -> str:
    (area,) = {
        city.held.points[s.point].area for s in city.held.sensors.values() if s.gateway == gateway
    }
    return area


def test_exactly_one_gateway_alert_within_two_minutes(city: City) -> None:
    gateway, heard_ms = city.dead_gateway()
    found = [t for t in city.region if t.rule == RULE]
    assert {t.subject for t in found} == {f"gateway:{gateway}"}
    assert len({t.alert for t in found}) == 1
    (fired,) = [t for t in found if t.change is Change.CONFIRMED]
    assert fired.state is AlertState.FIRING
    assert heard_ms < fired.event_ms <= heard_ms + WITHIN_MS
    assert fired.decided_ms <= heard_ms + WITHIN_MS


def test_the_region_has_no_other_matter(city: City) -> None:
    assert [t.rule for t in city.region if t.rule != RULE and t.rule.startswith("region.")] == []


def test_the_open_alerts_of_the_county_are_stale(city: City) -> None:
    gateway, heard_ms = city.dead_gateway()
    area = area_of(city, gateway)
    quiet = heard_ms + WITHIN_MS
    before = [t for t in city.first if t.area == area and t.decided_ms <= quiet]
    last = {t.alert: t for t in before if t.domain == "waterlogging"}
    silent = {s.point for s in city.held.sensors.values() if s.gateway == gateway}
    still = [t for t in last.values() if t.point in silent and t.state is not AlertState.RESOLVED]
    assert any(t.state is AlertState.FIRING for t in still), "the worst county is flooded"
    assert {t.stale for t in still} == {True}


def test_nothing_ends_while_it_is_silent(city: City) -> None:
    gateway, heard_ms = city.dead_gateway()
    silent = {s.point for s in city.held.sensors.values() if s.gateway == gateway}
    back_ms = START_MS + (DIES + LASTS) * MINUTE
    meanwhile = [
        t.change
        for t in city.first
        if t.point in silent and heard_ms + WITHIN_MS < t.decided_ms < back_ms
    ]
    assert meanwhile == []


def test_the_colour_is_kept_and_marked_unknown(city: City) -> None:
    gateway, heard_ms = city.dead_gateway()
    area = area_of(city, gateway)
    mine = [(at, risk) for at, risk in city.risks if risk.area == area]
    colour = [risk for at, risk in mine if at <= heard_ms + MINUTE][-1]
    assert colour.severity > Severity.NONE
    assert not colour.unknown
    silent_ms = heard_ms + WITHIN_MS + MINUTE
    back_ms = START_MS + (DIES + LASTS) * MINUTE
    later = [risk for at, risk in mine if silent_ms < at < back_ms]
    assert later
    assert {(risk.severity, risk.unknown) for risk in later} == {(colour.severity, True)}


def test_it_ends_and_the_county_is_known_again_when_the_gateway_is_back(city: City) -> None:
    found = [t for t in city.region if t.rule == RULE]
    assert (found[-1].change, found[-1].state) == (Change.CLEARED, AlertState.RESOLVED)
    area = area_of(city, city.dead_gateway()[0])
    assert not [risk for _, risk in city.risks if risk.area == area][-1].unknown


def test_it_is_all_an_exercise(city: City) -> None:
    assert {t.origin for t in city.first + city.region} == {Origin.SIMULATED}
