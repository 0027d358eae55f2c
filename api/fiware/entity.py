"""From a point and its latest values, or an alert, to an NGSI-LD entity. Pure.

An entity is made once, as terms, and written in one of two ways: normalized, or as key-values.
Whatever is not live says so in its id, its name and its property `origin`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import quote, unquote

from api.fiware.models import ALERT, SEVERITY, Attribute, Flag, Model, category
from api.latest import LatestValue
from streams.contracts.reason import Flag as QualityFlag
from streams.contracts.reason import NamespaceKind, Origin, Severity

EXACT = 2**53  # beyond it readers of JSON do not agree on whole numbers
Entity = dict[str, Any]
TermKind = Literal["Property", "GeoProperty", "Relationship", "DateTime"]
ORIGINS: Mapping[str, Origin] = {
    NamespaceKind.LIVE: Origin.LIVE,
    NamespaceKind.SIMULATED: Origin.SIMULATED,
    NamespaceKind.REPLAY: Origin.REPLAYED,
    NamespaceKind.VERIFY: Origin.REPLAYED,
    NamespaceKind.DRILL: Origin.DRILL,
}
MARKS: Mapping[Origin, str] = {
    Origin.LIVE: "",
    Origin.SIMULATED: "[SIMULATED 模拟] ",
    Origin.REPLAYED: "[REPLAY 回放] ",
    Origin.DRILL: "[DRILL 演练] ",
}


@dataclass(frozen=True, slots=True)
class Where:
    """The namespace that an entity comes from."""

    namespace: str
    kind: str

    @property
    def origin(self) -> Origin:
        return ORIGINS[self.kind]

    def prefix(self, type_name: str) -> str:
        """How ids begin. Outside of the live namespace with its name, so that a broker that holds
        both never takes one for the other."""
        inner = "" if self.origin is Origin.LIVE else f"{self.namespace}:"
        return f"urn:ngsi-ld:{type_name}:{inner}"

    def id(self, type_name: str, key: str) -> str:
        return self.prefix(type_name) + quote(key, safe="")

    def key(self, type_name: str, id: str) -> str | None:
        """The key of an id of this namespace and type; None when it is another's."""
        prefix = self.prefix(type_name)
        return unquote(id[len(prefix) :]) if id.startswith(prefix) else None


@dataclass(frozen=True, slots=True)
class Place:
    """A point or an area, as far as entities tell of it."""

    id: str
    name: str
    area: str
    area_name: str | None
    lon: float | None
    lat: float | None
    severity: int = 0
    stale: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """The newest result of a kind."""

    kind: str
    start: datetime
    period_s: int
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hazard:
    """An alert, as far as entities tell of it."""

    id: str
    title: str
    domain: str
    rule: str
    subject: str
    origin: str
    severity: int
    onset: datetime
    updated: datetime
    ended: datetime | None
    valid_until: datetime | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Term:
    """One attribute of an entity."""

    name: str
    value: Any
    kind: TermKind = "Property"
    unit_code: str | None = None
    observed: datetime | None = None


def observed(
    model: Model,
    place: Place,
    values: Sequence[LatestValue],
    where: Where,
    intervals: Mapping[str, int],
    found: Found | None = None,
    thresholds: Sequence[Decimal] = (),
) -> Sequence[Term] | None:
    """The terms of a point's entity, or None when nothing of the model was ever read there or a
    required location is not known. `intervals`: seconds by property; `thresholds`: ascending, in
    the unit of the property that `levels` names."""
    own = [v for v in values if any(a.property == v.property for a in model.attributes)]
    if not own or (model.located and (place.lon is None or place.lat is None)):
        return None
    used = {a: v for a in model.attributes if (v := _best(a, own)) is not None}
    told = list(used.values()) or own
    terms = [
        *_head(model.name, place.id, place, where, where.origin),
        Term(model.observed, max(v.time for v in told), "DateTime"),
        *(_measured(a, v) for a, v in used.items()),
        *_references(model, place, own),
        Term("readings", [_reading(v, intervals.get(v.property, 0)) for v in own]),
    ]
    if model.interval:
        ends = [v.time + timedelta(seconds=intervals.get(v.property, 0)) for v in told]
        terms += [
            Term("dateObservedFrom", min(v.time for v in told), "DateTime"),
            Term("dateObservedTo", max(ends), "DateTime"),
        ]
    if model.derived is not None and found is not None:
        terms += _derived(model, found)
    if model.levels is not None:
        terms += _levels(model, place, used, thresholds)
    if model.flag is not None:
        terms += _flagged(model.flag, place, found)
    return terms


