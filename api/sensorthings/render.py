"""Rows as SensorThings entities (18-088 §8.2). Pure: a row and the links in, JSON out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from api.exact import unscaled
from api.latest import FLAG_NAMES
from api.moment import iso
from api.sensorthings.address import Key, Links, spelt_key
from api.sensorthings.model import EntityType
from api.series import SeriesProperty
from streams.contracts.domain import Title
from streams.contracts.reason import Origin

Row = Mapping[str, Any]
Content = dict[str, Any]
GEOJSON = "application/geo+json"
MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
# Symbol: name and UCUM code; a unit that is not here has a symbol only.
UNITS: Mapping[str, tuple[str, str]] = {
    "m": ("metre", "m"),
    "cm": ("centimetre", "cm"),
    "mm": ("millimetre", "mm"),
    "s": ("second", "s"),
    "m/s": ("metre per second", "m/s"),
    "km/h": ("kilometre per hour", "km/h"),
    "℃": ("degree Celsius", "Cel"),
    "°C": ("degree Celsius", "Cel"),
    "µg/m³": ("microgram per cubic metre", "ug/m3"),
    "mg/m³": ("milligram per cubic metre", "mg/m3"),
    "%": ("percent", "%"),
    "hPa": ("hectopascal", "hPa"),
}


@dataclass(frozen=True, slots=True)
class Renderer:
    """What rows are told with: titles, intervals, links, and whether any of it is live."""

    links: Links
    properties: Mapping[str, SeriesProperty]
    titles: Mapping[str, Title]  # of point types
    origin: Origin
    namespace_kind: str

    def entity(self, entity: EntityType, row: Row, select: tuple[str, ...] | None) -> Content:
        """The entity with its links; only what `$select` names when it is given."""
        here = own_path(entity, row)
        content: Content = {"@iot.id": key_of(entity, row), "@iot.selfLink": self.links.to(here)}
        content |= self.properties_of(entity, row)
        for name in entity.links:
            content[f"{name}@iot.navigationLink"] = self.links.to(f"{here}/{name}")
        return content if select is None else _selected(content, select)

    def properties_of(self, entity: EntityType, row: Row) -> Content:
        """The properties alone."""
        return _RENDER[entity.set_name](self, row)

    @property
    def marks(self) -> Content:
        """Beside everything that could be taken for real."""
        return {"origin": self.origin.value, "namespaceKind": self.namespace_kind}

    def type_title(self, row: Row) -> str:
        """What kind of point it is, in both languages."""
        title = self.titles.get(row["type"])
        return str(row["type"]) if title is None else f"{title.zh} {title.en}"


def key_of(entity: EntityType, row: Row) -> Key:
    """The entity's id."""
    if entity.set_name == "Observations":
        return f"{row['datastream']}-{_ms(row['t'])}"
    key: Key = row["id"]
    return key


def own_path(entity: EntityType, row: Row) -> str:
    """Where the entity is."""
    return spelt_key(entity, key_of(entity, row))


def _thing(by: Renderer, row: Row) -> Content:
    own = {"type": row["type"], "area": row["area"], "areaName": row["area_name"]}
    return {
        "name": row["name"],
        "description": by.type_title(row),
        "properties": {**row["attributes"], **own, **by.marks},
    }


def _location(by: Renderer, row: Row) -> Content:
    return {
        "name": row["name"],
        "description": by.type_title(row),
        "encodingType": GEOJSON,
        "location": _point(row),
        "properties": {"area": row["area"], **by.marks},
    }


def _historical(by: Renderer, row: Row) -> Content:
    return {"time": iso(row["since"])}


def _datastream(by: Renderer, row: Row) -> Content:
    prop = by.properties[row["property_name"]]
    name, code = UNITS.get(row["unit"], (row["unit"] or None, None))
    return {
        "name": row["name"],
        "description": f"{prop.title_zh} {prop.title_en}, {row['point_name']}",
        "observationType": MEASUREMENT,
        "unitOfMeasurement": {
            "name": name,
            "symbol": row["unit"] or None,
            "definition": None if code is None else f"ucum:{code}",
        },
        "properties": {
            "property": row["property_name"],
            "sensor": row["sensor_name"],
            "domain": row["domain"],
            "intervalSeconds": prop.interval_s,
            **by.marks,
        },
    }


def _sensor(by: Renderer, row: Row) -> Content:
    return {
        "name": row["name"],
        "description": f"{', '.join(row['properties'])} at {row['point']}",
        "encodingType": "application/json",
        "metadata": {"reportSeconds": row["report_s"], "properties": row["properties"]},
        "properties": {"gateway": row["gateway"], **by.marks},
    }


def _observed_property(by: Renderer, row: Row) -> Content:
    prop = by.properties[row["name"]]
    return {
        "name": row["name"],
        "definition": f"urn:citybrain:property:{row['domain']}:{row['name']}",
        "description": f"{prop.title_zh} {prop.title_en}",
        "properties": {"domain": row["domain"], "unit": row["unit"]},
    }


def _observation(by: Renderer, row: Row) -> Content:
    interval = by.properties[row["property_name"]].interval_s
    start: datetime = row["t"]
    time = f"{iso(start)}/{iso(start + timedelta(seconds=interval))}" if interval else iso(start)
    value = unscaled(row["value"], row["scale"])
    return {
        "phenomenonTime": time,
        "result": orjson.Fragment(value.text.encode()),
        "resultTime": None,
        "resultQuality": {
            "scheme": "QARTOD",
            "flag": row["flag"],
            "quality": FLAG_NAMES.get(row["flag"], "unknown"),
        },
        "parameters": {"position": row["position"], **by.marks},
    }


def _feature(by: Renderer, row: Row) -> Content:
    return {
        "name": row["name"],
        "description": by.type_title(row),
        "encodingType": GEOJSON,
        "feature": {
            "type": "Feature",
            "id": row["id"],
            "geometry": None if row["lon"] is None or row["lat"] is None else _point(row),
            "properties": {"type": row["type"], "area": row["area"]},
        },
        "properties": {"area": row["area"], **by.marks},
    }


_RENDER: Mapping[str, Callable[[Renderer, Row], Content]] = {
    "Things": _thing,
    "Locations": _location,
    "HistoricalLocations": _historical,
    "Datastreams": _datastream,
    "Sensors": _sensor,
    "ObservedProperties": _observed_property,
    "Observations": _observation,
    "FeaturesOfInterest": _feature,
}


def _point(row: Row) -> Content:
    return {"type": "Point", "coordinates": [row["lon"], row["lat"]]}


def _selected(content: Content, select: tuple[str, ...]) -> Content:
    names = {"id": "@iot.id"}
    wanted = [names.get(name, name) for name in select]
    found = {name: content[name] for name in wanted if name in content}
    for name in wanted:
        link = f"{name}@iot.navigationLink"
        if link in content:
            found[link] = content[link]
    return found


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
