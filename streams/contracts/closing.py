"""An alert closed by hand, as it travels in the log, and what the stream answers.

The record is believed because it stands in the log: whether somebody may close an alert was decided
by who wrote it (docs/adr/0023-closed-by-hand.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from streams.contracts import cloudevents
from streams.contracts.cloudevents import CloudEvent
from streams.contracts.frame import JSON
from streams.contracts.reason import Reason, Severity
from streams.contracts.timestamp import to_rfc3339
from streams.errors import InvalidEvent

CLOSE_TYPE = "citybrain.close.v1"
PEOPLE = "/citybrain/actions"  # source of what people do
MAX_REASON = 2000


class Ending(StrEnum):
    """Why a person closed it, apart from what the sensors say."""

    FALSE_ALARM = "false_alarm"  # there was no hazard
    CLOSED_BY_HAND = "closed_by_hand"  # there was one, and it is over


class Verdict(StrEnum):
    """What became of a close at its place in the log."""

    CLOSED = "closed"
    NOT_OPEN = "not_open"  # the alert had ended by then, or never was
    RISEN = "risen"  # it was worse by then than what the person had seen


@dataclass(frozen=True, slots=True)
class Close:
    """A person's word that an alert has ended.

    `area` is whose part of the log it stands in: the alert's, or for an alert of the region stage
    (`region`) any area that has a partition. `severity` is what the person saw: above it the close
    does not hold. `number` counts the actions on the alert.
    """

    area: str
    alert: str
    subject: str
    region: bool
    severity: Severity
    number: int
    by: str
    ending: Ending
    reason: str
    ingest_ms: int = 0

    def evidence(self) -> dict[str, str]:
        """What the alert's transition says of it."""
        return {"by": self.by, "as": self.ending.value, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Closed:
    """The stream's answer to a close."""

    alert: str
    number: int
    verdict: Verdict
    area: str
    decided_ms: int
    position: int


class _Content(msgspec.Struct, forbid_unknown_fields=True):
    alert: str
    subject: str
    region: bool
    severity: int
    number: int
    by: str
    ending: Ending
    reason: str


def encode_close(close: Close) -> tuple[dict[str, str], bytes]:
    """Headers and body of the record; `ValueError` for one that `decode_close` would refuse."""
    content = _Content(
        close.alert,
        close.subject,
        close.region,
        int(close.severity),
        close.number,
        close.by,
        close.ending,
        close.reason,
    )
    wrong = _mistake(content)
    if wrong:
        raise ValueError(f"no close of an alert: {wrong}")
    headers = cloudevents.write_headers(
        f"close-{close.alert}-{close.number}",
        PEOPLE,
        CLOSE_TYPE,
        to_rfc3339(close.ingest_ms),
        subject=close.area,
        content_type=JSON,
    )
    return headers, msgspec.json.encode(content)


def decode_close(event: CloudEvent, ingest_ms: int) -> Close:
    """What a record says. Raises `InvalidEvent` and nothing else."""
    try:
        said = msgspec.json.decode(event.data, type=_Content)
    except msgspec.ValidationError as error:
        raise InvalidEvent(Reason.WRONG_TYPE, f"close: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidEvent(Reason.MALFORMED, f"close: {error}") from error
    wrong = _mistake(said)
    if wrong:
        raise InvalidEvent(Reason.WRONG_TYPE, f"close: {wrong}")
    area = event.subject
    if not area or len(area) > cloudevents.MAX_TEXT or not area.isprintable():
        raise InvalidEvent(Reason.BAD_HEADERS, "attribute subject must name the area")
    return Close(
        area,
        said.alert,
        said.subject,
        said.region,
        Severity(said.severity),
        said.number,
        said.by,
        said.ending,
        said.reason,
        ingest_ms,
    )


def _mistake(said: _Content) -> str | None:
    names = (said.alert, said.subject, said.by)
    if not all(0 < len(name) <= cloudevents.MAX_TEXT and name.isprintable() for name in names):
        return "alert, subject and by are names"
    if not Severity.BLUE <= said.severity <= Severity.RED:
        return f"severity {said.severity} is none of 1 to 4"
    if not 0 < said.number < 1 << 31:
        return f"number {said.number} counts nothing"
    if len(said.reason) > MAX_REASON or "\0" in said.reason:
        return f"a reason has at most {MAX_REASON} characters"
    return None
