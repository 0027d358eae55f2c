"""Bodies of a frame: columns in JSON or msgpack, or one JSON reading, read and written.

Everything that makes a body unreadable as a whole is refused here, with its reason. Matters of
one row (unknown sensor, not finite, absurd time) pass through: the pipeline judges them row by
row. Unknown keys are refused, not skipped: they may change what the others mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec
import numpy as np
import orjson
from numpy.typing import NDArray

from streams.contracts.cloudevents import MAX_TEXT
from streams.contracts.dictionaries import Dictionaries
from streams.contracts.frame import MAX_ROWS, Float64, Frame, Int8, Int32, Int64
from streams.contracts.reason import Flag, Reason
from streams.errors import InvalidEvent

SCHEMA = 1
REMEMBERED = 16  # sensors from which on a dictionary is worth remembering
MAX_PROPERTIES = 256  # what one byte can index
MAX_TIME_MS = 2**53  # of `time0`: keeps time0 + delta inside int64
_MAX_DELTA_MS = 2**62
_SHORT = 300  # bytes: fewer rows than are worth looking a dictionary up for
_SENSOR = np.dtype("<u2")
_PROPERTY = np.dtype("u1")
_VALUE = np.dtype("<f8")
_DELTA4 = np.dtype("<i4")
_DELTA8 = np.dtype("<i8")
_FLAGS = np.zeros(256, np.bool_)
_FLAGS[[int(flag) for flag in Flag]] = True


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The body of a frame. `sensor` and `property` (n,) index the name tuples; `time_ms` (n,)."""

    sensors: tuple[str, ...]
    properties: tuple[str, ...]
    units: tuple[str, ...] | None
    sensor: Int32
    property: Int32
    time_ms: Int64
    value: Float64
    flag: Int8 | None


_Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]


class _JsonColumns(msgspec.Struct, forbid_unknown_fields=True):
    schema: int
    sensors: tuple[_Name, ...]
    properties: tuple[_Name, ...]
    sensor: list[int]
    time0: int
    time: list[int]
    value: list[float | None]
    property: list[int] | None = None
    units: tuple[_Name, ...] | None = None
    flag: list[int] | None = None


class _PackedColumns(msgspec.Struct, forbid_unknown_fields=True):
    schema: int
    sensors: tuple[_Name, ...]
    properties: tuple[_Name, ...]
    sensor: bytes
    time0: int
    time: bytes
    value: bytes
    property: bytes | None = None
    units: tuple[_Name, ...] | None = None
    flag: bytes | None = None


class _NamesUnread(msgspec.Struct, forbid_unknown_fields=True):
    """As `_PackedColumns`, with the dictionary of sensors as bytes."""

    schema: int
    sensors: msgspec.Raw
    properties: tuple[_Name, ...]
    sensor: bytes
    time0: int
    time: bytes
    value: bytes
    property: bytes | None = None
    units: tuple[_Name, ...] | None = None
    flag: bytes | None = None


class _Reading(msgspec.Struct, forbid_unknown_fields=True):
    sensor: _Name
    property: _Name
    time: int
    value: float | None
    schema: int = SCHEMA
    unit: _Name | None = None
    flag: int | None = None


class _Version(msgspec.Struct):
    """Only what tells the version, of a body that nothing else can be said about."""

    schema: int = SCHEMA
    sensors: Any = None


T = TypeVar("T", _JsonColumns, _PackedColumns, _Reading)
_json_columns = msgspec.json.Decoder(_JsonColumns)
_packed_columns = msgspec.msgpack.Decoder(_PackedColumns)
_names_unread = msgspec.msgpack.Decoder(_NamesUnread)
_reading = msgspec.json.Decoder(_Reading)
_dictionaries = Dictionaries()
_json_version = msgspec.json.Decoder(_Version)
_packed_version = msgspec.msgpack.Decoder(_Version)


def read_json(body: bytes) -> Columns:
    """Columns from JSON: a frame, or a single reading when there is no `sensors`."""
    if b'"sensors"' not in body:
        return _from_reading(_decoded(_reading, _json_version, body))
    try:
        wire = _decoded(_json_columns, _json_version, body)
    except InvalidEvent:
        if _names_no_sensors(body):
            return _from_reading(_decoded(_reading, _json_version, body))
        raise
    try:
        sensor = np.array(wire.sensor, np.int64)
        delta = np.array(wire.time, np.int64)
        prop = None if wire.property is None else np.array(wire.property, np.int64)
        flag = None if wire.flag is None else np.array(wire.flag, np.int64)
    except OverflowError as error:
        raise InvalidEvent(Reason.WRONG_TYPE, "an integer does not fit 64 bits") from error
    return _columns(wire, sensor, prop, delta, np.array(wire.value, np.float64), flag)


