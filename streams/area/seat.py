"""A domain's place in an area: its lane, and what the registry says about its series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from streams.alerting.in_force import Subject
from streams.alerting.ruling import Ruling
from streams.area.lane_work import LaneWork
from streams.area.resolve import Resolver
from streams.area.view import subjects
from streams.contracts.domain import TierRule
from streams.contracts.frame import Int16, Int32


@dataclass(slots=True)
class Seat:
    """`subjects` by property index and series; columns have one entry per series.

    `readers`: domains that read rows of this one, with their series number for each series here
    (-1 = not read). `rulings`: the alert rules in force here, by name.
    """

    work: LaneWork
    resolver: Resolver
    subjects: dict[int, dict[int, Subject]]
    devices: Int32  # device number of every series
    property_id: Int16  # catalogue id of every series' property
    readers: tuple[tuple[str, Int32], ...] = field(default=())
    rulings: Mapping[str, Ruling] = field(default_factory=dict)
    many: bool = False  # whether several frames of it may be taken at once
    rules: tuple[TierRule, ...] = ()  # that hold somewhere here
    rule_subjects: dict[str, dict[int, Subject]] = field(default_factory=dict)

    def settle(self) -> None:
        """When everything else is in place: what follows from it."""
        domain, sizes = self.work.domain, self.work.lane.sizes
        self.rules = tuple(one.rule for one in self.rulings.values() if one.holds_somewhere)
        self.rule_subjects = {
            rule.name: self.subjects.get(domain.property_index(rule.property), {})
            for rule in self.rules
            if rule.property is not None
        }
        self.many = (
            (domain.step is None or domain.step_many is not None)
            and domain.heed is None
            and not self.readers
            and len(self.devices) > 0
            and all(size % sizes[0] == 0 for size in sizes)
        )

    @property
    def is_watched(self) -> bool:
        """Whether the domain has a sensor here in the registry in force."""
        view = self.work.view
        return bool((view.series_active & (view.series_property < self.work.own)).any())

    @property
    def area(self) -> str:
        return self.work.view.area


def make_seat(
    work: LaneWork,
    resolver: Resolver,
    device_number: Mapping[int, int],
    property_ids: Mapping[str, int],
) -> Seat:
    """The place of the domain that `work` is of; sensors get their numbers as devices."""
    view = work.view
    ids = np.array([property_ids[p.name] for p in work.domain.properties], np.int16)
    devices = [device_number[s] for s in view.series_sensor.tolist()]
    return Seat(
        work, resolver, subjects(view), np.array(devices, np.int32), ids[view.series_property]
    )
