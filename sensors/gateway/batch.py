"""A request's readings: parsed one by one, checked against the registry, grouped by area.

One bad reading never costs the others. What needs history or the other readings (duplicates,
late, ahead of time, implausible) is the pipeline's to judge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from sensors.gateway.directory import Directory, Place
from streams.contracts.cloudevents import MAX_TEXT
from streams.contracts.reason import Flag, Reason
from streams.contracts.timestamp import from_rfc3339
from streams.errors import InvalidEvent

EARLIEST_MS = 946_684_800_000  # 2000-01-01T00:00Z
LATEST_MS = 4_102_444_800_000  # 2100-01-01T00:00Z
_FLAGS = frozenset(int(flag) for flag in Flag)

Row: TypeAlias = tuple[str, str, int, float, int | None]  # sensor, property, time, value, flag


class Reading(msgspec.Struct, forbid_unknown_fields=True):
    """One reading as a device sends it."""

    sensor: str
    property: str
    time: str | int
    value: float | None
    unit: str | None = None
    flag: int | None = None


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    gateway: str
    readings: list[Reading]
    id: str | None = None


class _Loose(msgspec.Struct, forbid_unknown_fields=True):
    gateway: str
    readings: list[msgspec.Raw]
    id: str | None = None


class _Named(msgspec.Struct):
    sensor: msgspec.Raw = msgspec.Raw(b"null")


@dataclass(frozen=True, slots=True)
class Refused:
    """One reading that was not taken; `index` counts from 0 in the request."""

    index: int
    sensor: str
    reason: str
    detail: str

    def to_dict(self) -> dict[str, object]:
        """As it stands in the answer."""
        return {
            "index": self.index,
            "sensor": self.sensor,
            "reason": self.reason,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class Request:
    """A parsed request. A reading that could not be parsed is there as its refusal."""

    gateway: str
    id: str | None
    readings: tuple[Reading | Refused, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one request, of one area and domain, from one gateway."""

    source: str
    request: str | None
    area: str
    domain: str
    partition: int
    rows: list[Row]


class BadRequest(Exception):
    """The body is no batch at all: nothing of it was taken."""


def parse(body: bytes, most: int) -> Request:
    """The request in a body; `BadRequest` for anything else, or more than `most` readings."""
    readings: tuple[Reading | Refused, ...]
    try:
        batch = _decode_batch.decode(body)
        gateway, id_, readings = batch.gateway, batch.id, tuple(batch.readings)
    except msgspec.ValidationError:
        gateway, id_, readings = _parse_loosely(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    if len(readings) > most:
        raise BadRequest(f"{len(readings)} readings; at most {most} are taken at once")
    for name, text in (("gateway", gateway), ("id", id_)):
        if text is not None and not (0 < len(text) <= MAX_TEXT // 2 and text.isprintable()):
            raise BadRequest(f"{name} must be 1 to {MAX_TEXT // 2} printable characters")
    return Request(gateway, id_, readings)


def check(request: Request, directory: Directory) -> tuple[list[Piece], list[Refused]]:
    """Pieces of what can be taken, and a refusal for everything else, in the request's order."""
    pieces: dict[tuple[str, str], Piece] = {}
    refused: list[Refused] = []
    for index, reading in enumerate(request.readings):
        if isinstance(reading, Refused):
            refused.append(reading)
            continue
        try:
            place, row = _checked(reading, request.gateway, directory)
        except InvalidEvent as error:
            refused.append(
                Refused(index, reading.sensor[:MAX_TEXT], error.reason.value, error.detail)
            )
            continue
        piece = pieces.get((place.area, place.domain))
        if piece is None:
            piece = pieces[place.area, place.domain] = Piece(
                request.gateway, request.id, place.area, place.domain, place.partition, []
            )
        piece.rows.append(row)
    return list(pieces.values()), refused


_decode_batch = msgspec.json.Decoder(_Batch)
_decode_loose = msgspec.json.Decoder(_Loose)
_decode_reading = msgspec.json.Decoder(Reading)


def _parse_loosely(body: bytes) -> tuple[str, str | None, tuple[Reading | Refused, ...]]:
    try:
        loose = _decode_loose.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"the body is no batch of readings: {error}") from error
    return (
        loose.gateway,
        loose.id,
        tuple(_parse_one(i, raw) for i, raw in enumerate(loose.readings)),
    )


def _parse_one(index: int, raw: msgspec.Raw) -> Reading | Refused:
    try:
        return _decode_reading.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Refused(index, _name_in(raw), Reason.WRONG_TYPE.value, str(error)[:MAX_TEXT])


def _name_in(raw: msgspec.Raw) -> str:
    """The sensor's name in a reading that cannot be read, as far as there is one."""
    try:
        return msgspec.json.decode(msgspec.json.decode(raw, type=_Named).sensor, type=str)[
            :MAX_TEXT
        ]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""


def _checked(reading: Reading, gateway: str, directory: Directory) -> tuple[Place, Row]:
    device = directory.devices.get(reading.sensor)
    if device is None or device.gateway != gateway:
        # The same answer for both: who may not send for a sensor may not learn that it exists.
        raise InvalidEvent(Reason.UNKNOWN_SENSOR, "not a registered sensor of this gateway")
    place = device.places.get(reading.property)
    if place is None:
        known = ", ".join(sorted(device.places)) or "none"
        raise InvalidEvent(
            Reason.UNKNOWN_PROPERTY,
            f"{reading.property[:40]!r} is not registered for this sensor; it may send: {known}",
        )
    if reading.unit is not None and reading.unit != place.unit:
        raise InvalidEvent(
            Reason.UNKNOWN_UNIT,
            f"unit {reading.unit[:40]!r}; this property is sent in {place.unit}",
        )
    if reading.value is None or not math.isfinite(reading.value):
        raise InvalidEvent(Reason.NOT_FINITE, "value must be a number")
    if reading.flag is not None and reading.flag not in _FLAGS:
        raise InvalidEvent(Reason.WRONG_TYPE, "flag: QARTOD knows 1, 2, 3, 4 and 9")
    time_ms = _time_ms(reading.time)
    return place, (reading.sensor, reading.property, time_ms, reading.value, reading.flag)


def _time_ms(time: str | int) -> int:
    if isinstance(time, str):
        try:
            time = from_rfc3339(time)
        except ValueError as error:
            raise InvalidEvent(Reason.BAD_TIME, str(error)) from error
    if not EARLIEST_MS <= time < LATEST_MS:
        raise InvalidEvent(
            Reason.BAD_TIME, f"{time} ms since 1970 is not in the years 2000 to 2099"
        )
    return time
