"""One area: everything that its records change, in one order, with one clock.

The clock is processing time: the running maximum of the ingest times of its records and ticks.
Timers fire in (deadline, key) order, stamped with their deadline, before the record that passes
them. Nothing here depends on other areas, on the partition or on how records are batched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from streams.alerting.book import Book, Moment
from streams.alerting.rule import fill
from streams.area import intake, judging
from streams.area.lane_work import LaneWork, Passed, Taken
from streams.area.report import Report
from streams.area.resolve import Resolver
from streams.area.seat import Seat
from streams.area.state import AreaState
from streams.area.view import build_view, day_zone_ms, device_reports, subjects
from streams.catalog import Profile, Registry
from streams.contracts.domain import AreaView, Domain, Outputs, Ticket
from streams.contracts.frame import Frame, Int32, Int64
from streams.contracts.outcome import Outcome
from streams.contracts.reason import Origin, Reason
from streams.quality.silence import Silence, SilenceEvent, SilenceLimits
from streams.resilience.composite import risk
from streams.windows.history import Chunk, join
from streams.windows.lane import HOUR_MS, LaneState
from streams.windows.watermark import NEVER

HOUR_S = 3600  # shorter windows, not revised, are closed before a row of theirs can be late


class Area:
    """See the module."""

    def __init__(
        self, code: str, domains: Mapping[str, Domain], property_ids: Mapping[str, int]
    ) -> None:
        self.code = code
        self.domains = domains
        self._property_ids = property_ids
        self.book = Book(code)
        self.silence = Silence(SilenceLimits())
        self.seats: dict[str, Seat] = {}
        self.proc_ms = NEVER
        self.position = 0
        self.origin = Origin.LIVE
        self.frames: dict[int, set[int]] = {}
        self.gateway_of: dict[int, str] = {}
        self.report_of: dict[int, int] = {}
        self.report = Report(code)
        self.known_views: dict[str, AreaView] = {}  # numbers given before a restart
        self.refitted = True
        self.stale_view = True  # a map of it must be written again
        self.touched = True  # a checkpoint must take it
        self._device: dict[int, int] = {}
        self._subjects_of: dict[int, tuple[str, ...]] = {}
        self._future_ms = 300_000

    # registry ---------------------------------------------------------------------------------

    def fit(self, registry: Registry, profile: Profile) -> None:
        """A registry or profile version holds from here on."""
        self._fit_devices(registry)
        values = profile.values
        self._future_ms = int(values.get("quality.future_tolerance_s", "300")) * 1000
        zone_ms = day_zone_ms(profile)
        for name, domain in self.domains.items():
            seat = self.seats.get(name)
            known = seat.work.view if seat else self.known_views.get(name)
            view = build_view(domain, self.code, registry, profile, known)
            if not view.points:
                continue
            if seat is None:
                delay = _timing(values, name, "delay_s", domain.timing.delay_s)
                horizon = _timing(values, name, "horizon_s", domain.timing.horizon_s)
                work = LaneWork(domain, view, delay, horizon, zone_ms)
            else:
                work = seat.work
                work.fit(view)
            self.seats[name] = self._seat(work, domain, view, registry)
            self.book.use(name, {r.name: fill(r, view.parameters) for r in domain.rules})
        self._fit_subjects()
        self.touched = self.stale_view = self.refitted = True

    def activated(self, outcome: Outcome) -> None:
        """A version has just come into force: alerts of what left end, inventories are told."""
        self._retire(outcome)
        for name, seat in self.seats.items():
            self._tell_state(outcome, name, seat, "registry")

    def _retire(self, outcome: Outcome) -> None:
        known = {
            subject.key
            for seat in self.seats.values()
            for by_series in seat.subjects.values()
            for series, subject in by_series.items()
            if seat.work.view.series_active[series]
        }
        outcome.transitions += self.book.retire(known, self._moment())

    def _tell_state(self, outcome: Outcome, name: str, seat: Seat, cause: str) -> None:
        if seat.work.domain.inventory is None:
            return
        payload = seat.work.domain.inventory(seat.work.view, seat.work.state)
        if payload is not None:
            at = max(self.proc_ms, 0)
            self.report.partial(outcome, at, name, "state", 0, payload, cause, self.position)

    def _seat(self, work: LaneWork, domain: Domain, view: AreaView, registry: Registry) -> Seat:
        ids = np.array([self._property_ids[p.name] for p in domain.properties], np.int16)
        devices = [self._device[s] for s in view.series_sensor.tolist()]
        return Seat(
            work,
            Resolver(domain, view, registry),
            subjects(view),
            np.array(devices, np.int32),
            ids[view.series_property],
        )

    def _fit_devices(self, registry: Registry) -> None:
        devices = list(self.silence.state.devices)
        self._device = {sensor: number for number, sensor in enumerate(devices)}
        sensors = registry.sensors_by_area.get(self.code, ())
        self.report_of.update(device_reports(sensors, self.domains))
        for sensor in sensors:
            self.gateway_of[sensor.id] = sensor.gateway
            if sensor.id not in self._device:
                self._device[sensor.id] = len(devices)
                devices.append(sensor.id)
        self.silence.fit(
            devices,
            [self.report_of[d] for d in devices],
            [self.gateway_of[d] for d in devices],
        )

    def _fit_subjects(self) -> None:
        found: dict[int, set[str]] = {}
        for seat in self.seats.values():
            for by_series in seat.subjects.values():
                for series, subject in by_series.items():
                    found.setdefault(int(seat.devices[series]), set()).add(subject.key)
        self._subjects_of = {device: tuple(sorted(keys)) for device, keys in found.items()}

    # time -------------------------------------------------------------------------------------

    def advance(self, to_ms: int, outcome: Outcome) -> None:
        """Processing time goes on to `to_ms` (never back): fires what is due, in order."""
        while (due := self._due(to_ms)) is not None:
            at_ms, key, what = due
            self.touched = self.stale_view = True
            self._fire(at_ms, key, what, outcome)
        if to_ms > self.proc_ms:
            self.proc_ms = to_ms

    def _due(self, to_ms: int) -> tuple[int, str, Any] | None:
        best: tuple[int, str, Any] | None = None
        for name, seat in self.seats.items():
            found = seat.work.lane.state.watermark.due()
            if found is not None and found[0] <= to_ms:
                key = f"source|{name}|{found[1]}"
                if best is None or (found[0], key) < best[:2]:
                    best = (found[0], key, (name, found[1]))
        alert = self.book.due()
        if alert is not None and alert[0] <= to_ms:
            key = f"alert|{alert[1]}"
            if best is None or (alert[0], key) < best[:2]:
                best = (alert[0], key, alert[1])
        if self.silence.earliest(to_ms):
            silent = self.silence.due()
            if silent is not None and silent[0] <= to_ms:
                key = f"silence|{silent[1]}"
                if best is None or (silent[0], key) < best[:2]:
                    best = (silent[0], key, silent[2])
        return best

    def _fire(self, at_ms: int, key: str, what: Any, outcome: Outcome) -> None:
        kind = key.split("|", 1)[0]
        if kind == "source":
            name, source = what
            seat = self.seats[name]
            seat.work.lane.state.watermark.fire(source)
            self._pass_watermark(name, seat, at_ms, outcome)
        elif kind == "alert":
            outcome.transitions += self.book.fire(what, at_ms, self.position)
        else:
            for event in self.silence.fire(what):
                self._fall_silent(event, outcome)

    def _fall_silent(self, event: SilenceEvent, outcome: Outcome) -> None:
        moment = Moment(event.at_ms, self.position, self.origin)
        if event.kind == "device_silent":
            for subject in self._subjects_of.get(event.index, ()):
                outcome.transitions += self.book.silence(subject, event.at_ms, moment)
        elif event.kind == "device_ticket":
            sensor = self.silence.state.devices[event.index]
            heard = int(self.silence.state.heard_ms[event.index])
            ticket = Ticket(sensor, "", "silent", event.at_ms, False, {"heard_ms": heard})
            outcome.tickets.append((self.code, ticket))
        else:
            self._tell_source(self.silence.gateways[event.index], event.at_ms, False, outcome)

    def _tell_source(self, gateway: str, at_ms: int, speaking: bool, outcome: Outcome) -> None:
        silent, total = self.silence.counts(gateway)
        self.report.source(
            outcome, at_ms, gateway, silent, total, speaking, self.origin, self.position
        )

    # readings ---------------------------------------------------------------------------------

    def take(self, frame: Frame, position: int, outcome: Outcome) -> None:
        """A frame of this area, at its place in the log."""
        self.touched = self.stale_view = True
        count, domain = len(frame), frame.domain
        outcome.count(self.code, domain, frame.source, received=count)
        if intake.is_repeated(self.frames, frame, self.proc_ms):
            outcome.count(self.code, domain, frame.source, duplicate=count)
            return
        self.advance(frame.ingest_ms, outcome)
        self.position, self.origin = position, frame.origin
        seat = self.seats.get(domain)
        if seat is None:
            self.report.refuse_all(outcome, frame, Reason.UNKNOWN_SENSOR, position)
            return
        resolved = seat.resolver.resolve(frame)
        for row, reason in resolved.refused:
            self.report.refuse(outcome, frame, row, reason, position)
        rows = Chunk(
            resolved.series,
            frame.time_ms[resolved.row],
            resolved.value,
            np.zeros(len(resolved.row), np.int8),
            np.full(len(resolved.row), position, np.int64),
        )
        source_flag = None if frame.flag is None else frame.flag[resolved.row]
        if frame.backfill:
            rows.flag = seat.work.quality.grade(rows, source_flag)
            seat.work.lane.note_late(rows.time_ms)
            intake.hand_late(seat, frame, rows, outcome)
            return
        early = rows.time_ms + seat.work.lane.interval_ms[rows.series] > (
            frame.ingest_ms + self._future_ms
        )
        if early.any():
            intake.quarantine(self.report, seat, frame, rows.take(np.flatnonzero(early)), outcome)
            keep = np.flatnonzero(~early)
            rows = rows.take(keep)
            source_flag = None if source_flag is None else source_flag[keep]
        self._hear(seat, rows.series, outcome)
        taken = seat.work.take(rows, source_flag, self.proc_ms, position)
        intake.record(seat, frame, taken, outcome)
        self._obey(seat, judging.judge(self.book, seat, taken, self._moment(), outcome), outcome)
        self._move_windows(domain, seat, frame, taken, outcome)
        self.advance(self.proc_ms, outcome)

    def _hear(self, seat: Seat, series: Int32, outcome: Outcome) -> None:
        if not len(series):
            return
        devices = seat.devices[series]
        back, ticketed, gateways = self.silence.hear(devices, self.proc_ms)
        for number in ticketed:
            sensor = self.silence.state.devices[number]
            outcome.tickets.append((self.code, Ticket(sensor, "", "silent", self.proc_ms, True)))
        if back:
            for gateway in gateways:
                self._tell_source(gateway, self.proc_ms, True, outcome)

    def _moment(self) -> Moment:
        return Moment(self.proc_ms, self.position, self.origin)

    def _obey(self, seat: Seat, outputs: Outputs, outcome: Outcome) -> None:
        judging.obey(self.book, seat, outputs, self._moment(), outcome)
        if outputs.inventory_changed:
            self._tell_state(outcome, seat.work.domain.name, seat, "closed")

    # windows ----------------------------------------------------------------------------------

    def _move_windows(
        self, name: str, seat: Seat, frame: Frame, taken: Taken, outcome: Outcome
    ) -> None:
        lane, sifted = seat.work.lane, taken.sifted
        changed = join([c for c in (sifted.new, sifted.revised, taken.reflagged) if len(c)])
        if len(changed):
            lane.open_touched(changed)
            self._emit(name, seat, seat.work.revise(changed, self.proc_ms, self.position), outcome)
        newest = NEVER
        if len(sifted.new):
            ends: Int64 = sifted.new.time_ms + lane.interval_ms[sifted.new.series]
            newest = int(ends.max())
        lane.state.watermark.observe(frame.source, newest, self.proc_ms)
        self._pass_watermark(name, seat, self.proc_ms, outcome)

    def _pass_watermark(self, name: str, seat: Seat, at_ms: int, outcome: Outcome) -> None:
        lane = seat.work.lane
        mark = lane.state.watermark
        if mark.value_ms > lane.state.closed_ms and mark.value_ms > NEVER:
            if _base(lane.state, lane.sizes[0], mark.value_ms):
                before = lane.state.closed_ms
                self._emit(name, seat, seat.work.close(at_ms, self.position), outcome, at_ms)
                if lane.state.closed_ms // HOUR_MS > before // HOUR_MS:
                    for day in lane.late_days(before, lane.state.closed_ms):
                        self.report.mark_late(outcome, name, day, self.position)
            else:
                lane.state.closed_ms = mark.value_ms
        self.report.watermark(outcome, at_ms, name, mark.value_ms, mark.active, self.position)

    def _emit(
        self,
        name: str,
        seat: Seat,
        passed: list[Passed],
        outcome: Outcome,
        at_ms: int | None = None,
    ) -> None:
        cause = "revised" if at_ms is None else "closed"
        at_ms = self.proc_ms if at_ms is None else at_ms
        held, self.proc_ms = self.proc_ms, at_ms
        late = seat.work.lane.state.late_days
        for one in passed:
            if one.closed is not None:
                windows = seat.work.windows(one.closed, seat.property_id)
                if windows is not None:
                    outcome.windows.append(windows)
                if late and (one.closed.revised or one.closed.size_s >= HOUR_S):
                    day = seat.work.lane.day_of(one.closed.start_ms)
                    if day in late:
                        self.report.mark_late(outcome, name, day, self.position)
            if one.reflagged is not None and len(one.reflagged):
                outcome.reflag(seat.work.flag_changes(one.reflagged, seat.property_id))
            if one.outputs is not None:
                self._obey(seat, one.outputs, outcome)
            if one.derived is not None:
                outcome.results += one.derived.results
                if one.derived.partial is not None:
                    self.report.partial(
                        outcome,
                        at_ms,
                        name,
                        one.period,
                        one.start_ms,
                        one.derived.partial,
                        cause,
                        self.position,
                    )
        self.proc_ms = held

    # views and checkpoint -------------------------------------------------------------------------

    def show(self, outcome: Outcome) -> None:
        """The area's full state for maps: latest values by domain, and its colour."""
        decided = max(self.proc_ms, 0)
        silent = [
            self.silence.state.devices[i]
            for i in np.flatnonzero(self.silence.state.silent_since > NEVER).tolist()
        ]
        newest = 0
        for name, seat in self.seats.items():
            latest = self.report.latest(seat.work, silent, decided)
            if latest is not None:
                outcome.latest[self.code, name] = latest
                newest = max(newest, latest.as_of_ms)
        outcome.risks[self.code] = risk(
            self.code,
            self.book.open(),
            gateways_down=bool(self.silence.state.gateways_down),
            as_of_ms=newest,
            decided_ms=decided,
        )
        self.stale_view = False

    def snapshot(self) -> AreaState:
        """The state now; its arrays are shared, so it must be encoded before anything goes on."""
        return AreaState(
            proc_ms=self.proc_ms,
            sequence=self.report.sequence,
            position=self.position,
            origin=self.origin.value,
            gateway_of=self.gateway_of,
            report_of=self.report_of,
            told_active=self.report.told_active,
            told_hour=self.report.told_hour,
            silence=self.silence.state,
            book=self.book.state,
            lanes={name: seat.work.snapshot() for name, seat in self.seats.items()},
            frames=self.frames,
        )


def _base(state: LaneState, size_s: int, mark_ms: int) -> bool:
    """Whether the watermark crossed an end of a base window."""
    return mark_ms // (size_s * 1000) > state.closed_ms // (size_s * 1000)


def _timing(values: Mapping[str, str], domain: str, what: str, default: int) -> int:
    return int(values.get(f"{domain}.timing.{what}", str(default))) * 1000
