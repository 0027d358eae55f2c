"""What becomes of a frame's rows: repeated, set apart, handed on as late, recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from streams.area import numbered
from streams.area.lane_work import Taken
from streams.area.late_readings import note_late, unjudged
from streams.area.report import Report
from streams.area.seat import Seat
from streams.contracts.exact import to_text
from streams.contracts.frame import Frame
from streams.contracts.outcome import LateRows, Outcome
from streams.contracts.reason import Reason
from streams.windows.chunk import Chunk
from streams.windows.lane import HOUR_MS

MEMORY_HOURS = 2


def is_repeated(memory: dict[int, set[int]], frame: Frame, now_ms: int) -> bool:
    """Whether this frame (source and id) came within the last hours; remembers it.

    `memory`: hour of processing time → 64-bit digests of identities. What is older is told apart
    reading by reading.
    """
    identity = identity_of(frame)
    if is_known(memory, identity):
        return True
    remember(memory, identity, now_ms, frame.ingest_ms)
    return False


def identity_of(frame: Frame) -> int:
    """The digest of a frame's source and id."""
    text = f"{frame.source}\0{frame.id}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big")


def is_known(memory: dict[int, set[int]], identity: int) -> bool:
    return any(identity in ids for ids in memory.values())


def remember(memory: dict[int, set[int]], identity: int, now_ms: int, ingest_ms: int) -> None:
    """Takes a new identity in, forgets old hours."""
    hour = max(now_ms, ingest_ms) // HOUR_MS
    held = memory.get(hour)
    if held is None:
        held = memory[hour] = set()
        for old in [h for h in memory if h < hour - MEMORY_HOURS]:
            del memory[old]
    held.add(identity)


def set_apart(report: Report, frame: Frame, position: int, outcome: Outcome) -> None:
    """A frame whose ingest time is ahead of the log's own clock: all of it is quarantined."""
    outcome.count(frame.area, frame.domain, frame.source, received=len(frame))
    for row in range(len(frame)):
        report.quarantine(
            outcome,
            frame,
            Reason.FUTURE_INGEST,
            frame.sensors[int(frame.sensor[row])],
            frame.properties[int(frame.property[row])],
            int(frame.time_ms[row]),
            repr(float(frame.value[row])),
            position,
        )


def quarantine(report: Report, seat: Seat, frame: Frame, rows: Chunk, outcome: Outcome) -> None:
    """Rows with an event time ahead of their ingest time."""
    view, props = seat.work.view, seat.work.domain.properties
    for series, time_ms, value, position in zip(
        rows.series.tolist(),
        rows.time_ms.tolist(),
        rows.value.tolist(),
        rows.position.tolist(),
        strict=True,
    ):
        prop = props[int(view.series_property[series])]
        report.quarantine(
            outcome,
            frame,
            Reason.FUTURE_EVENT,
            view.series_name[series],
            prop.name,
            time_ms,
            to_text(value, prop.scale),
            position,
        )


def hand_late(seat: Seat, frame: Frame, rows: Chunk, now_ms: int, outcome: Outcome) -> None:
    """Late candidates: the store knows whether they are new."""
    if not len(rows):
        return
    note_late(seat, rows, now_ms, False, outcome)
    outcome.late.append(
        LateRows(
            ((seat.area, frame.domain, frame.source),),
            np.zeros(len(rows), np.int16),
            seat.work.view.series_sensor[rows.series],
            seat.property_id[rows.series],
            rows.time_ms,
            rows.value,
            rows.flag,
            rows.position,
        )
    )


def record(seat: Seat, frame: Frame, taken: Taken, now_ms: int, outcome: Outcome) -> None:
    """Rows, revisions, flags, tickets and the ledger of one frame."""
    sifted, ids = taken.sifted, seat.property_id
    hand_late(seat, frame, sifted.late, now_ms, outcome)
    note_late(seat, unjudged(sifted, taken.flag), now_ms, True, outcome)
    new, revised = len(sifted.new), len(sifted.revised)
    outcome.count(
        seat.area,
        frame.domain,
        frame.source,
        duplicate=sifted.duplicates,
        stored=new + revised,
        on_time=new + revised,
        revised=revised,
    )
    if new:
        outcome.readings.append(numbered.readings(seat.work, sifted.new, taken.flag, ids))
    if revised:
        outcome.revise(numbered.revisions(seat.work, sifted, ids))
    if len(taken.reflagged):
        outcome.reflag(numbered.flag_changes(seat.work, taken.reflagged, ids))
    outcome.tickets += [(seat.area, t) for t in taken.judged.tickets]


def record_many(seat: Seat, frames: Sequence[Frame], rows: Chunk, outcome: Outcome) -> None:
    """Rows and ledger of frames of which every row is new."""
    counts: dict[str, int] = {}
    for frame in frames:
        counts[frame.source] = counts.get(frame.source, 0) + len(frame)
    domain = frames[0].domain
    for source, count in counts.items():
        outcome.count(seat.area, domain, source, received=count, stored=count, on_time=count)
    outcome.readings.append(numbered.readings(seat.work, rows, rows.flag, seat.property_id))
