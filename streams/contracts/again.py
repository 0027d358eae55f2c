"""Refused rows as a frame to append again: same rows, same times, an id of its own.

The id follows from the place of what was refused, so that the same try made twice is recognised
as one. Origin, ingest time and the mark of a backfill stay: nothing becomes live that was not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import msgspec
import numpy as np

from streams.contracts.frame import Frame, Int8
from streams.contracts.reason import Flag, Origin
from streams.contracts.timestamp import from_rfc3339

PREFIX = "deadletter"


class RefusedRow(msgspec.Struct, frozen=True):
    """One row of a frame, as its dead letter keeps it."""

    sensor: str
    property: str
    time: int
    value: float | str
    unit: str | None = None
    flag: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the log the refused record stands; `rows` of it, or () for all of it."""

    partition: int
    position: int
    rows: tuple[int, ...] = ()

    @property
    def id(self) -> str:
        """The id of the frame of a new try."""
        name = f"{PREFIX}.{self.partition}.{self.position}"
        if not self.rows:
            return name
        numbers = ",".join(map(str, sorted(self.rows)))
        return f"{name}.{blake2b(numbers.encode(), digest_size=8).hexdigest()}"


def rows_again(
    headers: Mapping[str, str], contents: Iterable[bytes], place: Place, domain: str
) -> Frame:
    """The refused rows of one frame, whose headers these are (binary mode).

    Raises `ValueError` when headers or rows are none that a dead letter keeps.
    """
    rows = [msgspec.json.decode(content, type=RefusedRow) for content in contents]
    sensors: dict[str, int] = {}
    properties: dict[tuple[str, str | None], int] = {}
    sensor = [sensors.setdefault(row.sensor, len(sensors)) for row in rows]
    prop = [properties.setdefault((row.property, row.unit), len(properties)) for row in rows]
    units = tuple(unit or "" for _, unit in properties)
    return Frame(
        source=headers["ce_source"],
        id=place.id,
        domain=domain,
        area=headers["ce_subject"],
        origin=Origin(headers["origin"]),
        ingest_ms=from_rfc3339(headers["ce_time"]),
        sensors=tuple(sensors),
        properties=tuple(name for name, _ in properties),
        units=units if any(units) else None,
        sensor=np.array(sensor, np.int32),
        property=np.array(prop, np.int32),
        time_ms=np.array([row.time for row in rows], np.int64),
        value=np.array([float(row.value) for row in rows], np.float64),
        flag=_flags(rows),
        backfill=headers.get("backfill") == "true",
    )


def _flags(rows: Sequence[RefusedRow]) -> Int8 | None:
    if all(row.flag is None for row in rows):
        return None
    unknown = int(Flag.NOT_EVALUATED)
    return np.array([unknown if row.flag is None else row.flag for row in rows], np.int8)
