"""One batch in flight: a thread commits it while the next one is read and processed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeAlias

from streams.storage.commit import Piece

Commit: TypeAlias = Callable[[Sequence[Piece]], None]


class Flight:
    """At most one list of pieces on its way. The thread is a daemon: a database that never answers
    cannot keep the process from ending."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._waiting: SimpleQueue[tuple[Future[None], Sequence[Piece]] | None] = SimpleQueue()
        self._flying: tuple[Future[None], list[Piece]] | None = None
        self._thread = threading.Thread(target=self._work, name="commit", daemon=True)
        self._thread.start()

    @property
    def flying(self) -> bool:
        """Whether something is on its way or waits to be landed."""
        return self._flying is not None

    def launch(self, pieces: list[Piece]) -> None:
        """Sends the pieces off; what flew before must have landed."""
        assert self._flying is None
        future: Future[None] = Future()
        self._flying = (future, pieces)
        self._waiting.put((future, pieces))

    def land(self) -> tuple[list[Piece], BaseException | None]:
        """Waits; the pieces that flew (none: nothing did) and what went wrong."""
        if self._flying is None:
            return [], None
        future, pieces = self._flying
        self._flying = None
        return pieces, future.exception()

    def close(self, timeout_s: float | None = None) -> None:
        """Lets the thread end when its work is done; waits for it, at most so long."""
        self._waiting.put(None)
        self._thread.join(timeout_s)

    def _work(self) -> None:
        while (given := self._waiting.get()) is not None:
            future, pieces = given
            try:
                self._commit(pieces)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(None)
