"""Chance without state: the same seed, stream, number and moment give the same value everywhere.

SplitMix64 (Steele, Lea, Flood 2014) over integers; no generator is kept, so that the city can be
computed again from any moment, and machines agree to the last bit.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from streams.contracts.frame import Float64

UInt64 = NDArray[np.uint64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xBF58476D1CE4E5B9)
SECOND = np.uint64(0x94D049BB133111EB)
MASK = (1 << 64) - 1
UNIT = 2.0**-53


def key(seed: int, stream: str) -> int:
    """A 64-bit key of one use of chance, e.g. `key(7, "rain.cells")`."""
    digest = hashlib.blake2b(f"{seed}/{stream}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def name_keys(names: tuple[str, ...]) -> UInt64:
    """A 64-bit number per name, independent of the order of names; shape (n,)."""
    return np.array([key(0, name) for name in names], np.uint64)


def mix(stream: int, *numbers: ArrayLike) -> UInt64:
    """64 random bits per element of the broadcast integer arrays."""
    state = np.asarray(np.uint64(stream & MASK))
    with np.errstate(over="ignore"):
        for number in numbers:
            state = _finish(state ^ (np.asarray(number).astype(np.uint64) * GOLDEN + GOLDEN))
    return state


def uniform(stream: int, *numbers: ArrayLike) -> Float64:
    """Values in [0, 1), exact multiples of 2^-53."""
    return (mix(stream, *numbers) >> np.uint64(11)).astype(np.float64) * UNIT


def bell(stream: int, *numbers: ArrayLike) -> Float64:
    """Values of mean 0 and standard deviation 1, within ±3.5: the sum of four 16-bit parts.

    No logarithm or cosine, hence the same on every machine.
    """
    bits = mix(stream, *numbers)
    parts = sum(
        ((bits >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.float64) * 2.0**-16
        for shift in (0, 16, 32, 48)
    )
    return np.asarray((parts - 2.0) * 1.7320508075688772, np.float64)


def smooth(stream: int, number: ArrayLike, moment: float) -> Float64:
    """A slow wave per number: `bell` at whole moments, joined by a smoothstep between them."""
    whole = int(moment // 1)
    part = moment - whole
    weight = part * part * (3.0 - 2.0 * part)
    ask = _knot if isinstance(number, int) else bell
    before, after = ask(stream, number, whole), ask(stream, number, whole + 1)
    return before + (after - before) * weight


@lru_cache(maxsize=1_024)
def _knot(stream: int, number: int, whole: int) -> Float64:
    """`bell` of single numbers; a wave asks for the same one again at every step."""
    return bell(stream, number, whole)


def _finish(state: UInt64) -> UInt64:
    state = (state ^ (state >> np.uint64(30))) * FIRST
    state = (state ^ (state >> np.uint64(27))) * SECOND
    return np.asarray(state ^ (state >> np.uint64(31)), np.uint64)
