"""Rows of files → points, sensors and gateways: every row is taken or refused with a reason.

Positions become WGS-84, areas become those in force, and what is odd but usable is remarked upon.
Rows that name the same point add sensors to it and must not contradict each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from sensors.registry.columns import (
    ATTRIBUTE,
    POINT_COLUMNS,
    POINT_ID,
    SENSOR_ID,
    prefix_of,
    under,
)
from sensors.registry.crs import Crs, Ellipsoid, to_wgs84
from sensors.registry.geography import Geography, Hits
from sensors.registry.line import Content, Entry, Fault, Note, Refused, Remark
from streams.catalog import OUTSIDE_AREA, Sensor
from streams.contracts.domain import Domain, Point

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
SEPARATOR = re.compile(r"[;,\s]+")
MAX_REPORT_S = 31_622_400  # a year


@dataclass(frozen=True)
class Rules:
    """What rows are read against. `defaults` fill the columns type, gateway, properties where a
    row is silent; `known` are points of the registry that rows may add sensors to."""

    geography: Geography
    domains: Mapping[str, Domain]
    ellipsoid: Ellipsoid = field(default_factory=Ellipsoid)
    defaults: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, Point] = field(default_factory=dict)

    @cached_property
    def types(self) -> frozenset[str]:
        """Point types that some domain reads."""
        return frozenset(t.name for d in self.domains.values() for t in d.points)

    @cached_property
    def properties(self) -> frozenset[str]:
        """Properties that some domain knows."""
        return frozenset(p.name for d in self.domains.values() for p in d.properties)


@dataclass(frozen=True, slots=True)
class GatewayDraft:
    """A gateway as far as the files say; `near` is the area of the first point it speaks for."""

    id: str
    area: str | None
    name: str | None
    near: str | None


@dataclass(slots=True)
class Draft:
    """What the files say, checked. `rows` counts all that were read, blank ones apart."""

    points: dict[str, Point] = field(default_factory=dict)
    sensors: dict[str, Sensor] = field(default_factory=dict)
    gateways: dict[str, GatewayDraft] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    rows: int = 0
    blank: int = 0
    taken: int = 0


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry with its position in WGS-84 and the counties that hold it."""

    entry: Entry
    lon: float | None = None
    lat: float | None = None
    hits: Hits = ()


class _Fault(Exception):
    def __init__(self, column: str, fault: Fault, detail: str) -> None:
        super().__init__(detail)
        self.column, self.fault, self.detail = column, fault, detail


def assemble(contents: Iterable[Content], rules: Rules) -> Draft:
    """The draft of several files; later rows add to earlier ones."""
    draft = Draft()
    for content in contents:
        draft.rows += len(content.lines)
        draft.blank += content.blank
        draft.refused += [line for line in content.lines if isinstance(line, Refused)]
        entries = [line for line in content.lines if isinstance(line, Entry)]
        for placed in _placed(entries, content.crs, rules, draft.refused):
            try:
                _Row(placed, rules, draft).take()
            except _Fault as found:
                draft.refused.append(_refusal(placed.entry, found))
            else:
                draft.taken += 1
    draft.refused.sort(key=lambda r: (r.file, r.row))
    return draft


def _refusal(entry: Entry, found: _Fault) -> Refused:
    return Refused(entry.file, entry.row, found.column, found.fault, found.detail, entry.cells)


# positions --------------------------------------------------------------------------------------


def _placed(
    entries: Sequence[Entry], crs: Crs | None, rules: Rules, refused: list[Refused]
) -> list[Placed]:
    """The entries in their order, those with an impossible position refused."""
    located: list[tuple[int, float, float]] = []
    faulty: set[int] = set()
    for number, entry in enumerate(entries):
        try:
            position = _position(entry.cells)
        except _Fault as found:
            refused.append(_refusal(entry, found))
            faulty.add(number)
        else:
            if position is not None:
                located.append((number, *position))
    placed = {n: Placed(e) for n, e in enumerate(entries) if n not in faulty}
    given = np.array([at[1:] for at in located], np.float64).reshape(-1, 2)
    (lon, lat), exact = to_wgs84(crs or Crs.WGS84, given[:, 0], given[:, 1], rules.ellipsoid)
    hits = rules.geography.hits(lon, lat)
    for i, (number, given_lon, given_lat) in enumerate(located):
        here = (float(lon[i]), float(lat[i]))
        fault = _box_fault(rules.geography, *here)
        if not exact[i]:
            fault = _Fault("lon", Fault.NOT_CONVERTIBLE, f"({given_lon}, {given_lat}) in {crs}")
        if fault:
            refused.append(_refusal(entries[number], fault))
            del placed[number]
        else:
            placed[number] = Placed(entries[number], *here, hits[i])
    return [placed[number] for number in sorted(placed)]


