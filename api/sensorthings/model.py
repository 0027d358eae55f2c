"""The eight entities of SensorThings 1.1 as tables: source, fields, links (18-088 §8.2).

A field's SQL has `{0}` where the alias of its source goes; nothing that a client sends ever becomes
SQL, it becomes a parameter. Links are equalities between a column here and one there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "number", "time", "boolean", "geometry", "null"]


@dataclass(frozen=True, slots=True)
class Field:
    """What can be filtered by; `sortable` ones are never null."""

    sql: str
    kind: Kind
    sortable: bool = True


@dataclass(frozen=True, slots=True)
class Link:
    """A navigation property: (own column, column of the target)."""

    target: str
    many: bool
    on: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class EntityType:
    """One entity set. `shown` are the names of its properties in answers."""

    set_name: str
    source: str
    key: str  # SQL of the id
    key_kind: Literal["text", "number"]
    fields: Mapping[str, Field]
    shown: tuple[str, ...]
    links: Mapping[str, Link] = field(default_factory=dict)
    open_column: str | None = None  # jsonb with more text properties, as `properties/<name>`


def _text(column: str, sortable: bool = True) -> Field:
    return Field("{0}." + column, "text", sortable)


def _number(sql: str) -> Field:
    return Field(sql, "number")


_PLACE = Field("point({0}.lon, {0}.lat)", "geometry", False)
_SAME = (("id", "id"),)
RESULT = "({0}.value * power(10::numeric, (-{0}.scale)::numeric))"
OBSERVATION_KEY = "({0}.datastream || '-' || (extract(epoch from {0}.t) * 1000)::bigint)"

_NAMED = ("name", "description", "properties")
TYPES: Mapping[str, EntityType] = {
    each.set_name: each
    for each in (
        EntityType(
            "Things",
            "st_things",
            "{0}.id",
            "text",
            {
                "name": _text("name"),
                "properties/type": _text("type"),
                "properties/area": _text("area"),
                "properties/areaName": _text("area_name", False),
            },
            _NAMED,
            {
                "Locations": Link("Locations", True, _SAME),
                "HistoricalLocations": Link("HistoricalLocations", True, _SAME),
                "Datastreams": Link("Datastreams", True, (("id", "point"),)),
            },
            "attributes",
        ),
        EntityType(
            "Locations",
            "st_locations",
            "{0}.id",
            "text",
            {"name": _text("name"), "location": _PLACE, "properties/area": _text("area")},
            ("name", "description", "encodingType", "location", "properties"),
            {
                "Things": Link("Things", True, _SAME),
                "HistoricalLocations": Link("HistoricalLocations", True, _SAME),
            },
        ),
        EntityType(
            "HistoricalLocations",
            "st_locations",
            "{0}.id",
            "text",
            {"time": Field("{0}.since", "time")},
            ("time",),
            {
                "Thing": Link("Things", False, _SAME),
                "Locations": Link("Locations", True, _SAME),
            },
        ),
        EntityType(
            "Datastreams",
            "st_datastreams",
            "{0}.id",
            "number",
            {
                "name": _text("name"),
                "unitOfMeasurement/symbol": _text("unit"),
                "properties/property": _text("property_name"),
                "properties/sensor": _text("sensor_name"),
                "properties/domain": _text("domain"),
            },
            (*_NAMED, "unitOfMeasurement", "observationType"),
            {
                "Thing": Link("Things", False, (("point", "id"),)),
                "Sensor": Link("Sensors", False, (("sensor", "id"),)),
                "ObservedProperty": Link("ObservedProperties", False, (("property", "id"),)),
                "Observations": Link(
                    "Observations", True, (("sensor", "sensor"), ("property", "property"))
                ),
            },
        ),
        EntityType(
            "Sensors",
            "st_sensors",
            "{0}.id",
            "number",
            {"name": _text("name"), "properties/gateway": _text("gateway")},
            ("name", "description", "encodingType", "metadata", "properties"),
            {"Datastreams": Link("Datastreams", True, (("id", "sensor"),))},
        ),
        EntityType(
            "ObservedProperties",
            "st_observed_properties",
            "{0}.id",
            "number",
            {
                "name": _text("name"),
                "properties/domain": _text("domain"),
                "properties/unit": _text("unit"),
            },
            ("name", "definition", "description", "properties"),
            {"Datastreams": Link("Datastreams", True, (("id", "property"),))},
        ),
        EntityType(
            "Observations",
            "st_observations",
            OBSERVATION_KEY,
            "text",
            {
                "phenomenonTime": Field("{0}.t", "time"),
                "result": _number(RESULT),
                "resultQuality/flag": _number("{0}.flag::numeric"),
            },
            ("phenomenonTime", "result", "resultTime", "resultQuality", "parameters"),
            {
                "Datastream": Link("Datastreams", False, (("datastream", "id"),)),
                "FeatureOfInterest": Link("FeaturesOfInterest", False, (("point", "id"),)),
            },
        ),
        EntityType(
            "FeaturesOfInterest",
            "st_features",
            "{0}.id",
            "text",
            {"name": _text("name"), "feature": _PLACE, "properties/area": _text("area")},
            ("name", "description", "encodingType", "feature", "properties"),
            {"Observations": Link("Observations", True, (("id", "point"),))},
        ),
    )
}
OBSERVATIONS = TYPES["Observations"]
KEY_NAMES = ("id", "@iot.id")
SERIES_SHIFT = 15  # a datastream's number: sensor << 15 | property


def key_field(entity: EntityType) -> Field:
    """The id as something to filter and sort by."""
    number = entity.key_kind == "number"
    return Field(f"({entity.key})::numeric" if number else entity.key, entity.key_kind)
