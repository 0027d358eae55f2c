"""A small hostile city for runs of the real pipeline: a registry and a log, from a seed.

Out of order, duplicates (whole frames and single rows), revisions, late rows beyond the horizon,
spikes, unknown sensors and broken records; event times go on, ingest times never go back.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np

from streams.catalog import Area, Gateway, Registry, Sensor
from streams.contracts.codec import encode, encode_tick
from streams.contracts.domain import Point
from streams.contracts.frame import JSON, MSGPACK, Frame
from streams.contracts.reason import Origin
from streams.log import Entry

START_MS = 1_785_600_000_000
STEP_MS = 10_000
POINTS = 8
POLLUTANTS = ("pm25", "pm10", "so2", "no2", "o3", "co")


def storm_registry(areas: int = 4, partitions: int = 2) -> Registry:
    """Counties of one city, each with flood points, a rain gauge and an air station."""
    codes = [f"3301{2 + number:02d}" for number in range(areas)]
    found = [
        Area("330000", "province", None, "浙江省", "Zhejiang"),
        Area("330100", "city", "330000", "杭州市", "Hangzhou"),
        *(Area(code, "county", "330100", f"区{code}", f"County {code}") for code in codes),
    ]
    points: dict[str, Point] = {}
    sensors: dict[str, Sensor] = {}
    for code in codes:
        devices: list[tuple[str, str, tuple[str, ...], int]]
        devices = [(f"d-{code}-{n}", "flood_point", ("depth",), 10) for n in range(POINTS)]
        devices.append((f"r-{code}", "rain_gauge", ("rain",), 60))
        devices.append((f"a-{code}", "air_station", POLLUTANTS, 3600))
        for name, kind, properties, report_s in devices:
            points[name] = Point(name, kind, code, name, 120.0, 30.0, {})
            sensors[name] = Sensor(0, name, name, f"gw-{code}", properties, report_s)
    return Registry(
        areas={area.code: area for area in found},
        points=points,
        sensors=sensors,
        gateways={f"gw-{code}": Gateway(f"gw-{code}", code) for code in codes},
        partitions={code: number % partitions for number, code in enumerate(codes)},
        partition_count=partitions,
    )


def storm(
    registry: Registry, steps: int, seed: int, step_ms: int = STEP_MS
) -> Iterator[list[tuple[int, Entry]]]:
    """For each step (of 10 s) the records with their partitions."""
    chance = random.Random(seed)
    sent: dict[str, Entry] = {}
    for step in range(steps):
        now_ms = START_MS + step * step_ms
        records: list[tuple[int, Entry]] = []
        for code, partition in sorted(registry.partitions.items()):
            entry = encode(_depths(chance, code, step, now_ms), chance.choice((MSGPACK, JSON)))
            records.append((partition, entry))
            if chance.random() < 0.05:
                records.append((partition, sent.get(code, entry)))  # a frame that was sent twice
            sent[code] = entry
            if step * step_ms % 60_000 < step_ms:
                records.append((partition, encode(_rain(chance, code, now_ms))))
            if step * step_ms % 3_600_000 < step_ms:
                records.append((partition, encode(_air(chance, code, now_ms))))
            if chance.random() < 0.01:
                records.append((partition, (entry[0] | {"ce_id": f"x{step}"}, b"\xc1broken")))
        ticks: list[tuple[int, Entry]]
        ticks = [(number, encode_tick(now_ms + 900)) for number in range(registry.partition_count)]
        yield records + ticks


def _depths(chance: random.Random, code: str, step: int, now_ms: int) -> Frame:
    names = [f"d-{code}-{number}" for number in range(POINTS)] + ["nobody"]
    rows: list[tuple[int, int, float]] = []
    for number in range(POINTS):
        depth = max(0.0, 0.45 * np.sin((step - 8 * number) / 40)) if number % 2 else 0.0
        rows.append((number, now_ms, round(depth + chance.choice((0.0, 0.001)), 3)))
        if chance.random() < 0.10:  # again what was said before: a duplicate or a revision
            ago = now_ms - STEP_MS * chance.randrange(0, 60)
            rows.append((number, ago, chance.choice((0.0, 0.1, 0.3))))
        if chance.random() < 0.02:  # long after the horizon
            ago = now_ms - 1000 * chance.choice((2_000, 3_600, 90_000))
            rows.append((number, ago, chance.choice((0.02, 0.2))))
    if chance.random() < 0.05:
        rows.append((POINTS, now_ms, 0.1))
    if chance.random() < 0.02:
        rows.append((0, now_ms + 3_600_000, 0.1))  # a clock that is ahead
    chance.shuffle(rows)
    return _frame("waterlogging", code, ("depth",), names, rows, now_ms)


def _rain(chance: random.Random, code: str, now_ms: int) -> Frame:
    rows = [(0, now_ms - 60_000, round(chance.uniform(0, 2), 1))]
    return _frame("weather", code, ("rain",), [f"r-{code}"], rows, now_ms)


def _air(chance: random.Random, code: str, now_ms: int) -> Frame:
    rows = [(0, now_ms - 3_600_000, float(chance.randrange(5, 300))) for _ in POLLUTANTS]
    return _frame("air", code, POLLUTANTS, [f"a-{code}"], rows, now_ms)


def _frame(
    domain: str,
    code: str,
    properties: tuple[str, ...],
    names: list[str],
    rows: list[tuple[int, int, float]],
    now_ms: int,
) -> Frame:
    """One property for all rows, or as many rows as properties."""
    count = len(rows)
    column = np.arange(count) if len(properties) > 1 else np.zeros(count)
    return Frame(
        source=f"gw-{code}",
        id=f"{domain}-{properties[0]}-{now_ms}",
        domain=domain,
        area=code,
        origin=Origin.SIMULATED,
        ingest_ms=now_ms + 800,
        sensors=tuple(names),
        properties=properties,
        units=None,
        sensor=np.array([row[0] for row in rows], np.int32),
        property=column.astype(np.int32),
        time_ms=np.array([row[1] for row in rows], np.int64),
        value=np.array([row[2] for row in rows], np.float64),
    )
