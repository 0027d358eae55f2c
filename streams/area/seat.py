"""A domain's place in an area: its lane, and what the registry says about its series."""

from __future__ import annotations

from dataclasses import dataclass, field

from streams.alerting.book import Subject
from streams.area.lane_work import LaneWork
from streams.area.resolve import Resolver
from streams.contracts.frame import Int16, Int32


@dataclass(slots=True)
class Seat:
    """`subjects` by property index and series; columns have one entry per series.

    `readers`: domains that read rows of this one, with their series number for each series here
    (-1 = not read).
    """

    work: LaneWork
    resolver: Resolver
    subjects: dict[int, dict[int, Subject]]
    devices: Int32  # device number of every series
    property_id: Int16  # catalogue id of every series' property
    readers: tuple[tuple[str, Int32], ...] = field(default=())

    @property
    def is_watched(self) -> bool:
        """Whether the domain has a sensor here in the registry in force."""
        view = self.work.view
        return bool((view.series_active & (view.series_property < self.work.own)).any())

    @property
    def area(self) -> str:
        return self.work.view.area