def alert(hazard: Hazard, place: Place, where: Where) -> Sequence[Term]:
    """The terms of an alert's entity: what is less than live in either is the origin."""
    origin = Origin(hazard.origin) if where.origin is Origin.LIVE else where.origin
    kind, sub = category(hazard.rule)
    terms = [
        *_head(ALERT, hazard.id, place, where, origin),
        Term("alertSource", f"urn:ngsi-ld:Subject:{quote(hazard.subject, safe='')}"),
        Term("category", kind),
        Term("severity", SEVERITY[Severity(hazard.severity)]),
        Term("description", f"{MARKS[origin]}{hazard.title}: {place.name}"),
        Term("dateIssued", hazard.updated, "DateTime"),
        Term("validFrom", hazard.onset, "DateTime"),
        Term("data", dict(hazard.data)),
    ]
    if sub is not None:
        terms.append(Term("subCategory", sub))
    if (until := hazard.ended or hazard.valid_until) is not None:
        terms.append(Term("validTo", until, "DateTime"))
    return terms


def normalized(terms: Sequence[Term]) -> Entity:
    """NGSI-LD with types, units and times (ETSI GS CIM 009 §4.5)."""
    entity: Entity = {}
    for term in terms:
        match term.kind:
            case "Relationship":
                entity[term.name] = {"type": "Relationship", "object": term.value}
            case "DateTime":
                value = {"@type": "DateTime", "@value": utc(term.value)}
                entity[term.name] = {"type": "Property", "value": value}
            case _ if term.name in ("id", "type"):
                entity[term.name] = term.value
            case kind:
                entity[term.name] = {"type": kind, "value": term.value} | _beside(term)
    return entity


def key_values(terms: Sequence[Term]) -> Entity:
    """Only names and values (`options=keyValues`): what the models' JSON Schemas describe."""
    return {t.name: utc(t.value) if t.kind == "DateTime" else t.value for t in terms}


def utc(moment: datetime) -> str:
    """NGSI-LD wants UTC with a Z (ETSI GS CIM 009 §4.6.3)."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00").removesuffix(".000") + "Z"


def number(value: Decimal) -> int | float:
    """The JSON number that prints as this decimal, as far as a binary number can."""
    whole = abs(value) < EXACT and value == value.to_integral_value()
    return int(value) if whole else float(value)


def _head(type_name: str, key: str, place: Place, where: Where, origin: Origin) -> list[Term]:
    head = [
        Term("id", where.id(type_name, key)),
        Term("type", type_name),
        Term("name", MARKS[origin] + place.name),
        Term("dataProvider", "citybrain"),
        Term("origin", origin.value),
        Term("namespaceKind", where.kind),
        Term("areaCode", place.area),
        Term("areaServed", place.area_name or place.area),
    ]
    if place.lon is not None and place.lat is not None:
        point = {"type": "Point", "coordinates": [place.lon, place.lat]}
        head.append(Term("location", point, "GeoProperty"))
    return head


def _best(attribute: Attribute, values: Sequence[LatestValue]) -> LatestValue | None:
    """The newest value that counts and that the model allows; the first sensor's when equal."""
    fit = [
        v
        for v in values
        if v.property == attribute.property
        and v.flag <= QualityFlag.NOT_EVALUATED
        and (attribute.low is None or Decimal(v.value.text) >= attribute.low)
        and (attribute.high is None or Decimal(v.value.text) <= attribute.high)
    ]
    return max(fit, key=lambda v: v.time, default=None)


