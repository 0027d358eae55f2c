"""The registry: areas, points, sensors, gateways, as one immutable, content-hashed version.

Pure: reading and writing versions is `streams.storage.registry`; making them is an import.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import WeakValueDictionary

from streams.contracts.domain import Point

OUTSIDE_AREA = "outside_area"
"""Attribute of a point whose position lies outside its area: the code of the area that holds it,
or `NOWHERE`. Given by an import, never by the file."""
NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Area:
    """An administrative area. `code` is the six-digit GB/T 2260 code (330000, 330100, 330106)."""

    code: str
    level: str  # province | city | county
    parent: str | None
    name: str
    name_en: str
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True)
class Sensor:
    """A device at a point. `id` is the catalogue's number, given once, never reused."""

    id: int
    name: str
    point: str
    gateway: str
    properties: tuple[str, ...]
    report_s: int = 0  # 0 = the property's usual interval
    external_ids: Mapping[str, str] = field(default_factory=dict)  # scheme → id, others' names


@dataclass(frozen=True, slots=True)
class Gateway:
    """What sends frames; `id` is the CloudEvents source."""

    id: str
    area: str  # where it stands
    name: str = ""


@dataclass(frozen=True)
class Registry:
    """One version of the registry."""

    areas: Mapping[str, Area]
    points: Mapping[str, Point]
    sensors: Mapping[str, Sensor]  # by name
    gateways: Mapping[str, Gateway]
    partitions: Mapping[str, int]  # area -> partition
    partition_count: int = 4

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, keys sorted, for hashing and storing.

        External ids are written only where there are any: a version without them hashes as it
        did before they existed.
        """
        return {
            "areas": [
                [a.code, a.level, a.parent, a.name, a.name_en, a.lon, a.lat]
                for a in sorted(self.areas.values(), key=lambda a: a.code)
            ],
            "points": [
                [
                    *(p.id, p.type, p.area, p.name, p.lon, p.lat),
                    dict(sorted(p.attributes.items())),
                    *_known_as(p.external_ids),
                ]
                for p in sorted(self.points.values(), key=lambda p: p.id)
            ],
            "sensors": [
                [
                    *(s.id, s.name, s.point, s.gateway, list(s.properties), s.report_s),
                    *_known_as(s.external_ids),
                ]
                for s in sorted(self.sensors.values(), key=lambda s: s.id)
            ],
            "gateways": [
                [g.id, g.area, g.name] for g in sorted(self.gateways.values(), key=lambda g: g.id)
            ],
            "partitions": dict(sorted(self.partitions.items())),
            "partition_count": self.partition_count,
        }

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> Registry:
        """The reverse of `to_dict`."""
        return Registry(
            areas={a[0]: Area(*a) for a in content["areas"]},
            points={p[0]: Point(*p) for p in content["points"]},
            sensors={s[1]: _sensor(s) for s in content["sensors"]},
            gateways={g[0]: Gateway(*g) for g in content["gateways"]},
            partitions=dict(content["partitions"]),
            partition_count=content["partition_count"],
        )

    @cached_property
    def version(self) -> str:
        """Content hash, `sha256:<hex>`."""
        return content_hash(self.to_dict())

    @cached_property
    def points_by_area(self) -> Mapping[str, tuple[Point, ...]]:
        found: dict[str, list[Point]] = {}
        for point in sorted(self.points.values(), key=lambda p: p.id):
            found.setdefault(point.area, []).append(point)
        return {area: tuple(points) for area, points in found.items()}

    @cached_property
    def sensors_by_area(self) -> Mapping[str, tuple[Sensor, ...]]:
        found: dict[str, list[Sensor]] = {}
        for sensor in sorted(self.sensors.values(), key=lambda s: s.id):
            found.setdefault(self.points[sensor.point].area, []).append(sensor)
        return {area: tuple(sensors) for area, sensors in found.items()}

    def areas_of(self, partition: int) -> tuple[str, ...]:
        return tuple(sorted(a for a, p in self.partitions.items() if p == partition))

    def city_of(self, area: str) -> str:
        """The city of a county; a city itself; the province for the province."""
        found = self.areas[area]
        return found.parent if found.level == "county" and found.parent else area


_held: WeakValueDictionary[str, Registry] = WeakValueDictionary()


def registry_of(version: str, content: Mapping[str, Any]) -> Registry:
    """The registry with this content, whose hash is the version. While anybody in the process
    holds it, everybody gets the same one: partitions and followers share what is as large as the
    city."""
    found = _held.get(version)
    if found is None:
        found = _held[version] = Registry.from_dict(content)
    return found


@dataclass(frozen=True)
class Profile:
    """House numbers of a city by key; what is absent has the domain's default."""

    name: str
    values: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "values": dict(sorted(self.values.items()))}

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> Profile:
        return Profile(content["name"], dict(content["values"]))

    @cached_property
    def version(self) -> str:
        return content_hash(self.to_dict())


def content_hash(content: Mapping[str, Any]) -> str:
    """`sha256:` and the hex digest of the canonical JSON."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _sensor(row: Sequence[Any]) -> Sensor:
    known_as = row[6] if len(row) > 6 else {}
    return Sensor(row[0], row[1], row[2], row[3], tuple(row[4]), row[5], known_as)


def _known_as(external_ids: Mapping[str, str]) -> tuple[dict[str, str], ...]:
    return (dict(sorted(external_ids.items())),) if external_ids else ()


def spread_areas(weights: Mapping[str, int], count: int) -> dict[str, int]:
    """Area → partition, balanced by weight: heaviest first onto the lightest partition."""
    load = [0] * count
    table: dict[str, int] = {}
    for area in sorted(weights, key=lambda a: (-weights[a], a)):
        lightest = min(range(count), key=lambda p: (load[p], p))
        table[area] = lightest
        load[lightest] += max(1, weights[area])
    return table