def read_packed(body: bytes) -> Columns:
    """Columns from msgpack.

    Little-endian bytes: sensor u2, property u1, time i4 or i8 (after time0), value f8, flag u1.
    """
    wire = _read_before(body) or _decoded(_packed_columns, _packed_version, body)
    rows, rest = divmod(len(wire.value), _VALUE.itemsize)
    if rest:
        raise InvalidEvent(Reason.WRONG_SHAPE, f"column value has {len(wire.value)} bytes, not 8n")
    wide = len(wire.time) != rows * _DELTA4.itemsize
    columns = _columns(
        wire,
        _column("sensor", wire.sensor, _SENSOR),
        None if wire.property is None else _column("property", wire.property, _PROPERTY),
        _column("time", wire.time, _DELTA8 if wide else _DELTA4),
        np.frombuffer(wire.value, _VALUE),
        None if wire.flag is None else _column("flag", wire.flag, _PROPERTY),
    )
    if len(wire.sensors) >= REMEMBERED and not _dictionaries.knows(wire.sensors):
        _dictionaries.remember(bytes(_names_unread.decode(body).sensors), wire.sensors)
    return columns


def write_json(frame: Frame) -> bytes:
    """The frame's columns as JSON; values that are not finite become null."""
    body: dict[str, object] = _names(frame)
    time0, delta = _deltas(frame)
    body |= {"sensor": frame.sensor, "time0": time0, "time": delta, "value": frame.value}
    if len(frame.properties) != 1:
        body["property"] = frame.property
    if frame.flag is not None:
        body["flag"] = frame.flag
    arrays = {
        k: np.ascontiguousarray(v) if isinstance(v, np.ndarray) else v for k, v in body.items()
    }
    return orjson.dumps(arrays, option=orjson.OPT_SERIALIZE_NUMPY)


def write_packed(frame: Frame) -> bytes:
    """The frame's columns as msgpack."""
    body: dict[str, object] = _names(frame)
    time0, delta = _deltas(frame)
    small = not len(delta) or int(delta.max()) < 2**31
    body |= {
        "sensor": frame.sensor.astype(_SENSOR).tobytes(),
        "time0": time0,
        "time": delta.astype(_DELTA4 if small else _DELTA8).tobytes(),
        "value": frame.value.astype(_VALUE).tobytes(),
    }
    if len(frame.properties) != 1:
        body["property"] = frame.property.astype(_PROPERTY).tobytes()
    if frame.flag is not None:
        body["flag"] = frame.flag.astype(_PROPERTY).tobytes()
    return msgspec.msgpack.encode(body)


def _read_before(body: bytes) -> _PackedColumns | None:
    """The body, when its dictionary of sensors is known by its bytes; else None, as for all that
    must be refused."""
    if len(body) < _SHORT:
        return None
    try:
        wire = _names_unread.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # read in full, it says why
    names = _dictionaries.find(bytes(wire.sensors))
    if names is None or wire.schema != SCHEMA:
        return None
    return _PackedColumns(
        wire.schema,
        names,
        wire.properties,
        wire.sensor,
        wire.time0,
        wire.time,
        wire.value,
        wire.property,
        wire.units,
        wire.flag,
    )


def _names(frame: Frame) -> dict[str, object]:
    names: dict[str, object] = {
        "schema": SCHEMA,
        "sensors": frame.sensors,
        "properties": frame.properties,
    }
    if frame.units is not None:
        names["units"] = frame.units
    return names


def _deltas(frame: Frame) -> tuple[int, Int64]:
    """The earliest time, and every time after it; both are non-negative differences."""
    if not len(frame):
        return 0, frame.time_ms
    time0 = int(frame.time_ms.min())
    return time0, frame.time_ms - time0


