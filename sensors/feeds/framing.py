"""Arrivals → frames per area, with ticks in between: what a replay puts into the log.

The simulated clock never goes back: frames leave at the end of the linger that collected them,
ticks fill the time after them, and at the end enough time passes for every watermark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby

import numpy as np

from sensors.feeds.arrival import Arrival
from streams.contracts.frame import Frame, Tick
from streams.contracts.reason import Origin

MAX_FRAME_ROWS = 2_000  # far below what a frame may hold; a backfill stays interruptible


@dataclass(frozen=True, slots=True)
class Pulse:
    """House conventions of the simulated clock, in ms.

    Frames are cut every `linger_ms`; `quiet_ticks` ticks of `tick_ms` follow each frame as long as
    nothing else comes; at the end the clock runs on for `flush_ms` in steps of `stride_ms`.
    """

    linger_ms: int = 10_000
    tick_ms: int = 60_000
    quiet_ticks: int = 5
    stride_ms: int = 600_000
    flush_ms: int = 26 * 3_600_000


@dataclass(frozen=True)
class Routing:
    """Where the sensors' readings go: sensor → area, area → partition."""

    source: str
    domain: str
    areas: Mapping[str, str]
    partitions: Mapping[str, int]
    partition_count: int


@dataclass(frozen=True, slots=True)
class Sent:
    """One record to append; a tick has one for every partition."""

    partition: int
    event: Frame | Tick

    @property
    def at_ms(self) -> int:
        return self.event.ingest_ms


def replay_frames(arrivals: Iterable[Arrival], routing: Routing, pulse: Pulse) -> Iterator[Sent]:
    """Frames and ticks in the order of the simulated clock; `arrivals` sorted by time.

    Rows without values make no readings. Sensors outside `routing` are a bug of the caller.
    """
    clock: int | None = None
    for slot, group in groupby(arrivals, key=lambda a: a.at_ms // pulse.linger_ms):
        now = (slot + 1) * pulse.linger_ms
        if clock is not None:
            yield from _ticks(routing, _quiet(clock, now, pulse))
        for area, rows in _by_area(group, routing):
            for part in _parts(rows):
                yield Sent(
                    routing.partitions[area], _frame(part, area, routing, now, backfill=False)
                )
        clock = now
    if clock is not None:
        yield from _ticks(routing, _ending(clock, pulse))


def backfill_frames(
    arrivals: Iterable[Arrival], routing: Routing, clock: Callable[[], int]
) -> Iterator[Sent]:
    """Frames for the live log: origin replayed, marked as backfill, stamped by the wall clock.

    No ticks: the live partitions have their own. The same rows give the same frame ids, so a
    repeated backfill is recognised.
    """
    for area, rows in _by_area(arrivals, routing):
        for part in _parts(rows):
            yield Sent(
                routing.partitions[area], _frame(part, area, routing, clock(), backfill=True)
            )


def _quiet(last: int, now: int, pulse: Pulse) -> Iterator[int]:
    for step in range(1, pulse.quiet_ticks + 1):
        if last + step * pulse.tick_ms >= now:
            return
        yield last + step * pulse.tick_ms


def _ending(last: int, pulse: Pulse) -> Iterator[int]:
    fine = last + pulse.stride_ms
    yield from range(last + pulse.tick_ms, fine, pulse.tick_ms)
    yield from range(fine, last + pulse.flush_ms + 1, pulse.stride_ms)


def _ticks(routing: Routing, times: Iterable[int]) -> Iterator[Sent]:
    for at_ms in times:
        for partition in range(routing.partition_count):
            yield Sent(partition, Tick(at_ms))


def _by_area(arrivals: Iterable[Arrival], routing: Routing) -> list[tuple[str, list[Arrival]]]:
    found: dict[str, list[Arrival]] = {}
    for arrival in arrivals:
        if arrival.row.values:
            found.setdefault(routing.areas[arrival.row.sensor], []).append(arrival)
    return sorted(found.items())


def _parts(arrivals: Sequence[Arrival]) -> Iterator[list[Arrival]]:
    """Stretches of at most `MAX_FRAME_ROWS` readings, rows kept whole."""
    part: list[Arrival] = []
    held = 0
    for arrival in arrivals:
        count = len(arrival.row.values)
        if part and held + count > MAX_FRAME_ROWS:
            yield part
            part, held = [], 0
        part.append(arrival)
        held += count
    if part:
        yield part


def _frame(
    part: Sequence[Arrival], area: str, routing: Routing, ingest_ms: int, *, backfill: bool
) -> Frame:
    sensors: dict[str, int] = {}
    properties: dict[str, int] = {}
    columns: list[tuple[int, int, int, float]] = []
    for arrival in part:
        row = arrival.row
        for name, value in row.values:
            columns.append(
                (
                    sensors.setdefault(row.sensor, len(sensors)),
                    properties.setdefault(name, len(properties)),
                    row.time_ms,
                    float(value),
                )
            )
    sensor, prop, time_ms, value_column = zip(*columns, strict=True)
    stamp = "" if backfill else f"{ingest_ms}."
    return Frame(
        source=routing.source,
        id=f"{area}.{stamp}{_digest(part)}",
        domain=routing.domain,
        area=area,
        origin=Origin.REPLAYED,
        ingest_ms=ingest_ms,
        sensors=tuple(sensors),
        properties=tuple(properties),
        units=None,
        sensor=np.array(sensor, np.int32),
        property=np.array(prop, np.int32),
        time_ms=np.array(time_ms, np.int64),
        value=np.array(value_column, np.float64),
        backfill=backfill,
    )


def _digest(part: Sequence[Arrival]) -> str:
    """Names the rows of a frame: their content, order and lines."""
    found = blake2b(digest_size=9)
    for arrival in part:
        row = arrival.row
        found.update(f"{row.line}|{row.sensor}|{row.time_ms}|{row.values}\n".encode())
    return found.hexdigest()
