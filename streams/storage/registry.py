"""Versions of registry, profile and rules: stored once by content hash, activated by controls.

The catalogue of sensor ids lives here too: an id is given to a name once and never again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, LiteralString, TypeAlias

from psycopg.types.json import Jsonb

from streams.alerting.ruleset import RuleSet
from streams.catalog import Area, Gateway, Profile, Registry, Sensor
from streams.contracts.domain import Point
from streams.errors import Misconfigured
from streams.storage.connect import Connection

Row: TypeAlias = tuple[Any, ...]

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


def replace_newest(connection: Connection, expected: str, registry: Registry) -> Registry:
    """`save_registry`, unless another version was saved since `expected` was the newest.

    Raises `Misconfigured` then: what was computed from the older version would undo the newer.
    """
    connection.execute("lock table config_version in share row exclusive mode")
    held = connection.execute(
        "select version from config_version where kind = 'registry'"
        " order by created_at desc, version limit 1"
    ).fetchone()
    if held is None or held[0] != expected:
        raise Misconfigured(["the registry was changed by somebody else meanwhile: run it again"])
    return save_registry(connection, registry)


def save_profile(connection: Connection, profile: Profile) -> str:
    """Stores a profile version; gives its hash."""
    _keep(connection, "profile", profile.version, profile.to_dict())
    return profile.version


def replace_rules(connection: Connection, expected: str, rules: RuleSet) -> str:
    """Stores a rule set, unless another one was stored since `expected` was the newest ("": none).

    Gives its hash; raises `Misconfigured` when somebody else changed the rules meanwhile.
    """
    connection.execute("lock table config_version in share row exclusive mode")
    held = newest(connection, "rules")
    if (held[0] if held else "") != expected:
        raise Misconfigured(["the rules were changed by somebody else meanwhile: run it again"])
    _keep(connection, "rules", rules.version, rules.to_dict())
    return rules.version


def first_rules(connection: Connection) -> str:
    """The hash of the newest rule set. Where there never was one, the empty set is stored: the
    domains' own rules hold, and every transition says so. Runs in the caller's transaction."""
    connection.execute("lock table config_version in share row exclusive mode")
    held = newest(connection, "rules")
    return held[0] if held is not None else replace_rules(connection, "", RuleSet())


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


def known_versions(connection: Connection, beginning: str, kind: str = "registry") -> list[str]:
    """Versions of a kind whose hash begins so, with or without `sha256:`, newest first."""
    start = beginning if beginning.startswith("sha256:") else f"sha256:{beginning}"
    rows = connection.execute(
        "select version from config_version where kind = %s and starts_with(version, %s)"
        " order by created_at desc, version",
        (kind, start),
    )
    return [row[0] for row in rows]


def passed_versions(connection: Connection, kind: str) -> dict[int, str]:
    """By partition: the version of this kind that it has passed last."""
    rows = connection.execute(
        "select partition, version from config_active where kind = %s", (kind,)
    ).fetchall()
    return dict(rows)


def active_versions(connection: Connection, kind: str) -> set[str]:
    """The versions of this kind that partitions have passed last."""
    rows = connection.execute("select version from config_active where kind = %s", (kind,))
    return {row[0] for row in rows}


def _keep(connection: Connection, kind: str, version: str, content: Mapping[str, Any]) -> None:
    connection.execute(KEEP_VERSION, (version, kind, Jsonb(dict(content))))


def _project(connection: Connection, registry: Registry) -> None:
    connection.execute("delete from external_id")
    connection.execute("delete from point_sensor")
    connection.execute("delete from gateway")
    connection.execute("delete from point")
    connection.execute("delete from area")
    _copy(connection, "copy area from stdin", map(_area_row, registry.areas.values()))
    _copy(connection, "copy point from stdin", map(_point_row, registry.points.values()))
    _copy(connection, "copy gateway from stdin", map(_gateway_row, registry.gateways.values()))
    _copy(connection, "copy point_sensor from stdin", map(_sensor_row, registry.sensors.values()))
    _copy(
        connection,
        "copy external_id (scheme, id, point, sensor) from stdin",
        _external_rows(registry),
    )


def _copy(connection: Connection, statement: LiteralString, rows: Iterable[Row]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _external_rows(registry: Registry) -> Iterator[Row]:
    for point in registry.points.values():
        for scheme, other in point.external_ids.items():
            yield scheme, other, point.id, None
    for sensor in registry.sensors.values():
        for scheme, other in sensor.external_ids.items():
            yield scheme, other, sensor.point, sensor.id


def _area_row(area: Area) -> Row:
    return (area.code, area.level, area.parent, area.name, area.name_en, area.lon, area.lat)


def _point_row(point: Point) -> Row:
    attributes = Jsonb(dict(point.attributes))
    return (point.id, point.type, point.area, point.name, point.lon, point.lat, attributes)


def _gateway_row(gateway: Gateway) -> Row:
    return (gateway.id, gateway.area, gateway.name)


def _sensor_row(sensor: Sensor) -> Row:
    return (sensor.id, sensor.point, sensor.gateway, list(sensor.properties), sensor.report_s)
