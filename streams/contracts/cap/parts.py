"""What stands in which block of a CAP 1.2 message, in which order, how often and in which form.

One table for reading and writing. Source: CAP 1.2 §3.2 and its schema.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from streams.contracts.cap.model import (
    Area,
    CapSeverity,
    Category,
    Certainty,
    Circle,
    Info,
    Message,
    MsgType,
    Named,
    Pair,
    Reference,
    Resource,
    ResponseType,
    Scope,
    Status,
    Urgency,
)
from streams.contracts.cap.rules import Rule

_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d", re.ASCII)
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,18}", re.ASCII)


class WrongForm(ValueError):
    """A text that is not of its element's form."""

    def __init__(self, rule: Rule, detail: str) -> None:
        super().__init__(detail)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Form:
    """How a value is read from text and written as text."""

    read: Callable[[str], Any]
    write: Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Part:
    """One element of a block. `field` names where its value (many: a tuple of them) is kept."""

    element: str
    field: str
    form: Form | Block
    required: bool = False
    many: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A block: the values of its parts make a `kind`."""

    kind: type[Any]
    parts: tuple[Part, ...]


def date_time(text: str) -> str:
    """The text; `WrongForm` when it is no dateTime of CAP 1.2."""
    if not _DATE_TIME.fullmatch(text):
        raise WrongForm(
            Rule.DATE_TIME,
            f"{text[:40]!r} is not YYYY-MM-DDThh:mm:ss±hh:mm (neither Z nor fractions)",
        )
    try:
        datetime.fromisoformat(text)
    except ValueError as error:
        raise WrongForm(Rule.DATE_TIME, f"{text[:40]!r}: {error}") from error
    return text


def _one_of(kind: type[StrEnum]) -> Form:
    known = {one.value: one for one in kind}

    def read(text: str) -> StrEnum:
        if text not in known:
            raise WrongForm(Rule.VALUE, f"{text[:40]!r} is none of {', '.join(known)}")
        return known[text]

    return Form(read, lambda value: str(value.value))


def _language(text: str) -> str:
    if not _LANGUAGE.fullmatch(text):
        raise WrongForm(Rule.VALUE, f"{text[:40]!r} is no language (RFC 3066)")
    return text


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise WrongForm(Rule.VALUE, f"{text[:40]!r} is no whole number")
    return int(text)


def _decimal(text: str, rule: Rule = Rule.VALUE) -> Decimal:
    try:
        if _DECIMAL.fullmatch(text) and len(text) <= 40:
            return Decimal(text)
    except InvalidOperation:  # pragma: no cover - the pattern leaves none
        pass
    raise WrongForm(rule, f"{text[:40]!r} is no decimal number")


def _pair(text: str, rule: Rule) -> Pair:
    found = text.split(",")
    if len(found) != 2:
        raise WrongForm(rule, f"{text[:40]!r} is no pair lat,lon")
    return _decimal(found[0], rule), _decimal(found[1], rule)


def _polygon(text: str) -> tuple[Pair, ...]:
    return tuple(_pair(one, Rule.POLYGON) for one in text.split())


def _circle(text: str) -> Circle:
    found = text.split()
    if len(found) != 2:
        raise WrongForm(Rule.CIRCLE, f"{text[:40]!r} is no `lat,lon radius`")
    lat, lon = _pair(found[0], Rule.CIRCLE)
    return Circle(lat, lon, _decimal(found[1], Rule.CIRCLE))


def _references(text: str) -> tuple[Reference, ...]:
    return tuple(_reference(one) for one in text.split())


def _reference(text: str) -> Reference:
    found = text.split(",")
    if len(found) != 3 or not all(found):
        raise WrongForm(Rule.REFERENCES, f"{text[:60]!r} is no sender,identifier,sent")
    return Reference(found[0], found[1], date_time(found[2]))


def _plain(value: Decimal) -> str:
    return format(value, "f")


def _write_pair(pair: Pair) -> str:
    return f"{_plain(pair[0])},{_plain(pair[1])}"


TEXT = Form(str, str)
TIME = Form(date_time, str)
NUMBER = Form(_decimal, _plain)
POLYGON = Form(_polygon, lambda pairs: " ".join(map(_write_pair, pairs)))
CIRCLE = Form(_circle, lambda c: f"{_write_pair((c.lat, c.lon))} {_plain(c.radius_km)}")
REFERENCES = Form(
    _references, lambda found: " ".join(f"{r.sender},{r.identifier},{r.sent}" for r in found)
)
NAMED = Block(Named, (Part("valueName", "name", TEXT, True), Part("value", "value", TEXT, True)))
RESOURCE = Block(
    Resource,
    (
        Part("resourceDesc", "resource_desc", TEXT, True),
        Part("mimeType", "mime_type", TEXT, True),
        Part("size", "size", Form(_integer, str)),
        Part("uri", "uri", TEXT),
        Part("derefUri", "deref_uri", TEXT),
        Part("digest", "digest", TEXT),
    ),
)
AREA = Block(
    Area,
    (
        Part("areaDesc", "area_desc", TEXT, True),
        Part("polygon", "polygons", POLYGON, many=True),
        Part("circle", "circles", CIRCLE, many=True),
        Part("geocode", "geocodes", NAMED, many=True),
        Part("altitude", "altitude", NUMBER),
        Part("ceiling", "ceiling", NUMBER),
    ),
)
INFO = Block(
    Info,
    (
        Part("language", "language", Form(_language, str)),
        Part("category", "categories", _one_of(Category), True, True),
        Part("event", "event", TEXT, True),
        Part("responseType", "response_types", _one_of(ResponseType), many=True),
        Part("urgency", "urgency", _one_of(Urgency), True),
        Part("severity", "severity", _one_of(CapSeverity), True),
        Part("certainty", "certainty", _one_of(Certainty), True),
        Part("audience", "audience", TEXT),
        Part("eventCode", "event_codes", NAMED, many=True),
        Part("effective", "effective", TIME),
        Part("onset", "onset", TIME),
        Part("expires", "expires", TIME),
        Part("senderName", "sender_name", TEXT),
        Part("headline", "headline", TEXT),
        Part("description", "description", TEXT),
        Part("instruction", "instruction", TEXT),
        Part("web", "web", TEXT),
        Part("contact", "contact", TEXT),
        Part("parameter", "parameters", NAMED, many=True),
        Part("resource", "resources", RESOURCE, many=True),
        Part("area", "areas", AREA, many=True),
    ),
)
ALERT = Block(
    Message,
    (
        Part("identifier", "identifier", TEXT, True),
        Part("sender", "sender", TEXT, True),
        Part("sent", "sent", TIME, True),
        Part("status", "status", _one_of(Status), True),
        Part("msgType", "msg_type", _one_of(MsgType), True),
        Part("source", "source", TEXT),
        Part("scope", "scope", _one_of(Scope), True),
        Part("restriction", "restriction", TEXT),
        Part("addresses", "addresses", TEXT),
        Part("code", "codes", TEXT, many=True),
        Part("note", "note", TEXT),
        Part("references", "references", REFERENCES),
        Part("incidents", "incidents", TEXT),
        Part("info", "infos", INFO, many=True),
    ),
)
