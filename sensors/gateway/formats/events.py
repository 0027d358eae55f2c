"""CloudEvents 1.0 over HTTP: structured, batch and binary mode, by the house rules of this city.

`type` is `cn.gov.zj.citybrain.<domain>.observation.v1`, `source` is `/zj/<adcode6>/<device>`,
`subject`, when given, is the point or an area around it. The data are one native reading, an array
of them, or `{"readings": [...]}`; a reading without `sensor` is the device's own, one without
`time` has the event's. Source and id make the request's id: a retry is dropped whole downstream.

Sources: CloudEvents 1.0.2, its HTTP protocol binding §3.1–3.3 and JSON format §2–4.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

import msgspec

from sensors.gateway.formats.native import UNREADABLE
from sensors.gateway.reading import (
    BadRequest,
    Claim,
    Claimed,
    Places,
    Reading,
    Refused,
    refuse,
)
from streams.contracts.cloudevents import (
    STRUCTURED,
    CloudEvent,
    media_type,
    text_problem,
)
from streams.contracts.cloudevents import read as read_event
from streams.contracts.frame import JSON
from streams.contracts.reason import Reason
from streams.contracts.timestamp import from_rfc3339
from streams.errors import InvalidEvent

BATCH = "application/cloudevents-batch+json"
HEADER = "ce-"
TYPE = re.compile(r"cn\.gov\.zj\.citybrain\.([a-z0-9_]+)\.observation\.v1")
SOURCE = re.compile(r"/zj/([0-9]{6})/([^/?#]+)")
_TYPE_WANTED = "cn.gov.zj.citybrain.<domain>.observation.v1"


class _Told(msgspec.Struct, forbid_unknown_fields=True):
    """A reading of which the event may say a part."""

    property: str
    value: float | None
    sensor: str | None = None
    time: str | int | None = None
    unit: str | None = None
    flag: int | None = None


class _Many(msgspec.Struct, forbid_unknown_fields=True):
    readings: list[msgspec.Raw]


Found = tuple[str | None, tuple[Reading | Refused, ...], Places]


def read_structured(body: bytes) -> Found:
    """(request id, readings, places) of one event; its mistakes are refusals."""
    return _together([_from_json(body)])


def read_binary(headers: Mapping[str, str], body: bytes) -> Found:
    """The same of an event whose attributes are HTTP headers `ce-…` (names in lower case)."""
    attributes = {
        f"ce_{name.removeprefix(HEADER)}": unquote(value, errors="replace")
        for name, value in headers.items()
        if name.startswith(HEADER)
    }
    content_type = headers.get("content-type")
    if content_type is not None:
        attributes["content-type"] = content_type
    try:
        return _together([read_event(attributes, body)])
    except InvalidEvent as error:
        return _together([error])


def read_batch(body: bytes, most: int) -> Found:
    """The same of a batch; `BadRequest` when it is no array, or has more than `most` events."""
    try:
        raws = _decode_raws.decode(body)
    except UNREADABLE as error:
        raise BadRequest(f"the body is no array of events: {error}") from error
    if len(raws) > most:
        raise BadRequest(f"{len(raws)} events; at most {most} are taken at once")
    return _together([_from_json(bytes(raw)) for raw in raws])


def _from_json(raw: bytes) -> CloudEvent | InvalidEvent:
    try:
        return read_event({"content-type": STRUCTURED}, raw)
    except InvalidEvent as error:
        return error


def _together(events: Sequence[CloudEvent | InvalidEvent]) -> Found:
    readings: list[Reading | Refused] = []
    numbers: list[int] = []
    for number, event in enumerate(events):
        found = _readings(event, len(readings))
        readings += found
        numbers += [number] * len(found)
    return _request_id(events), tuple(readings), Places("event", tuple(numbers))


def _request_id(events: Sequence[CloudEvent | InvalidEvent]) -> str | None:
    """The same for the same events in the same order."""
    named = [(one.source, one.id) for one in events if isinstance(one, CloudEvent)]
    if not named:
        return None
    return "ce-" + hashlib.sha256(msgspec.msgpack.encode(named)).hexdigest()[:32]


def _readings(event: CloudEvent | InvalidEvent, index: int) -> list[Reading | Refused]:
    """At least one: an event without readings is refused as a whole."""
    if isinstance(event, InvalidEvent):
        return [refuse(index, "", event)]
    device = ""
    try:
        claim, device = _claim(event)
        raws = _data(event)
    except InvalidEvent as error:
        return [refuse(index, device, error)]
    return [_reading(index + i, raw, event, claim, device) for i, raw in enumerate(raws)]


def _claim(event: CloudEvent) -> tuple[Claim, str]:
    """What the attributes say, and the device."""
    kind = TYPE.fullmatch(event.type)
    if kind is None:
        detail = f"type {event.type[:60]!r}; want {_TYPE_WANTED}"
        raise InvalidEvent(Reason.UNKNOWN_TYPE, detail)
    source = SOURCE.fullmatch(event.source)
    if source is None:
        detail = f"source {event.source[:60]!r}; want /zj/<adcode6>/<device>"
        raise InvalidEvent(Reason.BAD_HEADERS, detail)
    if event.subject is not None:
        problem = text_problem("subject", event.subject)
        if problem:
            raise InvalidEvent(Reason.BAD_HEADERS, problem)
    if event.time is not None:
        try:
            from_rfc3339(event.time)
        except ValueError as error:
            raise InvalidEvent(Reason.BAD_TIME, f"attribute time: {error}") from error
    claim = Claim(source[1], kind[1], event.subject)
    return claim, unquote(source[2], errors="replace")


def _data(event: CloudEvent) -> list[msgspec.Raw]:
    if media_type(event.datacontenttype or JSON) != (JSON, "utf-8"):
        detail = f"data are read as {JSON} in UTF-8, not {event.datacontenttype!r:.60}"
        raise InvalidEvent(Reason.UNKNOWN_ENCODING, detail)
    data = event.data.lstrip()
    try:
        if data.startswith(b"["):
            raws = _decode_raws.decode(data)
        elif _says_readings(data):
            raws = msgspec.json.decode(data, type=_Many).readings
        else:
            return [msgspec.Raw(data)]
    except msgspec.ValidationError as error:
        raise InvalidEvent(Reason.WRONG_TYPE, f"data: {error}") from error
    except UNREADABLE as error:
        raise InvalidEvent(Reason.MALFORMED, f"data: {error}") from error
    if not raws:
        raise InvalidEvent(Reason.WRONG_SHAPE, "the event holds no reading")
    return raws


def _says_readings(data: bytes) -> bool:
    return data.startswith(b"{") and "readings" in _decode_object.decode(data)


def _reading(
    index: int, raw: msgspec.Raw, event: CloudEvent, claim: Claim, device: str
) -> Reading | Refused:
    try:
        told = _decode_told.decode(raw)
        time = event.time if told.time is None else told.time
        if time is None:
            raise InvalidEvent(Reason.BAD_TIME, "neither the reading nor the event has a time")
    except InvalidEvent as error:
        return refuse(index, device, error)
    except msgspec.ValidationError as error:
        return refuse(index, device, InvalidEvent(Reason.WRONG_TYPE, f"data: {error}"))
    except UNREADABLE as error:
        return refuse(index, device, InvalidEvent(Reason.MALFORMED, f"data: {error}"))
    sensor = device if told.sensor is None else told.sensor
    return Claimed(sensor, told.property, time, told.value, told.unit, told.flag, claim)


_decode_raws = msgspec.json.Decoder(list[msgspec.Raw])
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_decode_told = msgspec.json.Decoder(_Told)
