"""What processes cost: processor time and memory of workers, broker and database server."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from benchmarks.engine.stack import Stack

EVERY_S = 0.5


def cpu_s(pids: Iterable[int]) -> float:
    """Processor time of these processes and their children, seconds; of the living ones."""
    total = 0.0
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            for one in [process, *process.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    times = one.cpu_times()
                    total += times.user + times.system + times.children_user + times.children_system
    return total


def database_pid(stack: Stack) -> int | None:
    """The server's first process, when it runs on this machine."""
    with stack.connect() as connection:
        row = connection.execute("select pg_backend_pid()").fetchone()
        try:
            parent = psutil.Process(row[0]).parent() if row else None
        except psutil.NoSuchProcess:
            return None
    return parent.pid if parent is not None and "postgres" in parent.name() else None


def broker_pid(stack: Stack) -> int | None:
    """Who listens on the first broker's port, when it is a process of this machine."""
    if not stack.settings.kafka:
        return None
    port = int(stack.settings.kafka.split(",")[0].rpartition(":")[2])
    listening = (c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN)
    return next((c.pid for c in listening if c.laddr and c.laddr[1] == port), None)


@dataclass
class Meter:
    """Watches a stack's processes from `start` to `stop`: seconds of processor time by part, and
    the workers' memory."""

    stack: Stack
    rss_mb: list[tuple[float, float]] = field(default_factory=list)  # s since start, MB (all)
    _begun: dict[str, float] = field(default_factory=dict)
    _end: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Notes the counters; begins to look at memory."""
        self._parts = {"database": database_pid(self.stack), "broker": broker_pid(self.stack)}
        self._begun = self._now()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> dict[str, float]:
        """Seconds of processor time by part since the start."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
        now = self._now()
        return {part: now[part] - self._begun.get(part, 0.0) for part in now}

    def _now(self) -> dict[str, float]:
        found = {part: cpu_s([pid]) for part, pid in self._parts.items() if pid is not None}
        return found | {"workers": cpu_s(w.pid for w in self.stack.workers)}

    def _watch(self) -> None:
        passed = 0.0
        while not self._end.wait(EVERY_S):
            passed += EVERY_S
            size = 0
            for worker in self.stack.workers:
                with suppress(psutil.NoSuchProcess):
                    size += psutil.Process(worker.pid).memory_info().rss
            self.rss_mb.append((passed, size / 1e6))
