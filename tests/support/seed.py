"""Fills a namespace with believable rows of a typhoon morning, for tests of what people read.

Everything follows from the registry and from `AS_OF`; nothing is random, no clock is asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgpack
from psycopg.types.json import Jsonb

from api.actions.incidents import group
from deploy.city.zhejiang.boundaries import load_boundaries
from deploy.city.zhejiang.build import build_registry
from streams.catalog import Registry, Sensor
from streams.contracts.reason import NamespaceKind, Severity
from streams.storage.connect import Connection, connect
from streams.storage.migrate import migrate
from streams.storage.registry import save_registry
from streams.storage.shapes import save_shapes
from tests.support.seed_domains import DOMAINS
from tests.support.seed_figures import AS_OF, write_accounts, write_facts
from tests.support.seed_warnings import seed_warnings

STORM = (121.3, 28.9)
POINTS = 1800  # fills all 90 counties
TOPIC = "city.observation.v1"
UNKNOWN_COUNTY = "331081"
THRESHOLDS_M = ("0.030", "0.050", "0.150", "0.270", "0.400")


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a seeded namespace holds that a test may want to name."""

    namespace: str
    registry: Registry
    depths_mm: Mapping[str, int]  # by flood point, now
    county: str  # the worst one
    point: str  # the deepest one
    alert: str  # of that point


def seed(
    conninfo: str,
    namespace: str,
    var_dir: Path,
    kind: NamespaceKind = NamespaceKind.SIMULATED,
) -> Seeded:
    """Migrates the namespace and fills it; boundaries are extracted into `var_dir`."""
    migrate(conninfo, namespace, kind, domains=DOMAINS)
    boundaries = load_boundaries(var_dir)
    with connect(conninfo, namespace, "citybrain seed") as connection:
        save_shapes(connection, boundaries.full, boundaries.sketch)
        registry = save_registry(
            connection, build_registry(boundaries, POINTS, 1, 4, DOMAINS.values())
        )
        depths = {
            p.id: depth_mm(p.lon, p.lat)
            for p in registry.points.values()
            if p.type == "flood_point"
        }
        ids = {n: i for n, i in connection.execute("select name, id from property")}
        _latest(connection, registry, depths)
        severities = _alerts(connection, registry, depths)
        group(connection)
        _risks(connection, registry, severities)
        _readings(connection, registry, depths, ids)
        write_facts(connection, registry)
        write_accounts(connection, registry)
        seed_warnings(connection, AS_OF)
        _positions(connection)
    deepest = max(depths, key=lambda p: (depths[p], p))
    return Seeded(
        namespace, registry, depths, registry.points[deepest].area, deepest, f"alert-{deepest}"
    )


def depth_mm(lon: float | None, lat: float | None, minutes_ago: int = 0) -> int:
    """Depth at a place: deep near the storm, and less deep earlier."""
    assert lon is not None
    assert lat is not None
    away = math.hypot((lon - STORM[0]) * 0.87, lat - STORM[1])
    peak = max(0.0, 620 * math.exp(-((away / 0.75) ** 2)) - 25)
    rise = 1 / (1 + math.exp((minutes_ago - 60) / 18))
    uneven = 0.55 + 0.45 * math.sin(lon * 977 + lat * 613)
    return round(peak * rise * uneven)


def severity_of(depth: int) -> int:
    """The tier of a depth in millimetres."""
    limits = (50, 150, 270, 400)
    return sum(depth >= limit for limit in limits)


def _sensors(registry: Registry, points: Mapping[str, int]) -> Iterator[tuple[Sensor, int]]:
    for sensor in registry.sensors.values():
        if sensor.point in points and "depth" in sensor.properties:
            yield sensor, points[sensor.point]


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _latest(connection: Connection, registry: Registry, depths: Mapping[str, int]) -> None:
    by_area: dict[str, list[tuple[int, int]]] = {}
    for sensor, depth in _sensors(registry, depths):
        by_area.setdefault(registry.points[sensor.point].area, []).append((sensor.id, depth))
    for area, rows in by_area.items():
        newest = AS_OF - timedelta(seconds=400 if area == UNKNOWN_COUNTY else 20)
        payload: dict[str, Any] = {
            "series": {
                "sensor": [sensor for sensor, _ in rows],
                "property": ["depth"] * len(rows),
                "time": [_ms(newest)] * len(rows),
                "value": [depth for _, depth in rows],
                "flag": [1] * len(rows),
            },
            "silent": [s for s, _ in rows] if area == UNKNOWN_COUNTY else [],
            "watermark": _ms(newest) - 60_000,
        }
        connection.execute(
            "insert into area_latest values (%s, 'waterlogging', %s, %s, %s)",
            (area, newest, AS_OF, Jsonb(payload)),
        )


def _alerts(
    connection: Connection, registry: Registry, depths: Mapping[str, int]
) -> dict[str, list[tuple[int, bool]]]:
    """Open alerts of the flooded points, one resolved one; severities and staleness by area."""
    found: dict[str, list[tuple[int, bool]]] = {}
    for number, (point, depth) in enumerate(sorted(depths.items())):
        severity = severity_of(depth)
        if not severity:
            continue
        area = registry.points[point].area
        stale = area == UNKNOWN_COUNTY
        found.setdefault(area, []).append((severity, stale))
        onset = AS_OF - timedelta(minutes=12 + number % 70)
        _alert(connection, f"alert-{point}", area, point, onset, "firing", severity, depth, stale)
    first = min(depths)
    _alert(
        connection,
        "alert-over",
        registry.points[first].area,
        first,
        AS_OF - timedelta(hours=5),
        "resolved",
        1,
        12,
        False,
    )
    return found


