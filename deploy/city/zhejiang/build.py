"""Makes a registry of Zhejiang for the simulation: real areas, invented points (`county`).

The same arguments give the same registry, hence the same version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from deploy.city.zhejiang.boundaries import Boundaries
from deploy.city.zhejiang.county import County
from streams.catalog import Area, Registry, Sensor, spread_areas
from streams.contracts.domain import Domain

FIRST_COUNTY = "331081"  # 温岭市, where the typhoon of the scenario lands; others by distance
POINTS_PER_COUNTY = 20  # fewer points than 90 counties need fill fewer counties


@dataclass(frozen=True, slots=True)
class Share:
    """The part of one county."""

    area: Area
    points: int


def build_registry(
    boundaries: Boundaries,
    points: int,
    seed: int,
    partition_count: int,
    domains: Iterable[Domain],
) -> Registry:
    """A registry with `points` flood points and, in proportion, whatever else the domains watch.

    A domain that nothing plays gets one point of its first type in each county.
    Sensor ids are 0: the store gives them. Raises `ValueError` for fewer than one point.
    """
    if points < 1:
        raise ValueError("at least one flood point")
    known = tuple(domains)
    made = [
        County(boundaries, share.area, share.points, seed, known)
        for share in share_out(boundaries, points)
    ]
    found = {p.id: p for p in chain.from_iterable(c.points for c in made)}
    sensors = {s.name: s for s in chain.from_iterable(c.sensors() for c in made)}
    weights = {a.code: 0 for a in boundaries.counties()}
    per_hour = readings_per_hour(known)
    for sensor in sensors.values():
        weights[found[sensor.point].area] += weight(sensor, per_hour)
    return Registry(
        areas=dict(boundaries.areas),
        points=found,
        sensors=sensors,
        gateways={g.id: g for g in chain.from_iterable(c.gateways() for c in made)},
        partitions=spread_areas(weights, partition_count),
        partition_count=partition_count,
    )


def readings_per_hour(domains: Iterable[Domain]) -> dict[str, int]:
    """By property, as the domains expect them."""
    return {
        p.name: 3600 // (p.interval_s or p.report_s)
        for domain in domains
        for p in domain.properties
    }


def weight(sensor: Sensor, per_hour: Mapping[str, int]) -> int:
    """What the sensor costs its partition: readings per hour, at least one."""
    return max(1, sum(per_hour[name] for name in sensor.properties))


def share_out(boundaries: Boundaries, points: int) -> list[Share]:
    """How many points each county gets; the counties nearest to the first one come first."""
    first = boundaries.areas[FIRST_COUNTY]
    counties = sorted(boundaries.counties(), key=lambda a: (_distance2(a, first), a.code))
    used = counties[: max(1, min(len(counties), points // POINTS_PER_COUNTY))]
    each, more = divmod(points, len(used))
    return [Share(area, each + (i < more)) for i, area in enumerate(used)]


def _distance2(one: Area, other: Area) -> float:
    if one.lon is None or one.lat is None or other.lon is None or other.lat is None:
        raise ValueError(f"areas {one.code}, {other.code} need a position")
    return ((one.lon - other.lon) * 0.87) ** 2 + (one.lat - other.lat) ** 2
