"""Once per closed hour, in event order: frozen stations are flagged and ticketed, live ones judged.

The domain's `close`. A closing of a past hour that was revised moves flags and the frozen state as
if its rows had come in order, and raises nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from streams.contracts.domain import (
    HOUR_MS,
    AreaView,
    Closing,
    FlagChange,
    Judgement,
    Outputs,
    Rows,
    Ticket,
    Withdrawal,
)
from streams.contracts.frame import Int32
from streams.contracts.reason import Change, Flag
from streams.domains.air.aqi import Index, hourly_index
from streams.domains.air.layout import UNIT, Station, stations_of
from streams.domains.air.parameters import POLLUTANTS, Numbers, read_numbers
from streams.domains.air.standard import standard_at
from streams.domains.air.station import Row, StationState, advance, frozen_hours, shows_life

STATION_RULE = "air.station"
FROZEN = "frozen"
FROZEN_FLAG = int(Flag.SUSPECT)
HORIZON_S = 45 * 86_400
"""Exact state of hourly air, seconds (domain.md §8.3)."""


@dataclass(slots=True)
class AirState:
    """Stations by point id."""

    stations: dict[str, StationState] = field(default_factory=dict)


def initial(view: AreaView, previous: AirState | None) -> AirState:
    """A fresh state, or the previous one without the stations that left the registry."""
    state = previous or AirState()
    known = {station.id for station in stations_of(view)}
    state.stations = {name: s for name, s in state.stations.items() if name in known}
    return state


def close(state: AirState, view: AreaView, closing: Closing) -> tuple[AirState, Outputs]:
    """Frozen flags, tickets, judgements and withdrawals of one closed or revised hour."""
    outputs = Outputs()
    numbers = read_numbers(view.parameters)
    hour = _by_series(closing.rows)
    for station in stations_of(view):
        row = _row(station, hour)
        if row is None:
            continue
        known = state.stations.setdefault(station.id, StationState())
        visit = _Visit(view, closing, station, numbers, outputs)
        if closing.revised:
            state.stations[station.id] = visit.revise(known)
        else:
            visit.take(known, row, hour)
    return state, outputs


@dataclass(frozen=True, slots=True)
class _Visit:
    """One station in one closing."""

    view: AreaView
    closing: Closing
    station: Station
    numbers: Numbers
    outputs: Outputs

    def take(self, known: StationState, row: Row, hour: Mapping[int, list[Reading]]) -> None:
        was_frozen = known.frozen
        advance(known, row, self.closing.start_ms, self.numbers.min_repeats)
        if known.frozen:
            begin = self.closing.start_ms if was_frozen else known.run_ms
            rows = self._history(begin, self.closing.start_ms) if begin < known.last_ms else None
            for series, time_ms, _, flag in (*_readings(rows), *self._own(hour)):
                self._mark(known, series, time_ms, flag)
        self._report_freeze(known, was_frozen, self.closing.start_ms)
        if shows_life(known, self.numbers.life_window):
            self._judge(known, hour)
        self._forget(known, self.closing.end_ms - HORIZON_S * 1000)

    def revise(self, known: StationState) -> StationState:
        closed_ms = self.closing.closed_ms
        since = closed_ms - HORIZON_S * 1000
        rows = list(_readings(self._history(since, closed_ms)))
        published = _published(self.station, rows)
        fresh = StationState(flagged=known.flagged, hot=known.hot, led=known.led)
        if published and _runs_over(known, published[0][0], since):
            # the run began before the horizon: what is left of it stays frozen
            first = published[0]
            fresh.row, fresh.run_ms = list(first[1]), first[0] - HOUR_MS
            fresh.repeats = self.numbers.min_repeats
        frozen = frozen_hours(published, self.numbers.min_repeats, fresh)
        for series, time_ms, _, flag in rows:
            if _hour_of(time_ms) in frozen:
                self._mark(fresh, series, time_ms, flag)
            else:
                self._unmark(fresh, series, time_ms, flag)
        self._report_freeze(fresh, known.frozen, fresh.last_ms)
        return fresh

    def _judge(self, known: StationState, hour: Mapping[int, list[Reading]]) -> None:
        values = _good_values(self.station, hour)
        start = self.closing.start_ms
        index = hourly_index(values, self.station.planned, standard_at(start).index, self.numbers)
        value = _judged_value(index, known)
        lowest = self.numbers.tiers[0]
        if value is None or (value < lowest and known.hot and set(known.led) - set(values)):
            return  # what led the alert is missing now: no measurement ends it
        if value >= lowest:
            known.hot, known.led = self.numbers.clear_hours, list(index.primary)
        elif known.hot:
            known.hot -= 1
        self.outputs.judgements.append(
            Judgement(STATION_RULE, self.station.point, start, value, evidence=_evidence(index))
        )

    def _report_freeze(self, known: StationState, was_frozen: bool, time_ms: int) -> None:
        if known.frozen == was_frozen:
            return
        evidence = {"since_ms": known.run_ms, "repeats": known.repeats, "source": FROZEN}
        for sensor, pollutant in sorted(self._sensors().items()):
            self.outputs.tickets.append(
                Ticket(sensor, pollutant, FROZEN, time_ms, not known.frozen, evidence)
            )
        if known.frozen and known.hot:
            known.hot, known.led = 0, []
            self.outputs.withdrawals.append(
                Withdrawal(STATION_RULE, self.station.point, time_ms, Change.WITHDRAWN, evidence)
            )

    def _sensors(self) -> dict[int, str]:
        """The station's sensors, each with the first pollutant that it measures."""
        found: dict[int, str] = {}
        for pollutant, series in self.station.series.items():
            for one in series:
                found.setdefault(int(self.view.series_sensor[one]), pollutant)
        return found

    def _mark(self, known: StationState, series: int, time_ms: int, flag: int) -> None:
        if flag > Flag.NOT_EVALUATED:
            return
        known.flagged.setdefault(series, {})[time_ms] = flag
        self.outputs.flags.append(FlagChange(series, time_ms, FROZEN_FLAG))

    def _unmark(self, known: StationState, series: int, time_ms: int, flag: int) -> None:
        before = known.flagged.get(series, {}).pop(time_ms, None)
        if before is not None and flag == FROZEN_FLAG:
            self.outputs.flags.append(FlagChange(series, time_ms, before))

    def _forget(self, known: StationState, since_ms: int) -> None:
        """Drops marks older than the horizon but the newest: it says that a run is older."""
        for series, times in known.flagged.items():
            newest = max((time for time in times if time < since_ms), default=since_ms)
            known.flagged[series] = {t: flag for t, flag in times.items() if t >= newest}

    def _history(self, start_ms: int, end_ms: int) -> Rows:
        return self.closing.history.between(_all_series(self.station), start_ms, end_ms)

    def _own(self, hour: Mapping[int, list[Reading]]) -> Iterator[Reading]:
        for series in sorted(s for own in self.station.series.values() for s in own):
            yield from hour.get(series, ())


