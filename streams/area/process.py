"""One area: everything that its records change, in one order, with one clock.

The clock is processing time: the running maximum of the ingest times of its records and ticks.
Timers fire in (deadline, key) order, stamped with their deadline, before the record that passes
them. Nothing here depends on other areas, on the partition or on how records are batched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from streams.alerting.book import Book, Moment
from streams.alerting.stages.parameters import flap_numbers
from streams.area import intake, judging, numbered
from streams.area.colour import Colour
from streams.area.devices import Devices, active_subjects
from streams.area.doubts import Doubts
from streams.area.heed import Heeding, refuse_standstill
from streams.area.lane_work import LaneWork, Passed, Taken
from streams.area.reads import accepted, connect, translate, with_reads
from streams.area.report import Report
from streams.area.resolve import Resolver
from streams.area.ruled import put_rules
from streams.area.seat import Seat, make_seat
from streams.area.timers import next_due
from streams.area.versions import Versions
from streams.area.view import build_view, day_zone_ms, timing_ms
from streams.area.warnings import AreaWarnings
from streams.contracts.domain import AreaView, Domain, Outputs, Ticket
from streams.contracts.frame import Frame, Int32, Int64
from streams.contracts.outcome import Outcome
from streams.contracts.reason import Origin, Reason
from streams.contracts.surroundings import Surroundings
from streams.contracts.warning import Announcement, valid_hours
from streams.quality import parameters as quality
from streams.quality.desk import Desk
from streams.quality.silence import Silence, SilenceEvent, SilenceLimits, silence_limits
from streams.windows.chunk import Chunk, join
from streams.windows.lane import HOUR_MS
from streams.windows.watermark import NEVER

HOUR_S = 3600  # shorter windows, not revised, are closed before a row of theirs can be late


class Area:
    """See the module."""

    def __init__(
        self, code: str, domains: Mapping[str, Domain], property_ids: Mapping[str, int]
    ) -> None:
        self.code = code
        self.domains = domains
        self._seen = {name: with_reads(domain, domains) for name, domain in domains.items()}
        self._heeding = Heeding()
        self._property_ids = property_ids
        self.book = Book(code)
        self.silence = Silence(SilenceLimits())
        self.desk = Desk()
        self.doubts = Doubts(code, self.desk, self.book, self.moment)
        self.seats: dict[str, Seat] = {}
        self.proc_ms = NEVER
        self.position = 0
        self.origin = Origin.LIVE
        self.frames: dict[int, set[int]] = {}
        self.devices = Devices(self.silence)
        self.book.complete = self.devices.complete
        self.report = Report(code)
        self.warnings = AreaWarnings(code)
        self.known_views: dict[str, AreaView] = {}  # numbers given before a restart
        self.refitted = True
        self.stale_view = True  # a map of it must be written again
        self.touched = True  # a checkpoint must take it
        self.future_ms = 300_000
        self.heeding_seats: list[Seat] = []  # of domains with deadlines of their own
        self._colour = Colour(code, self.book, self.silence, self.devices)
        self._has_own_colour = True  # a city's is rolled up by the region stage

    # registry ---------------------------------------------------------------------------------

    def fit(self, versions: Versions) -> None:
        """Other versions hold from here on; there must be a registry among them."""
        registry, profile = versions.registry, versions.profile
        if registry is None:
            return
        values, zone_ms = profile.values, day_zone_ms(profile)
        self.silence.limits = silence_limits(values)
        self.devices.fit(self.code, registry, self.domains)
        self._colour.fit(values)
        self._has_own_colour = registry.city_of(self.code) != self.code
        self.future_ms = quality.whole(values, quality.FUTURE) * 1000
        self.warnings.valid_hours = valid_hours(values)
        self.book.valid_ms = quality.whole(values, quality.ALERT_VALID) * 1000
        self.book.forget_ms = quality.whole(values, quality.CLOSED_SILENT) * 1000
        self.book.stages.numbers = flap_numbers(values)
        for name, domain in self.domains.items():
            seat = self.seats.get(name)
            known = seat.work.view if seat else self.known_views.get(name)
            seen = self._seen[name]
            view = build_view(seen, self.code, registry, profile, known)
            own_types = {kind.name for kind in domain.points}
            if not any(point.type in own_types for point in view.points):
                continue
            if seat is None:
                delay = timing_ms(values, name, "delay_s", domain.timing.delay_s)
                horizon = timing_ms(values, name, "horizon_s", domain.timing.horizon_s)
                work = LaneWork(seen, view, delay, horizon, zone_ms, len(domain.properties))
            else:
                work = seat.work
                work.fit(view)
            resolver = Resolver(domain, view, registry)
            self.seats[name] = make_seat(work, resolver, self.devices.number, self._property_ids)
        connect(self.seats, self.domains)
        self._heeding.fit(self.seats)
        put_rules(self.seats, self.book, versions)
        self.doubts.fit(self.seats, values)
        self.heeding_seats = [s for s in self.seats.values() if s.work.domain.due is not None]
        self.devices.fit_subjects(self.seats)
        self.touched = self.stale_view = self.refitted = True

    def rule(self, versions: Versions, outcome: Outcome) -> None:
        """Another rule set has just come into force; nothing but the alerts knows of it."""
        put_rules(self.seats, self.book, versions)
        self.touched = self.stale_view = True
        self.doubts.look()
        outcome.transitions += self.book.refit(self.moment())
        self.look_around(max(self.proc_ms, 0), outcome)

    def activated(self, outcome: Outcome) -> None:
        """A version has just come into force: alerts of what left end, inventories are told."""
        watched = {name for name, seat in self.seats.items() if seat.is_watched}
        known = active_subjects(self.seats)
        outcome.transitions += self.book.retire(known, watched, self.moment())
        outcome.transitions += self.book.refit(self.moment())
        for name, seat in sorted(self.seats.items()):
            self._tell_state(outcome, name, seat, "registry")
            outcome.tickets += [(self.code, t) for t in seat.work.looking.watch.ended()]
        at_ms = max(self.proc_ms, 0)
        outcome.tickets += [(self.code, t) for t in self.desk.gone(self.devices.present, at_ms)]
        self.settle()
        self._let_heed(sorted(self.seats), at_ms, outcome)
        self.look_around(at_ms, outcome)

    def _tell_state(self, outcome: Outcome, name: str, seat: Seat, cause: str) -> None:
        self.report.state(outcome, max(self.proc_ms, 0), name, seat.work, cause, self.position)

    # time -------------------------------------------------------------------------------------

    def advance(self, to_ms: int, outcome: Outcome) -> None:
        """Processing time goes on to `to_ms` (never back): fires what is due, in order."""
        timed = self.seats, self.book, self.silence, self.warnings
        while (due := next_due(*timed, to_ms)) is not None:
            at_ms, key, what = due
            self.touched = self.stale_view = True
            self._fire(at_ms, key, what, outcome)
            self.look_around(at_ms, outcome)
        self.proc_ms = max(self.proc_ms, to_ms)

    def _fire(self, at_ms: int, key: str, what: Any, outcome: Outcome) -> None:
        kind = key.split("|", 1)[0]
        if kind == "source":
            name, source = what
            seat = self.seats[name]
            seat.work.lane.state.watermark.fire(source)
            self._pass_watermark(name, seat, at_ms, outcome)
        elif kind == "alert":
            outcome.transitions += self.book.fire(what, at_ms, self.position)
        elif kind == "heed":
            self._let_heed((what,), at_ms, outcome)
            refuse_standstill(self.seats[what], at_ms)
        elif kind == "warning":
            self.warnings.expire(what, at_ms)
        else:
            for event in self.silence.fire(what):
                self._fall_silent(event, outcome)

    def _fall_silent(self, event: SilenceEvent, outcome: Outcome) -> None:
        moment, whole = Moment(event.at_ms, self.position, self.origin), f"area:{self.code}"
        if event.kind == "device_silent":
            for subject in self.devices.subjects(event.index):
                outcome.transitions += self.book.silence(subject, event.at_ms, moment)
            for name in self.devices.fallen_silent(event.index):
                outcome.transitions += self.book.silence(whole, event.at_ms, moment, name)
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
        self.report.refuse(outcome, frame, resolved.refused, position)
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
            intake.hand_late(seat, frame, rows, self.proc_ms, outcome)
            return
        early = rows.time_ms + seat.work.lane.interval_ms[rows.series] > (
            frame.ingest_ms + self.future_ms
        )
        if early.any():
            intake.quarantine(self.report, seat, frame, rows.take(np.flatnonzero(early)), outcome)
            keep = np.flatnonzero(~early)
            rows = rows.take(keep)
            source_flag = None if source_flag is None else source_flag[keep]
        self._hear(seat, rows.series, outcome)
        taken = seat.work.take(rows, source_flag, self.proc_ms, position)
        intake.record(seat, frame, taken, self.proc_ms, outcome)
        self.doubts.heed(outcome, self.proc_ms)
        self._obey(seat, judging.judge(self.book, seat, taken, self.moment(), outcome), outcome)
        self._move_windows(domain, seat, frame.source, taken, outcome)
        for reader, table in seat.readers:
            self._pass_on(reader, table, taken, f"{frame.source}/{domain}", outcome)
        self.look_around(self.proc_ms, outcome)
        self.advance(self.proc_ms, outcome)

    def take_warning(self, told: Announcement, position: int, outcome: Outcome) -> None:
        """An official warning, of this area or not, at its place in the log."""
        self.touched = True
        self.advance(told.ingest_ms, outcome)
        self.position, self.origin = position, told.origin
        self.warnings.take(told.warning, told.source, self.proc_ms)
        self.look_around(self.proc_ms, outcome)
        self.advance(self.proc_ms, outcome)

    def _pass_on(
        self, reader: str, table: Int32, taken: Taken, source: str, outcome: Outcome
    ) -> None:
        """Rows of one domain that another reads too."""
        rows, again = translate(accepted(taken), table), translate(taken.reflagged, table)
        if not len(rows) and not len(again):
            return
        seat = self.seats[reader]
        found = seat.work.read_along(rows, again, self.proc_ms, self.position)
        if len(found.reflagged):
            outcome.reflag(numbered.flag_changes(seat.work, found.reflagged, seat.property_id))
        self._obey(seat, found.outputs, outcome)
        self._move_windows(reader, seat, source, found, outcome)

    def _hear(self, seat: Seat, series: Int32, outcome: Outcome) -> None:
        if not len(series):
            return
        _, ticketed, gateways = self.silence.hear(seat.devices[series], self.proc_ms)
        for sensor in (self.silence.state.devices[number] for number in ticketed):
            outcome.tickets.append((self.code, Ticket(sensor, "", "silent", self.proc_ms, True)))
        for gateway in gateways:
            self._tell_source(gateway, self.proc_ms, True, outcome)

    def moment(self, at_ms: int = NEVER) -> Moment:
        """Now (or then, if that is later), and by which record."""
        return Moment(max(self.proc_ms, at_ms), self.position, self.origin)

    def _obey(self, seat: Seat, outputs: Outputs, outcome: Outcome) -> None:
        judging.obey(self.book, seat, outputs, self.moment(), outcome)
        if outputs.inventory_changed:
            self._tell_state(outcome, seat.work.domain.name, seat, "closed")

    # looking around ---------------------------------------------------------------------------

    def look_around(self, at_ms: int, outcome: Outcome) -> None:
        """Who looks around is told when what it looks at has changed; the region, of the colour."""
        self.doubts.heed(outcome, at_ms)
        if self._heeding.has_changed(self.book, self.seats, self.warnings.open):
            self._let_heed(sorted(self.seats), at_ms, outcome)
        if self._colour.may_have_changed():
            risk = self._colour.now(self.seats, at_ms)
            self.report.risk(outcome, at_ms, risk, self.position)

    def _let_heed(self, names: Iterable[str], at_ms: int, outcome: Outcome) -> None:
        held, self.proc_ms = self.proc_ms, max(self.proc_ms, at_ms)
        told = self._heeding
        around = Surroundings(at_ms, self.position, told.alerts, told.warnings)
        for name in names:
            work = self.seats[name].work
            if work.domain.heed is not None:
                work.state, outputs = work.domain.heed(work.state, work.view, around)
                self._obey(self.seats[name], outputs, outcome)
        self.proc_ms = held

    def settle(self) -> None:
        """After a restart: the heeding domains know what holds."""
        self._heeding.settle(self.book, self.seats, self.warnings.open)

    # windows ----------------------------------------------------------------------------------

    def _move_windows(
        self, name: str, seat: Seat, source: str, taken: Taken, outcome: Outcome
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
        lane.state.watermark.observe(source, newest, self.proc_ms)
        self._pass_watermark(name, seat, self.proc_ms, outcome)

    def go_on(self, seat: Seat, source: str, newest_ms: int, outcome: Outcome) -> None:
        """A frame of this source has been taken, its newest interval ends then: the watermark,
        and who has to look around."""
        seat.work.lane.state.watermark.observe(source, newest_ms, self.proc_ms)
        self._pass_watermark(seat.work.domain.name, seat, self.proc_ms, outcome)
        self.look_around(self.proc_ms, outcome)

    def _pass_watermark(self, name: str, seat: Seat, at_ms: int, outcome: Outcome) -> None:
        lane = seat.work.lane
        mark = lane.state.watermark
        if mark.value_ms > lane.state.closed_ms and mark.value_ms > NEVER:
            if lane.is_window_over(mark.value_ms):
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
                windows = numbered.windows(seat.work, one.closed, seat.property_id)
                if windows is not None:
                    outcome.windows.append(windows)
                if late and (one.closed.revised or one.closed.size_s >= HOUR_S):
                    day = seat.work.lane.day_of(one.closed.start_ms)
                    if day in late:
                        self.report.mark_late(outcome, name, day, self.position)
            judging.doubt(self.book, seat, one, self.moment(), outcome)
            if one.outputs is not None:
                self._obey(seat, one.outputs, outcome)
            if one.derived is not None:
                outcome.results += one.derived.results
                told = one.derived.partial
                if told is not None:
                    self.report.partial(
                        outcome, at_ms, name, one.period, one.start_ms, told, cause, self.position
                    )
        self.proc_ms = held

    # views -------------------------------------------------------------------------

    def show(self, outcome: Outcome) -> None:
        """The area's full state for maps: latest values by domain, and its colour."""
        decided = max(self.proc_ms, 0)
        silent = self.silence.silent_sensors()
        for name, seat in self.seats.items():
            latest = self.report.latest(seat.work, silent, decided)
            if latest is not None:
                outcome.latest[self.code, name] = latest
        if self._has_own_colour:
            outcome.risks[self.code] = self._colour.now(self.seats, decided)
        self.stale_view = False
