"""The devices of one area: their numbers, gateways and intervals, and whose alerts they carry."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from streams.area.seat import Seat
from streams.area.view import device_reports
from streams.catalog import Registry
from streams.contracts.completeness import Completeness
from streams.contracts.domain import Domain
from streams.contracts.frame import Int32
from streams.quality.silence import Silence
from streams.windows.watermark import NEVER


class Devices:
    """A device once known keeps its number, its gateway and its interval when it leaves."""

    def __init__(self, silence: Silence) -> None:
        self._silence = silence
        self.number: dict[int, int] = {}  # catalogue id → number
        self.present: frozenset[int] = frozenset()  # catalogue ids that the registry knows
        self.gateway_of: dict[int, str] = {}
        self.report_of: dict[int, int] = {}
        self._subjects_of: dict[int, tuple[str, ...]] = {}
        self._of_domain: dict[str, Int32] = {}
        self._points: Int32 = np.empty(0, np.int32)  # of every device; -1: not in the registry
        self._counted: tuple[int, int, int] | None = None  # moves, points, reporting

    def fit(self, area: str, registry: Registry, domains: Mapping[str, Domain]) -> None:
        """A registry version: known devices first, in their old order, then the new ones."""
        devices = list(self._silence.state.devices)
        self.number = {sensor: number for number, sensor in enumerate(devices)}
        sensors = registry.sensors_by_area.get(area, ())
        self.present = frozenset(sensor.id for sensor in sensors)
        self.report_of.update(device_reports(sensors, domains))
        for sensor in sensors:
            self.gateway_of[sensor.id] = sensor.gateway
            if sensor.id not in self.number:
                self.number[sensor.id] = len(devices)
                devices.append(sensor.id)
        self._silence.fit(
            devices,
            [self.report_of[d] for d in devices],
            [self.gateway_of[d] for d in devices],
        )
        points: dict[str, int] = {}
        at = {sensor.id: points.setdefault(sensor.point, len(points)) for sensor in sensors}
        self._points = np.array([at.get(device, -1) for device in devices], np.int32)
        self._counted = None

    def complete(self) -> Completeness:
        """How much of the area speaks now."""
        state, moves = self._silence.state, self._silence.moves
        if self._counted is None or self._counted[0] != moves:
            speaking = self._points[~self._silence.is_mute() & (self._points >= 0)]
            points = int(self._points.max(initial=-1)) + 1
            self._counted = moves, points, len(np.unique(speaking))
        _, points, reporting = self._counted
        return Completeness(
            points, reporting, bool(state.gateways_down) or (points > 0 and reporting == 0)
        )

    def fit_subjects(self, seats: Mapping[str, Seat]) -> None:
        """Whose alerts a device's silence makes stale."""
        found: dict[int, set[str]] = {}
        for seat in seats.values():
            for by_series in seat.subjects.values():
                for series, subject in by_series.items():
                    found.setdefault(int(seat.devices[series]), set()).add(subject.key)
        self._subjects_of = {device: tuple(sorted(keys)) for device, keys in found.items()}
        self._of_domain = {name: _own_devices(seat) for name, seat in sorted(seats.items())}

    def fallen_silent(self, device: int) -> list[str]:
        """Domains of this device of which no sensor speaks any more."""
        speaking = self._silence.state.silent_since == NEVER
        heard = self._silence.state.heard_ms > NEVER
        return [
            name
            for name, devices in self._of_domain.items()
            if device in devices and not (speaking & heard)[devices].any()
        ]

    def subjects(self, device: int) -> tuple[str, ...]:
        """Subject keys of the alerts that rest on this device."""
        return self._subjects_of.get(device, ())


def active_subjects(seats: Mapping[str, Seat]) -> set[str]:
    """Keys of everything that a sensor of the registry in force watches."""
    return {
        subject.key
        for seat in seats.values()
        for by_series in seat.subjects.values()
        for series, subject in by_series.items()
        if seat.work.view.series_active[series]
    }


def _own_devices(seat: Seat) -> Int32:
    """Devices whose readings the domain owns, without those that left."""
    view = seat.work.view
    own = view.series_active & (view.series_property < seat.work.own)
    return np.unique(seat.devices[own])
