"""From one link's readings of a period to its travel time, speed and state. Pure and exact.

A link with both travel time and speed is measured by its travel time when the registry states its
length (house rule `traffic.link.measure`): sources cut speeds to whole km/h.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from streams.domains.traffic.grade import Grade, dtp_of, grade_of
from streams.domains.traffic.link import SPEED, TRAVEL_TIME, VEHICLES, Link
from streams.domains.traffic.parameters import Numbers

REGISTRY, LEARNT = "registry", "learnt"
MM_MS_TO_MH = 3600  # mm per ms = m/s; times 3600 = m/h
US_PER_MS = 1000


@dataclass(frozen=True, slots=True)
class Total:
    """Good readings of one property of a link in a period, scaled."""

    n: int
    total: int


@dataclass(frozen=True, slots=True)
class Measure:
    """What was measured. `speed` in m/h, exact; `time_us` the travel time in µs, None without a
    length; `vehicles` None when nobody counts there; `by` the property that ruled."""

    speed: Fraction
    time_us: int | None
    vehicles: int | None
    by: str


@dataclass(frozen=True, slots=True)
class FreeFlow:
    """Free-flow speed in m/h with its origin; `n` values when learnt."""

    speed_mh: int
    origin: str
    n: int | None = None


@dataclass(frozen=True, slots=True)
class LinkState:
    """`free_us` is the free-flow travel time, never longer than the measured one: so
    DTP = 1 − free/time holds after the clamp. None without a length."""

    measure: Measure
    free: FreeFlow
    dtp: Fraction
    grade: Grade
    free_us: int | None


def measure(link: Link, totals: Mapping[int, Total], numbers: Numbers) -> Measure | None:
    """The link's measure from totals by property; None without a usable one.

    Mean travel time = Σ time ÷ n and v = length ÷ mean time; mean speed = Σ speed ÷ n, and then
    the travel time is length ÷ max(v, `traffic.link.floor_kmh`). Travel times are rounded half to
    even to whole µs, so that sums over links stay integers.
    """
    counted = totals.get(VEHICLES)
    vehicles = None if counted is None else counted.total
    timed = _by_time(link, totals.get(TRAVEL_TIME))
    told = totals.get(SPEED)
    spoken = None if told is None else Fraction(told.total, told.n)
    if timed is not None and not (numbers.prefer_speed and spoken is not None):
        speed, time_ms = timed
        return Measure(speed, round(time_ms * US_PER_MS), vehicles, "travel_time")
    if spoken is None:
        return None
    time_us = None
    if link.length_mm is not None:
        slowest = max(spoken, Fraction(numbers.floor_mh))
        time_us = round(link.length_mm * MM_MS_TO_MH * US_PER_MS / slowest)
    return Measure(spoken, time_us, vehicles, "speed")


def state_of(link: Link, measured: Measure, free: FreeFlow | None) -> LinkState | None:
    """The link's state; None when no free flow is known: it is never guessed."""
    if free is None:
        return None
    dtp = dtp_of(measured.speed, free.speed_mh)
    free_us = None
    if link.length_mm is not None and measured.time_us is not None:
        flowing = round(Fraction(link.length_mm * MM_MS_TO_MH * US_PER_MS, free.speed_mh))
        free_us = min(flowing, measured.time_us)
    return LinkState(measured, free, dtp, grade_of(dtp), free_us)


def registered(link: Link) -> FreeFlow | None:
    """The free flow of the registry."""
    return None if link.free_mh is None else FreeFlow(link.free_mh, REGISTRY)


def _by_time(link: Link, timed: Total | None) -> tuple[Fraction, Fraction] | None:
    if timed is None or timed.total <= 0 or link.length_mm is None:
        return None
    time_ms = Fraction(timed.total, timed.n)
    return link.length_mm * MM_MS_TO_MH / time_ms, time_ms
