"""What a station published, hour by hour, read from accepted readings; and how far a revised hour
reaches: only the runs of equal rows that touch it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from streams.contracts.domain import DAY_MS, HOUR_MS, Rows
from streams.contracts.reason import Flag
from streams.domains.air.layout import UNIT, Station
from streams.domains.air.parameters import POLLUTANTS
from streams.domains.air.station import Row

Reading = tuple[int, int, int, int]
"""Series, time (epoch ms), scaled value, flag."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The published hours that a revised hour may have moved into or out of a frozen run.

    `before` is the row that ended before the first of them (None: the horizon cuts there, or
    nothing was published before); `newest` tells that they reach up to the present.
    """

    readings: tuple[Reading, ...]
    hours: tuple[tuple[int, Row], ...]
    before: Row | None
    newest: bool


def readings_of(rows: Rows) -> Iterator[Reading]:
    """The rows as tuples of plain integers."""
    columns = (rows.series, rows.time_ms, rows.value, rows.flag)
    return zip(*(column.tolist() for column in columns), strict=True)


def by_series(readings: Iterable[Reading]) -> dict[int, list[Reading]]:
    """Readings grouped by series, in their order."""
    found: dict[int, list[Reading]] = {}
    for reading in readings:
        found.setdefault(reading[0], []).append(reading)
    return found


def row_of(station: Station, hour: Mapping[int, list[Reading]]) -> Row | None:
    """What the station published in the hour: per pollutant the newest value, whatever its flag;
    None = nothing."""
    row: list[int | None] = []
    for pollutant in POLLUTANTS:
        found = (hour[s] for s in station.series.get(pollutant, ()) if s in hour)
        values = [r for r in next(found, ()) if r[3] != Flag.MISSING]
        row.append(values[-1][2] if values else None)
    return tuple(row) if any(value is not None for value in row) else None


def good_values(station: Station, hour: Mapping[int, list[Reading]]) -> dict[str, Fraction]:
    """The station's means of the hour over readings with a flag of at most 2, in units."""
    values: dict[str, Fraction] = {}
    for pollutant, series in station.series.items():
        for one in series:
            good = [r[2] for r in hour.get(one, ()) if r[3] <= Flag.NOT_EVALUATED]
            if good:
                values[pollutant] = Fraction(sum(good), len(good) * UNIT)
                break
    return values


def published(station: Station, readings: Iterable[Reading]) -> list[tuple[int, Row]]:
    """The station's published hours in event order, each with its row."""
    hours: dict[int, list[Reading]] = {}
    for reading in readings:
        hours.setdefault(hour_of(reading[1]), []).append(reading)
    found = ((start, row_of(station, by_series(hours[start]))) for start in sorted(hours))
    return [(start, row) for start, row in found if row is not None]


def stretch_around(
    station: Station,
    read: Callable[[int, int], Rows],
    hour_ms: int,
    since_ms: int,
    until_ms: int,
) -> Stretch:
    """The hours whose run a change of the hour `hour_ms` may touch, within [since, until).

    `read(start, end)` answers the station's rows. It is asked for ever wider ranges until the run
    before the hour and the run after it lie inside.
    """
    reach = DAY_MS
    while True:
        low, high = max(since_ms, hour_ms - reach), min(until_ms, hour_ms + reach)
        readings = list(readings_of(read(low, high)))
        hours = published(station, readings)
        first = _run_start([h for h in hours if h[0] < hour_ms])
        last = _run_end(hours, sum(h[0] <= hour_ms for h in hours))
        if (first > 0 or low == since_ms) and (last < len(hours) or high == until_ms):
            inside = hours[first:last]
            begin, end = _bounds(inside)
            return Stretch(
                tuple(r for r in readings if begin <= r[1] < end),
                tuple(inside),
                hours[first - 1][1] if first else None,
                last == len(hours),
            )
        reach *= 4


def hour_of(time_ms: int) -> int:
    """Start of the hour that contains the time, epoch ms."""
    return time_ms // HOUR_MS * HOUR_MS


def _run_start(hours: list[tuple[int, Row]]) -> int:
    """Index at which the last run of these hours begins."""
    index = len(hours)
    while index > 0 and hours[index - 1][1] == hours[-1][1]:
        index -= 1
    return index


def _run_end(hours: list[tuple[int, Row]], start: int) -> int:
    """Index after the run that begins at `start`."""
    index = start
    while index < len(hours) and hours[index][1] == hours[start][1]:
        index += 1
    return index


def _bounds(hours: list[tuple[int, Row]]) -> tuple[int, int]:
    return (hours[0][0], hours[-1][0] + HOUR_MS) if hours else (0, 0)
