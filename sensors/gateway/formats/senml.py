"""SenML packs in JSON (RFC 8428, versions by RFC 9100) to readings.

The resolved name is `<sensor>/<property>` or `<sensor>:<property>`: what follows the last `/` or
`:` is the property (a house rule; RFC 8428 §4.5.1 only says that a name is unique). Units stay as
they are written; `sensors.gateway.units` converts them when the property is known. Text, booleans,
data and sums are refused: no property holds them.

The older draft that RIoTBench and others still send (`{"e": [...], "bt": ...}`) is not RFC 8428
and is refused with a reason that says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Context, Decimal

import msgspec
from msgspec import UNSET, UnsetType

from sensors.gateway.formats.native import UNREADABLE
from sensors.gateway.reading import (
    BadRequest,
    Claim,
    Claimed,
    Places,
    Reading,
    Refused,
    Vocabulary,
    refuse,
)
from streams.contracts.exact import EXACT_LIMIT
from streams.contracts.reason import Reason
from streams.errors import InvalidEvent

VERSIONS = (10, 26)  # RFC 8428, and with secondary units (RFC 9100 §4: 10 + 2**4)
RELATIVE_BELOW_S = 2**28  # RFC 8428 §4.5.3
_NAME = re.compile(r"[A-Za-z0-9][-:./_A-Za-z0-9]*")  # RFC 8428 §4.5.1
_NAME_END = re.compile(r"[:/](?=[^:/]*$)")
_CLAIM = Claim(units=Vocabulary.SENML)
_EXACT = Context(prec=800, Emax=10_000, Emin=-10_000)  # any two doubles add without rounding
_OLD = (
    "this is SenML as of its drafts before 2016 (an object with `e`, texts in `sv`), not RFC 8428"
)


class _Base(msgspec.Struct):
    bn: str | UnsetType = UNSET
    bt: float | UnsetType = UNSET
    bu: str | UnsetType = UNSET
    bv: float | UnsetType = UNSET
    bs: float | UnsetType = UNSET
    bver: int | UnsetType = UNSET


class _Record(_Base):
    n: str | UnsetType = UNSET
    u: str | UnsetType = UNSET
    v: float | UnsetType = UNSET
    vs: str | UnsetType = UNSET
    vb: bool | UnsetType = UNSET
    vd: str | UnsetType = UNSET
    s: float | UnsetType = UNSET
    t: float | UnsetType = UNSET
    ut: float | UnsetType = UNSET
    # Not RFC 8428: looked for to tell what was sent instead.
    e: msgspec.Raw | UnsetType = UNSET
    sv: msgspec.Raw | UnsetType = UNSET


@dataclass(slots=True)
class _Bases:
    """The base fields in force, and those whose newest value cannot be read."""

    name: str = ""
    time: float = 0.0
    unit: str | None = None
    value: float | UnsetType = UNSET
    sum: float | UnsetType = UNSET
    broken: set[str] = field(default_factory=set)

    def apply(self, record: _Base, unreadable: frozenset[str] = frozenset()) -> None:
        """Takes over what this record sets, for itself and those after it (RFC 8428 §4)."""
        self.broken |= unreadable
        if record.bn is not UNSET:
            self.name = record.bn
            self.broken.discard("bn")
        if record.bt is not UNSET:
            self.time = record.bt
            self.broken.discard("bt")
        if record.bu is not UNSET:
            self.unit = record.bu
            self.broken.discard("bu")
        if record.bv is not UNSET:
            self.value = record.bv
            self.broken.discard("bv")
        if record.bs is not UNSET:
            self.sum = record.bs
            self.broken.discard("bs")


def read(body: bytes, most: int, now_ms: int) -> tuple[tuple[Reading | Refused, ...], Places]:
    """A reading or a refusal for every record of the pack, in its order.

    Times below 2**28 s are relative to `now_ms`. `BadRequest` when the body is no array of
    records, or has more than `most`.
    """
    records = _records(body, most)
    places = Places("record", tuple(range(len(records))))
    against = _pack_problem(body, records)
    if against is not None:
        return tuple(refuse(i, _label(one), against) for i, one in enumerate(records)), places
    bases = _Bases()
    return tuple(_resolve(i, one, bases, now_ms) for i, one in enumerate(records)), places


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """A record of which only some base fields can be read, if any."""

    why: str
    base: _Base
    broken: frozenset[str]


def _records(body: bytes, most: int) -> list[_Record | _Unreadable]:
    try:
        raws = _decode_raws.decode(body)
    except msgspec.ValidationError as error:
        old = _is_old(body)
        why = _OLD if old else f"SenML is an array of records: {error}"
        raise BadRequest(why) from error
    except UNREADABLE as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    if len(raws) > most:
        raise BadRequest(f"{len(raws)} records; at most {most} are taken at once")
    try:
        return list(_decode_records.decode(body))
    except UNREADABLE:
        return [_one(raw) for raw in raws]


def _one(raw: msgspec.Raw) -> _Record | _Unreadable:
    try:
        return _decode_record.decode(raw)
    except UNREADABLE as error:
        base, broken = _readable_bases(raw)
        return _Unreadable(str(error), base, broken)


def _readable_bases(raw: msgspec.Raw) -> tuple[_Base, frozenset[str]]:
    """Of a record that cannot be read: the base fields that can, and the names of the others."""
    base, broken = _Base(), set()
    try:
        fields = _decode_object.decode(raw)
    except UNREADABLE:
        return base, frozenset()
    for name in _BASE_FIELDS & fields.keys():
        try:
            alone = msgspec.json.encode({name: fields[name]})
            setattr(base, name, getattr(msgspec.json.decode(alone, type=_Base), name))
        except UNREADABLE:
            broken.add(name)
    return base, frozenset(broken)


def _is_old(body: bytes) -> bool:
    try:
        return "e" in _decode_object.decode(body)
    except UNREADABLE:
        return False


def _pack_problem(body: bytes, records: list[_Record | _Unreadable]) -> InvalidEvent | None:
    """Why nothing of this pack may be used: its version, or a field that must be understood."""
    bases = [one.base if isinstance(one, _Unreadable) else one for one in records]
    versions = {base.bver for base in bases if base.bver is not UNSET}
    if any("bver" in one.broken for one in records if isinstance(one, _Unreadable)):
        return InvalidEvent(Reason.UNKNOWN_VERSION, "bver cannot be read")
    if len(versions) > 1:
        return InvalidEvent(Reason.UNKNOWN_VERSION, "bver differs within the pack (RFC 8428 §4.4)")
    if versions and next(iter(versions)) not in VERSIONS:
        known = " or ".join(map(str, VERSIONS))
        detail = f"bver {str(next(iter(versions)))[:20]}; {known} is read (RFC 8428 §4.4)"
        return InvalidEvent(Reason.UNKNOWN_VERSION, detail)
    unknown = _mandatory_unknown(body)
    if unknown is not None:
        detail = f"field {unknown[:40]!r} must be understood and is not (RFC 8428 §12.3.1)"
        return InvalidEvent(Reason.WRONG_SHAPE, detail)
    return None


def _mandatory_unknown(body: bytes) -> str | None:
    """The first field whose name ends with `_`, at any record; none of them is known here."""
    if b'_"' not in body and b"\\u005" not in body:
        return None
    for raw in _decode_raws.decode(body):
        try:
            names = _decode_object.decode(raw)
        except UNREADABLE:
            continue
        for name in names:
            if name.endswith("_"):
                return name
    return None


def _label(one: _Record | _Unreadable) -> str:
    return one.n if isinstance(one, _Record) and one.n is not UNSET else ""


def _resolve(
    index: int, one: _Record | _Unreadable, bases: _Bases, now_ms: int
) -> Reading | Refused:
    if isinstance(one, _Unreadable):
        bases.apply(one.base, one.broken)
        return refuse(index, "", InvalidEvent(Reason.WRONG_TYPE, one.why))
    bases.apply(one)
    name = bases.name + ("" if one.n is UNSET else one.n)
    try:
        if bases.broken:
            broken = ", ".join(sorted(bases.broken))
            raise InvalidEvent(Reason.WRONG_TYPE, f"an earlier record's {broken} cannot be read")
        value = _value(one, bases)
        sensor, prop = _names(name)
        unit = bases.unit if one.u is UNSET else one.u
        return Claimed(
            sensor, prop, _time_ms(one, bases, now_ms), value, unit or None, None, _CLAIM
        )
    except InvalidEvent as error:
        return refuse(index, name, error)


def _value(one: _Record, bases: _Bases) -> float:
    if one.s is not UNSET or bases.sum is not UNSET:
        raise InvalidEvent(Reason.UNKNOWN_PROPERTY, "no property holds a sum (s, bs): send v alone")
    for name, given in (("vs", one.vs), ("vb", one.vb), ("vd", one.vd)):
        if given is not UNSET:
            raise InvalidEvent(Reason.WRONG_TYPE, f"no property holds {_KINDS[name]} ({name})")
    if one.v is UNSET:
        if bases.value is UNSET:
            old = one.e is not UNSET or one.sv is not UNSET
            raise InvalidEvent(Reason.WRONG_SHAPE, _OLD if old else "a record needs a value v")
        return bases.value
    return one.v if bases.value is UNSET else _added(bases.value, one.v)


def _names(name: str) -> tuple[str, str]:
    """(sensor, property) of a resolved name."""
    if not _NAME.fullmatch(name):
        detail = "the resolved name must be [A-Za-z0-9][-:./_A-Za-z0-9]* (RFC 8428 §4.5.1)"
        raise InvalidEvent(Reason.WRONG_SHAPE, detail)
    found = _NAME_END.search(name)
    if found is None or found.end() == len(name):
        detail = "the resolved name must be <sensor>/<property> or <sensor>:<property>"
        raise InvalidEvent(Reason.UNKNOWN_PROPERTY, detail)
    return name[: found.start()], name[found.end() :]


def _time_ms(one: _Record, bases: _Bases, now_ms: int) -> int:
    """Epoch ms, cut to the millisecond; relative times are added to now (RFC 8428 §4.5.3)."""
    given = 0.0 if one.t is UNSET else one.t
    seconds = bases.time if not given else given if not bases.time else _added(bases.time, given)
    if not abs(seconds) < 1e12:
        raise InvalidEvent(Reason.BAD_TIME, "bt + t lies beyond any date")
    time_ms = int(seconds) * 1000 if seconds.is_integer() else _floor_ms(seconds)
    return now_ms + time_ms if seconds < RELATIVE_BELOW_S else time_ms


def _floor_ms(seconds: float) -> int:
    return int((Decimal(repr(seconds)) * 1000).to_integral_value(ROUND_FLOOR))


def _added(one: float, other: float) -> float:
    """The sum of two numbers as they are written, not as doubles hold them."""
    if one.is_integer() and other.is_integer() and abs(one) + abs(other) < EXACT_LIMIT:
        return one + other
    return float(_EXACT.add(Decimal(repr(one)), Decimal(repr(other))))


_BASE_FIELDS = frozenset(_Base.__struct_fields__)
_KINDS: Mapping[str, str] = {"vs": "text", "vb": "a boolean", "vd": "data"}
_decode_raws = msgspec.json.Decoder(list[msgspec.Raw])
_decode_records = msgspec.json.Decoder(list[_Record])
_decode_record = msgspec.json.Decoder(_Record)
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
