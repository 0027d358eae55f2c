"""A stream lasts as long as who opened it may follow it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def while_admitted(
    events: AsyncGenerator[T, None], admits: Callable[[], Awaitable[bool]], every_s: float
) -> AsyncGenerator[T, None]:
    """The events to their end, or until `admits` says no; it is asked so often, also when nothing
    happens."""
    coming = asyncio.ensure_future(anext(events, None))
    look = time.monotonic() + every_s
    try:
        while True:
            await asyncio.wait({coming}, timeout=max(0.0, look - time.monotonic()))
            if time.monotonic() >= look:
                if not await admits():
                    return
                look = time.monotonic() + every_s
            if coming.done():
                event = coming.result()
                if event is None:
                    return
                yield event
                coming = asyncio.ensure_future(anext(events, None))
    finally:
        coming.cancel()
        with suppress(asyncio.CancelledError):
            await coming
        await events.aclose()
