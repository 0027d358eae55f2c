"""A storm: flood points in many counties that are all under water within one minute."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from streams.catalog import Area, Gateway, Registry, Sensor
from streams.contracts.codec import encode, encode_tick
from streams.contracts.domain import Point
from streams.contracts.frame import Frame
from streams.contracts.reason import Origin

START_MS = 1_786_896_000_000
MINUTE_MS = 60_000
CITIES, COUNTIES = 10, 8
PARTITIONS = 4
DRY_MINUTES = 3


def storm_registry(points: int) -> Registry:
    """So many flood points, evenly in eighty counties of ten cities."""
    areas = {"330000": Area("330000", "province", None, "浙江省", "Zhejiang")}
    counties: list[str] = []
    for city in range(1, CITIES + 1):
        code = f"33{city:02}00"
        areas[code] = Area(code, "city", "330000", f"市{city}", f"City {city}")
        for n in range(1, COUNTIES + 1):
            name = f"{code[:4]}{n:02}"
            areas[name] = Area(name, "county", code, f"县{name}", f"County {name}")
            counties.append(name)
    watched: dict[str, Point] = {}
    sensors: dict[str, Sensor] = {}
    for number in range(points):
        county = counties[number % len(counties)]
        id = f"{county}-{number}"
        watched[id] = Point(id, "flood_point", county, id, None, None, {"inventory": "yes"})
        sensors[id] = Sensor(number + 1, id, id, f"/gw/{county}", ("depth",))
    gateways = {f"/gw/{county}": Gateway(f"/gw/{county}", county) for county in counties}
    place = {county: n % PARTITIONS for n, county in enumerate(counties)}
    return Registry(areas, watched, sensors, gateways, place, PARTITIONS)


def flood(registry: Registry) -> Iterator[tuple[int, list[tuple[dict[str, str], bytes]]]]:
    """By partition and in order: three dry minutes, then a minute in which every point floods (its
    two readings half a minute apart), at depths from yellow to red by county, then time passes."""
    by_county: dict[str, list[str]] = {}
    for id, sensor in registry.sensors.items():
        by_county.setdefault(registry.points[sensor.point].area, []).append(id)
    for rank, (county, names) in enumerate(by_county.items()):
        depth = (0.28, 0.33, 0.6)[0 if rank % 4 < 2 else rank % 4 - 1]
        found = []
        for minute in range(DRY_MINUTES):
            found.append(_frame(county, names, f"dry-{minute}", minute * MINUTE_MS, 0.0))
        for half in range(2):
            at = DRY_MINUTES * MINUTE_MS + half * MINUTE_MS // 2
            found.append(_frame(county, names, f"wet-{half}", at, depth))
        yield registry.partitions[county], found


def _frame(
    county: str, names: list[str], id: str, at_ms: int, depth: float
) -> tuple[dict[str, str], bytes]:
    time_ms = START_MS + at_ms
    return encode(
        Frame(
            source=f"/gw/{county}",
            id=f"{county}-{id}",
            domain="waterlogging",
            area=county,
            origin=Origin.SIMULATED,
            ingest_ms=time_ms + 1000,
            sensors=tuple(names),
            properties=("depth",),
            units=None,
            sensor=np.arange(len(names), dtype=np.int32),
            property=np.zeros(len(names), np.int32),
            time_ms=np.full(len(names), time_ms, np.int64),
            value=np.full(len(names), depth),
        )
    )


def time_passes(minutes: int) -> tuple[dict[str, str], bytes]:
    """A tick so long after the beginning."""
    return encode_tick(START_MS + minutes * MINUTE_MS)
