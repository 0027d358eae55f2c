"""The checks that need event order: any split and any restart says the same, and what they say.

A district with two gateways of air stations for a week: one station creeps away from its level,
one stands alone for half a day, one gateway sends milligrams for a day; rows come late.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from streams.catalog import Area, Gateway, Profile, Registry, Sensor
from streams.contracts.codec import encode, encode_control, encode_tick
from streams.contracts.domain import Point
from streams.contracts.frame import Record
from streams.pipeline import Pipeline
from tests.support.model_store import ModelStore
from tests.support.recorded import AREA, HOUR_MS, tickets
from tests.support.small_city import START_MS, frame_of, keep_checkpoint, setup

DAYS = 7
STATIONS = 8
PROFILE = Profile(
    "law",
    {
        "quality.drift.baseline_days": "2",
        "quality.drift.recent_days": "1",
        "quality.unit.least_days": "1",
        "quality.pm25.drift": "20",
        "quality.pm25.neighbour": "60",
    },
)
CREEPS, ALONE = 2, 5  # stations
ALONE_FROM, ALONE_TO = 60, 72  # hours
MILLI_FROM, MILLI_TO = 120, 140


def gateway(station: int) -> str:
    return f"gw-{station % 2}"


def registry() -> Registry:
    places = [
        Point(f"a{n}", "air_station", AREA, "a", 120 + n / 50, 30.0, {}) for n in range(STATIONS)
    ]
    sensors = [Sensor(n + 1, p.id, p.id, gateway(n), ("pm25",)) for n, p in enumerate(places)]
    areas = [
        Area("330000", "province", None, "浙江省", "Zhejiang"),
        Area("330100", "city", "330000", "杭州市", "Hangzhou"),
        Area(AREA, "county", "330100", "西湖区", "Xihu"),
    ]
    return Registry(
        areas={a.code: a for a in areas},
        points={p.id: p for p in places},
        sensors={s.name: s for s in sensors},
        gateways={g: Gateway(g, AREA) for g in ("gw-0", "gw-1")},
        partitions={AREA: 0},
        partition_count=1,
    )


def value(rng: np.random.Generator, station: int, hour: int) -> float:
    found = 50 + 20 * np.sin(hour / 7) + rng.uniform(-2, 2)
    if station == CREEPS:
        found += 0.3 * hour
    if station == ALONE and ALONE_FROM <= hour < ALONE_TO:
        found += 200
    if station % 2 and MILLI_FROM <= hour < MILLI_TO:
        found /= 1000
    return round(float(found), 4)


@cache
def log() -> tuple[Record, ...]:
    held, rng = registry(), np.random.default_rng(5)
    messages = [
        (START_MS, encode_control("registry", held.version, START_MS)),
        (START_MS, encode_control("profile", PROFILE.version, START_MS)),
    ]
    number = 0
    held_back: dict[tuple[str, int], list[tuple[str, str, int, float]]] = {}
    for hour in range(24 * DAYS):
        now = START_MS + (hour + 1) * HOUR_MS + 90_000
        for name in ("gw-0", "gw-1"):
            rows = held_back.pop((name, hour), [])
            for station in (n for n in range(STATIONS) if gateway(n) == name):
                begin = START_MS + hour * HOUR_MS
                row = (f"a{station}", "pm25", begin, value(rng, station, hour))
                until = hour + int(rng.integers(2, 30))
                if rng.random() < 0.02 and until < 24 * DAYS:
                    held_back.setdefault((name, until), []).append(row)
                else:
                    rows.append(row)
            number += 1
            frame = frame_of(AREA, "air", number, now, rows, source=name)
            messages.append((now, encode(frame)))
        messages.append((now, encode_tick(now + 120_000)))
    end = START_MS + (DAYS + 2) * 24 * HOUR_MS
    messages.append((end, encode_tick(end)))
    return tuple(Record(n, append, *message) for n, (append, message) in enumerate(messages))


def run(cuts: Collection[int], restart: bool = False) -> ModelStore:
    held = registry()
    contents = {held.version: held.to_dict(), PROFILE.version: PROFILE.to_dict()}
    pipeline, store = Pipeline(setup()), ModelStore()
    parts: dict[str, bytes] = {}
    segments: dict[str, dict[int, bytes]] = {}
    records = log()
    for low, high in pairwise(sorted({0, len(records), *cuts})):
        store.apply(pipeline.process(records[low:high], contents))
        if restart:
            keep_checkpoint(pipeline, parts, segments)
            pipeline = Pipeline(setup())
            pipeline.load(parts, {k: sorted(v.items()) for k, v in segments.items()})
            pipeline.supply(contents)
    return store


@pytest.fixture(scope="module")
def whole() -> ModelStore:
    return run([])


def test_one_record_at_a_time_says_the_same(whole: ModelStore) -> None:
    assert run(range(len(log()))).canonical() == whole.canonical()


def test_restarts_say_the_same(whole: ModelStore) -> None:
    cuts = np.random.default_rng(1).integers(1, len(log()), 25).tolist()
    assert run(cuts, restart=True).canonical() == whole.canonical()


def test_ticks_do_not_matter(whole: ModelStore) -> None:
    last = log()[-1]
    kept = [r for r in log()[:-1] if "tick" not in r.headers["ce_type"]]
    assert len(kept) < len(log()) - 24 * DAYS + 2
    records = [replace(r, offset=n) for n, r in enumerate([*kept, last])]
    held = registry()
    contents = {held.version: held.to_dict(), PROFILE.version: PROFILE.to_dict()}
    pipeline, store = Pipeline(setup()), ModelStore()
    store.apply(pipeline.process(records, contents))
    assert store.canonical() == whole.canonical()


def test_the_station_that_stood_alone_got_one_ticket(whole: ModelStore) -> None:
    found = [t for t in tickets(whole, "neighbour") if t[0] == ALONE + 1]
    assert [closed for *_, closed, _ in found] == [False, True]
    assert found[0][2] == START_MS + ALONE_FROM * HOUR_MS
    flags = {
        (time - START_MS) // HOUR_MS: flag
        for (sensor, _, time), (_, flag) in whole.observation.items()
        if sensor == ALONE + 1
    }
    assert {flags[h] for h in range(ALONE_FROM, ALONE_TO) if h in flags} == {3}
    assert flags[ALONE_FROM - 2] == 1


def test_the_station_that_creeps_got_a_drift_ticket_and_no_other_did(whole: ModelStore) -> None:
    assert {t[0] for t in tickets(whole, "drift") if not t[3]} == {CREEPS + 1}


def test_the_gateway_in_milligrams_got_one_ticket_and_no_sensor_did(whole: ModelStore) -> None:
    found = [t for t in whole.tickets if t[3] == "unit"]
    assert [(t[1], t[5], t[7]) for t in found] == [
        (0, False, "source:gw-1"),
        (0, True, "source:gw-1"),
    ]
    assert found[0][6]["unit"] == "mg/m³"
    times = [START_MS + MILLI_FROM * HOUR_MS, START_MS + (MILLI_TO + 2) * HOUR_MS]
    assert [t[4] for t in found] == times
    assert not [
        t for t in whole.tickets if t[3] == "neighbour" and times[0] <= t[4] < times[1] and t[0]
    ]


def test_every_sensor_has_its_health_every_day(whole: ModelStore) -> None:
    days = {START_MS + n * 24 * HOUR_MS for n in range(DAYS)}
    assert {(sensor, day) for sensor, _, day in whole.health} == {
        (n + 1, day) for n in range(STATIONS) for day in days
    }
    for _, (expected, received, good, late, intervals, covered, _, score) in sorted(
        whole.health.items()
    ):
        assert expected == intervals == 24
        assert 0 <= good <= received <= 24
        assert late <= received
        assert covered == received
        assert 0 <= score <= 100
    assert any(row[3] for row in whole.health.values()), "some came late"
