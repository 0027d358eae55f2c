"""A CAP 1.2 message as frozen values. Fields are named and ordered as the elements are.

Times stay the text of the standard's form, offset included: `-00:00` and `+08:00` are what the
agency wrote. Coordinates are exact decimals, latitude first, as in CAP and unlike GeoJSON.
An element that stands there empty is as if it were absent. A signature is not kept: who checks it
needs the original bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Pair: TypeAlias = tuple[Decimal, Decimal]  # latitude, longitude (WGS-84)


class Status(StrEnum):
    ACTUAL = "Actual"
    EXERCISE = "Exercise"
    SYSTEM = "System"
    TEST = "Test"
    DRAFT = "Draft"


class MsgType(StrEnum):
    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"
    ACK = "Ack"
    ERROR = "Error"


class Scope(StrEnum):
    PUBLIC = "Public"
    RESTRICTED = "Restricted"
    PRIVATE = "Private"


class Category(StrEnum):
    GEO = "Geo"
    MET = "Met"
    SAFETY = "Safety"
    SECURITY = "Security"
    RESCUE = "Rescue"
    FIRE = "Fire"
    HEALTH = "Health"
    ENV = "Env"
    TRANSPORT = "Transport"
    INFRA = "Infra"
    CBRNE = "CBRNE"
    OTHER = "Other"


class ResponseType(StrEnum):
    SHELTER = "Shelter"
    EVACUATE = "Evacuate"
    PREPARE = "Prepare"
    EXECUTE = "Execute"
    AVOID = "Avoid"
    MONITOR = "Monitor"
    ASSESS = "Assess"
    ALL_CLEAR = "AllClear"
    NONE = "None"


class Urgency(StrEnum):
    IMMEDIATE = "Immediate"
    EXPECTED = "Expected"
    FUTURE = "Future"
    PAST = "Past"
    UNKNOWN = "Unknown"


class CapSeverity(StrEnum):
    EXTREME = "Extreme"
    SEVERE = "Severe"
    MODERATE = "Moderate"
    MINOR = "Minor"
    UNKNOWN = "Unknown"


class Certainty(StrEnum):
    OBSERVED = "Observed"
    LIKELY = "Likely"
    POSSIBLE = "Possible"
    UNLIKELY = "Unlikely"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class Named:
    """A pair of valueName and value: eventCode, parameter, geocode."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Reference:
    """An earlier message."""

    sender: str
    identifier: str
    sent: str


@dataclass(frozen=True, slots=True)
class Circle:
    lat: Decimal
    lon: Decimal
    radius_km: Decimal


@dataclass(frozen=True, slots=True)
class Resource:
    resource_desc: str
    mime_type: str
    size: int | None = None  # bytes
    uri: str | None = None
    deref_uri: str | None = None  # the content itself, base64
    digest: str | None = None  # SHA-1


@dataclass(frozen=True, slots=True)
class Area:
    area_desc: str
    polygons: tuple[tuple[Pair, ...], ...] = ()
    circles: tuple[Circle, ...] = ()
    geocodes: tuple[Named, ...] = ()
    altitude: Decimal | None = None  # feet above mean sea level
    ceiling: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Info:
    """One language's account of the event."""

    categories: tuple[Category, ...]
    event: str
    urgency: Urgency
    severity: CapSeverity
    certainty: Certainty
    language: str | None = None  # None means en-US (CAP 1.2 §3.2.2)
    response_types: tuple[ResponseType, ...] = ()
    audience: str | None = None
    event_codes: tuple[Named, ...] = ()
    effective: str | None = None
    onset: str | None = None
    expires: str | None = None
    sender_name: str | None = None
    headline: str | None = None
    description: str | None = None
    instruction: str | None = None
    web: str | None = None
    contact: str | None = None
    parameters: tuple[Named, ...] = ()
    resources: tuple[Resource, ...] = ()
    areas: tuple[Area, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    identifier: str
    sender: str
    sent: str
    status: Status
    msg_type: MsgType
    scope: Scope
    source: str | None = None
    restriction: str | None = None
    addresses: str | None = None
    codes: tuple[str, ...] = ()
    note: str | None = None
    references: tuple[Reference, ...] = ()
    incidents: str | None = None
    infos: tuple[Info, ...] = ()

    def as_reference(self) -> Reference:
        """How a later message names this one."""
        return Reference(self.sender, self.identifier, self.sent)


def instant(text: str) -> datetime:
    """The moment of a dateTime of the standard's form; `ValueError` when it is none."""
    return datetime.fromisoformat(text)


def instant_ms(text: str) -> int:
    """The same as epoch ms."""
    return int(instant(text).timestamp()) * 1000
