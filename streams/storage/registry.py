"""Versions of registry and profile: stored once by content hash, activated by control records.

The catalogue of sensor ids lives here too: an id is given to a name once and never again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from psycopg.types.json import Jsonb

from streams.catalog import Area, Gateway, Profile, Registry, Sensor
from streams.contracts.domain import Point
from streams.errors import Misconfigured
from streams.storage.connect import Connection

KEEP_VERSION = """
insert into config_version (version, kind, content, created_at)
values (%s, %s, %s, clock_timestamp())
on conflict (version) do update set created_at = excluded.created_at
"""
ADD_SENSORS = """
insert into sensor (name)
select name from unnest(%s::text[]) as given (name)
where not exists (select from sensor s where s.name = given.name)
order by name
"""


def save_registry(connection: Connection, registry: Registry) -> Registry:
    """Stores a version and makes it the projection that reads see; gives it back with sensor ids.

    The ids that the registry came with are ignored. Runs in the caller's transaction.
    """
    numbered = number_sensors(connection, registry)
    _keep(connection, "registry", numbered.version, numbered.to_dict())
    _project(connection, numbered)
    return numbered


def save_profile(connection: Connection, profile: Profile) -> str:
    """Stores a profile version; gives its hash."""
    _keep(connection, "profile", profile.version, profile.to_dict())
    return profile.version


def number_sensors(connection: Connection, registry: Registry) -> Registry:
    """The registry with the catalogue's ids; new names get new ids, in the order of names."""
    connection.execute("lock table sensor in share row exclusive mode")
    names = sorted(registry.sensors)
    connection.execute(ADD_SENSORS, (names,))
    ids: dict[str, int] = dict(
        connection.execute("select name, id from sensor where name = any(%s)", (names,)).fetchall()
    )
    sensors = {name: replace(registry.sensors[name], id=ids[name]) for name in names}
    return replace(registry, sensors=sensors)


def load_version(connection: Connection, version: str) -> dict[str, Any]:
    """The content of a version; `Misconfigured` when it is not stored."""
    row = connection.execute(
        "select content from config_version where version = %s", (version,)
    ).fetchone()
    if row is None:
        raise Misconfigured([f"version {version} is activated in the log but not stored"])
    return dict(row[0])


def newest(connection: Connection, kind: str) -> tuple[str, dict[str, Any]] | None:
    """The version of this kind that was saved last, with its content."""
    row = connection.execute(
        "select version, content from config_version where kind = %s"
        " order by created_at desc, version limit 1",
        (kind,),
    ).fetchone()
    return None if row is None else (row[0], dict(row[1]))


def active_versions(connection: Connection, kind: str) -> set[str]:
    """The versions of this kind that partitions have passed last."""
    rows = connection.execute("select version from config_active where kind = %s", (kind,))
    return {row[0] for row in rows}


def _keep(connection: Connection, kind: str, version: str, content: Mapping[str, Any]) -> None:
    connection.execute(KEEP_VERSION, (version, kind, Jsonb(dict(content))))


def _project(connection: Connection, registry: Registry) -> None:
    connection.execute("delete from point_sensor")
    connection.execute("delete from gateway")
    connection.execute("delete from point")
    connection.execute("delete from area")
    with connection.cursor() as cursor:
        cursor.executemany(
            "insert into area values (%s, %s, %s, %s, %s, %s, %s)",
            [_area_row(area) for area in registry.areas.values()],
        )
        cursor.executemany(
            "insert into point values (%s, %s, %s, %s, %s, %s, %s)",
            [_point_row(point) for point in registry.points.values()],
        )
        cursor.executemany(
            "insert into gateway values (%s, %s, %s)",
            [_gateway_row(gateway) for gateway in registry.gateways.values()],
        )
        with cursor.copy("copy point_sensor from stdin") as copy:
            for sensor in registry.sensors.values():
                copy.write_row(_sensor_row(sensor))


def _area_row(area: Area) -> tuple[Any, ...]:
    return (area.code, area.level, area.parent, area.name, area.name_en, area.lon, area.lat)


def _point_row(point: Point) -> tuple[Any, ...]:
    attributes = Jsonb(dict(point.attributes))
    return (point.id, point.type, point.area, point.name, point.lon, point.lat, attributes)


def _gateway_row(gateway: Gateway) -> tuple[Any, ...]:
    return (gateway.id, gateway.area, gateway.name)


def _sensor_row(sensor: Sensor) -> tuple[Any, ...]:
    return (sensor.id, sensor.point, sensor.gateway, list(sensor.properties), sensor.report_s)
