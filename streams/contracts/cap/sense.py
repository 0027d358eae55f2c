"""What the schema cannot say: the rules of sense of CAP 1.2, and of a message for the public."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import shapely

from streams.contracts.cap.model import (
    Area,
    CapSeverity,
    Certainty,
    Info,
    Message,
    MsgType,
    Pair,
    Scope,
    Urgency,
    instant,
)
from streams.contracts.cap.rules import Fault, Rule

FORBIDDEN = re.compile(r"[\s,<&]")  # CAP 1.2 §3.2.1; key cap.id_forbidden
LEAST_PAIRS = 4
FOLLOWING = (MsgType.UPDATE, MsgType.CANCEL, MsgType.ACK, MsgType.ERROR)


def check(message: Message) -> tuple[Fault, ...]:
    """Everything that makes a message senseless although its form is right."""
    return tuple(_faults(message))


def check_public(message: Message) -> tuple[Fault, ...]:
    """What a message for the public lacks (domain.md §5.3, public profile)."""
    return tuple(_lacking(message))


def _faults(message: Message) -> Iterator[Fault]:
    for name, text in (("identifier", message.identifier), ("sender", message.sender)):
        if not text or FORBIDDEN.search(text):
            detail = "is empty" if not text else "holds a space, a comma, < or &"
            yield Fault(Rule.IDENTIFIER, f"alert/{name}", detail)
    yield from _scope_faults(message)
    yield from _reference_faults(message)
    if message.msg_type is MsgType.ERROR and not message.note:
        yield Fault(Rule.NOTE, "alert/note", "an Error message says why")
    for at, info in enumerate(message.infos, 1):
        for number, area in enumerate(info.areas, 1):
            yield from _area_faults(area, f"alert/info[{at}]/area[{number}]")


def _scope_faults(message: Message) -> Iterator[Fault]:
    if message.scope is Scope.RESTRICTED and not message.restriction:
        yield Fault(Rule.SCOPE, "alert/restriction", "missing although the scope is Restricted")
    if message.scope is not Scope.RESTRICTED and message.restriction:
        yield Fault(
            Rule.SCOPE, "alert/restriction", f"stated although the scope is {message.scope}"
        )
    if message.scope is Scope.PRIVATE and not message.addresses:
        yield Fault(Rule.SCOPE, "alert/addresses", "missing although the scope is Private")


def _reference_faults(message: Message) -> Iterator[Fault]:
    where = "alert/references"
    if message.msg_type in FOLLOWING and not message.references:
        yield Fault(Rule.REFERENCES, where, f"{message.msg_type.value} names no earlier message")
    sent = instant(message.sent)
    for one in message.references:
        if (one.sender, one.identifier) == (message.sender, message.identifier):
            yield Fault(Rule.REFERENCES, where, "the message names itself")
        elif instant(one.sent) > sent:
            yield Fault(Rule.REFERENCES, where, f"{one.identifier[:60]} was sent later than this")


def _area_faults(area: Area, where: str) -> Iterator[Fault]:
    for number, pairs in enumerate(area.polygons, 1):
        wrong = polygon_fault(pairs)
        if wrong:
            yield Fault(Rule.POLYGON, f"{where}/polygon[{number}]", wrong)
    for number, circle in enumerate(area.circles, 1):
        if not on_globe((circle.lat, circle.lon)):
            yield Fault(Rule.CIRCLE, f"{where}/circle[{number}]", "centre off the globe (lat,lon?)")
        if circle.radius_km < 0:
            yield Fault(Rule.CIRCLE, f"{where}/circle[{number}]", "radius below zero")
    if area.ceiling is not None and area.altitude is None:
        yield Fault(Rule.CEILING, f"{where}/ceiling", "without an altitude")
    if area.ceiling is not None and area.altitude is not None and area.ceiling < area.altitude:
        yield Fault(Rule.CEILING, f"{where}/ceiling", "below the altitude")


def polygon_fault(pairs: tuple[Pair, ...]) -> str | None:
    """What is wrong with a polygon; None = nothing."""
    if len(pairs) < LEAST_PAIRS:
        return f"{len(pairs)} pairs, at least {LEAST_PAIRS} are needed"
    if pairs[0] != pairs[-1]:
        return "not closed: the last pair is not the first"
    if not all(map(on_globe, pairs)):
        return "a pair off the globe (lat,lon?)"
    if not shapely.LinearRing([(float(lon), float(lat)) for lat, lon in pairs]).is_simple:
        return "crosses itself"
    return None


def on_globe(pair: Pair) -> bool:
    """Whether it is a latitude and a longitude."""
    lat, lon = pair
    return abs(lat) <= Decimal(90) and abs(lon) <= Decimal(180)


def _lacking(message: Message) -> Iterator[Fault]:
    if message.scope is not Scope.PUBLIC:
        yield Fault(Rule.PUBLIC, "alert/scope", f"is {message.scope.value}")
    if not message.infos:
        yield Fault(Rule.PUBLIC, "alert/info", "is missing")
    for at, info in enumerate(message.infos, 1):
        for what in _lacking_in(info):
            yield Fault(Rule.PUBLIC, f"alert/info[{at}]/{what}", "is missing or unknown")


def _lacking_in(info: Info) -> Iterator[str]:
    for name in ("description", "web", "expires"):
        if not getattr(info, name):
            yield name
    unknown = {
        "urgency": info.urgency is Urgency.UNKNOWN,
        "severity": info.severity is CapSeverity.UNKNOWN,
        "certainty": info.certainty is Certainty.UNKNOWN,
    }
    yield from (name for name, is_unknown in unknown.items() if is_unknown)
    if not any(a.polygons or a.circles or a.geocodes for a in info.areas):
        yield "area"
