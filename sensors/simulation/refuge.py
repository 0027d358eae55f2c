"""People at home and in shelters: told to go when their county orders it, home when it is over.

Persons are whole: what leaves the homes of a shelter's catchment arrives in it, and back. A
shelter opens up to half an hour after the order and closes when the last person has gone. It
takes no more than its capacity, except one in forty whose keeper turns nobody away (up to a tenth
more), so that over-capacity can be seen. De-registered shelters and emergency grounds under the
open sky (class `emergency`) are not used in a storm.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from sensors.simulation import noise
from sensors.simulation.counties import ORDER_AT, Counties
from sensors.simulation.player import STEP_S
from streams.catalog import Registry
from streams.contracts.domain import Point
from streams.contracts.frame import Bool, Float64, Int64

M2_PER_PERSON = {  # domain.md §4, GB 51143-2015 §3.1
    "emergency": "0.5", "temporary": "1.0", "short": "2.0", "medium": "3.0", "long": "4.5",
}  # fmt: skip
OPENS_AFTER_S = 1_800
COMING_S, LEAVING_S = 2_400, 3_600  # time constants
CALLED = (0.45, 1.0)  # people told to come to it, against its capacity
CROWDED_SHARE, CROWDED = 1 / 40, (1.02, 1.10)
LEAST_PART = 0.15  # of those told that come under the mildest order; all under the worst


class Refuge:
    """State of the shelters, in the order of their points' ids."""

    def __init__(self, registry: Registry, counties: Counties, seed: int) -> None:
        self._counties = counties
        self.shelters = tuple(p for _, p in sorted(registry.points.items()) if p.type == "shelter")
        self.number = {p.id: i for i, p in enumerate(self.shelters)}
        self._county = np.array([counties.number[p.area] for p in self.shelters], np.int64)
        self.capacity = np.array([capacity(p) for p in self.shelters], np.int64)
        keys = noise.name_keys(tuple(p.id for p in self.shelters))
        self.people = self._called(keys, seed)
        self.crowded: Bool = self.people > self.capacity
        wait = noise.uniform(noise.key(seed, "refuge.opens"), keys)
        self._wait_s = (wait * OPENS_AFTER_S).astype(np.int64)
        count = len(self.shelters)
        self.occupants: Int64 = np.zeros(count, np.int64)
        self.came: Int64 = np.zeros(count, np.int64)  # since the start
        self.left: Int64 = np.zeros(count, np.int64)
        self.open: Bool = np.zeros(count, np.bool_)
        self._ordered_s: Int64 = np.zeros(count, np.int64)

    @property
    def at_home(self) -> Int64:
        """People of the catchments who are not in the shelter."""
        return self.people - self.occupants

    def advance(self) -> None:
        """One step."""
        ordered = self._counties.ordered[self._county] & (self.people > 0)
        self._ordered_s = np.where(ordered, self._ordered_s + STEP_S, 0)
        self.open = (ordered & (self._ordered_s > self._wait_s)) | (self.occupants > 0)
        coming = self._wanted(ordered) - self.occupants
        arriving = _moving(np.maximum(coming, 0), COMING_S) * self.open
        leaving = _moving(np.maximum(-coming, 0), LEAVING_S) * ~ordered
        self.occupants = self.occupants + arriving - leaving
        self.came, self.left = self.came + arriving, self.left + leaving

    def _wanted(self, ordered: Bool) -> Int64:
        """How many want to be in the shelter in the end."""
        level = self._counties.level[self._county]
        worse = (level - ORDER_AT) / (1.0 - ORDER_AT)
        part = np.where(ordered, LEAST_PART + (1.0 - LEAST_PART) * worse, 0.0)
        return np.floor(self.people * part).astype(np.int64)

    def _called(self, keys: noise.UInt64, seed: int) -> Int64:
        def draw(what: str, bounds: tuple[float, float]) -> Float64:
            return bounds[0] + (bounds[1] - bounds[0]) * noise.uniform(noise.key(seed, what), keys)

        crowded = noise.uniform(noise.key(seed, "refuge.crowd"), keys) < CROWDED_SHARE
        share = np.where(crowded, draw("refuge.over", CROWDED), draw("refuge.called", CALLED))
        used = np.array([_is_used(p) for p in self.shelters], np.bool_)
        return np.where(used, np.floor(self.capacity * share), 0).astype(np.int64)


def capacity(shelter: Point) -> int:
    """Persons: as registered, else the effective area by the class."""
    if "capacity" in shelter.attributes:
        return int(shelter.attributes["capacity"])
    area = Fraction(shelter.attributes["effective_area_m2"])
    return int(area / Fraction(M2_PER_PERSON[shelter.attributes["class"]]))


def _is_used(shelter: Point) -> bool:
    given = shelter.attributes
    return given.get("class") != "emergency" and not given.get("deregistered")


def _moving(waiting: Int64, time_s: int) -> Int64:
    """Whole persons that move in a step: a fixed share of those who wait, at least one."""
    return -(-waiting * STEP_S // time_s)
