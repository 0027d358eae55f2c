"""How a host works: its sizes and times, what it is given, and how it says that it had to end."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from streams.log import OBSERVATION_TOPIC
from streams.runtime.lane import PipelineFactory, WantedVersions
from streams.runtime.retry import Patience


class SteppedDown(Exception):
    """Another worker took every partition of ours: this one has to end, nothing is lost."""


class Follower(Protocol):
    """Something that works behind the commits, in transactions and under a fence of its own.

    Followers run where observation partition 0 is: one worker of a namespace has them.
    """

    def step(self) -> int:
        """Does a bounded piece of work; 0 = nothing left for now."""


@runtime_checkable
class Fenced(Protocol):
    """A follower with a fence: it has to be taken over before the first step in a new place."""

    def takeover(self) -> None:
        """Makes the fence ours; the previous owner's next step fails."""


@dataclass(frozen=True, slots=True)
class HostSetup:
    """How a host works. Sizes are per partition and cycle."""

    conninfo: str
    namespace: str
    make_pipeline: PipelineFactory
    wanted_versions: WantedVersions
    followers: Sequence[Follower] = ()
    topic: str = OBSERVATION_TOPIC
    max_records: int = 100
    max_bytes: int = 2 << 20
    checkpoint_s: float = 5.0
    tick_s: float = 1.0
    beat_s: float = 2.0
    idle_s: float = 0.2
    patience: Patience = field(default_factory=Patience)
    ticker: Callable[[Sequence[int]], None] | None = None  # appends ticks without waiting for them
    version: str = ""  # of the program, in its checkpoints; empty: nobody asks
    keeps_ends: bool = False  # the log is outside the database: its ends are told to the database


def worker_name() -> str:
    """Names this process among the workers of a namespace."""
    return f"{socket.gethostname()}-{os.getpid()}"
