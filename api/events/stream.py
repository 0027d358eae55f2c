"""Events as a stream of server-sent events: what one follower gets, and how it is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import TypeAlias

import structlog
from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from api.events.cursor import Cursor
from api.events.event import Wanted, event, frame
from api.events.page import read_bounds, read_stretch
from api.events.tail import WINDOW, Tail, Tails
from api.queries.pool import UnknownNamespace
from api.view import Parts
from streams.errors import Unavailable

RETRY_MS = 2_000
AT_ONCE = 100  # events in one piece
CAUGHT_UP_AT_ONCE = 500
SEND_S = 30.0  # a piece that does not get through in so long ends the stream
AGAIN_S = 1.0
TOGETHER = 2  # followers that catch up from the database at the same time

Pieces: TypeAlias = AsyncGenerator[bytes, None]
log = structlog.get_logger()


class EventStream(StreamingResponse):
    """Ends when a piece does not get through in time: who does not read holds nothing."""

    media_type = "text/event-stream"

    def __init__(self, pieces: Pieces, status_code: int = 200) -> None:
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        super().__init__(pieces, status_code, headers)
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except _Deaf:
            log.info("events.follower_cut_off", after_s=SEND_S)

    async def stream_response(self, send: Send) -> None:
        async def within(message: Message) -> None:
            try:
                async with asyncio.timeout(SEND_S):
                    await send(message)
            except TimeoutError as error:
                raise _Deaf from error

        async with aclosing(self._pieces):
            await super().stream_response(within)


class Streams:
    """What followers get."""

    def __init__(self, parts: Parts, tails: Tails) -> None:
        self._parts = parts
        self._tails = tails
        self._catching_up = asyncio.Semaphore(TOGETHER)

    async def follow(self, namespace: str, start: int, wanted: Wanted) -> Pieces:
        """Pieces for ever, or until the follower has to come again: a last comment says why."""
        yield b"retry: %d\n\n" % RETRY_MS
        try:
            async with self._tails.following(namespace) as tail:
                async for piece in self._pieces(namespace, tail, start, wanted):
                    yield piece
        except _Over as over:
            yield f": {over}; come again with Last-Event-ID\n\n".encode()

    async def _pieces(
        self, namespace: str, tail: Tail, place: int, wanted: Wanted
    ) -> AsyncIterator[bytes]:
        live, beat = False, 0
        while True:
            if tail.lost is not None:
                raise _Over(tail.lost)
            if place < tail.first:
                if live:
                    raise _Over(f"more than {WINDOW} events behind")
                piece, place = await self._caught_up(namespace, place, wanted)
            elif place < tail.next:
                told, live = tail.behind(place, AT_ONCE), True
                piece = b"".join(one.text for one in told if wanted.matches(one.mark))
                place = told[-1].mark.sequence + 1 if len(told) == AT_ONCE else tail.next
            elif _beat(tail) > beat:
                piece, beat, live = _heartbeat(tail, place, wanted), _beat(tail), True
            else:
                await tail.wait(partial(_has_more, place=place, beat=beat))
                continue
            if piece:
                yield piece

    async def _caught_up(self, namespace: str, place: int, wanted: Wanted) -> tuple[bytes, int]:
        """From the database. What cannot be had for a while is asked for again."""
        while True:
            try:
                async with self._catching_up, self._parts.database.reading(namespace) as reader:
                    bounds = await read_bounds(reader)
                    found = await read_stretch(reader, place, bounds, wanted, CAUGHT_UP_AT_ONCE)
            except Unavailable:
                await asyncio.sleep(AGAIN_S)
                continue
            except UnknownNamespace as error:
                raise _Over("the namespace is gone") from error
            if place < bounds.first:
                raise _Over("the next events are gone")
            cursor = Cursor(bounds.log, 0)
            told = [event(row, cursor) for row in found.rows]
            return b"".join(frame(one["cursor"], "alert", one) for one in told), found.next


class _Deaf(Exception):
    """A piece did not get through."""


class _Over(Exception):
    """The stream ends; the text says why."""


def _has_more(tail: Tail, place: int, beat: int) -> bool:
    return tail.lost is not None or place < tail.first or place < tail.next or _beat(tail) > beat


def _beat(tail: Tail) -> int:
    return 0 if tail.beat is None else tail.beat.number


def _heartbeat(tail: Tail, place: int, wanted: Wanted) -> bytes:
    assert tail.bounds is not None
    assert tail.beat is not None
    id = Cursor(tail.bounds.log, place).text()
    return frame(id, "heartbeat", tail.beat.content(wanted, place))
