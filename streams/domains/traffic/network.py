"""The index of an area from its links: integer partial sums, then DTP = Σ delay ÷ Σ travel time.

Never a mean of link indices (GB/T 33171-2016). Two weights are summed side by side (domain.md §3):
`vehicle_km`, where a link's times count once per vehicle counted on it, and `length`, where they
count once. DTP per km weighted by vehicle-km or by length is exactly that quotient of sums.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from streams.domains.traffic.grade import METHOD, NAMES
from streams.domains.traffic.link import Link
from streams.domains.traffic.measure import LEARNT, FreeFlow, LinkState
from streams.domains.traffic.parameters import LENGTH, VEHICLE_KM

GRADES = len(NAMES)


@dataclass(slots=True)
class Sums:
    """Of an area and period. Times in µs, lengths in mm; over several hours lengths and links are
    counted once per hour.

    `links`/`length_mm` are wanted, `have`/`have_mm` had a state, `counted` of these had a vehicle
    count, `unrated` were measured but have no free flow. Of the wanted ones `learnt` have a learnt
    free flow, `unknown` have none, the others have a registered one.
    """

    links: int = 0
    have: int = 0
    counted: int = 0
    unrated: int = 0
    learnt: int = 0
    unknown: int = 0
    vehicles: int = 0
    length_mm: int = 0
    have_mm: int = 0
    time_us: int = 0
    free_us: int = 0
    vehicle_time_us: int = 0
    vehicle_free_us: int = 0
    grade_mm: list[int] = field(default_factory=lambda: [0] * GRADES)

    def want(self, link: Link, free: FreeFlow | None) -> None:
        """A link that should have a state; one without a length can only be counted."""
        self.links += 1
        self.learnt += free is not None and free.origin == LEARNT
        self.unknown += free is None
        self.length_mm += link.length_mm or 0

    def add(self, link: Link, state: LinkState) -> None:
        """A link with a state. Without a length it has none in the network.

        A measured link without vehicles (none counted, or nobody counts) weighs nothing in the
        sums by vehicle-km and fully in those by length.
        """
        if link.length_mm is None or state.measure.time_us is None or state.free_us is None:
            return
        vehicles = state.measure.vehicles or 0
        self.have += 1
        self.counted += state.measure.vehicles is not None
        self.vehicles += vehicles
        self.have_mm += link.length_mm
        self.time_us += state.measure.time_us
        self.free_us += state.free_us
        self.vehicle_time_us += vehicles * state.measure.time_us
        self.vehicle_free_us += vehicles * state.free_us
        self.grade_mm[state.grade - 1] += link.length_mm

    def join(self, other: Sums) -> None:
        """Adds another area's or hour's sums."""
        for name in _WHOLE:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.grade_mm = [a + b for a, b in zip(self.grade_mm, other.grade_mm, strict=True)]

    def to_payload(self) -> dict[str, Any]:
        """As a partial: JSON of integers."""
        return {name: getattr(self, name) for name in _WHOLE} | {"grade_mm": list(self.grade_mm)}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Sums:
        """The sums again; a partial from before learnt links counted says nothing of them."""
        payload = {"learnt": 0, "unknown": payload["unrated"], **payload}
        return cls(
            **{name: int(payload[name]) for name in _WHOLE},
            grade_mm=[int(mm) for mm in payload["grade_mm"]],
        )


_WHOLE = tuple(name for name in Sums.__slots__ if name != "grade_mm")


@dataclass(frozen=True, slots=True)
class Index:
    """`weight` that was used; `wanted` the one that the profile asks for; times in µs."""

    weight: str
    wanted: str
    delay_us: int
    time_us: int
    lower: Fraction | None = None
    upper: Fraction | None = None

    @property
    def dtp(self) -> Fraction:
        return Fraction(self.delay_us, self.time_us)

    @property
    def method(self) -> str:
        return f"{METHOD}, Σ delay ÷ Σ travel time by {self.weight}"


def index_of(sums: Sums, wanted: str) -> Index | None:
    """The area's index; None when no link has a state.

    By vehicle-km; where no vehicle was counted at all (nights, or nobody counts) by length, and
    the index says so. When links are missing, `lower` and `upper` are the DTP as if the missing
    length flowed freely, or stood (house convention).
    """
    by_vehicles = wanted == VEHICLE_KM and sums.vehicle_time_us > 0
    weight = VEHICLE_KM if by_vehicles else LENGTH
    time = sums.vehicle_time_us if by_vehicles else sums.time_us
    free = sums.vehicle_free_us if by_vehicles else sums.free_us
    if time <= 0:
        return None
    index = Index(weight, wanted, time - free, time)
    if sums.have_mm >= sums.length_mm:
        return index
    known = Fraction(sums.have_mm, sums.length_mm)
    return replace(index, lower=index.dtp * known, upper=index.dtp * known + 1 - known)
