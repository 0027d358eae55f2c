"""The newest events of a namespace, looked for once for all who follow.

Nothing is queued for anybody: a follower has a place, and takes what lies behind it from one window
of events that are already text, or from the database as long as it is catching up.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import structlog

from api.events.cursor import Cursor
from api.events.event import Mark, Wanted, event, frame
from api.events.page import Stretch, read_bounds, read_completeness, read_stretch
from api.moment import iso
from api.queries.event_rows import CompletenessRow, EventBoundsRow
from api.queries.pool import UnknownNamespace
from api.view import Parts, read_clock
from streams.errors import Unavailable

WINDOW = 10_000  # newest events that are held as text
MOST_BYTES = 64 << 20
AT_ONCE = 1_000  # read in one look
LOOK_S = 0.2
EVERYTHING = Wanted()

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Told:
    """An event as text."""

    mark: Mark
    text: bytes


@dataclass(frozen=True, slots=True)
class Beat:
    """What a heartbeat says, but for the follower's own place."""

    number: int
    as_of: datetime | None
    lag: int
    sent_at: datetime
    areas: tuple[CompletenessRow, ...]
    trouble: str | None

    def content(self, wanted: Wanted, next_sequence: int) -> dict[str, Any]:
        """As JSON, of the areas that are wanted."""
        return {
            "sent_at": iso(self.sent_at),
            "as_of": None if self.as_of is None else iso(self.as_of),
            "lag_records": self.lag,
            "next_sequence": next_sequence,
            "trouble": self.trouble,
            "completeness": [
                completeness(row)
                for row in self.areas
                if wanted.areas is None or row.area in wanted.areas
            ],
        }


@dataclass(slots=True)
class Tail:
    """What is known of one namespace's events; `bounds` is None before the first look."""

    bounds: EventBoundsRow | None = None
    beat: Beat | None = None
    window: list[Told] = field(default_factory=list)
    size: int = 0  # bytes in it
    first: int = 0  # the window has every event from this number
    next: int = 0  # up to before this one
    lost: str | None = None  # why nobody can follow any more
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)
    followers: int = 0
    task: asyncio.Task[None] | None = None

    def add(self, stretch: Stretch, bounds: EventBoundsRow) -> None:
        """The events that come next; the oldest leave the window."""
        cursor = Cursor(bounds.log, 0)
        for row in stretch.rows:
            told = event(row, cursor)
            self.window.append(Told(Mark.of(row), frame(told["cursor"], "alert", told)))
            self.size += len(self.window[-1].text)
        self.next = stretch.next
        if len(self.window) > 2 * WINDOW or self.size > MOST_BYTES:
            self._shrink()

    def _shrink(self) -> None:
        """To the newest `WINDOW`, and to half of the bytes."""
        cut = max(0, len(self.window) - WINDOW)
        left = self.size - sum(len(one.text) for one in self.window[:cut])
        while left > MOST_BYTES // 2 and cut < len(self.window) - 1:
            left -= len(self.window[cut].text)
            cut += 1
        del self.window[:cut]
        self.size, self.first = left, self.window[0].mark.sequence

    def behind(self, place: int, most: int) -> list[Told]:
        """Events of the window from this number on."""
        at = bisect_left(self.window, place, key=lambda told: told.mark.sequence)
        return self.window[at : at + most]

    async def wait(self, seen: Callable[[Tail], bool], within_s: float | None = None) -> bool:
        """Until it is so; False when that took longer."""
        async with self.moved:
            try:
                async with asyncio.timeout(within_s):
                    await self.moved.wait_for(lambda: seen(self))
            except TimeoutError:
                return False
        return True


class Tails:
    """Looks at a namespace as long as somebody follows it."""

    def __init__(self, parts: Parts, wall: Callable[[], datetime]) -> None:
        self._parts = parts
        self._wall = wall
        self._tails: dict[str, Tail] = {}

    @asynccontextmanager
    async def following(self, namespace: str) -> AsyncIterator[Tail]:
        """The namespace's tail, kept up as long as this lasts."""
        tail = self._tails.setdefault(namespace, Tail())
        tail.followers += 1
        if tail.task is None:
            tail.task = asyncio.create_task(self._watch(namespace, tail))
        try:
            yield tail
        finally:
            tail.followers -= 1
            if not tail.followers:
                tail.task.cancel()
                self._tails.pop(namespace, None)

    def watched(self) -> Mapping[str, int]:
        """Followers by namespace."""
        return {name: tail.followers for name, tail in self._tails.items()}

    async def close(self) -> None:
        """Stops looking; who follows is told."""
        for tail in list(self._tails.values()):
            if tail.task is not None:
                tail.task.cancel()
            await _notify(tail, "the server stops")

    async def _watch(self, namespace: str, tail: Tail) -> None:
        try:
            await self._keep_up(namespace, tail)
        except UnknownNamespace:
            await _notify(tail, "the namespace is gone, or made anew")
        except Exception:
            await _notify(tail, "the server failed")
            raise

    async def _keep_up(self, namespace: str, tail: Tail) -> None:
        clock = asyncio.get_running_loop()
        beat_at, trouble = clock.time(), False
        while True:
            with_beat = clock.time() >= beat_at
            if with_beat:
                beat_at = clock.time() + self._parts.heartbeat_s
            try:
                moved, recovered = await self._look(namespace, tail, with_beat or trouble), trouble
                trouble = False
                if recovered:
                    log.info("events.recovered", namespace=namespace)
            except Unavailable as error:
                moved = with_beat and _beat_in_trouble(tail, self._wall())
                if not trouble:
                    log.warning("events.database_unavailable", reason=str(error))
                trouble = True
            if moved:
                async with tail.moved:
                    tail.moved.notify_all()
            if tail.bounds is None or trouble or tail.next >= tail.bounds.next:
                await asyncio.sleep(LOOK_S)

    async def _look(self, namespace: str, tail: Tail, with_beat: bool) -> bool:
        """Whether something new is there."""
        async with self._parts.database.reading(namespace) as reader:
            bounds = await read_bounds(reader)
            if tail.bounds is None:
                tail.first = tail.next = bounds.next
            elif bounds.log != tail.bounds.log or bounds.next < tail.next:
                raise UnknownNamespace(namespace)
            tail.bounds = bounds
            stretch = await read_stretch(reader, tail.next, bounds, EVERYTHING, AT_ONCE)
            tail.add(stretch, bounds)
            if with_beat:
                clock = await read_clock(reader)
                areas = tuple(await read_completeness(reader, None))
                number = 0 if tail.beat is None else tail.beat.number
                tail.beat = Beat(number + 1, clock.as_of, clock.lag, self._wall(), areas, None)
        return with_beat or bool(stretch.rows)


def completeness(row: CompletenessRow) -> dict[str, Any]:
    """How much of an area speaks, as JSON."""
    return {
        "area": row.area,
        "points": row.points,
        "reporting": row.reporting,
        "unknown": row.unknown,
        "as_of": iso(row.as_of),
    }


async def _notify(tail: Tail, lost: str) -> None:
    async with tail.moved:
        tail.lost = lost
        tail.moved.notify_all()


def _beat_in_trouble(tail: Tail, sent_at: datetime) -> bool:
    """The last heartbeat again, and what is wrong; none when nothing is known yet."""
    if tail.beat is None:
        return False
    number = tail.beat.number + 1
    tail.beat = replace(tail.beat, number=number, sent_at=sent_at, trouble="database")
    return True
