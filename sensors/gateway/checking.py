"""Readings against the registry: what can be taken, grouped by area, and why the rest cannot.

One bad reading never costs the others. What needs history or the other readings (duplicates,
late, ahead of time, implausible) is the pipeline's to judge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from sensors.gateway.directory import Device, Directory, Place
from sensors.gateway.reading import Claim, Claimed, Reading, Refused, Request, Vocabulary, refuse
from sensors.gateway.units import convert
from streams.contracts.area_code import covers, is_area_code
from streams.contracts.reason import Flag, Reason
from streams.contracts.timestamp import from_rfc3339
from streams.errors import InvalidEvent

EARLIEST_MS = 946_684_800_000  # 2000-01-01T00:00Z
LATEST_MS = 4_102_444_800_000  # 2100-01-01T00:00Z
_FLAGS = frozenset(int(flag) for flag in Flag)

Row: TypeAlias = tuple[str, str, int, float, int | None]  # sensor, property, time, value, flag


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one request, of one area and domain, from one gateway."""

    source: str
    request: str | None
    area: str
    domain: str
    partition: int
    rows: list[Row]


def check(
    request: Request, directory: Directory, areas: tuple[str, ...] | None = None
) -> tuple[list[Piece], list[Refused]]:
    """Pieces of what can be taken, and a refusal for everything else, in the request's order.

    `areas` are the codes that the sender's key covers, with what lies in them; None = all.
    """
    pieces: dict[tuple[str, str], Piece] = {}
    refused: list[Refused] = []
    for index, reading in enumerate(request.readings):
        if isinstance(reading, Refused):
            refused.append(reading)
            continue
        try:
            place, row = _checked(reading, request.gateway, directory, areas)
        except InvalidEvent as error:
            refused.append(refuse(index, reading.sensor, error))
            continue
        piece = pieces.get((place.area, place.domain))
        if piece is None:
            piece = pieces[place.area, place.domain] = Piece(
                request.gateway, request.id, place.area, place.domain, place.partition, []
            )
        piece.rows.append(row)
    return list(pieces.values()), refused


def _checked(
    reading: Reading, gateway: str, directory: Directory, areas: tuple[str, ...] | None
) -> tuple[Place, Row]:
    device = directory.devices.get(reading.sensor)
    if device is None or device.gateway != gateway:
        # The same answer for both: who may not send for a sensor may not learn that it exists.
        raise InvalidEvent(Reason.UNKNOWN_SENSOR, "not a registered sensor of this gateway")
    if areas is not None and not _covered(areas, device.area):
        raise InvalidEvent(Reason.FOREIGN_AREA, "the key does not cover this sensor's area")
    place = device.places.get(reading.property)
    if place is None:
        known = ", ".join(sorted(device.places)) or "none"
        raise InvalidEvent(
            Reason.UNKNOWN_PROPERTY,
            f"{reading.property[:40]!r} is not registered for this sensor; it may send: {known}",
        )
    claim = reading.claim if isinstance(reading, Claimed) else None
    if claim is not None:
        _check_claim(claim, reading.sensor, device, place)
    value = _value(reading, place, claim)
    if reading.flag is not None and reading.flag not in _FLAGS:
        raise InvalidEvent(Reason.WRONG_TYPE, "flag: QARTOD knows 1, 2, 3, 4 and 9")
    time_ms = _time_ms(reading.time)
    return place, (reading.sensor, reading.property, time_ms, value, reading.flag)


@lru_cache(maxsize=4096)
def _covered(areas: tuple[str, ...], area: str) -> bool:
    return any(covers(code, area) for code in areas)


def _check_claim(claim: Claim, sensor: str, device: Device, place: Place) -> None:
    """Compares what the envelope says with the registry."""
    if claim.sensor is not None and claim.sensor != sensor:
        detail = f"only {claim.sensor[:80]!r} may send here"
        raise InvalidEvent(Reason.UNKNOWN_SENSOR, detail)
    if claim.area is not None and not (is_area_code(claim.area) and covers(claim.area, place.area)):
        detail = f"the sensor stands in {place.area}, not in {claim.area[:20]!r}"
        raise InvalidEvent(Reason.FOREIGN_AREA, detail)
    if claim.domain is not None and claim.domain != place.domain:
        detail = f"the property belongs to {place.domain}, not to {claim.domain[:40]!r}"
        raise InvalidEvent(Reason.UNKNOWN_DOMAIN, detail)
    subject = claim.subject
    if subject is None or subject == device.point:
        return
    if not (is_area_code(subject) and covers(subject, place.area)):
        detail = f"{subject[:40]!r} is neither this sensor's point nor an area around it"
        raise InvalidEvent(Reason.FOREIGN_POINT, detail)


def _value(reading: Reading, place: Place, claim: Claim | None) -> float:
    """The value in the property's canonical unit."""
    value = reading.value
    if value is None or not math.isfinite(value):
        raise InvalidEvent(Reason.NOT_FINITE, "value must be a number")
    if reading.unit is None or reading.unit == place.unit:
        return value
    converted = None
    if claim is not None and claim.units is Vocabulary.SENML:
        converted = convert(value, reading.unit, place.unit)
    if converted is None:
        detail = f"unit {reading.unit[:40]!r}; this property is sent in {place.unit}"
        raise InvalidEvent(Reason.UNKNOWN_UNIT, detail)
    if not math.isfinite(converted):
        raise InvalidEvent(Reason.NOT_FINITE, f"beyond every number in {place.unit}")
    return converted


def _time_ms(time: str | int) -> int:
    if isinstance(time, str):
        try:
            time = from_rfc3339(time)
        except ValueError as error:
            raise InvalidEvent(Reason.BAD_TIME, str(error)) from error
    if not EARLIEST_MS <= time < LATEST_MS:
        raise InvalidEvent(
            Reason.BAD_TIME, f"{time} ms since 1970 is not in the years 2000 to 2099"
        )
    return time
