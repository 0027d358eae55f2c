"""What the operating system knows about a process that we did or did not start: is it alive, is it
ours, end it. A process is named by its id and its start time, so that a reused id deceives nobody.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process for ever: `started` (s since the epoch, as the system reports it) tells reuse."""

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity | None:
        """The process that has this id now; None when there is none or it is a zombie."""
        try:
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return cls(pid, process.create_time())
        except psutil.NoSuchProcess:
            return None

    def alive(self) -> bool:
        """True while this very process runs (a zombie does not run)."""
        reap(self.pid)
        present = ProcessIdentity.of(self.pid)
        return present is not None and abs(present.started - self.started) < 1.0

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal; a process that is gone, or whose id was reused, gets none."""
        if not self.alive():
            return
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return

    def save(self, path: Path) -> None:
        """Writes the identity at once or not at all."""
        write_atomically(path, json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> ProcessIdentity | None:
        """The identity in a pid file, if that process is still alive; None otherwise."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            identity = cls(int(content["pid"]), float(content["started"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return identity if identity.alive() else None


def reap(pid: int) -> None:
    """Collects the exit of a child of ours; other processes are left alone."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def end(identity: ProcessIdentity, gently: signal.Signals, grace_s: float) -> bool:
    """Asks a process to stop, kills it after `grace_s`. True when it went by itself."""
    identity.signal(gently)
    if wait_until(lambda: not identity.alive(), grace_s):
        return True
    identity.signal(signal.SIGKILL)
    wait_until(lambda: not identity.alive(), 10.0)
    return False


def wait_until(condition: Callable[[], bool], timeout_s: float, poll_s: float = POLL_S) -> bool:
    """Polls until the condition holds; False when the time is over."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(poll_s)
    return True


def write_atomically(path: Path, text: str, mode: int = 0o666) -> None:
    """Replaces a file's content so that a reader sees the old or the new one, never a half.

    `mode` is less what the umask takes; a secret is never readable by others, not for a moment.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.unlink(missing_ok=True)
    with open(
        os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8"
    ) as file:
        file.write(text)
    partial.replace(path)
