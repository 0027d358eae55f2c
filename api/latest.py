"""Latest values of points, read out of the columnar state that a worker keeps per area. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from api.exact import Exact, unscaled
from api.moment import Moment, age_s, from_ms
from api.queries.rows import LatestRow, PropertyRow, SensorRow

FLAG_NAMES = {1: "good", 2: "not_evaluated", 3: "suspect", 4: "fail", 9: "missing"}


class LatestValue(BaseModel):
    """The newest reading of one sensor and property."""

    model_config = ConfigDict(extra="forbid")

    sensor: str
    property: str
    unit: str
    value: Exact
    time: Moment = Field(description="Event time.")
    flag: int = Field(description="QARTOD: 1 good, 2 not evaluated, 3 suspect, 4 fail, 9 missing.")
    quality: str
    age_s: float | None = Field(description="Behind the namespace's processing time.")
    silent: bool = Field(description="The sensor has not spoken for longer than it should.")


@dataclass(frozen=True, slots=True)
class _Cell:
    property: str
    time_ms: int
    value: int
    flag: int


@dataclass(frozen=True, slots=True)
class LatestTable:
    """Newest cells by sensor id."""

    cells: Mapping[int, Sequence[_Cell]]
    silent: frozenset[int]
    properties: Mapping[str, PropertyRow]
    now: datetime | None

    def of(self, sensors: Iterable[SensorRow]) -> list[LatestValue]:
        """Values of these sensors, by sensor name, then property."""
        return [
            self._value(sensor, cell)
            for sensor in sensors
            for cell in self.cells.get(sensor.id, ())
            if cell.property in self.properties
        ]

    def _value(self, sensor: SensorRow, cell: _Cell) -> LatestValue:
        prop = self.properties[cell.property]
        time = from_ms(cell.time_ms)
        return LatestValue(
            sensor=sensor.name,
            property=prop.name,
            unit=prop.unit,
            value=unscaled(cell.value, prop.scale),
            time=time,
            flag=cell.flag,
            quality=FLAG_NAMES.get(cell.flag, "unknown"),
            age_s=age_s(time, self.now),
            silent=sensor.id in self.silent,
        )


def latest_table(
    rows: Sequence[LatestRow], properties: Mapping[str, PropertyRow], now: datetime | None
) -> LatestTable:
    """Unpacks the payloads: parallel lists `sensor`, `property`, `time`, `value`, `flag`."""
    cells: dict[int, list[_Cell]] = {}
    silent: set[int] = set()
    for row in rows:
        series = row.payload["series"]
        columns = (series[name] for name in ("sensor", "property", "time", "value", "flag"))
        for sensor, prop, time_ms, value, flag in zip(*columns, strict=True):
            if value is not None and time_ms is not None:
                cells.setdefault(sensor, []).append(_Cell(prop, time_ms, value, flag))
        silent.update(row.payload.get("silent", ()))
    return LatestTable(cells, frozenset(silent), properties, now)
