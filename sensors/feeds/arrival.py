"""When recorded rows arrive: at the end of their interval, or later on request.

Disorder is seeded: the same seed and rows give the same order, on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from sensors.feeds.feed import Row

BEYOND_SHARE = 0.1  # of shuffled rows that come after the horizon
# Within the horizon a margin stays for the source's own delay; beyond it for gaps in the stream.
INSIDE_AT_MOST = 0.9  # of the horizon
BEYOND_AT_LEAST = 1.1
BEYOND_AT_MOST = 1.5
REPEAT_WITHIN_MS = 600_000  # how much later a copy comes when nothing is shuffled


@dataclass(frozen=True, slots=True)
class Disorder:
    """How a replay upsets the order; `horizon_ms` is the domain's, `duplicate` a probability."""

    seed: int
    shuffle: bool
    duplicate: float
    horizon_ms: int


@dataclass(frozen=True, slots=True)
class Arrival:
    at_ms: int
    row: Row
    copy: bool = False


def in_order(rows: Iterable[Row], interval_ms: int, delay_ms: int) -> list[Arrival]:
    """Every row at the end of its interval plus the delay; ties keep the order of the file."""
    found = [Arrival(row.time_ms + interval_ms + delay_ms, row) for row in rows]
    return sorted(found, key=lambda a: a.at_ms)


def upset(arrivals: Iterable[Arrival], disorder: Disorder) -> list[Arrival]:
    """Rows delayed and sent twice, as `disorder` says, in their new order of arrival."""
    draw = Random(disorder.seed)
    found: list[Arrival] = []
    for arrival in arrivals:
        delay = _delay(draw, disorder) if disorder.shuffle else 0
        found.append(Arrival(arrival.at_ms + delay, arrival.row))
        if disorder.duplicate > 0 and draw.random() < disorder.duplicate:
            span = disorder.horizon_ms if disorder.shuffle else REPEAT_WITHIN_MS
            again = round(draw.uniform(0, INSIDE_AT_MOST) * span)
            found.append(Arrival(arrival.at_ms + delay + again, arrival.row, copy=True))
    return sorted(found, key=lambda a: a.at_ms)


def _delay(draw: Random, disorder: Disorder) -> int:
    if draw.random() < BEYOND_SHARE:
        factor = draw.uniform(BEYOND_AT_LEAST, BEYOND_AT_MOST)
    else:
        factor = draw.uniform(0, INSIDE_AT_MOST)
    return round(factor * disorder.horizon_ms)
