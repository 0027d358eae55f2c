"""What is wrong, or only strange, in a registry: places, codes, names, references.

Says, changes nothing. Whatever an import would refuse may stand in a registry that came another
way (a simulation, a replay), so everything is looked at again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sensors.registry.geography import Geography
from streams.catalog import Registry, Sensor
from streams.contracts.cloudevents import text_problem
from streams.contracts.domain import Domain, Point


class Kind(StrEnum):
    """What was found. Values are stable: reports count by them."""

    OUTSIDE_BOX = "outside_box"
    SWAPPED = "swapped"
    HALF_POSITION = "half_position"
    OUTSIDE_AREA = "outside_area"
    RETIRED_CODE = "retired_code"
    UNKNOWN_AREA = "unknown_area"
    NO_PARTITION = "no_partition"
    UNKNOWN_TYPE = "unknown_type"
    UNKNOWN_PROPERTY = "unknown_property"
    NO_POINT = "no_point"
    NO_GATEWAY = "no_gateway"
    UNFIT_NAME = "unfit_name"
    DANGLING = "dangling"
    OTHER_AREA = "other_area"
    SAME_NAME = "same_name"
    SAME_EXTERNAL_ID = "same_external_id"


ADVICE: Mapping[Kind, str] = {
    Kind.OUTSIDE_BOX: "check position and crs; the box is the profile's area.bbox",
    Kind.SWAPPED: "swap lon and lat: longitude comes first",
    Kind.HALF_POSITION: "give both lon and lat, or neither",
    Kind.OUTSIDE_AREA: "correct the position or the area",
    Kind.RETIRED_CODE: "import the points again: the code is mapped to the one in force",
    Kind.UNKNOWN_AREA: "give an area of the registry",
    Kind.NO_PARTITION: "import the point again: its area then gets a place in the log",
    Kind.UNKNOWN_TYPE: "correct the type, or install the domain that reads it",
    Kind.UNKNOWN_PROPERTY: "correct the property, or install the domain that knows it",
    Kind.NO_POINT: "add the point, or remove the sensor",
    Kind.NO_GATEWAY: "add the gateway: readings of this sensor are refused",
    Kind.UNFIT_NAME: "choose a name that the wire carries: readings of it are refused",
    Kind.DANGLING: "correct the id, or add the point that it names",
    Kind.OTHER_AREA: "name a point of the same area: a domain sees one area at a time",
    Kind.SAME_NAME: "nothing has to be done when these are two things: a name is no identity",
    Kind.SAME_EXTERNAL_ID: "let one id of a scheme stand for one thing",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at; `subject` is the id of the point, sensor, gateway or area."""

    kind: Kind
    subject: str
    detail: str

    @property
    def advice(self) -> str:
        """What to do about it."""
        return ADVICE[self.kind]


def check(
    registry: Registry, geography: Geography, domains: Mapping[str, Domain]
) -> tuple[Finding, ...]:
    """Everything found, by kind and subject."""
    found = [
        *_areas(registry, geography),
        *_places(registry, geography),
        *_types(registry, domains),
        *_sensors(registry, domains),
        *_references(registry, domains),
        *_names(registry),
        *_external(registry),
    ]
    return tuple(sorted(found, key=lambda f: (f.kind, f.subject, f.detail)))


def _areas(registry: Registry, geography: Geography) -> Iterator[Finding]:
    for code in registry.areas.keys() & geography.retired.keys():
        successors = geography.retired[code]
        if code not in successors:
            yield Finding(Kind.RETIRED_CODE, code, f"area; now {' or '.join(successors)}")
    for point in registry.points.values():
        if point.area in registry.areas:
            if point.area not in registry.partitions:
                yield Finding(Kind.NO_PARTITION, point.id, f"area {point.area}")
        elif point.area in geography.retired:
            now = " or ".join(geography.retired[point.area])
            yield Finding(Kind.RETIRED_CODE, point.id, f"{point.area}; now {now}")
        else:
            yield Finding(Kind.UNKNOWN_AREA, point.id, point.area)


