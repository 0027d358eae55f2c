"""A small city for laws: four counties, flood points with gauges, air stations, hostile input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from streams.alerting.ruleset import RuleSet
from streams.catalog import Area, Gateway, Profile, Registry, Sensor
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.domain import Domain, Point
from streams.contracts.frame import MSGPACK, Frame, Record
from streams.contracts.reason import NamespaceKind, Origin
from streams.contracts.warning import OfficialWarning, encode_announcement
from streams.domains import find_domains
from streams.pipeline import Pipeline, PipelineSetup
from tests.support.model_store import ModelStore

START_MS = 1_786_896_000_000  # 2026-08-17T00:00+08:00
COUNTIES = ("330106", "330108", "330203", "330212")
TOPIC = "city.observation.v1"
AIR = ("pm25", "pm10", "so2", "no2", "o3", "co")
DOMAINS = find_domains()
PROPERTY_IDS = {
    p.name: i for i, p in enumerate((p for d in DOMAINS.values() for p in d.properties), 1)
}
OWNER = {p.name: d.name for d in DOMAINS.values() for p in d.properties}


def registry(partitions: int = 1, points: int = 3) -> Registry:
    """Counties in two cities; per county `points` flood points, a gauge, an air station."""
    areas = {
        "330000": Area("330000", "province", None, "浙江省", "Zhejiang"),
        "330100": Area("330100", "city", "330000", "杭州市", "Hangzhou"),
        "330200": Area("330200", "city", "330000", "宁波市", "Ningbo"),
    }
    watched: dict[str, Point] = {}
    sensors: dict[str, Sensor] = {}
    gateways: dict[str, Gateway] = {}
    for county in COUNTIES:
        areas[county] = Area(county, "county", county[:4] + "00", county, county)
        water, air = f"/gw/{county}/water", f"/gw/{county}/air"
        gateways[water], gateways[air] = Gateway(water, county), Gateway(air, county)
        gauge = Point(f"{county}-g", "rain_gauge", county, "g", None, None, {})
        station = Point(f"{county}-a", "air_station", county, "a", None, None, {})
        watched[gauge.id], watched[station.id] = gauge, station
        names = [(gauge.id, ("rain",), water), (station.id, AIR, air)]
        for number in range(points):
            attributes = {"gauge": gauge.id, "inventory": "yes", "signoff": "销号"}
            attributes["design_rain_mm_h"] = "60"
            point = Point(f"{county}-p{number}", "flood_point", county, "p", None, None, attributes)
            watched[point.id] = point
            names.append((point.id, ("depth",), water))
        for name, properties, gateway in names:
            sensors[name] = Sensor(len(sensors) + 1, name, name, gateway, properties)
    place = {county: i % partitions for i, county in enumerate(COUNTIES)}
    return Registry(areas, watched, sensors, gateways, place, partitions)


Version = Registry | Profile | RuleSet


@dataclass(frozen=True)
class Sent:
    """A frame, or (with `tick_ms`) a tick for everybody, a version that comes into force, or an
    official warning.

    `append_shift_ms` shakes the append time. `needed`: a tick that no law takes away.
    """

    frame: Frame | None
    tick_ms: int = 0
    append_shift_ms: int = 0
    activate: Version | None = None
    needed: bool = False
    warning: OfficialWarning | None = None


def frame_of(
    county: str,
    domain: str,
    number: int,
    ingest_ms: int,
    rows: Sequence[tuple[str, str, int, float]],
    origin: Origin = Origin.LIVE,
    source: str | None = None,
) -> Frame:
    """A frame from rows (sensor, property, time, value)."""
    sensors = sorted({r[0] for r in rows})
    properties = sorted({r[1] for r in rows})
    kind = "air" if domain == "air" else "water"
    return Frame(
        source=source or f"/gw/{county}/{kind}",
        id=f"{county}-{domain}-{number}",
        domain=domain,
        area=county,
        origin=origin,
        ingest_ms=ingest_ms,
        sensors=tuple(sensors),
        properties=tuple(properties),
        units=None,
        sensor=np.array([sensors.index(r[0]) for r in rows], np.int32),
        property=np.array([properties.index(r[1]) for r in rows], np.int32),
        time_ms=np.array([r[2] for r in rows], np.int64),
        value=np.array([r[3] for r in rows], np.float64),
    )


Row = tuple[str, str, int, float]
"""Sensor, property, time, value."""


def by_domain(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows by the domain that owns their property, in its order of names."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(OWNER[row[1]], []).append(row)
    return dict(sorted(found.items()))


def hostile(seed: int, minutes: int = 150, monotone: bool = True) -> list[Sent]:
    """A flood and hourly air with everything that goes wrong, as it is sent."""
    rng = np.random.default_rng(seed)
    sent: list[Sent] = []
    number = 0
    phase = {c: float(rng.uniform(10, 60)) for c in COUNTIES}
    dead_from = {c: float(rng.choice([1e9, rng.uniform(30, 120)], p=[0.7, 0.3])) for c in COUNTIES}
    for minute in range(minutes):
        now = START_MS + minute * 60_000
        for county in rng.permutation(COUNTIES).tolist():
            if dead_from[county] < minute < dead_from[county] + 40:
                continue
            rows = _water_rows(rng, county, minute, phase[county])
            rows = _spoil(rng, rows, now)
            ingest = now + int(rng.integers(0, 30_000))
            if not monotone:
                ingest -= int(rng.integers(0, 90_000))
            number += 1
            shift = int(rng.integers(-200_000, 200_000))
            for domain, own in by_domain(rows).items():
                frame = frame_of(county, domain, number, ingest, own)
                sent.append(Sent(frame, append_shift_ms=shift))
            if rng.random() < 0.05:
                sent.append(sent[-1])  # a retried frame
            if minute % 60 == 10:
                number += 1
                air = _air_rows(rng, county, minute // 60)
                sent.append(Sent(frame_of(county, "air", number, ingest, air)))
        if monotone:
            sent = _in_order(sent)
        if minute % 2 == 1:
            sent.append(Sent(None, tick_ms=now + 31_000))
    sent.append(Sent(None, tick_ms=START_MS + (minutes + 600) * 60_000))
    return sent


def _in_order(sent: list[Sent]) -> list[Sent]:
    """Ingest times that never go back: each frame's at least the last one's."""
    last = 0
    for one in sent[-12:-1]:
        last = max(last, one.tick_ms, one.frame.ingest_ms if one.frame else 0)
    newest = sent[-1]
    if newest.frame is not None and newest.frame.ingest_ms < last:
        sent[-1] = replace(newest, frame=replace(newest.frame, ingest_ms=last))
    return sent


def _water_rows(
    rng: np.random.Generator, county: str, minute: int, phase: float
) -> list[tuple[str, str, int, float]]:
    rows: list[tuple[str, str, int, float]] = []
    begin = START_MS + minute * 60_000
    height = max(0.0, 0.6 * float(np.sin((minute - phase) / 25.0)))
    for number in range(3):
        for part in (0, 30_000):
            depth = round(max(0.0, height * (1 - 0.3 * number) + 0.004 * rng.normal()), 3)
            rows.append((f"{county}-p{number}", "depth", begin - 60_000 + part, depth))
    rain = round(float(rng.choice([0.0, 0.1, 0.3, 1.7])), 1) if height > 0 else 0.0
    rows.append((f"{county}-g", "rain", begin - 120_000, rain))
    return rows


def _spoil(
    rng: np.random.Generator, rows: list[tuple[str, str, int, float]], now: int
) -> list[tuple[str, str, int, float]]:
    spoiled: list[tuple[str, str, int, float]] = []
    for sensor, prop, time, value in rows:
        dice = rng.random()
        if dice < 0.03:  # out of order inside the horizon
            time -= int(rng.integers(1, 25)) * 60_000
        elif dice < 0.05:  # beyond the horizon
            time -= int(rng.integers(40, 300)) * 60_000
        elif dice < 0.06:  # a clock that runs ahead
            time += 3_600_000
        elif dice < 0.07:
            sensor = "nobody"
        elif dice < 0.08:
            value = float("nan")
        elif dice < 0.09:
            value = round(value + 0.9, 3)  # a spike or a jump
        spoiled.append((sensor, prop, time, value))
        if rng.random() < 0.03:
            spoiled.append((sensor, prop, time, value))  # twice
        if rng.random() < 0.03:
            spoiled.append((sensor, prop, time - 60_000, round(value + 0.1, 3)))  # a revision
    order = rng.permutation(len(spoiled)) if rng.random() < 0.3 else np.arange(len(spoiled))
    return [spoiled[i] for i in order]


def _air_rows(
    rng: np.random.Generator, county: str, hour: int
) -> list[tuple[str, str, int, float]]:
    begin = START_MS + (hour - 1) * 3_600_000
    frozen = county == COUNTIES[0]
    values = [35.0, 60.0, 6.0, 30.0, 80.0, 0.6]
    if not frozen:
        values = [round(v * float(rng.uniform(0.5, 5)), 1) for v in values]
    return [(f"{county}-a", p, begin, v) for p, v in zip(AIR, values, strict=True)]


def as_records(
    sent: Sequence[Sent], held: Registry, encoding: str = MSGPACK, ticks: bool = True
) -> dict[int, list[Record]]:
    """The log by partition: the registry's activation, then everything in the order sent."""
    logs: dict[int, list[Record]] = {p: [] for p in range(held.partition_count)}

    def put(partition: int, append_ms: int, message: tuple[dict[str, str], bytes]) -> None:
        log = logs[partition]
        log.append(Record(len(log), append_ms, *message))

    for partition in logs:
        put(partition, START_MS, encode_control("registry", held.version, START_MS))
    for index, one in enumerate(sent):
        if one.frame is not None:
            append = one.frame.ingest_ms + one.append_shift_ms
            put(held.partitions[one.frame.area], append, encode(one.frame, encoding))
        elif one.activate is not None:
            for partition in logs:
                put(partition, one.tick_ms, activation(one.activate, one.tick_ms))
        elif one.warning is not None:
            for partition in logs:
                put(partition, one.tick_ms, announcement(one.warning, one.tick_ms))
        elif ticks or one.needed or index == len(sent) - 1:
            for partition in logs:
                put(partition, one.tick_ms, encode_tick(one.tick_ms))
    return logs


