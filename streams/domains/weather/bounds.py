"""What is known of an amount when minutes are missing: between which values it lies.

A missing slot counts as the worst that the sensor measured in all of its memory. So an incomplete
sum can raise a signal as soon as the measured part is enough, but lowers one only when what is
missing could not have kept it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from streams.contracts.frame import Int32
from streams.domains.weather.ring import MISSING

FAR = 1 << 62


class Bounds(NamedTuple):
    """An amount lies in low … high, scaled; ±FAR = unbounded."""

    low: int
    high: int


class Verdict(IntEnum):
    """Whether a condition is met. AND is the least, OR the greatest of several."""

    NO = 0
    UNKNOWN = 1
    YES = 2


NOTHING = Bounds(-FAR, FAR)


def at_least(amount: Bounds, threshold: int) -> Verdict:
    """`amount >= threshold`."""
    if amount.low >= threshold:
        return Verdict.YES
    return Verdict.NO if amount.high < threshold else Verdict.UNKNOWN


def at_most(amount: Bounds, threshold: int) -> Verdict:
    """`amount <= threshold`."""
    if amount.high <= threshold:
        return Verdict.YES
    return Verdict.NO if amount.low > threshold else Verdict.UNKNOWN


def total(window: Int32, memory: Int32) -> Bounds:
    """The sum of a window of amounts that are never negative."""
    if int(window.min()) != MISSING:
        known = int(window.sum(dtype=np.int64))
        return Bounds(known, known)
    there = window[window != MISSING]
    low, missing = int(there.sum(dtype=np.int64)), len(window) - len(there)
    if not (memory != MISSING).any():
        return NOTHING
    return Bounds(low, low + missing * int(memory.max()))


def greatest(window: Int32, memory: Int32) -> Bounds:
    """The maximum of a window."""
    there = window[window != MISSING]
    known = memory[memory != MISSING]
    if not len(known):
        return NOTHING
    low = int(there.max()) if len(there) else -FAR
    return Bounds(low, low if len(there) == len(window) else int(known.max()))


def least(window: Int32, memory: Int32) -> Bounds:
    """The minimum of a window."""
    there = window[window != MISSING]
    known = memory[memory != MISSING]
    if not len(known):
        return NOTHING
    high = int(there.min()) if len(there) else FAR
    return Bounds(high if len(there) == len(window) else int(known.min()), high)


def share(window: Int32) -> tuple[int, int]:
    """Slots measured, slots."""
    return int((window != MISSING).sum()), len(window)


def worst(parts: Sequence[Bounds]) -> Bounds:
    """The greatest of several amounts; of none, far below everything."""
    if not parts:
        return Bounds(-FAR, -FAR)
    return Bounds(max(b.low for b in parts), max(b.high for b in parts))


def coldest(parts: Sequence[Bounds]) -> Bounds:
    """The least of several amounts; of none, far above everything."""
    if not parts:
        return Bounds(FAR, FAR)
    return Bounds(min(b.low for b in parts), min(b.high for b in parts))
