"""The devices of one area: their numbers, gateways and intervals, and whose alerts they carry."""

from __future__ import annotations

from collections.abc import Mapping

from streams.area.seat import Seat
from streams.area.view import device_reports
from streams.catalog import Registry
from streams.contracts.domain import Domain
from streams.quality.silence import Silence


class Devices:
    """A device once known keeps its number, its gateway and its interval when it leaves."""

    def __init__(self, silence: Silence) -> None:
        self._silence = silence
        self.number: dict[int, int] = {}  # catalogue id → number
        self.present: frozenset[int] = frozenset()  # catalogue ids that the registry knows
        self.gateway_of: dict[int, str] = {}
        self.report_of: dict[int, int] = {}
        self._subjects_of: dict[int, tuple[str, ...]] = {}

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

    def fit_subjects(self, seats: Mapping[str, Seat]) -> None:
        """Whose alerts a device's silence makes stale."""
        found: dict[int, set[str]] = {}
        for seat in seats.values():
            for by_series in seat.subjects.values():
                for series, subject in by_series.items():
                    found.setdefault(int(seat.devices[series]), set()).add(subject.key)
        self._subjects_of = {device: tuple(sorted(keys)) for device, keys in found.items()}

    def subjects(self, device: int) -> tuple[str, ...]:
        """Subject keys of the alerts that rest on this device."""
        return self._subjects_of.get(device, ())
