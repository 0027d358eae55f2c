"""A frame: one log record of readings of ONE area, as columns, before anything is judged.

The wire forms (JSON columns, msgpack columns, one JSON reading) are read and written in
`streams.contracts.codec`; this module only says what a frame *is*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from streams.contracts.reason import Origin, Reason

Int64 = NDArray[np.int64]
Int32 = NDArray[np.int32]
Int16 = NDArray[np.int16]
Int8 = NDArray[np.int8]
Bool = NDArray[np.bool_]
Float64 = NDArray[np.float64]

TYPE_PREFIX = "citybrain."
CONTROL_TYPE = "citybrain.control.v1"
TICK_TYPE = "citybrain.tick.v1"
REFUSAL_TYPE = "citybrain.refusal.v1"
JSON = "application/json"
MSGPACK = "application/msgpack"
MAX_BODY_BYTES = 4 << 20
MAX_ROWS = 20_000


def observation_type(domain: str) -> str:
    """CloudEvents type of a domain's frames, `citybrain.<domain>.observation.v1`."""
    return f"{TYPE_PREFIX}{domain}.observation.v1"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the log, as it came.

    `headers` are CloudEvents binary-mode headers (`ce_id` …, `content-type`, `origin`);
    `append_ms` is when the log took it (retention and latency only).
    """

    offset: int
    append_ms: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Readings of one area and domain. All columns have the same length n ≥ 0.

    `sensor` and `property` index into the name lists; `time_ms` is the event time in epoch ms
    (the START of the interval for interval properties); `value` is in the property's canonical
    unit, not yet scaled; `flag` is the source's own QARTOD flag or None.
    """

    source: str
    id: str
    domain: str
    area: str
    origin: Origin
    ingest_ms: int
    sensors: tuple[str, ...]
    properties: tuple[str, ...]
    units: tuple[str, ...] | None
    sensor: Int32
    property: Int32
    time_ms: Int64
    value: Float64
    flag: Int8 | None = None
    backfill: bool = False

    def __len__(self) -> int:
        return len(self.time_ms)


@dataclass(frozen=True, slots=True)
class Tick:
    """A frame without rows for a whole partition: time has passed, nothing came."""

    ingest_ms: int


@dataclass(frozen=True, slots=True)
class Control:
    """Activation of an immutable, content-hashed version. `kind`: registry | profile."""

    ingest_ms: int
    kind: str
    version: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a gateway could not take and nobody waited for an answer to: `rows` readings of
    `content`, the bytes as they came. It goes to the dead letters and moves nothing.

    `came` is what the door knew of the bytes (topic, content type), for a later try."""

    source: str
    area: str
    ingest_ms: int
    reason: Reason
    detail: str
    rows: int
    content: bytes
    came: Mapping[str, str] = field(default_factory=dict)
