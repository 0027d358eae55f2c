"""Registry rows of a GeoJSON file (RFC 7946): one feature is a point with all of its sensors.

A feature becomes the same entries as CSV rows would: one, or one for each of its sensors.
Properties that are no column are attributes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from sensors.registry.columns import (
    ATTRIBUTE,
    COLUMNS,
    POINT_ID,
    SENSOR_ID,
    column_named,
    first_fault,
    prefix_of,
)
from sensors.registry.line import Entry, Fault, Line, Refused
from streams.errors import Misconfigured

PLAIN = COLUMNS.keys() - {"lon", "lat", "crs"}  # which stand in the geometry and beside it
OF_SENSOR = ("sensor", "gateway", "properties", "report_s")
SHOWN = 300


class _Fault(Exception):
    def __init__(self, column: str, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.column, self.fault, self.detail = column, fault, detail


def read_geojson(file: str, text: str) -> tuple[str | None, Iterator[Line]]:
    """The name of its crs, if it says one, and the entries of its features.

    Raises `Misconfigured` when the file is no FeatureCollection.
    """
    content = load(file, text)
    return crs_name(content), _lines(file, content)


def load(file: str, text: str) -> dict[str, Any]:
    """The FeatureCollection of a file. Raises `Misconfigured`."""
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Misconfigured([f"{file}: not JSON: {error}"]) from error
    if not isinstance(content, dict) or content.get("type") != "FeatureCollection":
        raise Misconfigured([f"{file}: not a GeoJSON FeatureCollection"])
    if not isinstance(content.get("features"), list):
        raise Misconfigured([f"{file}: the FeatureCollection has no list of features"])
    return content


def crs_name(content: Mapping[str, Any]) -> str | None:
    """The text of the `crs` member, whatever its form; None when there is none."""
    found = content.get("crs")
    if isinstance(found, dict):
        inner = found.get("properties")
        found = inner.get("name") if isinstance(inner, dict) else None
    return found if isinstance(found, str) and found else None


def _lines(file: str, content: Mapping[str, Any]) -> Iterator[Line]:
    for number, feature in enumerate(content["features"], start=1):
        try:
            yield from _checked(file, number, list(_feature(feature)))
        except _Fault as found:
            yield Refused(file, number, found.column, found.fault, found.detail, _shown(feature))
    gateways = content.get("gateways", [])
    for gateway in gateways if isinstance(gateways, list) else [gateways]:
        try:
            yield from _checked(file, 0, [_gateway(gateway)])
        except _Fault as found:
            yield Refused(file, 0, found.column, found.fault, found.detail, _shown(gateway))


def _checked(file: str, number: int, rows: list[dict[str, str]]) -> Iterator[Line]:
    for cells in rows:
        fault = first_fault(cells)
        if fault:
            raise _Fault(*fault)
    for cells in rows:
        yield Entry(file, number, cells)


def _feature(feature: Any) -> Iterator[dict[str, str]]:
    """The cells of every row that a feature stands for."""
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise _Fault("", Fault.DAMAGED, "not a GeoJSON Feature")
    given = feature.get("properties")
    if given is None:
        given = {}
    if not isinstance(given, dict):
        raise _Fault("properties", Fault.DAMAGED, "the feature's properties are no object")
    cells = _position(feature.get("geometry")) | _properties(given)
    if feature.get("id") is not None:
        own = _text("id", feature["id"])
        if cells.setdefault("id", own) != own:
            raise _Fault("id", Fault.CONTRADICTS, f"feature {own!r}, property {cells['id']!r}")
    sensors = given.get("sensors")
    if sensors is None or sensors == []:
        yield {column: text for column, text in cells.items() if text}
        return
    if not isinstance(sensors, list):
        raise _Fault("sensors", Fault.BAD_VALUE, "sensors is no list")
    for sensor in sensors:
        yield {column: text for column, text in (cells | _sensor(sensor)).items() if text}


def _position(geometry: Any) -> dict[str, str]:
    if geometry is None:
        return {}
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind != "Point":
        raise _Fault("geometry", Fault.GEOMETRY, f"{str(kind)[:40]} is not a Point")
    numbers = geometry.get("coordinates")
    if not isinstance(numbers, list) or not 2 <= len(numbers) <= 3:
        raise _Fault("geometry", Fault.GEOMETRY, "coordinates are no [longitude, latitude]")
    if not all(_is_number(number) for number in numbers):
        raise _Fault("geometry", Fault.GEOMETRY, "a coordinate is no number")
    return {"lon": repr(float(numbers[0])), "lat": repr(float(numbers[1]))}


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e6 and math.isfinite(value)


def _properties(given: Mapping[str, Any]) -> dict[str, str]:
    """Cells of the point: columns by their names, everything else as attributes."""
    cells: dict[str, str] = {}
    for name, value in given.items():
        if name == "sensors" or value is None:
            continue
        if name == "external_ids":
            cells |= _external(POINT_ID, value)
            continue
        plain = column_named(name) or ""
        column = plain if plain in PLAIN or prefix_of(plain) else column_named(ATTRIBUTE + name)
        if column is None:
            raise _Fault(name[:60], Fault.BAD_VALUE, "a name of an attribute has no space or colon")
        cells[column] = _text(column, value)
    return cells


def _sensor(given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise _Fault("sensors", Fault.BAD_VALUE, "a sensor is no object")
    cells: dict[str, str] = {}
    for name, value in given.items():
        if name == "external_ids":
            cells |= _external(SENSOR_ID, value)
        elif name in OF_SENSOR:
            cells[name] = "" if value is None else _text(name, value)
        else:
            raise _Fault(f"sensors.{name[:40]}", Fault.BAD_VALUE, f"unknown; known: {OF_SENSOR}")
    if not cells.get("sensor"):
        raise _Fault("sensors", Fault.BAD_VALUE, "a sensor has no name (`sensor`)")
    return cells


def _gateway(given: Any) -> dict[str, str]:
    if not isinstance(given, dict) or not given.keys() <= {"id", "area", "name"}:
        raise _Fault("gateways", Fault.BAD_VALUE, "a gateway is an object of id, area, name")
    names = {"id": "gateway", "area": "gateway_area", "name": "gateway_name"}
    found = {names[n]: _text(n, v) for n, v in given.items() if v is not None}
    return {column: text for column, text in found.items() if text}


def _external(prefix: str, given: Any) -> dict[str, str]:
    if not isinstance(given, dict):
        raise _Fault("external_ids", Fault.BAD_VALUE, "no object of scheme and id")
    cells = {}
    for scheme, value in given.items():
        column = column_named(prefix + scheme)
        if column is None:
            raise _Fault("external_ids", Fault.BAD_VALUE, f"{scheme[:60]!r} is no name of a scheme")
        cells[column] = _text(column, value)
    return cells


def _text(column: str, value: Any) -> str:
    match value:
        case str():
            return value.strip()
        case bool():
            return "yes" if value else "no"
        case int():
            return str(value)
        case float() if math.isfinite(value):
            return repr(value)
        case list() if column == "properties" and all(isinstance(v, str) for v in value):
            return ";".join(value)
        case _:
            raise _Fault(column, Fault.BAD_VALUE, "neither text nor number")


def _shown(value: Any) -> dict[str, str]:
    """The start of a refused feature, for the report."""
    return {"feature": orjson.dumps(value).decode()[:SHOWN]}
