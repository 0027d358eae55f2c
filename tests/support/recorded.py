"""Real recordings straight through the pipeline, hour by hour, without a database.

`change` alters values on their way, as a source would that begins to send another unit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from sensors.feeds.feed import Row
from streams.catalog import Area, Gateway, Profile, Registry, Sensor
from streams.contracts.codec import encode, encode_control
from streams.contracts.domain import Point
from streams.contracts.frame import Frame, Record
from streams.contracts.reason import NamespaceKind, Origin
from streams.pipeline import Pipeline, PipelineSetup
from tests.support.model_store import ModelStore
from tests.support.small_city import DOMAINS, PROPERTY_IDS, TOPIC

AREA = "330106"
HOUR_MS = 3_600_000
Change = Callable[[str, int, str, float], float]  # sensor, time, property, value → value


def same(_sensor: str, _time_ms: int, _prop: str, value: float) -> float:
    return value


def registry_of(points: Iterable[Point], properties: tuple[str, ...], source: str) -> Registry:
    """The points of a feed, in one county, each with a sensor of its name."""
    own = {p.id: dataclasses.replace(p, area=AREA) for p in points}
    return Registry(
        areas={
            "330000": Area("330000", "province", None, "浙江省", "Zhejiang"),
            "330100": Area("330100", "city", "330000", "杭州市", "Hangzhou"),
            AREA: Area(AREA, "county", "330100", "西湖区", "Xihu"),
        },
        points=own,
        sensors={p: Sensor(n, p, p, source, properties) for n, p in enumerate(own, 1)},
        gateways={source: Gateway(source, AREA)},
        partitions={AREA: 0},
        partition_count=1,
    )


def play(
    held: Registry,
    domain: str,
    rows: Iterable[Row],
    change: Change = same,
    values: Mapping[str, str] | None = None,
) -> ModelStore:
    """Frames of an hour each, in order, under a profile with these values."""
    profile = Profile("test", values or {})
    versions = {held.version: held.to_dict(), profile.version: profile.to_dict()}
    pipeline = Pipeline(PipelineSetup(TOPIC, 0, NamespaceKind.REPLAY, DOMAINS, PROPERTY_IDS))
    store, hours = ModelStore(), dict[int, list[tuple[str, str, int, float]]]()
    for row in rows:
        hour = hours.setdefault(row.time_ms // HOUR_MS, [])
        for prop, value in row.values:
            number = change(row.sensor, row.time_ms, prop, float(value))
            hour.append((row.sensor, prop, row.time_ms, number))
    source = next(iter(held.gateways))
    messages = [
        encode_control("registry", held.version, 0),
        encode_control("profile", profile.version, 0),
        *(encode(_frame(source, domain, n, hours[n])) for n in sorted(hours)),
    ]
    records = [Record(offset, 0, *message) for offset, message in enumerate(messages)]
    for start in range(0, len(records), 50):
        store.apply(pipeline.process(records[start : start + 50], versions))
    return store


def tickets(store: ModelStore, kind: str) -> list[tuple[int, str, int, bool, dict[str, object]]]:
    """(sensor, property, time, closed, evidence) of every ticket of a kind, as they came."""
    return [
        (sensor, prop, time_ms, closed, dict(evidence))
        for _, sensor, prop, found, time_ms, closed, evidence, _ in store.tickets
        if found == kind
    ]


def _frame(source: str, domain: str, number: int, rows: list[tuple[str, str, int, float]]) -> Frame:
    sensors = sorted({r[0] for r in rows})
    properties = sorted({r[1] for r in rows})
    return Frame(
        source=source,
        id=f"{domain}-{number}",
        domain=domain,
        area=AREA,
        origin=Origin.REPLAYED,
        ingest_ms=(number + 1) * HOUR_MS + 5000,
        sensors=tuple(sensors),
        properties=tuple(properties),
        units=None,
        sensor=np.array([sensors.index(r[0]) for r in rows], np.int32),
        property=np.array([properties.index(r[1]) for r in rows], np.int32),
        time_ms=np.array([r[2] for r in rows], np.int64),
        value=np.array([r[3] for r in rows], np.float64),
    )