Reading = tuple[int, int, int, int]
"""Series, time (epoch ms), scaled value, flag."""


def _readings(rows: Rows | None) -> Iterator[Reading]:
    if rows is None:
        return iter(())
    return iter(
        list(
            zip(
                rows.series.tolist(),
                rows.time_ms.tolist(),
                rows.value.tolist(),
                rows.flag.tolist(),
                strict=True,
            )
        )
    )


def _by_series(rows: Rows) -> dict[int, list[Reading]]:
    found: dict[int, list[Reading]] = {}
    for reading in _readings(rows):
        found.setdefault(reading[0], []).append(reading)
    return found


def _row(station: Station, hour: Mapping[int, list[Reading]]) -> Row | None:
    """What the station published in the hour: per pollutant the newest value; None = nothing."""
    row: list[int | None] = []
    for pollutant in POLLUTANTS:
        found = (hour[s] for s in station.series.get(pollutant, ()) if s in hour)
        values = [r for r in next(found, ()) if r[3] != Flag.MISSING]
        row.append(values[-1][2] if values else None)
    return tuple(row) if any(value is not None for value in row) else None


def _good_values(station: Station, hour: Mapping[int, list[Reading]]) -> dict[str, Fraction]:
    values: dict[str, Fraction] = {}
    for pollutant, series in station.series.items():
        for one in series:
            good = [r[2] for r in hour.get(one, ()) if r[3] <= Flag.NOT_EVALUATED]
            if good:
                values[pollutant] = Fraction(sum(good), len(good) * UNIT)
                break
    return values


def _published(station: Station, rows: list[Reading]) -> list[tuple[int, Row]]:
    """The station's published hours in event order, each with its row."""
    hours: dict[int, dict[int, list[Reading]]] = {}
    for reading in rows:
        hours.setdefault(_hour_of(reading[1]), {}).setdefault(reading[0], []).append(reading)
    found = ((start, _row(station, hours[start])) for start in sorted(hours))
    return [(start, row) for start, row in found if row is not None]


def _judged_value(index: Index, known: StationState) -> int | None:
    """The AQI that is judged; while an alert may be open also one that is not published.

    HJ 633-2026 §5.3.1 withholds an AQI up to 100 when a pollutant is missing; it must still be
    able to end an alert that the pollutants present had raised.
    """
    return index.computed if known.hot else index.aqi


def _evidence(index: Index) -> dict[str, Any]:
    return {
        "aqi": index.aqi,
        "primary": list(index.primary),
        "iaqi": dict(index.iaqi),
        "missing": list(index.missing),
        "standard_version": index.standard,
    }


def _runs_over(known: StationState, first_ms: int, since_ms: int) -> bool:
    """The first published hour inside the horizon belongs to a frozen run that began before it."""
    times = {_hour_of(time) for own in known.flagged.values() for time in own}
    return first_ms in times and min(times) < since_ms


def _all_series(station: Station) -> Int32:
    everything = sorted(s for series in station.series.values() for s in series)
    return np.array(everything, np.int32)


def _hour_of(time_ms: int) -> int:
    return time_ms // HOUR_MS * HOUR_MS
