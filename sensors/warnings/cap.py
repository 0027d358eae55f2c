"""A CAP message as an official warning: what our city needs of it, in our words.

Of several languages the Chinese account is kept, else the English, else the first; severity is the
worst of all accounts, areas are those of all. Restricted and private messages are refused: what is
stored here is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from sensors.warnings.places import Places, plain_code
from sensors.warnings.types import colour_in, known_type
from streams.contracts.cap.model import (
    CapSeverity,
    Circle,
    Info,
    Message,
    MsgType,
    Pair,
    Scope,
    instant_ms,
)
from streams.contracts.cap.read import read
from streams.contracts.cap.rules import Rule, refuse
from streams.contracts.cap.write import MEDIA_TYPE
from streams.contracts.reason import Severity
from streams.contracts.warning import Form, Kind, Named, OfficialWarning

COLOUR_PARAMETERS = ("预警级别", "预警颜色", "color", "colour")
SEVERITIES = {
    CapSeverity.EXTREME: Severity.RED,
    CapSeverity.SEVERE: Severity.ORANGE,
    CapSeverity.MODERATE: Severity.YELLOW,
    CapSeverity.MINOR: Severity.BLUE,
    CapSeverity.UNKNOWN: Severity.NONE,
}
CORNERS = 32  # of the polygon that stands for a circle
KM_PER_DEGREE = 111.32


def read_cap(content: bytes, places: Places) -> OfficialWarning:
    """The warning; `InvalidEvent` names the rule that the message breaks."""
    message = read(content)
    if message.msg_type in (MsgType.ACK, MsgType.ERROR):
        raise refuse(Rule.VALUE, "alert/msgType", f"{message.msg_type.value} warns of nothing")
    if message.scope is not Scope.PUBLIC:
        raise refuse(Rule.SCOPE, "alert/scope", f"{message.scope.value}: only Public is taken")
    if not message.infos:
        if message.msg_type is not MsgType.CANCEL:
            raise refuse(Rule.REQUIRED, "alert/info", "is missing: nothing is said of a hazard")
        return _bare_cancel(message, content)
    return _warning(message, content, places)


def _warning(message: Message, content: bytes, places: Places) -> OfficialWarning:
    info = _chosen(message.infos)
    geometry = _geometry(message.infos)
    areas = _codes(message.infos)
    if not areas and geometry is not None:
        areas = places.overlapped(geometry)
    return OfficialWarning(
        **_envelope(message, content),
        issuers=(info.sender_name or message.source or message.sender,),
        event=info.event,
        type=_type(message.infos, places),
        severity=max(map(_severity, message.infos)),
        areas=areas,
        area_text="; ".join(dict.fromkeys(a.area_desc for a in info.areas)),
        headline=info.headline or info.event,
        description=info.description or "",
        language=info.language or "en-US",
        instruction=info.instruction or "",
        effective_ms=_ms(info.effective),
        onset_ms=_ms(info.onset),
        expires_ms=max(
            (t for i in message.infos if (t := _ms(i.expires)) is not None), default=None
        ),
        geometry=geometry,
    )


def _bare_cancel(message: Message, content: bytes) -> OfficialWarning:
    """A Cancel needs no info: it ends what it names, whatever that was."""
    return OfficialWarning(
        **_envelope(message, content),
        issuers=(message.source or message.sender,),
        event="",
        type="",
        severity=Severity.NONE,
        areas=(),
        area_text="",
        headline=message.note or "",
        description="",
        language="",
    )


def _envelope(message: Message, content: bytes) -> dict[str, Any]:
    return {
        "sender": message.sender,
        "identifier": message.identifier,
        "sent_ms": instant_ms(message.sent),
        "kind": Kind(message.msg_type.value),
        "status": message.status,
        "form": Form.CAP,
        "references": tuple(Named(r.sender, r.identifier) for r in message.references),
        "media_type": MEDIA_TYPE,
        "original": content,
    }


def _chosen(infos: tuple[Info, ...]) -> Info:
    for beginning in ("zh", "en"):
        for info in infos:
            if (info.language or "en-US").lower().startswith(beginning):
                return info
    return infos[0]


def _type(infos: Iterable[Info], places: Places) -> str:
    for info in infos:
        for code in info.event_codes:
            if code.value.strip() in places.codes:
                return places.codes[code.value.strip()]
        if known := known_type(info.event.strip()):
            return known
    return ""


def _severity(info: Info) -> Severity:
    for one in info.parameters:
        if one.name.strip().lower() in COLOUR_PARAMETERS and (colour := colour_in(one.value)):
            return colour
    return SEVERITIES[info.severity]


def _codes(infos: Iterable[Info]) -> tuple[str, ...]:
    """Codes of geocodes that say they are GB/T 2260; others (SAME, FIPS6) only look alike."""
    found: dict[str, None] = {}
    for info in infos:
        for area in info.areas:
            for geocode in area.geocodes:
                if "2260" not in geocode.name:
                    continue
                for text in geocode.value.split(","):
                    code = plain_code(text)
                    if code is None:
                        raise refuse(Rule.VALUE, "geocode", f"{text[:40]!r} is no GB/T 2260 code")
                    found[code] = None
    return tuple(found)


def _geometry(infos: Iterable[Info]) -> dict[str, Any] | None:
    """All polygons, and circles as polygons, longitude first; None when there are none."""
    rings = list(dict.fromkeys(_rings(infos)))
    if not rings:
        return None
    return {"type": "MultiPolygon", "coordinates": [[[list(p) for p in ring]] for ring in rings]}


def _rings(infos: Iterable[Info]) -> Iterator[tuple[tuple[float, float], ...]]:
    for info in infos:
        for area in info.areas:
            yield from (_ring(pairs) for pairs in area.polygons)
            yield from (_round(circle) for circle in area.circles if circle.radius_km > 0)


def _ring(pairs: tuple[Pair, ...]) -> tuple[tuple[float, float], ...]:
    return tuple((float(lon), float(lat)) for lat, lon in pairs)


def _round(circle: Circle) -> tuple[tuple[float, float], ...]:
    lat, lon, radius = float(circle.lat), float(circle.lon), float(circle.radius_km)
    up = radius / KM_PER_DEGREE
    aside = up / max(0.01, math.cos(math.radians(lat)))
    turns = [2 * math.pi * (n % CORNERS) / CORNERS for n in range(CORNERS + 1)]
    return tuple(
        (round(lon + aside * math.cos(t), 6), round(lat + up * math.sin(t), 6)) for t in turns
    )


def _ms(text: str | None) -> int | None:
    return None if text is None else instant_ms(text)
