"""The gateway's own JSON: `{"gateway": …, "id": …, "readings": [ … ]}`.

Readings are decoded together, and one by one only when one of them is wrong.
"""

from __future__ import annotations

import msgspec

from sensors.gateway.reading import BadRequest, Reading, Refused
from streams.contracts.cloudevents import MAX_TEXT
from streams.contracts.reason import Reason

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    readings: list[Reading]
    gateway: str | None = None
    id: str | None = None


class _Loose(msgspec.Struct, forbid_unknown_fields=True):
    readings: list[msgspec.Raw]
    gateway: str | None = None
    id: str | None = None


class _Named(msgspec.Struct):
    sensor: msgspec.Raw = msgspec.Raw(b"null")


def read(body: bytes) -> tuple[str | None, str | None, tuple[Reading | Refused, ...]]:
    """(gateway, id, readings) of a batch; `BadRequest` for anything else."""
    try:
        batch = _decode_batch.decode(body)
        return batch.gateway, batch.id, tuple(batch.readings)
    except UNREADABLE:
        return _read_loosely(body)


def read_one(index: int, raw: bytes | msgspec.Raw) -> Reading | Refused:
    """One reading, or why it cannot be read."""
    try:
        return _decode_reading.decode(raw)
    except msgspec.ValidationError as error:
        reason, detail = Reason.WRONG_TYPE, str(error)
    except UNREADABLE as error:
        reason, detail = Reason.MALFORMED, f"not JSON: {error}"
    return Refused(index, name_in(raw), reason.value, detail[:MAX_TEXT])


def name_in(raw: bytes | msgspec.Raw) -> str:
    """The sensor's name in a reading that cannot be read, as far as there is one."""
    try:
        named = msgspec.json.decode(raw, type=_Named).sensor
        return msgspec.json.decode(named, type=str)[:MAX_TEXT]
    except UNREADABLE:
        return ""


_decode_batch = msgspec.json.Decoder(_Batch)
_decode_loose = msgspec.json.Decoder(_Loose)
_decode_reading = msgspec.json.Decoder(Reading)


def _read_loosely(body: bytes) -> tuple[str | None, str | None, tuple[Reading | Refused, ...]]:
    try:
        loose = _decode_loose.decode(body)
    except UNREADABLE as error:
        raise BadRequest(f"the body is no batch of readings: {error}") from error
    readings = tuple(read_one(index, raw) for index, raw in enumerate(loose.readings))
    return loose.gateway, loose.id, readings
