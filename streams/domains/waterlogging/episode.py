"""Wet episodes of a point, in event order: start, peak, drain start, end, and what rain did it.

An episode begins at the first depth >= `wet` and ends when the depth has stayed below it for
`dry` (domain.md §8.3). A small machine runs over the rows; it is kept twice, once behind the
horizon and once at the watermark, so that a late row inside the horizon runs it again exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from streams.contracts.frame import Int64

NONE = -1


@dataclass(frozen=True, slots=True)
class Limits:
    """Scaled depths and milliseconds."""

    wet: int
    dry_ms: int
    ponded: int
    relapse: int


@dataclass(slots=True)
class Machine:
    """Between episodes `start_ms` is NONE."""

    last_ms: int = NONE
    last_value: int = 0
    start_ms: int = NONE
    dry_before_ms: int = NONE  # last reading below wet before the start
    peak: int = 0
    peak_ms: int = NONE
    drain_ms: int = NONE  # last time at the peak: from here it falls
    below_ms: int = NONE  # first reading of the present stretch below wet
    zero_ms: int = NONE  # first reading at zero in that stretch
    ponded_ms: int = 0  # time above the ponding depth
    ponded_until_ms: int = NONE
    relapse_ms: int = 0
    readings: int = 0
    doubtful: int = 0

    @property
    def open(self) -> bool:
        return self.start_ms != NONE


def feed(machine: Machine, limits: Limits, time_ms: int, value: int, good: bool) -> Machine | None:
    """One reading, in order. Returns the finished episode when this reading proves its end."""
    finished = finish(machine, limits, time_ms)
    if machine.open:
        _hold(machine, limits, time_ms)
        machine.readings += 1
        machine.doubtful += not good
    if good:
        _shape(machine, limits, time_ms, value)
        machine.last_ms, machine.last_value = time_ms, value
    return finished


def feed_wet(machine: Machine, limits: Limits, time_ms: Int64, value: Int64) -> Machine | None:
    """The same as `feed` for many good readings of one wet stretch: all at or above wet."""
    finished = feed(machine, limits, int(time_ms[0]), int(value[0]), good=True)
    held, span = value[:-1], np.diff(time_ms)
    over = np.flatnonzero(held > limits.ponded)
    if len(over):
        machine.ponded_ms += int(span[over].sum())
        machine.ponded_until_ms = int(time_ms[over[-1] + 1])
    machine.relapse_ms += int(span[held > limits.relapse].sum())
    machine.readings += len(held)
    top = int(value.max())
    if top >= machine.peak:
        at = np.flatnonzero(value == top)
        if top > machine.peak:
            machine.peak, machine.peak_ms = top, int(time_ms[at[0]])
        machine.drain_ms = int(time_ms[at[-1]])
    machine.last_ms, machine.last_value = int(time_ms[-1]), int(value[-1])
    return finished


def finish(machine: Machine, limits: Limits, now_ms: int) -> Machine | None:
    """Ends the episode when it has been dry for long enough by event time `now_ms`."""
    if not machine.open or machine.below_ms == NONE or now_ms - machine.below_ms < limits.dry_ms:
        return None
    done = replace(machine)
    fresh = Machine(machine.last_ms, machine.last_value)
    for name in Machine.__slots__:
        setattr(machine, name, getattr(fresh, name))
    return done


def _shape(machine: Machine, limits: Limits, time_ms: int, value: int) -> None:
    if value >= limits.wet:
        if not machine.open:
            machine.start_ms, machine.dry_before_ms = time_ms, machine.last_ms
            machine.peak, machine.peak_ms, machine.drain_ms = value, time_ms, time_ms
            machine.readings = 1
        machine.below_ms = machine.zero_ms = NONE
        if value > machine.peak:
            machine.peak, machine.peak_ms, machine.drain_ms = value, time_ms, time_ms
        elif value == machine.peak:
            machine.drain_ms = time_ms
    elif machine.open:
        if machine.below_ms == NONE:
            machine.below_ms = time_ms
        if value == 0 and machine.zero_ms == NONE:
            machine.zero_ms = time_ms


def _hold(machine: Machine, limits: Limits, time_ms: int) -> None:
    """The last depth held until now: adds to the time above the limits."""
    if machine.last_ms == NONE or machine.last_ms < machine.start_ms:
        return
    span = time_ms - machine.last_ms
    if machine.last_value > limits.ponded:
        machine.ponded_ms += span
        machine.ponded_until_ms = time_ms
    if machine.last_value > limits.relapse:
        machine.relapse_ms += span
