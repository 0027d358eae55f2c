"""A county with gauges and stations for tests of the weather domain: readings in, judgements out.

The domain alone, without the pipeline: closed minutes in order, then revised ones, as a lane would
hand them over. Times are minutes after `START_MS`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from streams.contracts.domain import AreaView, Closing, Judgement, Point, Rows
from streams.domains.weather import layout, signals
from streams.domains.weather import parameters as key
from streams.windows.chunk import Chunk
from streams.windows.history import History

START_MS = 1_786_896_000_000  # 2026-08-17T00:00+08:00
MINUTE_MS = 60_000
STATION_PROPERTIES = ("wind_speed", "gust", "air_temperature", "snowfall", "snow_depth")
Reading = tuple[str, str, int, float]
"""Point, property, minute, value."""


def view_of(
    gauges: int = 1, stations: int = 1, changed: Mapping[str, str] | None = None
) -> AreaView:
    """Points g0 …, each with a rain gauge, and s0 …, each measuring all the rest."""
    points = [
        Point(f"g{i}", layout.GAUGE, "330106", f"站g{i}", None, None, {}) for i in range(gauges)
    ]
    series = [(i, "rain") for i in range(gauges)]
    for i in range(stations):
        points.append(Point(f"s{i}", layout.STATION, "330106", f"站s{i}", None, None, {}))
        series += [(gauges + i, prop) for prop in STATION_PROPERTIES]
    of = [layout.INDEX[prop] for _, prop in series]
    return AreaView(
        area="330106",
        points=tuple(points),
        series_sensor=np.arange(len(series), dtype=np.int32),
        series_property=np.array(of, np.int16),
        series_point=np.array([point for point, _ in series], np.int32),
        series_report_s=np.array([layout.PROPERTIES[i].report_s for i in of], np.int32),
        series_active=np.ones(len(series), np.bool_),
        parameters={p.key: p.default for p in key.PARAMETERS} | dict(changed or {}),
        series_name=tuple(f"{points[point].id}-{prop}" for point, prop in series),
    )


class WeatherArea:
    """See the module. `judged` collects everything that the domain said."""

    def __init__(self, view: AreaView | None = None) -> None:
        self.view = view or view_of()
        self.state = signals.initial(self.view, None)
        self.history = History(MINUTE_MS)
        self.closed = 0  # minutes
        self.judged: list[Judgement] = []

    def series(self, point: str, prop: str) -> int:
        """The number of a series."""
        return self.view.series_name.index(f"{point}-{prop}")

    def take(self, readings: Sequence[Reading], flag: int = 1) -> None:
        """Readings come; those of closed minutes revise them at once."""
        if not readings:
            return
        scales = [layout.PROPERTIES[layout.INDEX[prop]].scale for _, prop, _, _ in readings]
        count = len(readings)
        chunk = Chunk(
            np.array([self.series(point, prop) for point, prop, _, _ in readings], np.int32),
            np.array([START_MS + minute * MINUTE_MS for _, _, minute, _ in readings], np.int64),
            np.array(
                [round(r[3] * 10**scale) for r, scale in zip(readings, scales, strict=True)],
                np.int64,
            ),
            np.full(count, flag, np.int8),
            np.zeros(count, np.int64),
        )
        self.history.add(chunk)
        for minute in sorted({r[2] for r in readings if r[2] < self.closed}):
            self._close(minute, revised=True)

    def close_until(self, minute: int) -> None:
        """The watermark passes: every minute with a reading is closed in order."""
        first, self.closed = self.closed, max(self.closed, minute)
        begin, end = START_MS + first * MINUTE_MS, START_MS + self.closed * MINUTE_MS
        for start in self.history.starts(begin, end):
            self._close((start - START_MS) // MINUTE_MS, revised=False)

    def play(self, readings: Sequence[Reading]) -> None:
        """Takes readings and closes the minute of the newest one."""
        self.take(readings)
        self.close_until(max(r[2] for r in readings) + 1)

    def level(self, signal: str) -> int:
        """The county's colour now: that of its last judgement, 0 = it was never judged."""
        rule = signals.rule_name(signal)
        return next((j.value for j in reversed(self.judged) if j.rule == rule), 0)

    def levels(self, signal: str) -> list[int]:
        """All judgements of a signal, in order."""
        return [j.value for j in self.judged if j.rule == signals.rule_name(signal)]

    def _close(self, minute: int, revised: bool) -> None:
        start = START_MS + minute * MINUTE_MS
        found = self.history.between(None, start, start + MINUTE_MS)
        closing = Closing(
            start_ms=start,
            end_ms=start + MINUTE_MS,
            decided_ms=start + 2 * MINUTE_MS,
            position=0,
            rows=Rows(found.series, found.time_ms, found.value, found.flag),
            history=self.history,
            revised=revised,
            day=None,
            closed_ms=START_MS + self.closed * MINUTE_MS if revised else start + MINUTE_MS,
        )
        self.state, out = signals.close(self.state, self.view, closing)
        self.judged += out.judgements


def minutes_of(
    prop: str, values: Sequence[float], begin: int = 0, point: str = "g0", every: int = 1
) -> list[Reading]:
    """Readings one after the other, `every` so many minutes."""
    return [(point, prop, begin + i * every, value) for i, value in enumerate(values)]


def days_of(temperatures: Sequence[float], begin: int = 0, point: str = "s0") -> list[Reading]:
    """Whole days, each of one temperature, every ten minutes."""
    return [
        (point, "air_temperature", begin + day * 1440 + minute, value)
        for day, value in enumerate(temperatures)
        for minute in range(0, 1440, 10)
    ]
