"""What a pipeline answers to a stretch of the log: everything that one transaction stores.

Arrays are columns of equal length. All times are epoch ms, all values scaled integers. Nothing
here holds a wall-clock time: `known_ms`/`decided_ms` are processing times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.contracts.closing import Closed
from streams.contracts.completeness import Completeness
from streams.contracts.domain import SHANGHAI_OFFSET_MS, Episode, Result, Ticket
from streams.contracts.frame import Int8, Int16, Int32, Int64
from streams.contracts.late_reading import LateReading
from streams.contracts.reason import AlertState, Change, Origin, Reason, Severity
from streams.contracts.warning import Announcement


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Rows for `observation`; `position` is the log offset of each row's frame."""

    sensor: Int32  # catalogue id
    property: Int16  # catalogue id
    time_ms: Int64
    value: Int64
    flag: Int8
    position: Int64

    def __len__(self) -> int:
        return len(self.sensor)


@dataclass(frozen=True, slots=True, eq=False)
class Revisions:
    """Stored rows whose value changed inside the horizon: old and new, both positions."""

    sensor: Int32
    property: Int16
    time_ms: Int64
    old_value: Int64
    old_flag: Int8
    old_position: Int64
    value: Int64
    flag: Int8
    position: Int64


@dataclass(frozen=True, slots=True, eq=False)
class FlagChanges:
    """Stored rows whose quality flag changed (value and position stay)."""

    sensor: Int32
    property: Int16
    time_ms: Int64
    flag: Int8