def _alert(
    connection: Connection,
    key: str,
    area: str,
    point: str,
    onset: datetime,
    state: str,
    severity: int,
    depth: int,
    stale: bool,
) -> None:
    value = f"{depth / 1000:.3f}"
    threshold = THRESHOLDS_M[severity]
    steps = [(1, "pending", "onset", 1), (2, "firing", "confirmed", 1)]
    steps += [(2 + i, "firing", "raised", i + 1) for i in range(1, severity)]
    if state == "resolved":
        steps.append((steps[-1][0] + 1, "resolved", "cleared", severity))
    elif stale:
        steps.append((steps[-1][0] + 1, "firing", "stale", severity))
    sequence, _, change, _ = steps[-1]
    updated = onset + timedelta(minutes=sequence)
    connection.execute(
        "insert into alert values (%s,'waterlogging.depth','1','waterlogging',%s,%s,%s,%s,%s,%s,"
        "%s,%s,%s,%s,%s,'m','simulated',%s,%s,%s,%s)",
        (
            key,
            area,
            point,
            point,
            onset,
            state,
            severity,
            stale,
            depth % 17 == 0,
            change,
            value,
            threshold,
            sequence,
            updated,
            severity,
            updated if state == "resolved" else None,
        ),
    )
    for number, at_state, why, rank in steps:
        at = onset + timedelta(minutes=number)
        connection.execute(
            "insert into alert_transition values (%s,%s,%s,%s,%s,%s,%s,%s,false,%s,%s,%s,'m','1',"
            "'simulated',%s,0,%s,%s)",
            (
                key,
                number,
                at,
                at + timedelta(seconds=5),
                at + timedelta(hours=1),
                at_state,
                rank,
                why == "stale",
                why,
                value,
                THRESHOLDS_M[rank],
                TOPIC,
                number,
                Jsonb({"depth_mm": depth}),
            ),
        )


def _risks(
    connection: Connection, registry: Registry, severities: Mapping[str, list[tuple[int, bool]]]
) -> None:
    for area in sorted({p.area for p in registry.points.values()}):
        found = severities.get(area, [])
        worst = max((s for s, _ in found), default=Severity.NONE)
        connection.execute(
            "insert into area_risk values (%s,%s,%s,%s,%s,%s,%s,%s,%s)",
            (
                area,
                int(worst),
                "waterlogging" if worst else None,
                area == UNKNOWN_COUNTY,
                sum(stale for _, stale in found),
                len(found),
                AS_OF - timedelta(seconds=20),
                AS_OF,
                Jsonb({"compound": False, "domains": [_share(found)]}),
            ),
        )


def _share(found: list[tuple[int, bool]]) -> dict[str, object]:
    """What waterlogging says of an area."""
    return {
        "domain": "waterlogging",
        "severity": int(max((s for s, _ in found), default=Severity.NONE)),
        "open": len(found),
        "stale": sum(stale for _, stale in found),
        "as_of_ms": round((AS_OF - timedelta(seconds=20)).timestamp() * 1000),
    }


def _readings(
    connection: Connection, registry: Registry, depths: Mapping[str, int], ids: Mapping[str, int]
) -> None:
    """Three hours of minutes of every flooded point: readings and one-minute windows."""
    with connection.cursor() as cursor, cursor.copy("copy observation from stdin") as copy:
        for sensor, minute, depth in _minutes(registry, depths):
            copy.write_row(
                (AS_OF - timedelta(minutes=minute), 180 - minute, depth, sensor.id, ids["depth"], 1)
            )
    with connection.cursor() as cursor, cursor.copy("copy observation_window from stdin") as copy:
        for sensor, minute, depth in _minutes(registry, depths):
            copy.write_row(
                (
                    60,
                    sensor.id,
                    ids["depth"],
                    AS_OF - timedelta(minutes=minute),
                    3,
                    0,
                    3 * depth + 1,
                    depth,
                    depth + 1,
                )
            )


def _minutes(registry: Registry, depths: Mapping[str, int]) -> Iterator[tuple[Sensor, int, int]]:
    for sensor, depth in _sensors(registry, depths):
        if severity_of(depth):
            point = registry.points[sensor.point]
            for minute in range(1, 181):
                yield sensor, minute, depth_mm(point.lon, point.lat, minute)


def _positions(connection: Connection) -> None:
    """Every partition has ten records, all processed."""
    headers = msgpack.packb({"ce_time": (AS_OF - timedelta(seconds=2)).isoformat()})
    for partition in range(4):
        connection.execute(
            "update log_partition set next_offset = 10 where topic = %s and partition = %s",
            (TOPIC, partition),
        )
        connection.execute(
            "insert into log_record select %s, %s, n, %s, %s, '' from generate_series(0, 9) n",
            (TOPIC, partition, _ms(AS_OF), headers),
        )
        connection.execute(
            "insert into position (topic, partition, next_offset, checkpoint_offset, owner_epoch)"
            " values (%s, %s, 10, 8, 1)",
            (TOPIC, partition),
        )
