"""What every server that citybrain starts by itself can do, whatever it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from deploy.process import ProcessIdentity

Say = Callable[[str], None]


def quiet(_: str) -> None:
    """Says nothing."""


class Server(Protocol):
    """One server of a var folder. Every method may be called in any state, from any process."""

    @property
    def name(self) -> str:
        """For people: `PostgreSQL`, `Kafka`."""

    def start(self, timeout_s: float = ..., say: Say = ...) -> str:
        """Starts it unless it runs, waits until it answers; its address.

        `Misconfigured` where it can't run here, `Unavailable` when it does not come up.
        """

    def stop(self) -> None:
        """Stops it cleanly; nothing happens when it does not run."""

    def purge(self) -> None:
        """Stops it and removes its data for ever."""

    def process(self) -> ProcessIdentity | None:
        """Its first process; None when it does not run."""
