"""One suite over every domain: the project's own, and the example outside of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tests.support.toy_domain as outside
from streams.alerting.rule import fill
from streams.alerting.ruleset import RuleSet
from streams.alerting.soundness import parents_of
from streams.area.view import build_view, parameters_of
from streams.catalog import Area, Gateway, Profile, Registry, Sensor
from streams.contracts import state as state_bytes
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.domain import Derived, Domain, HourMatrix, Point
from streams.contracts.frame import Frame, Record
from streams.contracts.reason import NamespaceKind, Origin
from streams.domains import find_domains
from streams.pipeline import Pipeline, PipelineSetup
from tests.support.model_store import ModelStore
from tests.support.small_city import START_MS, TOPIC, keep_checkpoint

assert outside.__file__ is not None
DOMAINS = find_domains([Path(outside.__file__).parent])
IDS = {p.name: n for n, p in enumerate((p for d in DOMAINS.values() for p in d.properties), 1)}
AREA = "330106"
NAME = re.compile(r"[a-z][a-z0-9_]*")
EVERY = pytest.mark.parametrize("domain", DOMAINS.values(), ids=list(DOMAINS))


def family(domain: Domain) -> dict[str, Domain]:
    """The domain with those that own what it reads."""
    owners = {p.name: d for d in DOMAINS.values() for p in d.properties}
    return {d.name: d for d in (domain, *(owners[name] for name in domain.reads))}


def registry_of(domain: Domain) -> Registry:
    """Two points of every type of the family, each with a sensor of every property."""
    points: dict[str, Point] = {}
    sensors: dict[str, Sensor] = {}
    for one in family(domain).values():
        for kind in one.points:
            for number in range(2):
                name = f"{kind.name}-{number}"
                points[name] = Point(name, kind.name, AREA, name, None, None, {})
                properties = tuple(p.name for p in one.properties)
                sensors[name] = Sensor(len(sensors) + 1, name, name, "gw", properties)
    areas = {
        "330000": Area("330000", "province", None, "浙江省", "Zhejiang"),
        "330100": Area("330100", "city", "330000", "杭州市", "Hangzhou"),
        AREA: Area(AREA, "county", "330100", "西湖区", "Xihu"),
    }
    return Registry(areas, points, sensors, {"gw": Gateway("gw", AREA)}, {AREA: 0}, 1)


def log_of(domain: Domain, held: Registry, seed: int) -> list[Record]:
    """Two days of random walks inside the limits, with gaps, repeats and rows out of order."""
    sent: list[tuple[int, Any]] = []
    for number, one in enumerate(family(domain).values()):
        sent += frames_of(one, held, seed + 100 * number)
    sent.sort(key=lambda message: message[0])
    messages = [(START_MS, encode_control("registry", held.version, START_MS)), *sent]
    end = START_MS + 60 * 86_400_000
    messages.append((end, encode_tick(end)))
    return [Record(n, append, *message) for n, (append, message) in enumerate(messages)]


def frames_of(domain: Domain, held: Registry, seed: int) -> list[tuple[int, Any]]:
    """A domain's own frames, with a tick after each."""
    rng = np.random.default_rng(seed)
    messages: list[tuple[int, Any]] = []
    types = {kind.name for kind in domain.points}
    sensors = sorted(n for n, s in held.sensors.items() if held.points[s.point].type in types)
    properties = [p.name for p in domain.properties]
    low = np.array([float(p.low) for p in domain.properties])
    high = np.array([float(p.high) for p in domain.properties])
    spacing = max(max(p.report_s, p.interval_s) for p in domain.properties) * 1000
    for number in range(120 if spacing < 3_600_000 else 48):
        begin = START_MS + number * spacing
        ingest = begin + spacing + 5_000
        some = rng.random((len(sensors), len(properties))) < 0.9
        sensor, prop = (column.astype(np.int32) for column in np.nonzero(some))
        level = np.abs(np.sin(number / 9 + sensor)) ** 3 * rng.uniform(0.9, 1, len(sensor))
        time_ms = np.full(len(sensor), begin, np.int64)
        time_ms -= spacing * (rng.random(len(sensor)) < 0.05)
        frame = Frame(
            source="gw",
            id=f"{domain.name}-{number}",
            domain=domain.name,
            area=AREA,
            origin=Origin.LIVE,
            ingest_ms=ingest,
            sensors=tuple(sensors),
            properties=tuple(properties),
            units=None,
            sensor=sensor,
            property=prop,
            time_ms=time_ms,
            value=np.round(low[prop] + level * (high - low)[prop], 2),
        )
        messages += [(ingest, encode(frame)), (ingest, encode_tick(ingest + spacing // 2))]
        if rng.random() < 0.1:
            messages.append(messages[-2])
    return messages


def run(
    domain: Domain, held: Registry, records: Sequence[Record], cuts: Sequence[int], restart: bool
) -> Mapping[str, Any]:
    """The log in batches; with `restart` every batch begins from the bytes of a checkpoint."""
    setup = PipelineSetup(TOPIC, 0, NamespaceKind.LIVE, family(domain), IDS)
    contents = {held.version: held.to_dict()}
    pipeline, store = Pipeline(setup), ModelStore()
    parts: dict[str, bytes] = {}
    segments: dict[str, dict[int, bytes]] = {}
    for low, high in pairwise(sorted({0, len(records), *cuts})):
        store.apply(pipeline.process(records[low:high], contents))
        if restart:
            keep_checkpoint(pipeline, parts, segments)
            pipeline = Pipeline(setup)
            pipeline.load(parts, {k: sorted(v.items()) for k, v in segments.items()})
            pipeline.supply(contents)
    return store.canonical()


def floats_in(value: Any) -> list[Any]:
    """What is no JSON without floats."""
    match value:
        case None | bool() | int() | str():
            return [value] if isinstance(value, np.generic) else []
        case Mapping():
            keys = [key for key in value if not isinstance(key, str)]
            return keys + [bad for part in value.values() for bad in floats_in(part)]
        case list() | tuple():
            return [bad for part in value for bad in floats_in(part)]
    return [value]


def matrix_of(domain: Domain, series: int, seed: int) -> HourMatrix:
    """A random day: hours with some readings, with many, with none."""
    rng = np.random.default_rng(seed)
    n = rng.choice([0, 1, 60], (series, 24)).astype(np.int64)
    low = rng.integers(0, 50, (series, 24)) * (n > 0)
    high = (low + rng.integers(0, 50, (series, 24))) * (n > 0)
    total = (low * n + (n > 1) * (high - low)).astype(np.int64)
    return HourMatrix(START_MS, n, np.zeros_like(n), total, low, high)


# what a domain states ---------------------------------------------------------------------------


def test_the_project_has_the_domains_of_this_release() -> None:
    assert {"air", "traffic", "waterlogging", "noise"} <= set(DOMAINS)


@EVERY
def test_names_are_plain_and_unique(domain: Domain) -> None:
    properties = [p.name for p in domain.properties]
    rules = [r.name for r in domain.rules]
    indicators = [f.indicator for f in domain.facts] + [r.indicator for r in domain.rollups]
    points = [p.name for p in domain.points]
    keys = [p.key for p in domain.parameters]
    for names in (properties, rules, indicators, points, keys):
        assert len(set(names)) == len(names)
    assert all(NAME.fullmatch(name) for name in [domain.name, *properties, *points])
    assert all(name.startswith(f"{domain.name}.") for name in [*rules, *keys])
    assert properties
    assert points


def test_no_property_or_point_type_belongs_to_two_domains() -> None:
    for of in ("properties", "points"):
        names = [one.name for d in DOMAINS.values() for one in getattr(d, of)]
        assert len(set(names)) == len(names)


@EVERY
def test_every_title_is_in_both_languages(domain: Domain) -> None:
    parts = (domain.properties, domain.points, domain.rules, domain.facts, domain.rollups)
    titled: list[Any] = [domain, *(one for part in parts for one in part)]
    for one in titled:
        assert re.search("[\u4e00-\u9fff]", one.title.zh) or one.title.zh.isascii(), one
        assert one.title.zh
        assert one.title.en
        assert not re.search("[\u4e00-\u9fff]", one.title.en), one


@EVERY
def test_references_are_attributes_that_the_point_type_reads(domain: Domain) -> None:
    for each in domain.points:
        assert set(each.references) <= set(each.attributes), each.name


@EVERY
def test_properties_can_be_stored(domain: Domain) -> None:
    for prop in domain.properties:
        assert 0 <= prop.scale <= 15
        assert prop.low < prop.high
        assert max(abs(prop.low), abs(prop.high)).scaleb(prop.scale) < 2**53
        assert prop.report_s > 0
        bucket = domain.timing.bucket_s
        assert all(size % bucket == 0 or bucket % size == 0 for size in prop.windows_s)


@EVERY
def test_parameters_say_where_they_come_from(domain: Domain) -> None:
    for parameter in domain.parameters:
        assert parameter.tag in {"V", "K", "H", "C", "Plan"}
        assert parameter.source
        assert parameter.default


@EVERY
def test_rules_fill_from_declared_parameters_and_ascend(domain: Domain) -> None:
    parameters = parameters_of(domain, {})
    for rule in domain.rules:
        named = (rule.consecutive, rule.jump_over, rule.hysteresis, rule.clear_minutes)
        keys = [key for key, _ in rule.levels] + [k for k in (*named, rule.clear_count) if k]
        for key in keys:
            assert key in parameters or re.fullmatch(r"[0-9.]+", key), f"{rule.name}: {key}"
        filled = fill(rule, parameters)
        assert all(a < b for a, b in pairwise(filled.meet))
        assert all(a < b for a, b in pairwise(filled.severities))
        assert filled.consecutive >= 1
        assert (filled.clear_ms or filled.clear_count or 0) > 0, "every alert has an end"
        if rule.property is not None:
            index = domain.property_index(rule.property)
            assert domain.properties[index].scale >= 0


@EVERY
def test_rules_hide_each_other_in_no_circle(domain: Domain) -> None:
    parents = parents_of(DOMAINS, RuleSet())
    for rule in domain.rules:
        assert set(rule.hidden_by) <= set(parents)
        above = set(rule.hidden_by)
        while new := {p for name in above for p in parents[name]} - above:
            above |= new
        assert rule.name not in above


@EVERY
def test_thresholds_are_parameters_not_literals(domain: Domain) -> None:
    declared = {p.key for p in domain.parameters}
    assert all(key in declared for rule in domain.rules for key, _ in rule.levels)


@EVERY
def test_facts_name_rules_that_exist(domain: Domain) -> None:
    rules = {r.name for r in domain.rules}
    assert {f.rule for f in domain.facts if f.rule} <= rules
    daily = {f.indicator for f in domain.facts if f.period == "day"}
    assert {r.source for r in domain.rollups} <= daily


# what a domain does -----------------------------------------------------------------------------


@EVERY
@pytest.mark.parametrize("seed", [1, 2])
def test_any_split_and_any_restart_gives_the_same(domain: Domain, seed: int) -> None:
    held = registry_of(domain)
    records = log_of(domain, held, seed)
    whole = run(domain, held, records, [], restart=False)
    assert whole["observation"]
    assert whole["windows"]
    assert run(domain, held, records, range(len(records)), restart=False) == whole
    cuts = np.random.default_rng(seed).integers(1, len(records), 12).tolist()
    assert run(domain, held, records, cuts, restart=True) == whole


@EVERY
def test_what_it_tells_is_json_without_floats(domain: Domain) -> None:
    held = registry_of(domain)
    told = run(domain, held, log_of(domain, held, 3), [], restart=False)
    payloads = [told["results"], *(m["evidence"] for t in told["transitions"].values() for m in t)]
    payloads += [*told["partials"].values(), *(e["payload"] for e in told["episodes"].values())]
    payloads = [list(p.values()) if p is told["results"] else p for p in payloads]
    assert floats_in(payloads) == []


@EVERY
def test_its_first_state_survives_a_checkpoint(domain: Domain) -> None:
    if domain.initial is None:
        assert domain.state_type is None
        return
    assert domain.state_type is not None, "a state must be kept"
    view = build_view(domain, AREA, registry_of(domain), Profile("test"), None)
    held = state_bytes.dump(domain.initial(view, None))
    assert state_bytes.dump(state_bytes.restore(held, domain.state_type)) == held


LEARNING = pytest.mark.parametrize(
    "domain",
    [d for d in DOMAINS.values() if d.learns],
    ids=[n for n, d in DOMAINS.items() if d.learns],
)


@LEARNING
def test_what_it_learns_is_told_for_days_that_have_not_begun(domain: Domain) -> None:
    assert domain.learns is not None
    assert domain.learns.startswith(f"{domain.name}.")
    assert domain.close is not None
    assert domain.hourly is not None or domain.daily is not None
    held = registry_of(domain)
    records = log_of(domain, held, 4)
    told = [
        (point, start, period)
        for kind, point, start, period in run(domain, held, records[:-1], [], False)["results"]
        if kind == domain.learns
    ]
    assert told, "half a day of readings teaches something, be it that nothing is known yet"
    for point, start, period in told:
        assert point in held.points
        assert period == 86_400
        assert start == START_MS + 86_400_000


@EVERY
def test_hourly_and_daily_are_pure(domain: Domain) -> None:
    view = build_view(domain, AREA, registry_of(domain), Profile("test"), None)
    for seed in range(5):
        matrix = matrix_of(domain, len(view.series_sensor), seed)
        kept = [column.copy() for column in columns(matrix)]

        def derive(given: HourMatrix = matrix) -> list[Derived]:
            found = [domain.daily(view, given)] if domain.daily else []
            hours = range(24) if domain.hourly else ()
            return found + [domain.hourly(view, given, h) for h in hours if domain.hourly]

        first, second = derive(), derive()
        assert first == second
        for before, after in zip(kept, columns(matrix), strict=True):
            np.testing.assert_array_equal(before, after)
        for one in first:
            assert floats_in([dict(r.payload) for r in one.results]) == []
            assert floats_in(one.partial) == []


def columns(matrix: HourMatrix) -> list[np.ndarray[Any, Any]]:
    return [matrix.n, matrix.bad, matrix.total, matrix.low, matrix.high]