def _decoded(
    decoder: msgspec.json.Decoder[T] | msgspec.msgpack.Decoder[T],
    version: msgspec.json.Decoder[_Version] | msgspec.msgpack.Decoder[_Version],
    body: bytes,
) -> T:
    try:
        wire = decoder.decode(body)
    except msgspec.ValidationError as error:
        _check_version(version, body)
        shape = str(error).startswith(("Object missing", "Object contains"))
        reason = Reason.WRONG_SHAPE if shape else Reason.WRONG_TYPE
        raise InvalidEvent(reason, str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidEvent(Reason.MALFORMED, str(error) or type(error).__name__) from error
    if wire.schema != SCHEMA:
        raise InvalidEvent(Reason.UNKNOWN_VERSION, f"schema {wire.schema}; this reads {SCHEMA}")
    return wire


def _check_version(
    decoder: msgspec.json.Decoder[_Version] | msgspec.msgpack.Decoder[_Version], body: bytes
) -> None:
    try:
        found = decoder.decode(body).schema
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return
    if found != SCHEMA:
        raise InvalidEvent(Reason.UNKNOWN_VERSION, f"schema {found}; this reads {SCHEMA}")


def _names_no_sensors(body: bytes) -> bool:
    try:
        return _json_version.decode(body).sensors is None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _from_reading(wire: _Reading) -> Columns:
    _check_names("sensor", (wire.sensor,))
    _check_names("property", (wire.property,))
    if wire.unit is not None:
        _check_names("unit", (wire.unit,))
    if abs(wire.time) > MAX_TIME_MS:
        raise InvalidEvent(Reason.WRONG_TYPE, f"time {wire.time} is no epoch time in ms")
    flag = None if wire.flag is None else _checked_flag(np.array([wire.flag], object))
    return Columns(
        (wire.sensor,),
        (wire.property,),
        None if wire.unit is None else (wire.unit,),
        np.zeros(1, np.int32),
        np.zeros(1, np.int32),
        np.array([wire.time], np.int64),
        np.array([wire.value], np.float64),
        flag,
    )


def _columns(
    wire: _JsonColumns | _PackedColumns,
    sensor: NDArray[Any],
    prop: NDArray[Any] | None,
    delta: NDArray[Any],
    value: Float64,
    flag: NDArray[Any] | None,
) -> Columns:
    rows = len(value)
    if rows > MAX_ROWS:
        raise InvalidEvent(Reason.OVERSIZED, f"{rows} rows; at most {MAX_ROWS} are allowed")
    for name, column in (("sensor", sensor), ("property", prop), ("time", delta), ("flag", flag)):
        if column is not None and len(column) != rows:
            raise InvalidEvent(
                Reason.WRONG_SHAPE, f"column {name} has {len(column)} rows, value has {rows}"
            )
    _check_dictionaries(wire)
    return Columns(
        wire.sensors,
        wire.properties,
        wire.units,
        _checked_index("sensor", sensor, len(wire.sensors)),
        _property_index(prop, wire, rows),
        _times(wire.time0, delta),
        value,
        None if flag is None else _checked_flag(flag),
    )


def _check_dictionaries(wire: _JsonColumns | _PackedColumns) -> None:
    if len(wire.sensors) > MAX_ROWS or len(wire.properties) > MAX_PROPERTIES:
        raise InvalidEvent(Reason.OVERSIZED, "more sensors or properties than a frame may name")
    if not _dictionaries.knows(wire.sensors):
        _check_names("sensors", wire.sensors)
    _check_names("properties", wire.properties)
    if wire.units is not None:
        _check_names("units", wire.units)
        if len(wire.units) != len(wire.properties):
            raise InvalidEvent(
                Reason.WRONG_SHAPE,
                f"{len(wire.units)} units for {len(wire.properties)} properties",
            )


def _check_names(what: str, names: tuple[str, ...]) -> None:
    if not "".join(names).isprintable():
        raise InvalidEvent(Reason.WRONG_TYPE, f"{what}: a name holds characters that do not print")


def _property_index(
    prop: NDArray[Any] | None, wire: _JsonColumns | _PackedColumns, rows: int
) -> Int32:
    if prop is not None:
        return _checked_index("property", prop, len(wire.properties))
    if rows and len(wire.properties) != 1:
        raise InvalidEvent(
            Reason.WRONG_SHAPE, f"no column property, but {len(wire.properties)} properties"
        )
    return np.zeros(rows, np.int32)


def _checked_index(name: str, index: NDArray[Any], size: int) -> Int32:
    unsigned = index.dtype.kind == "u"
    if len(index) and not ((unsigned or int(index.min()) >= 0) and int(index.max()) < size):
        raise InvalidEvent(
            Reason.WRONG_SHAPE, f"column {name} points outside its dictionary of {size} names"
        )
    return index.astype(np.int32)


def _checked_flag(flag: NDArray[Any]) -> Int8:
    known = len(flag) == 0 or (int(flag.min()) >= 0 and int(flag.max()) < 256)
    if not (known and bool(_FLAGS[flag.astype(np.uint8)].all())):
        raise InvalidEvent(Reason.WRONG_TYPE, "flag: QARTOD knows 1, 2, 3, 4 and 9")
    return flag.astype(np.int8)


def _times(time0: int, delta: NDArray[Any]) -> Int64:
    if abs(time0) > MAX_TIME_MS:
        raise InvalidEvent(Reason.WRONG_TYPE, f"time0 {time0} is no epoch time in ms")
    if delta.dtype == np.int64:
        delta = np.clip(delta, -_MAX_DELTA_MS, _MAX_DELTA_MS)
    return delta.astype(np.int64) + time0


def _column(name: str, data: bytes, kind: np.dtype[Any]) -> NDArray[Any]:
    if len(data) % kind.itemsize:
        raise InvalidEvent(
            Reason.WRONG_SHAPE,
            f"column {name} has {len(data)} bytes, not a multiple of {kind.itemsize}",
        )
    return np.frombuffer(data, kind)
