"""What the deliverer's loop has in hand."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from api.delivery.outcome import Result
from api.delivery.seat import Seat


@dataclass(slots=True)
class Work:
    """Seats, timers, results that wait to be written, attempts under way."""

    seats: dict[str, Seat] = field(default_factory=dict)
    timers: list[tuple[float, str]] = field(default_factory=list)
    hungry: deque[str] = field(default_factory=deque)
    load: set[str] = field(default_factory=set)
    results: list[Result] = field(default_factory=list)
    unwritten: set[tuple[str, int]] = field(default_factory=set)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
