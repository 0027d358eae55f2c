"""What a request holds once it is decoded, whatever its format and whichever door it came by.

Nothing here knows HTTP or MQTT, and nothing is judged yet: `sensors.gateway.checking` compares it
with the registry.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import msgspec

from streams.contracts.cloudevents import MAX_TEXT
from streams.errors import InvalidEvent

LONGEST_NAME = MAX_TEXT // 2  # of a gateway or a request: a digest still fits behind it


class Reading(msgspec.Struct, forbid_unknown_fields=True):
    """One reading as a device sends it; also its form on the wire."""

    sensor: str
    property: str
    time: str | int
    value: float | None
    unit: str | None = None
    flag: int | None = None


class Vocabulary(Enum):
    """How a unit is spelt."""

    CANONICAL = "canonical"  # as the property declares it; never converted
    SENML = "senml"  # RFC 8428 §12.1 and RFC 8798; converted where that is exact


@dataclass(frozen=True, slots=True)
class Claim:
    """What an envelope says of its readings beyond the readings; each part is checked when given.

    `area` is an administrative code that the sensor must stand in, `domain` the domain of the
    property, `subject` the sensor's point or an area around it, `sensor` the only one that sends.
    """

    area: str | None = None
    domain: str | None = None
    subject: str | None = None
    units: Vocabulary = Vocabulary.CANONICAL
    sensor: str | None = None


class Claimed(Reading):
    """A reading with the claim of its envelope. Never decoded from a wire."""

    claim: Claim = Claim()


@dataclass(frozen=True, slots=True)
class Refused:
    """One reading that was not taken; `index` counts from 0 in the request."""

    index: int
    sensor: str
    reason: str
    detail: str

    def to_dict(self) -> dict[str, object]:
        """As it stands in the answer. Text that is no Unicode is replaced."""
        return {
            "index": self.index,
            "sensor": writable(self.sensor),
            "reason": self.reason,
            "detail": writable(self.detail),
        }


@dataclass(frozen=True, slots=True)
class Places:
    """Where each reading stood in the body, for people: lines from 1, records, events from 0."""

    name: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """A decoded request. A reading that could not be read is there as its refusal.

    `gateway` sends it; requests of one gateway with the same `id` are the same request.
    """

    gateway: str
    id: str | None
    readings: tuple[Reading | Refused, ...]
    places: Places | None = None

    def describe(self, refused: Refused) -> dict[str, object]:
        """A refusal as it stands in the answer, with its place in the body."""
        if self.places is None:
            return refused.to_dict()
        return refused.to_dict() | {self.places.name: self.places.numbers[refused.index]}


class BadRequest(Exception):
    """The body is no batch at all: nothing of it was taken."""


class UnknownFormat(Exception):
    """Nobody here reads this content type."""


def refuse(index: int, sensor: str, error: InvalidEvent) -> Refused:
    """The refusal of a reading, its texts cut to what a log line bears."""
    return Refused(index, sensor[:MAX_TEXT], error.reason.value, error.detail[:MAX_TEXT])


def writable(text: str) -> str:
    """The text without lone surrogates, which UTF-8 cannot carry."""
    return text.encode("utf-8", "replace").decode("utf-8")


def name_problem(name: str, text: str | None) -> str | None:
    """Why this text cannot name a gateway or a request; None when it can, or is absent."""
    if text is None or (0 < len(text) <= LONGEST_NAME and text.isprintable()):
        return None
    return f"{name} must be 1 to {LONGEST_NAME} printable characters"
