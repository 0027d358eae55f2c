"""The single-process host: every partition of a namespace, from `open` to `close`."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from types import TracebackType

from streams.log import Log
from streams.runtime.health import Health
from streams.runtime.host import Host
from streams.runtime.setup import HostSetup


class SingleHost:
    """Owns all partitions; one thread calls it. Of two in one namespace the later goes on."""

    def __init__(self, setup: HostSetup, log: Log, health: Health | None = None) -> None:
        self._health = health or Health()
        patience = replace(setup.patience, on_trouble=partial(self._health.trouble, "database"))
        self._setup = replace(setup, patience=patience)
        self._log = log
        self._host = Host(self._setup, log)

    def __enter__(self) -> SingleHost:
        try:
            self.open()
        except BaseException:
            self.close(clean=False)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close(clean=kind is None)

    def open(self) -> None:
        """Takes every partition and recovers its state.

        Raises `Misconfigured` when the log is not the one that the positions belong to.
        """
        self._host.open(threading.Event())
        self._host.take(range(self._host.insist("open", self._log.partitions)))

    def close(self, clean: bool = True) -> None:
        """Ends what is in flight, writes a last checkpoint when all is well, lets go."""
        self._host.close(clean)

    def run_until_idle(self) -> None:
        """Works until the end of the log is committed and the followers have nothing left."""
        while self.step() or self.settle() or self._host.follow():
            pass
        self._host.number()

    def run_forever(self, stop: threading.Event) -> None:
        """Works until told to stop. Raises `SteppedDown` when another worker took over."""
        self._host.open(stop)
        while not stop.is_set():
            self._health.turned()
            self._health.partitions = tuple(self._host.positions())
            if not self._host.turn():
                self._host.insist("wait", lambda: self._log.wait(self._setup.idle_s))

    def step(self) -> bool:
        """One cycle; see `Host.step`."""
        self._health.turned()
        return self._host.step()

    def settle(self, checkpoint: bool = False) -> bool:
        """Waits for what is in flight; true when there was something. May write a checkpoint."""
        return self._host.settle(checkpoint)

    def positions(self) -> dict[int, int]:
        """The next offset of each partition, as processed."""
        return self._host.positions()
