"""What the gateway knows of the registry: whose sensor it is, where it stands, what it measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from streams.catalog import Area, Registry
from streams.contracts.cloudevents import text_problem
from streams.contracts.domain import Domain


@dataclass(frozen=True, slots=True)
class Place:
    """Where the readings of one property of one sensor go."""

    area: str
    domain: str
    partition: int
    unit: str


@dataclass(frozen=True, slots=True)
class Device:
    """One sensor: its gateway, its area, and a place for every property that it may send."""

    gateway: str
    area: str
    places: Mapping[str, Place]
    point: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """One registry version, compiled for lookups."""

    version: str
    gateways: frozenset[str]
    devices: Mapping[str, Device]
    partitions: Mapping[str, int] = field(default_factory=dict)  # by area
    areas: Mapping[str, Area] = field(default_factory=dict)


class RegistrySource(Protocol):
    """Where registry versions come from. Both may raise `Unavailable`."""

    def active(self) -> str | None:
        """The version in force; None when there is none yet."""

    def load(self, version: str) -> Registry:
        """Its content."""


def compile_directory(registry: Registry, domains: Mapping[str, Domain]) -> Directory:
    """The directory of a version. Sensors of areas without a partition have no places.

    A gateway or sensor whose name the wire does not carry is left out, and so unknown: its
    readings would spoil the frame for the others.
    """
    owners = {prop.name: (d.name, prop.unit) for d in domains.values() for prop in d.properties}
    devices = {}
    for name, sensor in registry.sensors.items():
        if text_problem("sensor", name):
            continue
        area = registry.points[sensor.point].area
        partition = registry.partitions.get(area)
        places = {}
        if partition is not None:
            for prop in sensor.properties:
                if prop in owners:
                    domain, unit = owners[prop]
                    places[prop] = Place(area, domain, partition, unit)
        devices[name] = Device(sensor.gateway, area, places, sensor.point)
    return Directory(
        registry.version,
        frozenset(g for g in registry.gateways if not text_problem("source", g)),
        devices,
        dict(registry.partitions),
        dict(registry.areas),
    )
