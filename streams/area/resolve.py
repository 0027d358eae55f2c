"""From names on the wire to series numbers: unknown things are refused, never guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streams.catalog import Registry
from streams.contracts.domain import AreaView, Domain
from streams.contracts.exact import to_scaled
from streams.contracts.frame import Bool, Float64, Frame, Int32, Int64
from streams.contracts.reason import Reason

EARLIEST_MS = 946_684_800_000  # 2000-01-01
LATEST_MS = 4_102_444_800_000  # 2100-01-01
PROPERTY_LISTS = 1000
REMEMBERED = 100_000  # names in the dictionaries that are remembered, per area and domain


@dataclass(frozen=True, slots=True, eq=False)
class Resolved:
    """`row` are the frame's row numbers that stand; `series` and `value` belong to them."""

    row: Int64
    series: Int32
    value: Int64
    refused: tuple[tuple[int, Reason], ...]


class Resolver:
    """The names of one area and domain."""

    def __init__(self, domain: Domain, view: AreaView, registry: Registry) -> None:
        self._domain = domain
        self._registry = registry
        self._area = view.area
        self._dictionaries: dict[tuple[str, ...], Int32] = {}
        self._remembered = 0
        self._properties: dict[tuple[str, ...], Int32] = {}
        self._property = {p.name: i for i, p in enumerate(domain.properties)}
        self._unknown = len(domain.properties)  # number of every property of others
        self._scales = [p.scale for p in domain.properties]
        self._one_scale = len(set(self._scales)) == 1
        self._sensor: dict[str, int] = {}
        for name, active in zip(view.series_name, view.series_active, strict=True):
            if active:
                self._sensor.setdefault(name, len(self._sensor))
        self._table = np.full((len(self._sensor) + 1, len(domain.properties) + 1), -1, np.int32)
        own = len(domain.properties)  # what it only reads comes from the domain that owns it
        for series, name in enumerate(view.series_name):
            if view.series_active[series] and view.series_property[series] < own:
                self._table[self._sensor[name], view.series_property[series]] = series

    def resolve(self, frame: Frame) -> Resolved:
        """Looks every row up and scales its value."""
        sensor = self._numbers(frame.sensors)
        of = self._property_numbers(frame.properties)[frame.property]
        series: Int32 = self._table[sensor[frame.sensor], of]
        value, fits = self._scale(frame.value, of)
        known = (series >= 0) & fits & (frame.time_ms >= EARLIEST_MS) & (frame.time_ms < LATEST_MS)
        units = self._wrong_units(frame)
        if units is not None:
            known &= ~units[frame.property]
        if known.all():
            return Resolved(np.arange(len(frame)), series, value, ())
        bad = np.flatnonzero(~known).tolist()
        refused = tuple((row, self._why(frame, row, int(series[row]), units)) for row in bad)
        rows = np.flatnonzero(known)
        return Resolved(rows, series[rows], value[rows], refused)

    def resolve_many(self, frames: Sequence[Frame]) -> tuple[Int32, Int64, Bool]:
        """Series and values of the rows of several frames, one behind the other, and whether each
        row stands. Units are the caller's matter (`has_wrong_units`)."""
        numbers = [self._numbers(frame.sensors) for frame in frames]
        sensor = np.concatenate([n[f.sensor] for n, f in zip(numbers, frames, strict=True)])
        of = np.concatenate([self._property_numbers(f.properties)[f.property] for f in frames])
        time_ms = np.concatenate([f.time_ms for f in frames])
        series: Int32 = self._table[sensor, of]
        value, fits = self._scale(np.concatenate([f.value for f in frames]), of)
        stands = (series >= 0) & fits & (time_ms >= EARLIEST_MS) & (time_ms < LATEST_MS)
        return series, value, stands

    def has_wrong_units(self, frame: Frame) -> bool:
        """Whether the frame states a unit that is not the property's."""
        return self._wrong_units(frame) is not None

    def _property_numbers(self, names: tuple[str, ...]) -> Int32:
        found = self._properties.get(names)
        if found is None:
            found = np.array([self._property.get(name, self._unknown) for name in names], np.int32)
            if len(self._properties) >= PROPERTY_LISTS:
                self._properties.clear()
            self._properties[names] = found
        return found

    def _numbers(self, names: tuple[str, ...]) -> Int32:
        """Sensor numbers of a frame's dictionary; a gateway sends the same one again and again."""
        found = self._dictionaries.get(names)
        if found is None:
            missing = len(self._sensor)
            found = np.array([self._sensor.get(name, missing) for name in names], np.int32)
            self._remembered += len(names) + 1
            if self._remembered > REMEMBERED:
                self._dictionaries.clear()
                self._remembered = len(names) + 1
            self._dictionaries[names] = found
        return found

    def _scale(self, wire: Float64, of: Int32) -> tuple[Int64, Bool]:
        """Scaled values of rows whose property numbers are `of`; unknown ones do not fit."""
        first = int(of[0]) if len(of) else self._unknown
        if first != self._unknown and (self._one_scale or bool((of == first).all())):
            return to_scaled(wire, self._scales[first])
        value, fits = np.zeros(len(of), np.int64), np.zeros(len(of), np.bool_)
        for index in np.flatnonzero(np.bincount(of, minlength=self._unknown + 1)[:-1]).tolist():
            rows = np.flatnonzero(of == index)
            value[rows], fits[rows] = to_scaled(wire[rows], self._scales[index])
        return value, fits

    def _wrong_units(self, frame: Frame) -> Bool | None:
        if frame.units is None:
            return None
        canonical = {p.name: p.unit for p in self._domain.properties}
        pairs = zip(frame.properties, frame.units, strict=True)
        wrong = np.array([canonical.get(name, unit) != unit for name, unit in pairs], np.bool_)
        return wrong if wrong.any() else None

    def _why(self, frame: Frame, row: int, series: int, units: Bool | None) -> Reason:
        prop = int(frame.property[row])
        name = frame.sensors[int(frame.sensor[row])]
        if frame.properties[prop] not in self._property:
            return Reason.UNKNOWN_PROPERTY
        if series < 0:
            known = self._registry.sensors.get(name)
            if known is None:
                return Reason.UNKNOWN_SENSOR
            if self._registry.points[known.point].area != self._area:
                return Reason.FOREIGN_AREA
            return Reason.UNKNOWN_PROPERTY
        if units is not None and units[prop]:
            return Reason.UNKNOWN_UNIT
        if not np.isfinite(frame.value[row]):
            return Reason.NOT_FINITE
        if not EARLIEST_MS <= frame.time_ms[row] < LATEST_MS:
            return Reason.BAD_TIME
        return Reason.OUT_OF_BOUNDS
