"""An official warning as it travels in the log: what an agency said, read but not judged.

`sensors.warnings` makes it from CAP messages and from rows of the meteorological service; the
pipeline keeps what is in force by area and stores all of it, the original bytes included.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import msgspec

from streams.contracts import cloudevents
from streams.contracts.area_code import covers, is_area_code
from streams.contracts.cap.model import Status
from streams.contracts.cloudevents import CloudEvent
from streams.contracts.columns import MAX_TIME_MS
from streams.contracts.domain import Parameter
from streams.contracts.frame import JSON
from streams.contracts.reason import Origin, Reason, Severity
from streams.contracts.timestamp import to_rfc3339
from streams.errors import InvalidEvent

WARNING_TYPE = "citybrain.warning.v1"
OPERATOR = "/citybrain/warnings"  # source of what a person brought: it may end anything
HOUR_MS = 3_600_000
VALID_HOURS = Parameter(
    "warning.valid_hours", "24", "h", "H", "本平台约定: a warning that states no end ends so"
)


class Kind(StrEnum):
    """What a message does to earlier ones (CAP msgType)."""

    ALERT = "Alert"
    UPDATE = "Update"  # takes the place of what it names
    CANCEL = "Cancel"  # ends what it names


class Form(StrEnum):
    """How it came."""

    CAP = "cap"
    CMA_ROW = "cma_row"  # a row of the national list of warnings


@dataclass(frozen=True, slots=True)
class Named:
    """How an earlier message is named."""

    sender: str
    identifier: str


@dataclass(frozen=True, slots=True)
class OfficialWarning:
    """One message about one hazard.

    `event` is the agency's word, `type` the Chinese name of a known type of warning ("" when it
    is none). `severity` NONE: it states no colour. `areas`: GB/T 2260 codes, possibly none;
    `area_text` as it was written. `series`: warnings of the same series take each other's place,
    where the form has no references. `geometry` is GeoJSON.
    """

    sender: str
    identifier: str
    sent_ms: int
    kind: Kind
    status: Status
    form: Form
    issuers: tuple[str, ...]
    event: str
    type: str
    severity: Severity
    areas: tuple[str, ...]
    area_text: str
    headline: str
    description: str
    language: str
    media_type: str
    original: bytes
    instruction: str = ""
    effective_ms: int | None = None
    onset_ms: int | None = None
    expires_ms: int | None = None
    references: tuple[Named, ...] = ()
    series: str = ""
    geometry: dict[str, Any] | None = None

    @property
    def id(self) -> str:
        """Its name here: the same message has the same, whoever brings it."""
        return warning_id(self.sender, self.identifier)

    @property
    def refers(self) -> tuple[str, ...]:
        """Names of the messages that it updates or cancels."""
        return tuple(warning_id(one.sender, one.identifier) for one in self.references)

    def concerns(self, area: str) -> bool:
        """Whether it is about this area, a part of it or what holds it. A warning of a county
        does not concern the city as a whole."""
        return any(
            covers(code, area) or (len(code) > 6 and covers(area, code)) for code in self.areas
        )

    def ends_ms(self, valid_hours: int) -> int:
        """When it ends by itself."""
        if self.expires_ms is not None:
            return self.expires_ms
        return max(self.sent_ms, self.effective_ms or self.sent_ms) + valid_hours * HOUR_MS


@dataclass(frozen=True, slots=True)
class Announcement:
    """An official warning at its place in the log."""

    source: str
    ingest_ms: int
    origin: Origin
    warning: OfficialWarning = field(repr=False)


def warning_id(sender: str, identifier: str) -> str:
    """Fingerprint of what makes a message unique."""
    return hashlib.sha256(f"{sender}\n{identifier}".encode()).hexdigest()[:32]


def encode_announcement(
    warning: OfficialWarning, source: str, origin: Origin, ingest_ms: int
) -> tuple[dict[str, str], bytes]:
    """Headers and body of the record."""
    time = to_rfc3339(ingest_ms)
    headers = cloudevents.write_headers(warning.id, source, WARNING_TYPE, time, content_type=JSON)
    return headers | {"origin": origin.value}, msgspec.json.encode(warning)


def decode_announcement(event: CloudEvent, ingest_ms: int, origin: Origin) -> Announcement:
    """What a record says. Raises `InvalidEvent` and nothing else."""
    try:
        warning = msgspec.json.decode(event.data, type=OfficialWarning)
    except msgspec.ValidationError as error:
        raise InvalidEvent(Reason.WRONG_TYPE, f"warning: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidEvent(Reason.MALFORMED, f"warning: {error}") from error
    wrong = _mistake(warning)
    if wrong:
        raise InvalidEvent(Reason.WRONG_TYPE, f"warning: {wrong}")
    return Announcement(event.source, ingest_ms, origin, warning)


def valid_hours(values: Mapping[str, str]) -> int:
    """The house number in force."""
    return int(values.get(VALID_HOURS.key, VALID_HOURS.default))


def mistakes(values: Mapping[str, str]) -> list[str]:
    """What in a profile is no usable number."""
    text = values.get(VALID_HOURS.key, VALID_HOURS.default)
    if text.isdecimal() and 1 <= int(text[:9]) <= 24 * 31:
        return []
    return [f"{VALID_HOURS.key} = {text!r} is not a whole number of hours from 1 to 744"]


def _mistake(warning: OfficialWarning) -> str | None:
    times = (warning.sent_ms, warning.effective_ms, warning.onset_ms, warning.expires_ms)
    if any(t is not None and abs(t) > MAX_TIME_MS for t in times):
        return "a time outside the years that are read"
    if not all(map(is_area_code, warning.areas)):
        return "an area that is no code"
    texts = (warning.sender, warning.identifier)
    if not all(texts) or any("\x00" in text for text in (*texts, warning.headline)):
        return "no sender or no identifier"
    return None
