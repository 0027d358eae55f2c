"""An area with air stations, as the pipeline would show it to the air domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from streams.contracts.domain import (
    HOUR_MS,
    AreaView,
    Closing,
    HourMatrix,
    Outputs,
    Point,
    Rows,
    empty_matrix,
)
from streams.contracts.frame import Int32
from streams.domains.air import DOMAIN
from streams.domains.air.parameters import PARAMETERS, POLLUTANTS
from streams.domains.air.watch import AirState, close, initial

SCALE = 10_000
START = 1_585_670_400_000  # 2020-04-01T00:00+08:00
MARCH_2026 = 1_772_294_400_000  # 2026-03-01T00:00+08:00

Row = Mapping[str, str]
"""Concentrations of one station and hour as decimal text by pollutant."""


def row(text: str) -> Row:
    """Six texts in the order pm25, pm10, so2, no2, o3, co; `-` = missing."""
    parts = text.split(",")
    return {p: t for p, t in zip(POLLUTANTS, parts, strict=True) if t != "-"}


def view_of(
    stations: Sequence[str],
    attributes: Mapping[str, Mapping[str, str]] | None = None,
    parameters: Mapping[str, str] | None = None,
    lacking: Iterable[tuple[str, str]] = (),
) -> AreaView:
    """Stations with one sensor of six series each, without the (station, pollutant) `lacking`."""
    attributes = attributes or {}
    points = tuple(
        Point(name, "air_station", "330106", name, None, None, attributes.get(name, {}))
        for name in stations
    )
    series = [
        (sensor, prop, point)
        for point, name in enumerate(stations)
        for prop, pollutant in enumerate(POLLUTANTS)
        for sensor in (point + 1,)
        if (name, pollutant) not in set(lacking)
    ]
    return AreaView(
        area="330106",
        points=points,
        series_sensor=np.array([s[0] for s in series], np.int32),
        series_property=np.array([s[1] for s in series], np.int16),
        series_point=np.array([s[2] for s in series], np.int32),
        series_report_s=np.full(len(series), 3600, np.int32),
        series_active=np.ones(len(series), np.bool_),
        parameters={p.key: p.default for p in PARAMETERS} | dict(parameters or {}),
    )


def series_of(view: AreaView, station: str, pollutant: str) -> int:
    """The number of a series."""
    prop = DOMAIN.property_index(pollutant)
    return next(
        s
        for s in range(len(view.series_point))
        if view.points[view.series_point[s]].id == station and view.series_property[s] == prop
    )


def scaled(text: str) -> int:
    return int(Fraction(text) * SCALE)


def fill(
    matrix: HourMatrix, view: AreaView, station: str, hour: int, values: Row, good: bool = True
) -> None:
    """Puts one station's row into an hour of the matrix, good or flagged bad."""
    for pollutant, text in values.items():
        s = series_of(view, station, pollutant)
        if good:
            matrix.n[s, hour] = 1
            matrix.total[s, hour] = matrix.low[s, hour] = matrix.high[s, hour] = scaled(text)
        else:
            matrix.bad[s, hour] = 1


def matrix_of(
    view: AreaView, rows: Mapping[tuple[str, int], Row], day_start_ms: int = START
) -> HourMatrix:
    """A day from rows by (station, hour)."""
    matrix = empty_matrix(len(view.series_point), day_start_ms)
    for (station, hour), values in rows.items():
        fill(matrix, view, station, hour, values)
    return matrix


@dataclass
class Timeline:
    """Plays hours into the domain's `close`, keeping the history and applying flags to it."""

    view: AreaView
    state: AirState = field(default_factory=AirState)
    stored: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    closed: int = 0

    def __post_init__(self) -> None:
        self.state = initial(self.view, None)

    def between(self, series: Int32, start_ms: int, end_ms: int) -> Rows:
        wanted = set(series.tolist())
        found = sorted(
            (s, t, v, f)
            for (s, t), (v, f) in self.stored.items()
            if s in wanted and start_ms <= t < end_ms
        )
        columns = list(zip(*found, strict=True)) or [(), (), (), ()]
        return Rows(
            np.array(columns[0], np.int32),
            np.array(columns[1], np.int64),
            np.array(columns[2], np.int64),
            np.array(columns[3], np.int8),
        )

    def put(self, hour: int, station: str, values: Row, flag: int = 1) -> None:
        """Stores a row (hour counted from START) without closing anything."""
        for pollutant, text in values.items():
            s = series_of(self.view, station, pollutant)
            self.stored[s, START + hour * HOUR_MS] = (scaled(text), flag)

    def play(self, hour: int, rows: Mapping[str, Row]) -> Outputs:
        """Stores the stations' rows and closes the hour in order."""
        for station, values in rows.items():
            self.put(hour, station, values)
        self.closed = max(self.closed, hour + 1)
        return self._close(hour, False)

    def revise(self, hour: int, rows: Mapping[str, Row]) -> Outputs:
        """Stores rows of a past hour and closes it as revised."""
        for station, values in rows.items():
            self.put(hour, station, values)
        self.closed = max(self.closed, hour + 1)
        return self._close(hour, True)

    def flagged_hours(self, station: str, pollutant: str = "pm25") -> list[int]:
        """Hours whose reading carries a flag above 2."""
        s = series_of(self.view, station, pollutant)
        return sorted(
            (t - START) // HOUR_MS for (o, t), (_, f) in self.stored.items() if o == s and f > 2
        )

    def _close(self, hour: int, revised: bool) -> Outputs:
        start = START + hour * HOUR_MS
        every = np.arange(len(self.view.series_point), dtype=np.int32)
        rows = self.between(every, start, start + HOUR_MS)
        closing = Closing(
            start_ms=start,
            end_ms=start + HOUR_MS,
            decided_ms=start + HOUR_MS + 60_000,
            position=hour,
            rows=rows,
            history=self,
            revised=revised,
            closed_ms=START + self.closed * HOUR_MS,
            day=None,
        )
        self.state, outputs = close(self.state, self.view, closing)
        for change in outputs.flags:
            value, _ = self.stored[change.series, change.time_ms]
            self.stored[change.series, change.time_ms] = (value, change.flag)
        return outputs