def _position(cells: Mapping[str, str]) -> tuple[float, float] | None:
    texts = [(column, cells.get(column)) for column in ("lon", "lat")]
    for column, text in texts:
        if text is not None and (not NUMBER.fullmatch(text) or abs(float(text)) > 1e6):
            raise _Fault(column, Fault.BAD_NUMBER, f"{text[:40]!r} is no number of degrees")
    lon, lat = texts[0][1], texts[1][1]
    if lon is None and lat is None:
        return None
    if lon is None or lat is None:
        column = "lon" if lon is None else "lat"
        raise _Fault(column, Fault.HALF_POSITION, f"{column} is empty")
    return float(lon), float(lat)


def _box_fault(geography: Geography, lon: float, lat: float) -> _Fault | None:
    box = geography.box
    if box.holds(lon, lat):
        return None
    if box.holds(lat, lon):
        return _Fault("lon", Fault.SWAPPED, f"lon {lon} and lat {lat} look swapped")
    where = f"{box.west}–{box.east} E, {box.south}–{box.north} N"
    return _Fault("lon", Fault.OUTSIDE_BOX, f"({lon}, {lat}) is outside {where}")


# rows -------------------------------------------------------------------------------------------


class _Row:
    """One placed entry on its way into the draft: everything is checked before anything is kept."""

    def __init__(self, placed: Placed, rules: Rules, draft: Draft) -> None:
        self._placed, self._rules, self._draft = placed, rules, draft
        self._entry = placed.entry
        self._cells = placed.entry.cells
        self._remarks: list[Remark] = []

    def take(self) -> None:
        """Into the draft, or `_Fault`."""
        draft = self._draft
        if "id" not in self._cells:
            self._take_gateway_alone()
            return
        point = self._point()
        sensor = self._sensor(point)
        gateway = self._gateway(point.area if point else None) if sensor else None
        old = draft.points.get(self._cells["id"])
        if sensor is None and old is not None:
            raise _Fault("id", Fault.REPEATED, f"point {old.id} is there already")
        if point is not None and old is None and not self._is_bare():
            draft.points[point.id] = point
        if sensor is not None:
            draft.sensors[sensor.name] = sensor
        if gateway is not None:
            draft.gateways[gateway.id] = gateway
        draft.remarks += self._remarks

    def _get(self, column: str) -> str | None:
        return self._cells.get(column) or self._rules.defaults.get(column)

    def _remark(self, note: Note, subject: str, detail: str) -> None:
        self._remarks.append(Remark(self._entry.file, self._entry.row, note, subject, detail))

    # the point

    def _is_bare(self) -> bool:
        """Names a point without saying anything of it."""
        own = {*POINT_COLUMNS}
        return not any(c in own or prefix_of(c) in (ATTRIBUTE, POINT_ID) for c in self._cells)

    def _point(self) -> Point | None:
        id = self._cells["id"]
        before = self._draft.points.get(id)
        if self._is_bare():
            found = before or self._rules.known.get(id)
            if found is not None and "sensor" not in self._cells:
                raise _Fault("id", Fault.REPEATED, f"says nothing of point {id}, which is there")
            if found is not None:
                return found
            if "sensor" in self._cells:
                raise _Fault("id", Fault.NO_POINT, f"no point {id!r} here or in the registry")
        if before is not None:
            self._agree(before)
            return before
        return self._new_point(id)

    def _new_point(self, id: str) -> Point:
        kind, name = self._get("type"), self._cells.get("name")
        if not kind:
            raise _Fault("type", Fault.NO_TYPE, f"point {id} has no type")
        if not name:
            raise _Fault("name", Fault.NO_NAME, f"point {id} has no name")
        if kind not in self._rules.types:
            self._remark(Note.UNKNOWN_TYPE, id, f"no domain reads points of type {kind}")
        area = self._area(id)
        attributes = under(ATTRIBUTE, self._cells)
        attributes.pop(OUTSIDE_AREA, None)  # ours to say
        if self._placed.lon is not None:
            where = self._rules.geography.outside(area, self._placed.hits)
            if where is not None:
                attributes[OUTSIDE_AREA] = where
                self._remark(Note.OUTSIDE_AREA, id, f"is said to be in {area}, lies in {where}")
        placed = self._placed
        known_as = under(POINT_ID, self._cells)
        return Point(id, kind, area, name, placed.lon, placed.lat, attributes, known_as)

    def _area(self, id: str) -> str:
        geography, hits = self._rules.geography, self._placed.hits
        given = self._get("area")
        if given is None:
            if not hits:
                raise _Fault("area", Fault.NO_AREA, "no area, and no boundary holds the position")
            self._remark(Note.AREA_BY_POSITION, id, hits[0])
            return hits[0]
        named = geography.named(given, hits)
        if named is None:
            raise _Fault("area", Fault.UNKNOWN_AREA, f"{given[:60]!r} is no area here")
        level = geography.areas[named.code].level
        if level not in ("county", "city"):
            raise _Fault("area", Fault.WRONG_LEVEL, f"{named.code} is a {level}")
        if named.undecided:
            detail = f"{given} was split and the position does not tell: kept in {named.code}"
            self._remark(Note.AREA_UNDECIDED, id, detail)
        elif named.given is not None:
            self._remark(Note.AREA_MAPPED, id, f"{named.given} → {named.code}")
        return named.code

    def _agree(self, before: Point) -> None:
        """What a later row of a point says must be what the first one said."""
        again = self._said_again(before)
        for column, (said, held) in again.items():
            if said is not None and said != held:
                raise _Fault(column, Fault.CONTRADICTS, f"{said!r} here, {held!r} before")

    def _said_again(self, before: Point) -> dict[str, tuple[Any, Any]]:
        cells = self._cells
        area = None
        if "area" in cells:
            named = self._rules.geography.named(cells["area"], self._placed.hits)
            area = named.code if named else cells["area"]
        said: dict[str, tuple[Any, Any]] = {
            "type": (cells.get("type"), before.type),
            "name": (cells.get("name"), before.name),
            "area": (area, before.area),
            "lon": (self._placed.lon, before.lon),
            "lat": (self._placed.lat, before.lat),
        }
        for name, text in under(ATTRIBUTE, cells).items():
            if name != OUTSIDE_AREA:
                said[ATTRIBUTE + name] = (text, before.attributes.get(name))
        for scheme, text in under(POINT_ID, cells).items():
            said[POINT_ID + scheme] = (text, before.external_ids.get(scheme))
        return said

    # the sensor and its gateway

    def _sensor(self, point: Point | None) -> Sensor | None:
        name = self._cells.get("sensor")
        if name is None or point is None:
            self._no_stray_cells()
            return None
        if name in self._draft.sensors:
            held = self._draft.sensors[name].point
            raise _Fault("sensor", Fault.REPEATED, f"sensor {name} is at point {held} already")
        gateway = self._get("gateway")
        if not gateway:
            raise _Fault("gateway", Fault.NO_GATEWAY, f"sensor {name} has no gateway")
        properties = tuple(p for p in SEPARATOR.split(self._get("properties") or "") if p)
        if not properties:
            raise _Fault("properties", Fault.NO_PROPERTY, f"sensor {name} measures nothing")
        if len(set(properties)) < len(properties):
            raise _Fault("properties", Fault.BAD_VALUE, "a property is named twice")
        for unknown in sorted(set(properties) - self._rules.properties):
            self._remark(Note.UNKNOWN_PROPERTY, name, f"no domain knows the property {unknown}")
        known_as = under(SENSOR_ID, self._cells)
        return Sensor(0, name, point.id, gateway, properties, self._report_s(), known_as)

    def _no_stray_cells(self) -> None:
        """Without a sensor nothing may be said about one."""
        for column in self._cells:
            if column == "report_s" or prefix_of(column) == SENSOR_ID:
                raise _Fault(column, Fault.BAD_VALUE, "belongs to a sensor, and the row names none")

    def _report_s(self) -> int:
        text = self._cells.get("report_s", "0")
        if not (text.isascii() and text.isdecimal() and len(text) <= 8):
            raise _Fault(
                "report_s", Fault.BAD_VALUE, f"{text[:40]!r} is no whole number of seconds"
            )
        if int(text) > MAX_REPORT_S:
            raise _Fault("report_s", Fault.BAD_VALUE, "longer than a year")
        return int(text)

    def _gateway(self, near: str | None) -> GatewayDraft:
        id = self._get("gateway") or ""
        area, name = self._cells.get("gateway_area"), self._cells.get("gateway_name")
        if area is not None:
            named = self._rules.geography.named(area, ())
            if named is None:
                raise _Fault("gateway_area", Fault.UNKNOWN_AREA, f"{area[:60]!r} is no area here")
            area = named.code
        before = self._draft.gateways.get(id)
        if before is None:
            return GatewayDraft(id, area, name, near)
        for column, said, held in (
            ("gateway_area", area, before.area),
            ("gateway_name", name, before.name),
        ):
            if said is not None and held is not None and said != held:
                raise _Fault(column, Fault.CONTRADICTS, f"{said!r} here, {held!r} before")
        return GatewayDraft(id, before.area or area, before.name or name, before.near or near)

    def _take_gateway_alone(self) -> None:
        if "sensor" in self._cells:
            raise _Fault("id", Fault.NO_POINT, "a sensor without a point")
        beside = self._cells.keys() - {"gateway", "gateway_area", "gateway_name", "crs"}
        if "gateway" not in self._cells or beside:
            raise _Fault("id", Fault.NO_ID, "the point has no id")
        gateway = self._gateway(None)
        self._draft.gateways[gateway.id] = gateway
