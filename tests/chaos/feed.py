"""Load that goes on while faults strike: a storm, step by step, appended by a thread.

An append that failed may have happened: it is said again, and a frame that comes twice counts once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing

from streams.errors import Unavailable
from streams.log import Entry, Log

GIVE_UP_S = 120.0

Step = list[tuple[int, Entry]]


class Feeder:
    """Appends one step after the other, so many a second, until told to stop.

    It waits while `has_room` says no, so that a slow machine is not buried.
    """

    def __init__(
        self,
        open_log: Callable[[], Log],
        steps: Iterator[Step],
        per_s: float,
        has_room: Callable[[Log], bool],
    ) -> None:
        self._open_log = open_log
        self._has_room = has_room
        self._steps = steps
        self._pause_s = 1.0 / per_s
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.steps_sent = 0

    def start(self) -> None:
        """From now on the log grows."""
        self._thread.start()

    def stop(self) -> None:
        """Ends after the present step. Raises what ended it before."""
        self._stop.set()
        self._thread.join(GIVE_UP_S)
        assert not self._thread.is_alive(), "the load does not end"
        self.check()

    def put_away(self) -> None:
        """Ends the load of a test that failed: its client would call the gone broker for ever."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(GIVE_UP_S)

    def check(self) -> None:
        """Raises what has ended the load, if something has."""
        if self._error is not None:
            raise AssertionError("the load ended") from self._error

    def _run(self) -> None:
        try:
            with closing(self._open_log()) as log:
                for step in self._steps:
                    while not self._has_room(log):
                        if self._stop.wait(self._pause_s):
                            return
                    append_step(log, step)
                    self.steps_sent += 1
                    if self._stop.wait(self._pause_s):
                        return
        except BaseException as error:  # told by `check` and `stop`, in the test's own thread
            self._error = error


def append_step(log: Log, step: Step) -> None:
    """One step, partition by partition, said again until the log has it."""
    for partition in sorted({number for number, _ in step}):
        entries = [entry for number, entry in step if number == partition]
        deadline = time.monotonic() + GIVE_UP_S
        while not _appended(log, partition, entries):
            assert time.monotonic() < deadline, "the log does not take records"
            time.sleep(0.1)


def _appended(log: Log, partition: int, entries: list[Entry]) -> bool:
    try:
        log.append(partition, entries)
    except Unavailable:
        return False
    return True
