"""Ctrl-C for a call that goes on for ever: heard once, it ends, however busy the machine is.

`asyncio.run` alone cancels once, and a cancellation can be lost: `asyncio.wait_for` of Python 3.11,
below every query, answers instead when its answer comes in the same turn of the loop.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine

ASK_AGAIN_S = 2.0


async def until_interrupted(
    work: Coroutine[None, None, None], ask_again_s: float = ASK_AGAIN_S
) -> None:
    """Runs the work to its end. SIGINT ends it before: raises `KeyboardInterrupt` once it has
    ended, and cancels it again for as long as it goes on."""
    interrupted = asyncio.Event()
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
    heard = asyncio.ensure_future(interrupted.wait())
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.SIG_IGN:  # started in the background: only SIGTERM is meant for it
        loop.add_signal_handler(signal.SIGINT, interrupted.set)
    try:
        await asyncio.wait({task, heard}, return_when=asyncio.FIRST_COMPLETED)
        while interrupted.is_set() and not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=ask_again_s)
    finally:
        heard.cancel()
        task.cancel()
        if before is not signal.SIG_IGN:
            loop.remove_signal_handler(signal.SIGINT)
            signal.signal(signal.SIGINT, before)
    if interrupted.is_set():
        await asyncio.gather(task, return_exceptions=True)  # what came of it matters no more
        raise KeyboardInterrupt
    await task