def activation(version: Version, now_ms: int) -> tuple[dict[str, str], bytes]:
    """The control record of a version."""
    kinds = {Registry: "registry", Profile: "profile", RuleSet: "rules"}
    return encode_control(kinds[type(version)], version.version, now_ms)


def announcement(warning: OfficialWarning, now_ms: int) -> tuple[dict[str, str], bytes]:
    """The record of a live official warning."""
    return encode_announcement(warning, "/gw/warnings", Origin.LIVE, now_ms)


def setup(partition: int = 0, domains: Mapping[str, Domain] = DOMAINS) -> PipelineSetup:
    return PipelineSetup(TOPIC, partition, NamespaceKind.LIVE, domains, PROPERTY_IDS)


def run(
    logs: Mapping[int, Sequence[Record]],
    held: Registry,
    cuts: Mapping[int, Sequence[int]] | None = None,
    restarts: Sequence[int] = (),
    later: Sequence[Version] = (),
    *,
    keep_places: bool = False,
) -> ModelStore:
    """Every partition through a pipeline, cut into batches at `cuts`, restarted at `restarts`.

    A restart goes through the bytes of a checkpoint into a new pipeline. `later`: the versions
    that the log brings into force besides the first registry. `keep_places`: transitions say the
    position of their evidence.
    """
    store = ModelStore(keep_places=keep_places)
    contents: dict[str, Mapping[str, Any]] = {v.version: v.to_dict() for v in (held, *later)}
    for partition, records in logs.items():
        pipeline = Pipeline(setup(partition))
        parts: dict[str, bytes] = {}
        segments: dict[str, dict[int, bytes]] = {}
        bounds = sorted({0, len(records), *(cuts or {}).get(partition, ()), *restarts})
        bounds = [b for b in bounds if b <= len(records)]
        for low, high in pairwise(bounds):
            store.apply(pipeline.process(records[low:high], contents))
            if high in restarts:
                keep_checkpoint(pipeline, parts, segments)
                pipeline = Pipeline(setup(partition))
                pipeline.load(parts, {k: sorted(v.items()) for k, v in segments.items()})
                pipeline.supply(contents)
    return store


def keep_checkpoint(
    pipeline: Pipeline, parts: dict[str, bytes], segments: dict[str, dict[int, bytes]]
) -> None:
    """What the store does with a checkpoint."""
    saved = pipeline.checkpoint()
    for key, content in saved.parts.items():
        if content is None:
            parts.pop(key, None)
        else:
            parts[key] = content
    for key, (number, content) in saved.segments.items():
        segments.setdefault(key, {})[number] = content
    for key, number in saved.dropped:
        del segments[key][number]
