"""Lanes for long answers: how many may run at once, and how long one may take.

A long answer holds a connection and a snapshot while its reader reads, so that a few slow readers
must not take all of them.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from fastapi import Request

from streams.errors import Unavailable


@dataclass(slots=True)
class Lanes:
    """Owned by the app; `taken` counts the long answers that run."""

    most: int = 2  # of the pool's four connections
    longest_s: float = 600.0
    clock: Callable[[], float] = time.monotonic
    taken: int = 0


class Lane:
    """One request's place among the long answers, once it asks for one."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._since: float | None = None

    def enter(self) -> None:
        """`Unavailable` when all lanes are taken."""
        if self._lanes.taken >= self._lanes.most:
            raise Unavailable("too many long answers are running; try again, or page with limit")
        self._lanes.taken += 1
        self._since = self._lanes.clock()

    def check(self) -> None:
        """`Unavailable`, which breaks the answer off, when it has run too long."""
        if self._since is not None and self._lanes.clock() - self._since > self._lanes.longest_s:
            raise Unavailable("the answer was read too slowly")

    def leave(self) -> None:
        """Gives the place back."""
        if self._since is not None:
            self._lanes.taken -= 1
            self._since = None


async def lane(request: Request) -> AsyncIterator[Lane]:
    """Dependency: given back after the answer has been sent, whatever became of it."""
    mine = Lane(request.app.state.lanes)
    try:
        yield mine
    finally:
        mine.leave()
