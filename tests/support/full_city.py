"""The small city with every domain at once: what the laws of single domains cannot see.

Per county: rain gauges with an outlier among them, a weather station, links with free flow stated
and to be learnt, shelters that count, that have a door, and both. Versions change in the middle.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from streams.catalog import Gateway, Profile, Registry, Sensor
from streams.contracts.domain import Point
from tests.support.small_city import (
    COUNTIES,
    START_MS,
    Row,
    Sent,
    _air_rows,
    _spoil,
    _water_rows,
    by_domain,
    frame_of,
)
from tests.support.small_city import registry as small_registry

MINUTE_MS = 60_000
GAUGES = 5  # more than the four that neighbours need
CHANGE_MINUTE = 60
LAST_COUNTY = COUNTIES[-1]
SHELTERS = {"count": ("occupants", "open"), "door": ("check_in", "check_out", "open")}
SHELTERS["both"] = ("occupants", "check_in", "check_out", "open")
TRAFFIC = ("travel_time", "speed", "vehicle_count")
WEATHER = ("wind_speed", "gust", "air_temperature", "rain")
PROFILE = Profile(
    "changed",
    {
        "waterlogging.tier.blue_cm": "12",
        "waterlogging.timing.horizon_s": "600",
        "weather.timing.horizon_s": "900",
        "quality.silence.intervals": "4",
    },
)
"""A horizon is read when a lane first appears: it must not move by a change or a restart."""


def registry(partitions: int = 1) -> Registry:
    """What holds first: the last county has no shelters yet."""
    held = later_registry(partitions)
    gone = f"{LAST_COUNTY}-s-"
    return replace(
        held,
        points={k: p for k, p in held.points.items() if not k.startswith(gone)},
        sensors={k: s for k, s in held.sensors.items() if not k.startswith(gone)},
    )


def later_registry(partitions: int = 1) -> Registry:
    """Everything."""
    held = small_registry(partitions)
    points, gateways = dict(held.points), dict(held.gateways)
    sensors = {k: replace(s, id=s.id) for k, s in held.sensors.items()}

    def add(point: Point, properties: tuple[str, ...], gateway: str) -> None:
        points[point.id] = point
        sensors[point.id] = Sensor(len(sensors) + 1, point.id, point.id, gateway, properties)

    for county in COUNTIES:
        for kind in ("sky", "road", "home"):
            name = f"/gw/{county}/{kind}"
            gateways[name] = Gateway(name, county)
        for n in range(GAUGES):
            gauge = Point(f"{county}-g{n}", "rain_gauge", county, "g", None, None, {})
            add(gauge, ("rain",), f"/gw/{county}/sky")
        station = Point(f"{county}-w", "weather_station", county, "w", None, None, {})
        add(station, WEATHER, f"/gw/{county}/sky")
        for n in range(2):
            stated = {"length_m": "1000"} | ({"free_flow_kmh": "60"} if n == 0 else {})
            link = Point(f"{county}-l{n}", "road_link", county, "l", None, None, stated)
            add(link, TRAFFIC, f"/gw/{county}/road")
        for kind, properties in SHELTERS.items():
            stated = {"capacity": "100", "hazards": "flood"}
            shelter = Point(f"{county}-s-{kind}", "shelter", county, "s", None, None, stated)
            add(shelter, properties, f"/gw/{county}/home")
        flooded = points[f"{county}-p0"]
        linked = {**flooded.attributes, "link": f"{county}-l0"}
        points[flooded.id] = replace(flooded, attributes=linked)
    return replace(held, points=points, sensors=sensors, gateways=gateways)


def hostile(
    seed: int, minutes: int = 100, partitions: int = 1, versions: bool = True
) -> list[Sent]:
    """A flood under a red rainstorm with slow roads and filling shelters, and everything wrong."""
    rng = np.random.default_rng(seed)
    phase = {c: float(rng.uniform(10, 40)) for c in COUNTIES}
    sent: list[Sent] = []
    last = START_MS
    for minute in range(minutes):
        now = START_MS + minute * MINUTE_MS
        for place, county in enumerate(rng.permutation(COUNTIES).tolist()):
            rows = _spoil(rng, _rows(rng, county, minute, phase[county]), now)
            last = max(last, now + 6_000 * place + int(rng.integers(0, 6_000)))
            for domain, own in by_domain(rows).items():
                if domain == "weather" and county == COUNTIES[1] and 40 < minute < 70:
                    continue  # a silent gateway
                name = {"weather": "sky", "traffic": "road", "shelter": "home"}.get(domain, "water")
                source = f"/gw/{county}/{'air' if domain == 'air' else name}"
                frame = frame_of(county, domain, minute, last, own, source=source)
                sent.append(Sent(frame, append_shift_ms=int(rng.integers(-200_000, 200_000))))
                if rng.random() < 0.03:
                    sent.append(sent[-1])  # a retried frame
        if minute % 2:
            sent.append(Sent(None, tick_ms=last))
        if versions and minute == CHANGE_MINUTE:
            sent.append(Sent(None, tick_ms=last, needed=True))
            sent.append(Sent(None, tick_ms=last, activate=PROFILE))
            sent.append(Sent(None, tick_ms=last, activate=later_registry(partitions)))
        if versions and minute == CHANGE_MINUTE + 20:
            sent.append(Sent(None, tick_ms=last, needed=True))
            sent.append(Sent(None, tick_ms=last, activate=registry(partitions)))
    sent.append(Sent(None, tick_ms=START_MS + (minutes + 600) * MINUTE_MS))
    return sent


def later(partitions: int = 1) -> list[Registry | Profile]:
    """The versions that `hostile` brings into force."""
    return [later_registry(partitions), PROFILE]


def _rows(rng: np.random.Generator, county: str, minute: int, phase: float) -> list[Row]:
    rows: list[Row] = list(_water_rows(rng, county, minute, phase))
    begin = START_MS + (minute - 2) * MINUTE_MS
    wet = 2.5 if 5 < minute < 60 else 0.0
    for n in range(GAUGES):
        value = 25.0 if n == 0 and county == COUNTIES[0] else wet
        rows.append((f"{county}-g{n}", "rain", begin, value))
    station, warm = f"{county}-w", round(25 + float(rng.normal()), 1)
    rows.append((station, "rain", begin, wet))
    if minute % 2 == 0:
        heat = warm if minute < 50 else round(warm * 9 / 5 + 32, 1)  # another unit
        rows += [(station, "wind_speed", begin, 11.0), (station, "air_temperature", begin, heat)]
        rows.append((station, "gust", begin, round(float(rng.uniform(15, 35)), 1)))
    if minute % 5 == 0:
        rows += _five_minutes(rng, county, minute, begin)
    if minute % 60 == 10:
        rows += _air_rows(rng, county, minute // 60)
    return rows


def _five_minutes(rng: np.random.Generator, county: str, minute: int, begin: int) -> list[Row]:
    rows: list[Row] = []
    start = (begin - 5 * MINUTE_MS) // (5 * MINUTE_MS) * (5 * MINUTE_MS)
    for n in range(2):
        speed = round(float(rng.uniform(5, 15) if 20 < minute < 70 else rng.uniform(40, 70)), 1)
        rows.append((f"{county}-l{n}", "speed", start, speed))
        rows.append((f"{county}-l{n}", "travel_time", start, round(3600 / speed, 1)))
        rows.append((f"{county}-l{n}", "vehicle_count", start, float(rng.integers(0, 90))))
    opened = float(minute > 30 or county == COUNTIES[2])
    for kind, properties in SHELTERS.items():
        if kind == "both" and minute > 50:
            continue  # silent while open
        for prop in properties:
            value = opened if prop == "open" else float(rng.integers(0, 60))
            rows.append((f"{county}-s-{kind}", prop, begin, value))
    return rows
