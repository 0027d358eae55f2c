"""Once per closed hour, in event order: frozen stations are flagged and ticketed, live ones judged.

The domain's `close`. A closing of a past hour that was revised moves flags and the frozen state as
if its rows had come in order, and raises nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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
from streams.domains.air.layout import Station, stations_of
from streams.domains.air.parameters import Numbers, read_numbers
from streams.domains.air.rows import (
    Reading,
    Stretch,
    by_series,
    good_values,
    hour_of,
    readings_of,
    row_of,
    stretch_around,
)
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
    hour = by_series(readings_of(closing.rows))
    for station in stations_of(view):
        row = row_of(station, hour)
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
            earlier = readings_of(self._history(begin, self.closing.start_ms))
            for series, time_ms, _, flag in (*earlier, *self._own(hour)):
                self._mark(known, series, time_ms, flag)
        self._report_freeze(known, was_frozen, self.closing.start_ms)
        if shows_life(known, self.numbers.life_window):
            self._judge(known, hour)
        self._forget(known, self.closing.end_ms - HORIZON_S * 1000)

    def revise(self, known: StationState) -> StationState:
        since = self.closing.closed_ms - HORIZON_S * 1000
        start, until = self.closing.start_ms, self.closing.closed_ms
        stretch = stretch_around(self.station, self._history, start, since, until)
        fresh = self._seed(known, stretch, since)
        frozen = frozen_hours(stretch.hours, self.numbers.min_repeats, fresh)
        for series, time_ms, _, flag in stretch.readings:
            if hour_of(time_ms) in frozen:
                self._mark(known, series, time_ms, flag)
            else:
                self._unmark(known, series, time_ms, flag)
        if not stretch.newest:
            return known
        fresh.flagged, fresh.hot, fresh.led = known.flagged, known.hot, known.led
        self._report_freeze(fresh, known.frozen, fresh.last_ms)
        return fresh

    def _seed(self, known: StationState, stretch: Stretch, since_ms: int) -> StationState:
        """The state before the stretch: its first row is a changed one, or unknown territory."""
        if stretch.before is not None:
            return StationState(row=list(stretch.before), repeats=1)
        if stretch.hours and _runs_over(known, stretch.hours[0][0], since_ms):
            # the run began before the horizon: what is left of it stays frozen
            start, row = stretch.hours[0]
            repeats = self.numbers.min_repeats
            return StationState(row=list(row), run_ms=start - HOUR_MS, repeats=repeats)
        return StationState()

    def _judge(self, known: StationState, hour: Mapping[int, list[Reading]]) -> None:
        values = good_values(self.station, hour)
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
    times = {hour_of(time) for own in known.flagged.values() for time in own}
    return first_ms in times and min(times) < since_ms


def _all_series(station: Station) -> Int32:
    everything = sorted(s for series in station.series.values() for s in series)
    return np.array(everything, np.int32)
