"""The workers of a chaos run: started, watched, stopped, killed; each behind a wire of its own."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import IO

from deploy.process import wait_until
from tests.chaos.hosts import Host
from tests.chaos.wire import Wire

START_S = 180.0
END_S = 120.0
LEFT_THE_FIELD = 3  # another took over, or the database did not answer when it was told to end


class Worker:
    """One process. Its standard error goes to a file, for the day that it fails."""

    def __init__(self, host: Host, conninfo: str, namespace: str, log: Path) -> None:
        self.wire = Wire(conninfo)
        self.log = log
        self.killed = False
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                host.command(self.wire.conninfo, namespace),
                stdout=subprocess.PIPE,
                stderr=errors,
                env=host.environment(),
            )
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True)
        self._reader.start()

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def wait_ready(self) -> None:
        """Until it works, or the test fails with its last words."""
        deadline = time.monotonic() + START_S
        while not self._ready.wait(0.05):
            assert self.alive, f"the worker ended at its start: {self.last_words()}"
            if time.monotonic() > deadline:
                raise AssertionError(f"the worker is not ready: {self.stacks()}")

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal."""
        self.killed = self.killed or number is signal.SIGKILL
        self.process.send_signal(number)

    def wait_end(self) -> int:
        """Its exit code; the test fails when it does not end."""
        try:
            return self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the worker does not end: {self.stacks()}") from None

    def put_away(self) -> None:
        """Kills what still lives and gives everything back."""
        if self.alive:
            self.signal(signal.SIGKILL)
        self.process.wait(END_S)
        self._reader.join(END_S)
        self.wire.close()

    def ended_well(self) -> bool:
        """Whether it lives, was killed by us, ended cleanly, or left the field to another."""
        return self.process.poll() in (None, 0, LEFT_THE_FIELD) or self.killed

    def last_words(self) -> str:
        """The end of what it said."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def stacks(self) -> str:
        """Where its threads are, at the end of what it said."""
        said = self.log.stat().st_size
        self.process.send_signal(signal.SIGUSR1)
        wait_until(lambda: self.log.stat().st_size > said or not self.alive, 5.0)
        return self.log.read_text(encoding="utf-8", errors="replace")[-12_000:]

    def _read(self, output: IO[bytes]) -> None:
        with output:
            for line in output:
                if line == b"ready\n":
                    self._ready.set()


class Fleet:
    """As many workers as the host wants; who is gone is replaced."""

    def __init__(self, host: Host, conninfo: str, namespace: str, folder: Path) -> None:
        self._host = host
        self._conninfo = conninfo
        self._namespace = namespace
        self._folder = folder
        self._started = 0
        self.members: list[Worker] = []

    @property
    def alive(self) -> list[Worker]:
        return [worker for worker in self.members if worker.alive]

    def join(self) -> Worker:
        """Starts one more, without waiting for it."""
        log = self._folder / f"worker-{self._started}.log"
        worker = Worker(self._host, self._conninfo, self._namespace, log)
        self._started += 1
        self.members.append(worker)
        return worker

    def fill_up(self) -> None:
        """Takes the dead away, checks how they ended, and starts as many as are missing."""
        for worker in [worker for worker in self.members if not worker.alive]:
            code = worker.process.poll()
            assert worker.ended_well(), f"a worker ended with {code}: {worker.last_words()}"
            worker.put_away()
            self.members.remove(worker)
        fresh = [self.join() for _ in range(self._host.workers - len(self.members))]
        for worker in fresh:
            worker.wait_ready()

    def stop(self) -> None:
        """Ends all cleanly; each has to."""
        for worker in self.alive:
            worker.signal(signal.SIGTERM)
        for worker in self.members:
            worker.wait_end()
            assert worker.ended_well(), worker.last_words()

    def put_away(self) -> None:
        """Leaves nothing behind."""
        for worker in self.members:
            worker.put_away()
