"""Ctrl-C ends what goes on for ever, also where a cancellation is lost; what ends alone, ends."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from deploy.interruption import until_interrupted
from streams.errors import Unavailable


async def lost_cancellations(count: int) -> None:
    """Goes on for ever; the first so many cancellations change nothing."""
    os.kill(os.getpid(), signal.SIGINT)
    for _ in range(count):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            continue
    await asyncio.Event().wait()


async def fails() -> None:
    raise Unavailable("the database is away")


async def fails_when_cancelled() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    try:
        await asyncio.Event().wait()
    finally:
        raise Unavailable("gone meanwhile")


@pytest.mark.parametrize("lost", [0, 1, 5])
def test_an_interruption_ends_the_work_however_many_cancellations_are_lost(lost: int) -> None:
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(until_interrupted(lost_cancellations(lost), ask_again_s=0.0))


def test_an_interruption_counts_whatever_comes_of_the_work() -> None:
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(until_interrupted(fails_when_cancelled()))


async def nothing() -> None:
    return None


def test_without_one_the_work_ends_as_it_ends() -> None:
    asyncio.run(until_interrupted(nothing()))
    with pytest.raises(Unavailable):
        asyncio.run(until_interrupted(fails()))


def test_ctrl_c_is_again_what_it_was() -> None:
    before = signal.getsignal(signal.SIGINT)
    asyncio.run(until_interrupted(nothing()))
    assert signal.getsignal(signal.SIGINT) is before


def test_who_ignores_interruptions_goes_on_doing_so() -> None:
    async def ask() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0)

    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        asyncio.run(until_interrupted(ask()))
    finally:
        signal.signal(signal.SIGINT, before)