def _measured(attribute: Attribute, value: LatestValue) -> Term:
    return Term(
        attribute.name,
        number(Decimal(value.value.text)),
        unit_code=attribute.unit_code,
        observed=value.time,
    )


def _reading(value: LatestValue, interval_s: int) -> dict[str, Any]:
    """All that is known of a value, refused or not: key-values have no room beside a value."""
    return {
        "sensor": value.sensor,
        "property": value.property,
        "value": value.value.text,
        "unit": value.unit,
        "observedAt": utc(value.time),
        "intervalSeconds": interval_s,
        "flag": value.flag,
        "quality": value.quality,
        "silent": value.silent,
    }


def _references(model: Model, place: Place, own: Sequence[LatestValue]) -> list[Term]:
    terms = []
    if model.station is not None:
        terms.append(Term(model.station, place.id))
    if model.reference is not None:
        name, other = model.reference
        target = f"urn:ngsi-ld:{other}:{quote(place.id, safe='')}"
        terms.append(Term(name, target, "Relationship"))
    sensors = {v.sensor for v in own}
    if model.device and len(sensors) == 1:
        device = f"urn:ngsi-ld:Device:{quote(sensors.pop(), safe='')}"
        terms.append(Term("refDevice", device, "Relationship"))
    return terms


def _derived(model: Model, found: Found) -> list[Term]:
    """What the domain derived; an index only when its standard lets it be stated."""
    assert model.derived is not None
    rule = model.derived
    detail = {name: found.payload[name] for name in rule.beside if name in found.payload}
    detail |= {"from": utc(found.start), "to": utc(found.start + timedelta(seconds=found.period_s))}
    terms = [Term(rule.extra, detail)]
    value = None if rule.whole is None else found.payload.get(rule.whole[0])
    if rule.whole is not None and isinstance(value, int) and value >= 0:
        terms.append(Term(rule.whole[1], value, observed=found.start))
    return terms


def _flagged(flag: Flag, place: Place, found: Found | None) -> list[Term]:
    """By what the domain derived, else by an alert; nothing while that alert is stale."""
    value = None if found is None else found.payload.get(flag.key)
    if isinstance(value, int):
        return [Term(flag.name, value >= flag.least)]
    return [] if place.stale else [Term(flag.name, place.severity > Severity.NONE)]


def _levels(
    model: Model,
    place: Place,
    used: Mapping[Attribute, LatestValue],
    thresholds: Sequence[Decimal],
) -> list[Term]:
    """currentLevel = referenceLevel - measuredDistance, as the model has it. Where the registry
    does not say how high the sensor hangs (`sensor_height_m`), the road itself is the datum:
    referenceLevel 0, and the distance is the depth below nothing, negative (H)."""
    assert model.levels is not None
    terms = []
    depth = next((v for a, v in used.items() if a.property == model.levels.property), None)
    code = model.levels.unit_code
    if depth is not None:
        value, height = Decimal(depth.value.text), _height(place)
        terms += [
            Term("referenceLevel", number(height), unit_code=code),
            Term("measuredDistance", number(height - value), unit_code=code, observed=depth.time),
        ]
        if thresholds:
            status = sum(value >= t for t in (thresholds[0], thresholds[-1]))
            terms.append(Term("floodLevelStatus", ("Normal", "Alert", "Danger")[status]))
    if thresholds:
        terms += [
            Term("alertLevel", number(thresholds[0]), unit_code=code),
            Term("dangerLevel", number(thresholds[-1]), unit_code=code),
        ]
    return terms


def _height(place: Place) -> Decimal:
    """The registry's `sensor_height_m`, or 0 when it is absent or no plain number."""
    text = str(place.attributes.get("sensor_height_m", "0"))
    return Decimal(text) if text.replace(".", "", 1).isdecimal() and text.isascii() else Decimal(0)


def _beside(term: Term) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if term.unit_code is not None:
        found["unitCode"] = term.unit_code
    if term.observed is not None:
        found["observedAt"] = utc(term.observed)
    return found
