"""CloudEvents 1.0 on Kafka-like records: binary and structured content mode, read and written.

Source: CloudEvents 1.0.2 and its Kafka protocol binding 1.0.2 §3.2 (binary: headers
`ce_<attribute>` and `content-type`) and §3.3 (structured: `application/cloudevents+json`).
What the attributes mean to citybrain is `streams.contracts.codec`'s matter.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from streams.contracts.reason import Reason
from streams.errors import InvalidEvent

SPEC_VERSION = "1.0"
STRUCTURED = "application/cloudevents+json"
MAX_TEXT = 200  # characters of any identifying text: id, source, subject, sensor name
_PREFIX = "ce_"
_NAME = re.compile(r"[a-z0-9]+")
_URI_REFERENCE = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_decode_attribute = msgspec.json.Decoder(str | int | bool | None)
_CONTEXT = frozenset(("specversion", "id", "source", "type", "time", "subject"))


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """Context attributes and data of one event; `data` are the bytes in `datacontenttype`."""

    id: str
    source: str
    type: str
    data: bytes
    time: str | None = None
    subject: str | None = None
    datacontenttype: str | None = None
    extensions: Mapping[str, str] = field(default_factory=dict)

    def attributes(self) -> dict[str, str]:
        """All attributes that the event has, by their CloudEvents name."""
        named = {
            "specversion": SPEC_VERSION,
            "id": self.id,
            "source": self.source,
            "type": self.type,
            "time": self.time,
            "subject": self.subject,
            "datacontenttype": self.datacontenttype,
        }
        return {k: v for k, v in named.items() if v is not None} | dict(self.extensions)


def write_headers(
    id: str, source: str, type: str, time: str, *, subject: str = "", content_type: str = ""
) -> dict[str, str]:
    """Headers of binary mode; `ValueError` for an id or source that CloudEvents does not allow."""
    for name, value in (("id", id), ("source", source)):
        problem = text_problem(name, value)
        if problem:
            raise ValueError(problem)
    headers = {
        "ce_specversion": SPEC_VERSION,
        "ce_id": id,
        "ce_source": source,
        "ce_type": type,
        "ce_time": time,
    }
    if subject:
        headers["ce_subject"] = subject
    if content_type:
        headers["content-type"] = content_type
    return headers


def write_structured(event: CloudEvent) -> tuple[dict[str, str], bytes]:
    """Headers and body of structured mode; data that is not JSON travels as `data_base64`."""
    body: dict[str, object] = dict(event.attributes())
    if event.datacontenttype in (None, "application/json"):
        body["data"] = msgspec.Raw(event.data)
    else:
        body["data_base64"] = base64.b64encode(event.data).decode("ascii")
    return {"content-type": STRUCTURED}, msgspec.json.encode(body)


def read(headers: Mapping[str, str], body: bytes) -> CloudEvent:
    """The event in a record, whichever content mode it has.

    Raises `InvalidEvent`: `BAD_HEADERS` (an attribute missing or wrong), `UNKNOWN_VERSION`
    (a specversion other than 1.0), `MALFORMED` or `WRONG_TYPE` (structured mode, unreadable).
    """
    content_type = headers.get("content-type")
    if content_type is not None and content_type.startswith("application/cloudevents"):
        return _read_structured(content_type, body)
    attributes = {k[3:]: v for k, v in headers.items() if k.startswith(_PREFIX)}
    return _checked(attributes, content_type, body)


def text_problem(name: str, value: str | None) -> str | None:
    """Why this text cannot be the attribute id, source or type; None when it can."""
    if not value:
        return f"attribute {name} is missing or empty"
    if len(value) > MAX_TEXT:
        return f"attribute {name} has {len(value)} characters, at most {MAX_TEXT} are allowed"
    if not value.isprintable():
        return f"attribute {name} holds characters that do not print"
    if name == "source" and not _URI_REFERENCE.fullmatch(value):
        return f"attribute source {value[:60]!r} is not a URI reference"
    return None


def media_type(content_type: str) -> tuple[str, str]:
    """(type/subtype, charset), both in lower case; the charset is utf-8 when not stated."""
    main, *parameters = content_type.split(";")
    charset = "utf-8"
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"').lower()
    return main.strip().lower(), charset


def _read_structured(content_type: str, body: bytes) -> CloudEvent:
    if media_type(content_type) != (STRUCTURED, "utf-8"):
        raise InvalidEvent(
            Reason.UNKNOWN_ENCODING, f"content-type {content_type[:80]!r}; want {STRUCTURED}"
        )
    try:
        fields = _decode_fields.decode(body)
        data = fields.pop("data", None)
        coded = fields.pop("data_base64", None)
        attributes = {name: _decode_attribute.decode(raw) for name, raw in fields.items()}
        given = b"" if data is None else bytes(data)
        if coded is not None:
            given = base64.b64decode(msgspec.json.decode(coded, type=str), validate=True)
    except msgspec.ValidationError as error:
        raise InvalidEvent(Reason.WRONG_TYPE, f"structured event: {error}") from error
    except (msgspec.DecodeError, binascii.Error, ValueError, RecursionError) as error:
        raise InvalidEvent(Reason.MALFORMED, f"structured event: {error}") from error
    if data is not None and coded is not None:
        raise InvalidEvent(Reason.BAD_HEADERS, "structured event: both data and data_base64")
    texts = {name: _text(value) for name, value in attributes.items() if value is not None}
    return _checked(texts, texts.pop("datacontenttype", "application/json"), given)


def _text(value: str | int | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _checked(attributes: dict[str, str], content_type: str | None, data: bytes) -> CloudEvent:
    version = attributes.get("specversion")
    if version != SPEC_VERSION:
        if version is None:
            raise InvalidEvent(Reason.BAD_HEADERS, "attribute specversion is missing")
        raise InvalidEvent(Reason.UNKNOWN_VERSION, f"CloudEvents specversion {version[:40]!r}")
    for name in ("id", "source", "type"):
        problem = text_problem(name, attributes.get(name))
        if problem:
            raise InvalidEvent(Reason.BAD_HEADERS, problem)
    extensions = {}
    if not attributes.keys() <= _CONTEXT:
        extensions = {k: v for k, v in attributes.items() if k not in _CONTEXT}
        _check_names(extensions)
    return CloudEvent(
        attributes["id"],
        attributes["source"],
        attributes["type"],
        data,
        attributes.get("time"),
        attributes.get("subject"),
        content_type,
        extensions,
    )


def _check_names(extensions: Mapping[str, str]) -> None:
    for name in extensions:
        if not _NAME.fullmatch(name):
            raise InvalidEvent(Reason.BAD_HEADERS, f"attribute name {name[:40]!r} is not [a-z0-9]+")
