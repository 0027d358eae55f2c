"""Congestion episodes of one link, in event order: onset, worst interval, end.

A small machine runs over the link's intervals. It is kept behind the reach of revisions, and runs
again over the intervals since, so that a revised interval changes its episode exactly.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from streams.domains.traffic.grade import BOUNDS

NONE = -1
MICRO = 10**6
"""DTP is kept as floor(DTP · 10^6): comparisons with the grades' bounds stay exact."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Congested from this DTP (micro) on; an episode lasts `least_ms`, ends `clear_ms` below."""

    dtp: int
    least_ms: int
    clear_ms: int
    interval_ms: int


@dataclass(slots=True)
class Machine:
    """Between episodes `start_ms` is NONE. `until_ms`: end of the last congested interval."""

    start_ms: int = NONE
    until_ms: int = NONE
    below_ms: int = NONE
    worst: int = NONE
    worst_ms: int = NONE
    intervals: int = 0


@dataclass(slots=True)
class Track:
    """A link's `settled` machine and its intervals since: [start, DTP micro or NONE, speed m/h,
    and the totals of the readings that it was made of].

    `told`: episodes told that a revision can still reach, by onset: what was said last.
    """

    settled: Machine = field(default_factory=Machine)
    recent: list[list[int]] = field(default_factory=list)
    told: dict[int, list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spell:
    """An episode as it stands; `end_ms` NONE while it lasts."""

    start_ms: int
    end_ms: int
    worst: int
    worst_ms: int
    intervals: int


def limits_from(from_grade: int, least_ms: int, clear_ms: int, interval_ms: int) -> Limits:
    """Limits for episodes from this grade (2 … 5) on."""
    bound = BOUNDS[from_grade - 2]
    return Limits(int(bound * MICRO), least_ms, clear_ms, interval_ms)


def note(track: Track, start_ms: int, entry: list[int] | None) -> None:
    """Enters an interval, or enters it anew; None takes it away."""
    at = bisect_left(track.recent, [start_ms])
    known = at < len(track.recent) and track.recent[at][0] == start_ms
    track.recent[at : at + known] = [] if entry is None else [entry]


def is_known(track: Track | None, entry: list[int]) -> bool:
    """The interval is there, made of the same totals."""
    if track is None:
        return False
    at = bisect_left(track.recent, entry[:1])
    return at < len(track.recent) and track.recent[at] == entry


def settle(track: Track, border_ms: int, limits: Limits) -> list[list[int]]:
    """Runs the settled machine over the intervals before the border; gives and forgets them."""
    count = bisect_left(track.recent, [border_ms])
    gone, track.recent = track.recent[:count], track.recent[count:]
    final = {
        spell.start_ms
        for start_ms, dtp, *_ in gone
        if (spell := feed(track.settled, limits, start_ms, dtp)) is not None
    }
    track.told = {start: said for start, said in track.told.items() if start not in final}
    return gone


def changes(track: Track, limits: Limits) -> tuple[list[Spell], list[int]]:
    """Episodes that differ from what was told, and onsets that are none any more."""
    machine = replace(track.settled)
    spells = {s.start_ms: s for s in _run(machine, track.recent, limits)}
    moved = [s for s in spells.values() if track.told.get(s.start_ms) != _said(s)]
    undone = sorted(set(track.told) - set(spells))
    track.told = {start: _said(s) for start, s in spells.items()}
    return moved, undone


def feed(machine: Machine, limits: Limits, start_ms: int, dtp: int) -> Spell | None:
    """One interval, in order; the finished episode when this interval proves its end.

    An interval without a state (NONE) proves nothing. Too short an episode is none.
    """
    if dtp == NONE:
        return None
    if dtp >= limits.dtp:
        _congested(machine, limits, start_ms, dtp)
        return None
    if machine.start_ms == NONE:
        return None
    if machine.below_ms == NONE:
        machine.below_ms = start_ms
    if start_ms + limits.interval_ms - machine.below_ms < limits.clear_ms:
        return None
    spell = _spell(machine, limits, machine.below_ms)
    for name, value in zip(Machine.__slots__, _IDLE, strict=True):
        setattr(machine, name, value)
    return spell


_IDLE = (NONE, NONE, NONE, NONE, NONE, 0)


def _run(machine: Machine, recent: list[list[int]], limits: Limits) -> Iterator[Spell]:
    for start_ms, dtp, *_ in recent:
        spell = feed(machine, limits, start_ms, dtp)
        if spell is not None:
            yield spell
    if machine.start_ms != NONE:
        spell = _spell(machine, limits, NONE)
        if spell is not None:
            yield spell


def _congested(machine: Machine, limits: Limits, start_ms: int, dtp: int) -> None:
    if machine.start_ms == NONE:
        machine.start_ms = start_ms
    machine.until_ms, machine.below_ms = start_ms + limits.interval_ms, NONE
    machine.intervals += 1
    if dtp > machine.worst:
        machine.worst, machine.worst_ms = dtp, start_ms


def _spell(machine: Machine, limits: Limits, end_ms: int) -> Spell | None:
    if machine.until_ms - machine.start_ms < limits.least_ms:
        return None
    return Spell(machine.start_ms, end_ms, machine.worst, machine.worst_ms, machine.intervals)


def _said(spell: Spell) -> list[int]:
    """What of an episode is worth telling: while it lasts, that it became worse; then its end."""
    return [
        spell.end_ms,
        spell.worst,
        spell.worst_ms,
        0 if spell.end_ms == NONE else spell.intervals,
    ]
