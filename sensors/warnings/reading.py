"""From bytes to official warnings, whichever form they have; what is refused says why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from sensors.warnings import cma
from sensors.warnings.cap import read_cap
from sensors.warnings.places import Places
from streams.contracts.cap.write import MEDIA_TYPE as CAP
from streams.contracts.cloudevents import media_type
from streams.contracts.reason import Reason
from streams.contracts.warning import OfficialWarning
from streams.errors import InvalidEvent

JSON = "application/json"
MOST_JSON = 4 << 20  # the list of the whole country has some hundred rows
MOST_ROW = 1 << 16
XML = (CAP, "application/xml", "text/xml", "application/common-alerting-protocol+xml")


@dataclass(frozen=True, slots=True)
class Refused:
    """A warning that is none, with its bytes; `detail` begins with the rule that it breaks."""

    reason: Reason
    detail: str
    content: bytes
    media_type: str


def form_of(content: bytes) -> str:
    """The media type of a file, by its first character."""
    begin = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return JSON if begin in (b"{", b"[") else CAP


def read_warnings(
    content: bytes, content_type: str, places: Places
) -> Iterator[OfficialWarning | Refused]:
    """Every warning of a body. One bad row does not spoil the others."""
    kind = media_type(content_type)[0]
    if kind in XML:
        yield _tried(content, places)
    elif kind == JSON:
        yield from _rows(content, places)
    else:
        detail = f"content-type {content_type[:60]!r} is none of {CAP}, {JSON}"
        yield Refused(Reason.UNKNOWN_ENCODING, detail, content, kind)


def _tried(content: bytes, places: Places) -> OfficialWarning | Refused:
    try:
        return read_cap(content, places)
    except InvalidEvent as error:
        return Refused(error.reason, error.detail, content, CAP)


def _rows(content: bytes, places: Places) -> Iterator[OfficialWarning | Refused]:
    if len(content) > MOST_JSON:
        detail = f"rule size: {len(content)} bytes; at most {MOST_JSON} are taken"
        yield Refused(Reason.OVERSIZED, detail, content, JSON)
        return
    try:
        rows = list(cma.find_rows(msgspec.json.decode(content)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        yield Refused(Reason.MALFORMED, f"rule well_formed: {error}", content, JSON)
        return
    if not rows:
        detail = "rule row: no object with an alertid and a title"
        yield Refused(Reason.INVALID_WARNING, detail, content, JSON)
    for row in rows:
        yield _row(row, places)


def _row(row: Mapping[str, Any], places: Places) -> OfficialWarning | Refused:
    content = msgspec.json.encode(row)
    if len(content) > MOST_ROW:
        detail = f"rule size: a row of {len(content)} bytes; at most {MOST_ROW} are taken"
        return Refused(Reason.OVERSIZED, detail, content, JSON)
    try:
        return cma.read_row(row, places)
    except InvalidEvent as error:
        return Refused(error.reason, error.detail, content, JSON)
