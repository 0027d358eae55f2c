"""Flap damping: a colour that moves too often is held at its worst until it has been quiet.

Counted by rule and subject over episodes: an alert that clears and fires again is a new alert, but
it flaps. Only colour moves count. Nothing is timed: what is held carries the event time until which
it is, and readers compare.
"""

from __future__ import annotations

from dataclasses import dataclass

from streams.alerting.track import Flap
from streams.contracts.outcome import Held
from streams.contracts.reason import Change, Severity

MOVES = frozenset((Change.CONFIRMED, Change.RAISED, Change.LOWERED, Change.CLEARED))


@dataclass(frozen=True, slots=True)
class FlapNumbers:
    """So many `moves` within `within_ms` are flapping; `quiet_ms` without one ends it."""

    moves: int = 4
    within_ms: int = 900_000
    quiet_ms: int = 900_000


def note_move(
    flaps: dict[str, Flap],
    key: str,
    event_ms: int,
    worse: int,
    decided_ms: int,
    numbers: FlapNumbers,
) -> None:
    """A colour moved; `worse` is the worse one of before and after. Forgets what is long quiet."""
    flap = flaps.pop(key, None)
    if flap is None or _is_forgotten(flap, decided_ms, numbers):
        flap = Flap()
    at_ms = max(event_ms, flap.at_ms[-1]) if flap.at_ms else event_ms
    begin = at_ms - max(numbers.within_ms, numbers.quiet_ms)
    kept = sum(at < begin for at in flap.at_ms)
    flap.at_ms = [*flap.at_ms[kept:], at_ms]
    flap.colour = [*flap.colour[kept:], worse]
    flap.heard_ms = decided_ms
    close = sum(at >= at_ms - numbers.within_ms for at in flap.at_ms)
    if close >= numbers.moves or at_ms < flap.until_ms:
        flap.until_ms = at_ms + numbers.quiet_ms
    flaps[key] = flap
    _forget(flaps, decided_ms, numbers)


def held_at(
    flaps: dict[str, Flap], key: str, event_ms: int, decided_ms: int, numbers: FlapNumbers
) -> Held | None:
    """The colour that is held at an event time; None where nothing flaps."""
    flap = flaps.get(key)
    if flap is None or event_ms >= flap.until_ms or _is_forgotten(flap, decided_ms, numbers):
        return None
    return Held(Severity(max(flap.colour)), flap.until_ms)


def _is_forgotten(flap: Flap, decided_ms: int, numbers: FlapNumbers) -> bool:
    """By processing time, with room for readings whose delay grows meanwhile."""
    return flap.heard_ms + numbers.within_ms + numbers.quiet_ms <= decided_ms


def _forget(flaps: dict[str, Flap], decided_ms: int, numbers: FlapNumbers) -> None:
    while _is_forgotten(flaps[oldest := next(iter(flaps))], decided_ms, numbers):
        del flaps[oldest]