@dataclass(frozen=True, slots=True, eq=False)
class LateRows:
    """Late candidates in arrival order: the store decides duplicate, revision or new.

    `area`/`domain` index the names lists; the store counts them in the ledger (`source` too) and
    marks (area, domain, day) dirty for every row that changed something.
    """

    names: tuple[tuple[str, str, str], ...]  # (area, domain, source)
    name: Int16  # index into names
    sensor: Int32
    property: Int16
    time_ms: Int64
    value: Int64
    flag: Int8
    position: Int64

    def __len__(self) -> int:
        return len(self.sensor)


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Closed or revised windows, full state, upserted by (size, sensor, property, start).

    `n` readings with flag <= 2 and their `total`, `low`, `high`; `bad` = the others. A row with
    n = 0 and bad = 0 deletes the window (a revision emptied it; does not normally happen).
    """

    size_s: Int32
    sensor: Int32
    property: Int16
    start_ms: Int64
    n: Int32
    bad: Int32
    total: Int64
    low: Int64
    high: Int64

    def __len__(self) -> int:
        return len(self.sensor)


@dataclass(frozen=True, slots=True, eq=False)
class SensorHealth:
    """Days of sensors and properties, full state, upserted by (sensor, property, day).

    `good` and `late` are among the `received`; `covered` of the `intervals` had a reading.
    """

    sensor: Int32
    property: Int16
    day_ms: Int64  # start of the day
    expected: Int64
    received: Int64
    good: Int64
    late: Int64
    intervals: Int64
    covered: Int64
    gap_s: Int64
    score: Int64

    def __len__(self) -> int:
        return len(self.sensor)


@dataclass(frozen=True, slots=True)
class Held:
    """The alert flaps: people's lists go on showing this colour until that event time."""

    severity: Severity
    until_ms: int

    def to_dict(self) -> dict[str, int]:
        """As JSON."""
        return {"severity": int(self.severity), "until_ms": self.until_ms}


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of an alert. `alert` is the fingerprint: same content, same id, always.

    `sequence` counts the transitions of this alert from 1. `event_ms` is when it was true,
    `decided_ms` the processing time that decided it. `stale` is the state after the change.
    `valid_until_ms`: nobody acts on it later than that without asking again. `completeness` of the
    area when it was decided. `suppressed_by`: the alert that hides this one in people's lists, or
    `ticket:<id>` of the maintenance ticket that stands there instead (`streams.contracts.ticket`).
    """

    alert: str
    sequence: int
    rule: str
    rule_version: str
    domain: str
    area: str
    point: str | None
    subject: str  # point id, or "area:<code>", or "gateway:<id>"
    onset_ms: int
    event_ms: int
    decided_ms: int
    state: AlertState
    severity: Severity
    stale: bool
    unverified: bool
    change: Change
    value: str | None  # decimal text in `unit`
    threshold: str | None
    unit: str
    origin: Origin
    position: int  # log offset of the evidence (region: region log id)
    valid_until_ms: int
    evidence: Mapping[str, Any]
    completeness: Completeness | None = None  # None: not known
    suppressed_by: str | None = None
    held: Held | None = None


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row set apart: counted, stored, moves nothing."""

    reason: Reason
    area: str
    domain: str
    source: str
    sensor: str
    property: str
    time_ms: int
    ingest_ms: int
    value: str  # decimal text
    position: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A rejected row (row >= 0) as plain JSON, or a whole record (row -1) with its original bytes.

    `headers` are the record's; a row has those of its frame in binary mode, however it came.
    """

    reason: Reason
    detail: str
    position: int
    row: int
    source: str
    area: str
    domain: str
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


LEDGER_COLUMNS = (
    "received",
    "rejected",
    "quarantined",
    "duplicate",
    "stored",
    "on_time",
    "late",
    "revised",
)


@dataclass(frozen=True, slots=True)
class AreaLatest:
    """Full state of one area and domain for maps, columnar: parallel lists per point and series."""

    area: str
    domain: str
    as_of_ms: int  # newest event time in it
    decided_ms: int
    payload: Mapping[str, Any]
    # {"series": {"sensor": [], "property": [], "time": [], "value": [], "flag": []},
    #  "silent": [sensor ids], "watermark": ms}


@dataclass(frozen=True, slots=True)
class AreaRisk:
    """The colour of one area; `unknown` is shown over the last colour.

    `detail` of an area that is judged itself: {"compound": bool, "domains": [{"domain",
    "severity", "open", "stale", "as_of_ms"}]}; of a city or province, rolled up:
    {"led_by_area", "colours": {"0".."4": areas}, "unknown_areas", "judged", "of"}. Both with
    "completeness": {"points", "reporting"}.
    """

    area: str
    severity: Severity
    led_by: str | None  # domain
    unknown: bool
    stale_alerts: int
    open_alerts: int
    as_of_ms: int  # newest event time of the area
    decided_ms: int
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegionMessage:
    """From the first stage to the region pipeline; ordered by (proc_ms, area, sequence).

    kind: "partial" (payload = full-state partial of the period) | "watermark" (payload
    {"watermark": ms, "active": bool}) | "source" (payload {"source", "silent", "total",
    "since_ms", "speaking": bool}) | "close" (payload of `Close`: an alert of the region stage is
    closed by hand) | "risk" (payload of `resilience.member`: the colour, told when
    it changes) | "clock" (area "*": payload {"areas": [...]}; nothing else)
    `cause`: closed | revised | late | registry.
    """

    area: str
    sequence: int
    proc_ms: int
    kind: str
    domain: str
    period: str  # hour | day | state | ""
    start_ms: int
    payload: Mapping[str, Any]
    cause: str
    position: int


@dataclass(frozen=True, slots=True)
class LateMark:
    """(area, domain, day) whose windows and partials the recomputer rebuilds from the store.

    Emitted by the pipeline when it closes or revises a period that late rows have touched (its
    own memory lacks them); the store adds marks for the late rows themselves.
    """

    area: str
    domain: str
    day_start_ms: int
    position: int


@dataclass(frozen=True, slots=True)
class HeardWarning:
    """An official warning to be stored, once for all partitions that heard it.

    `ends_ms` is its own end, or the house's for one that states none.
    """

    announcement: Announcement
    ends_ms: int


@dataclass(slots=True)
class Outcome:
    """Everything that the records up to `next_offset` changed. Lists keep their order."""

    next_offset: int
    zone_ms: int = SHANGHAI_OFFSET_MS  # the profile's days, for the marks of late rows
    readings: list[Readings] = field(default_factory=list)
    revisions: list[Revisions] = field(default_factory=list)
    flags: list[FlagChanges] = field(default_factory=list)
    late: list[LateRows] = field(default_factory=list)
    late_readings: list[LateReading] = field(default_factory=list)  # that met a threshold
    windows: list[Windows] = field(default_factory=list)
    transitions: list[Transition] = field(default_factory=list)
    closed: list[Closed] = field(default_factory=list)  # what became of closes by hand
    results: list[Result] = field(default_factory=list)
    episodes: list[tuple[str, Episode]] = field(default_factory=list)  # (area, episode)
    tickets: list[tuple[str, Ticket]] = field(default_factory=list)  # (area, ticket)
    health: list[SensorHealth] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    ledger: dict[tuple[str, str, str], NDArray[np.int64]] = field(default_factory=dict)
    # (area, domain, source) -> counts in the order of LEDGER_COLUMNS; late candidates only as
    # received: the store finds out what else they are
    latest: dict[tuple[str, str], AreaLatest] = field(default_factory=dict)
    risks: dict[str, AreaRisk] = field(default_factory=dict)
    region: list[RegionMessage] = field(default_factory=list)
    marks: list[LateMark] = field(default_factory=list)
    warnings: list[HeardWarning] = field(default_factory=list)
    activated: list[tuple[str, str, int]] = field(default_factory=list)  # (kind, version, offset)
    reflagged: dict[tuple[int, int, int], int] = field(default_factory=dict)
    # (sensor, property, time) -> last flag of this stretch; `settle_flags` turns it into `flags`

    def reflag(self, changes: FlagChanges) -> None:
        """Flags found later than their readings; the last word on an identity counts."""
        columns = (changes.sensor, changes.property, changes.time_ms)
        keys = zip(*(c.tolist() for c in columns), strict=True)
        self.reflagged.update(zip(keys, changes.flag.tolist(), strict=True))

    def revise(self, revised: Revisions) -> None:
        """New values of known identities; they bring their own flag."""
        self.revisions.append(revised)
        if self.reflagged:
            columns = (revised.sensor, revised.property, revised.time_ms)
            keys = zip(*(c.tolist() for c in columns), strict=True)
            for key, flag in zip(keys, revised.flag.tolist(), strict=True):
                if key in self.reflagged:
                    self.reflagged[key] = flag

    def settle_flags(self) -> None:
        """The flags of the whole stretch as one change, applied after its revisions."""
        if self.reflagged:
            keys = np.array(list(self.reflagged), np.int64)
            flags = np.array(list(self.reflagged.values()), np.int8)
            self.flags.append(
                FlagChanges(
                    keys[:, 0].astype(np.int32), keys[:, 1].astype(np.int16), keys[:, 2], flags
                )
            )
            self.reflagged = {}

    def count(self, area: str, domain: str, source: str, **amounts: int) -> None:
        """Adds to the ledger row of (area, domain, source)."""
        row = self.ledger.get((area, domain, source))
        if row is None:
            row = self.ledger[area, domain, source] = np.zeros(len(LEDGER_COLUMNS), np.int64)
        for name, amount in amounts.items():
            row[LEDGER_COLUMNS.index(name)] += amount


@dataclass(frozen=True, slots=True)
class StateParts:
    """A checkpoint of one partition, in versioned bytes, by key; only what changed.

    `parts` replace the stored bytes of their key (None deletes it); `segments` are appended under
    their key (history of accepted readings) and `dropped` are (key, number) segments that nothing
    needs any more. Loading gives every part and, per key, the segments in number order.
    """

    parts: Mapping[str, bytes | None]
    segments: Mapping[str, tuple[int, bytes]]
    dropped: tuple[tuple[str, int], ...]
