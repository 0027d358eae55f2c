"""A registry as files: CSV and GeoJSON, in WGS-84, such that importing them gives it again.

Attributes with an empty text are left out: to an import, an empty cell says nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from sensors.registry.columns import ATTRIBUTE, COLUMNS, POINT_ID, SENSOR_ID, column_named
from sensors.registry.crs import Crs
from streams.catalog import Gateway, Registry, Sensor
from streams.contracts.domain import Point

CRS_NAME = "urn:ogc:def:crs:OGC:1.3:CRS84"
BOM = "\ufeff"


def write_csv(registry: Registry) -> str:
    """One row per sensor, one for a point without any, one for a gateway nobody uses yet."""
    rows = list(_rows(registry))
    columns = [*COLUMNS, *sorted({c for row in rows for c in row if c not in COLUMNS})]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def write_geojson(registry: Registry) -> bytes:
    """One feature per point with its sensors; the gateways stand beside the features."""
    return orjson.dumps(
        {
            "type": "FeatureCollection",
            "crs": {"type": "name", "properties": {"name": CRS_NAME}},
            "gateways": [_gateway(g) for g in _sorted_gateways(registry)],
            "features": [_feature(p, s) for p, s in _with_sensors(registry)],
        },
        option=orjson.OPT_INDENT_2,
    )


def _rows(registry: Registry) -> Iterator[dict[str, str]]:
    used = {s.gateway for s in registry.sensors.values()}
    for point, sensors in _with_sensors(registry):
        cells = _point_cells(point)
        if not sensors:
            yield cells
        for sensor in sensors:
            yield cells | _sensor_cells(sensor, registry.gateways.get(sensor.gateway))
    for gateway in _sorted_gateways(registry):
        if gateway.id not in used:
            yield _gateway_cells(gateway)


def _with_sensors(registry: Registry) -> Iterator[tuple[Point, list[Sensor]]]:
    by_point: dict[str, list[Sensor]] = {}
    for name in sorted(registry.sensors):
        by_point.setdefault(registry.sensors[name].point, []).append(registry.sensors[name])
    for id in sorted(registry.points):
        yield registry.points[id], by_point.get(id, [])


def _sorted_gateways(registry: Registry) -> Iterable[Gateway]:
    return (registry.gateways[id] for id in sorted(registry.gateways))


def _point_cells(point: Point) -> dict[str, str]:
    cells = {"id": point.id, "type": point.type, "area": point.area, "name": point.name}
    if point.lon is not None and point.lat is not None:
        cells |= {"lon": repr(point.lon), "lat": repr(point.lat), "crs": Crs.WGS84.value}
    cells |= {ATTRIBUTE + name: text for name, text in point.attributes.items() if text}
    return cells | {POINT_ID + scheme: other for scheme, other in point.external_ids.items()}


def _sensor_cells(sensor: Sensor, gateway: Gateway | None) -> dict[str, str]:
    cells = {
        "sensor": sensor.name,
        "gateway": sensor.gateway,
        "properties": ";".join(sensor.properties),
        "report_s": str(sensor.report_s),
    }
    if gateway is not None:
        cells |= _gateway_cells(gateway)
    return cells | {SENSOR_ID + scheme: other for scheme, other in sensor.external_ids.items()}


def _gateway_cells(gateway: Gateway) -> dict[str, str]:
    return {"gateway": gateway.id, "gateway_area": gateway.area, "gateway_name": gateway.name}


def _feature(point: Point, sensors: list[Sensor]) -> dict[str, Any]:
    located = point.lon is not None and point.lat is not None
    properties: dict[str, Any] = {"type": point.type, "area": point.area, "name": point.name}
    properties |= {_plain(name): text for name, text in point.attributes.items() if text}
    if point.external_ids:
        properties["external_ids"] = dict(point.external_ids)
    if sensors:
        properties["sensors"] = [_sensor(s) for s in sensors]
    geometry = {"type": "Point", "coordinates": [point.lon, point.lat]} if located else None
    return {"type": "Feature", "id": point.id, "geometry": geometry, "properties": properties}


def _plain(attribute: str) -> str:
    """The attribute's own name, unless that means something else in a feature."""
    taken = column_named(attribute) or attribute in ("sensors", "external_ids")
    return ATTRIBUTE + attribute if taken else attribute


def _sensor(sensor: Sensor) -> dict[str, Any]:
    found: dict[str, Any] = {
        "sensor": sensor.name,
        "gateway": sensor.gateway,
        "properties": list(sensor.properties),
        "report_s": sensor.report_s,
    }
    return found | ({"external_ids": dict(sensor.external_ids)} if sensor.external_ids else {})


def _gateway(gateway: Gateway) -> dict[str, str]:
    return {"id": gateway.id, "area": gateway.area, "name": gateway.name}