def _places(registry: Registry, geography: Geography) -> Iterator[Finding]:
    box, located = geography.box, []
    for point in registry.points.values():
        if point.lon is None or point.lat is None:
            if point.lon is not point.lat:
                yield Finding(Kind.HALF_POSITION, point.id, f"({point.lon}, {point.lat})")
        elif box.holds(point.lon, point.lat):
            located.append(point)
        else:
            kind = Kind.SWAPPED if box.holds(point.lat, point.lon) else Kind.OUTSIDE_BOX
            yield Finding(kind, point.id, f"({point.lon}, {point.lat})")
    for id, where in geography.strays(located).items():
        yield Finding(
            Kind.OUTSIDE_AREA, id, f"said to be in {registry.points[id].area}, lies in {where}"
        )


def _types(registry: Registry, domains: Mapping[str, Domain]) -> Iterator[Finding]:
    known = {t.name for d in domains.values() for t in d.points}
    for point in registry.points.values():
        if point.type not in known:
            yield Finding(Kind.UNKNOWN_TYPE, point.id, point.type)


def _sensors(registry: Registry, domains: Mapping[str, Domain]) -> Iterator[Finding]:
    known = {p.name for d in domains.values() for p in d.properties}
    for sensor in registry.sensors.values():
        if sensor.point not in registry.points:
            yield Finding(Kind.NO_POINT, sensor.name, f"point {sensor.point}")
        if sensor.gateway not in registry.gateways:
            yield Finding(Kind.NO_GATEWAY, sensor.name, f"gateway {sensor.gateway!r}")
        for name in sensor.properties:
            if name not in known:
                yield Finding(Kind.UNKNOWN_PROPERTY, sensor.name, name)
        problem = text_problem("sensor", sensor.name)
        if problem:
            yield Finding(Kind.UNFIT_NAME, sensor.name, problem)
    for gateway in registry.gateways.values():
        problem = text_problem("source", gateway.id)
        if problem:
            yield Finding(Kind.UNFIT_NAME, gateway.id, problem)
        if gateway.area not in registry.areas:
            yield Finding(Kind.UNKNOWN_AREA, gateway.id, f"gateway, area {gateway.area!r}")


def _references(registry: Registry, domains: Mapping[str, Domain]) -> Iterator[Finding]:
    """Attributes by which a domain finds another point, such as a flood point's rain gauge."""
    declared = {t.name: t.references for d in domains.values() for t in d.points}
    for point in registry.points.values():
        for name in declared.get(point.type, ()):
            wanted = point.attributes.get(name)
            if not wanted:
                continue
            other = registry.points.get(wanted)
            if other is None:
                yield Finding(Kind.DANGLING, point.id, f"{name} {wanted} is no point")
            elif other.area != point.area:
                yield Finding(Kind.OTHER_AREA, point.id, f"{name} {wanted} is in {other.area}")


def _names(registry: Registry) -> Iterator[Finding]:
    """Points of one type in one area that share a name."""
    together: dict[tuple[str, str, str], list[Point]] = defaultdict(list)
    for point in registry.points.values():
        together[point.type, point.area, point.name].append(point)
    for (_, _, name), points in together.items():
        if len(points) > 1:
            ids = sorted(p.id for p in points)
            yield Finding(Kind.SAME_NAME, ids[0], f"{name}: {', '.join(ids)}")


def _external(registry: Registry) -> Iterator[Finding]:
    counts: Counter[tuple[str, str]] = Counter()
    owners: dict[tuple[str, str], list[str]] = defaultdict(list)
    named: list[tuple[str, Point | Sensor]] = [(p.id, p) for p in registry.points.values()]
    named += [(s.name, s) for s in registry.sensors.values()]
    for key, owner in named:
        for pair in owner.external_ids.items():
            counts[pair] += 1
            owners[pair].append(key)
    for (scheme, other), number in counts.items():
        if number > 1:
            ids = sorted(owners[scheme, other])
            yield Finding(Kind.SAME_EXTERNAL_ID, ids[0], f"{scheme}:{other}: {', '.join(ids)}")
