"""All alerts of one area (or city): feeds tracks, numbers their transitions, keeps their timers.

Column work for raw properties: only series that meet a tier or have an open alert are looked at
one by one. Deterministic: no clock, no randomness; timers fire when the caller says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np

from streams.alerting.closing import FORGET_MS, find_open, is_forgotten, told
from streams.alerting.deadlines import Deadlines
from streams.alerting.in_force import InForce, Subject
from streams.alerting.moment import Moment as Moment
from streams.alerting.rule import Thresholds, fingerprint
from streams.alerting.ruling import Ruling
from streams.alerting.stages import Staged, Stages
from streams.alerting.telling import Telling, severity_of, tell
from streams.alerting.track import (
    BookState,
    Step,
    Track,
    adapt,
    begin,
    deadline,
    fall_silent,
    is_steady,
    observe,
    run_out,
    stays,
)
from streams.contracts.closing import Close, Verdict
from streams.contracts.completeness import Completeness
from streams.contracts.frame import Bool, Int32, Int64
from streams.contracts.outcome import Transition
from streams.contracts.reason import Change, Origin, Severity
from streams.windows.aggregate import by_series

VALID_MS = 15 * 60_000
Firing: TypeAlias = tuple[str, Thresholds, str | None, Severity, bool]
LookedRows: TypeAlias = tuple[Int32, Int64, Int64, Bool]  # series, time, value, unverified


class Book:
    """See the module. `mark` is the short hash of the rule set in force, "" without one; `complete`
    says how much of the area speaks now."""

    def __init__(self, area: str, valid_ms: int = VALID_MS) -> None:
        self.area = area
        self.valid_ms = valid_ms
        self.forget_ms = FORGET_MS  # how long the sensor of a closed alert may be silent
        self.state = BookState()
        self.mark = ""
        self.stages = Stages(area)
        self._rules = InForce()
        self.moves = 0  # grows with every transition but hidden and shown; not kept
        self._firing: tuple[int, BookState, tuple[Firing, ...]] | None = None  # as of `moves`
        self.complete: Callable[[], Completeness | None] = lambda: None
        self._deadlines = Deadlines(self._deadline)  # of the tracks in `_due_of`
        self._due_of: BookState | None = None  # None: of none of them

    def use(self, domain: str, rules: Mapping[str, Ruling]) -> None:
        """All rules of a domain in force from now on; `refit` settles what is open under others."""
        self._due_of = self._firing = None
        self._rules.use(domain, rules)

    def followers(self, name: str) -> tuple[str, ...]:
        """The rules that judge the value which the rule of this name is about."""
        return self._rules.followers(name)

    # observations -----------------------------------------------------------------------------

    def judge_rows(
        self, name: str, subjects: Mapping[int, Subject], rows: LookedRows, moment: Moment
    ) -> list[Transition]:
        """Fresh rows (series, time, value, unverified) of one property, by (series, time)."""
        if (at := self.look(name, subjects, rows)) is None:
            return []
        looked = (rows[0][at], rows[1][at], rows[2][at], rows[3][at])
        return self.judge_looked(name, subjects, looked, moment)

    def look(self, name: str, subjects: Mapping[int, Subject], rows: LookedRows) -> Int64 | None:
        """Which of such rows, by series and time, can move an alert: those of series that meet a
        tier or have an open alert which these values do not leave as it is."""
        series, time_ms, value, _ = rows
        ruling = self._rules[name]
        hot = value >= self._rules.floor(name, subjects, series)
        if ruling.season is not None and hot.any():
            hot &= ruling.season.hold(time_ms)
        prefix = name + "|"
        held = {k[len(prefix) :] for k in self.state.tracks if k.startswith(prefix)}
        if held:
            watched = [s for s, subject in subjects.items() if subject.key in held]
            hot |= np.isin(series, np.array(watched, np.int32))
        if not hot.any():
            return None
        moving = []
        for index in by_series(series, np.flatnonzero(np.isin(series, np.unique(series[hot])))):
            subject = subjects.get(int(series[index[0]]))
            if subject and not self._is_steady(name, subject, time_ms[index], value[index]):
                moving.append(index)
        return np.concatenate(moving) if moving else None

    def judge_looked(
        self, name: str, subjects: Mapping[int, Subject], rows: LookedRows, moment: Moment
    ) -> list[Transition]:
        """Rows of one frame that `look` has chosen, perhaps among those of more frames."""
        series, time_ms, value, unverified = rows
        found: list[Transition] = []
        for index in by_series(series, np.arange(len(series))):
            subject = subjects[int(series[index[0]])]
            if self._is_steady(name, subject, time_ms[index], value[index]):
                continue
            columns = (column[index].tolist() for column in (time_ms, value, unverified))
            for time, one, doubtful in zip(*columns, strict=True):
                found += self.judge(name, subject, time, one, moment, unverified=doubtful)
        return found

    def judge(
        self,
        name: str,
        subject: Subject,
        time_ms: int,
        value: int,
        moment: Moment,
        *,
        unverified: bool = False,
        evidence: Mapping[str, Any] | None = None,
    ) -> list[Transition]:
        """One observation of one subject, newer than the last one of it.

        An observation so late that the open alert had ended before it may begin the next one. But
        none begins at or before the onset of the one before: it would be the same alert again.
        Nothing begins where the rule does not hold, or out of its season.
        """
        ruling = self._rules[name]
        rule = ruling.of(subject.point)
        if rule is None:
            return []
        key = f"{name}|{subject.key}"
        track = self.state.tracks.get(key)
        steps: list[Step] = []
        if ruling.season is not None and not ruling.season.holds(time_ms):
            steps = [] if track is None else self._run_out(key, track, time_ms)
            return [] if track is None else self._apply(key, track, steps, moment, {})
        if track and track.closed and is_forgotten(track, time_ms, self.forget_ms):
            self._drop(key)
            track = None
        if track is None:
            if value < rule.meet[0] or time_ms <= self.state.onsets.get(key, time_ms - 1):
                return []
            self.state.onsets[key] = time_ms
            track, first = begin(rule, fingerprint(name, subject.key, time_ms), time_ms, value)
            track.unverified = unverified
            self.state.tracks[key], self.state.points[key] = track, subject.point
            steps.append(first)
        self.state.origins[key] = moment.origin.value
        steps += observe(rule, track, time_ms, value, unverified)
        track.heard_ms = max(track.heard_ms, moment.decided_ms)
        found = self._apply(key, track, steps, moment, evidence or {})
        if value >= rule.meet[0] and key not in self.state.tracks:
            found += self.judge(
                name, subject, time_ms, value, moment, unverified=unverified, evidence=evidence
            )
        return found

    def _is_steady(self, name: str, subject: Subject, time_ms: Int64, value: Int64) -> bool:
        track = self.state.tracks.get(f"{name}|{subject.key}")
        ruling = self._rules[name]
        rule = ruling.of(subject.point)
        if track is None or rule is None or not is_steady(track):
            return False
        if ruling.season is not None and not ruling.season.hold(time_ms).all():
            return False
        return stays(rule, track, int(value.min()), int(value.max()))

    # endings without a measurement ---------------------------------------------------------------

    def close(self, close: Close, moment: Moment) -> tuple[Verdict, list[Transition]]:
        """Ends an alert by a person's word, if it is open and no worse than the person saw."""
        verdict, key = find_open(self.state.tracks, close)
        if verdict is not Verdict.CLOSED:
            return verdict, []
        track = self.state.tracks[key]
        track.tiers = track.tiers or self._rules.declared_tiers(key)
        at = moment.after(track.heard_ms, self.state.origins[key])
        step = Step(Change.CLOSED, track.level, at.decided_ms, None, ended=True)
        found = self._apply(key, track, [step], at, close.evidence())
        track.closed = int(close.severity)
        return verdict, found + self._look_again(key, at.decided_ms, at)

    def withdraw(
        self,
        name: str,
        subject: Subject,
        time_ms: int,
        change: Change,
        moment: Moment,
        evidence: Mapping[str, Any] | None = None,
    ) -> list[Transition]:
        """Ends an open alert; nothing happens when there is none."""
        key = f"{name}|{subject.key}"
        track = self.state.tracks.get(key)
        if track is None:
            return []
        step = Step(change, track.level, time_ms, None, ended=True)
        return self._apply(key, track, [step], moment, evidence or {})

    def retire(
        self, known: Collection[str], watched: Collection[str], moment: Moment
    ) -> list[Transition]:
        """Ends the open alerts of points that left the registry, and those of the area itself of
        domains that are not `watched` any more: nobody would ever end them."""
        gone = [
            key
            for key, point in sorted(self.state.points.items())
            if (
                key.split("|", 1)[1] not in known
                if point
                else self._rules.domain_of(key) not in watched
            )
        ]
        found: list[Transition] = []
        for key in gone:
            found += self._retire(key, moment)
        return found

    def refit(self, moment: Moment) -> list[Transition]:
        """Other rules have come into force: what is open goes on under them, or ends where its
        rule does not hold any more; what hides it may be others."""
        self._firing = None
        found: list[Transition] = []
        for key in sorted(self.state.tracks):
            track, rule = self.state.tracks[key], self._rule(key)
            track.tiers = track.tiers or self._rules.declared_tiers(key)
            end = self._rules.season_end(key, track.onset_ms)
            if rule is None or (end is not None and end <= moment.decided_ms):
                found += self._retire(key, moment)
            elif track.version != rule.version:
                at = moment.after(track.heard_ms)
                found += self._apply(key, track, adapt(rule, track, at.decided_ms), at, {})
        return found + self.stage_again(moment)

    def _retire(self, key: str, moment: Moment) -> list[Transition]:
        track = self.state.tracks[key]
        at = moment.after(track.heard_ms)
        step = Step(Change.RETIRED, track.level, at.decided_ms, None, ended=True)
        return self._apply(key, track, [step], at, {})

    def silence(
        self, subject_key: str, time_ms: int, moment: Moment, domain: str | None = None
    ) -> list[Transition]:
        """Every open alert of the subject (of this domain) becomes stale."""
        found: list[Transition] = []
        for key in sorted(k for k in self.state.tracks if k.split("|", 1)[1] == subject_key):
            if domain in (None, self._rules.domain_of(key)):
                track = self.state.tracks[key]
                found += self._apply(key, track, fall_silent(track, time_ms), moment, {})
        return found

    def onset(self, name: str, subject: Subject) -> int | None:
        """When the open alert began, None = there is none."""
        track = self.state.tracks.get(f"{name}|{subject.key}")
        return None if track is None else track.onset_ms

    # timers -----------------------------------------------------------------------------------

    def due(self) -> tuple[int, str] | None:
        """The next deadline and its key, the smallest first."""
        if self._due_of is not self.state:
            self._due_of = self.state
            self._deadlines.forget()
            self._deadlines.move(self.state.tracks)
        return self._deadlines.first()

    def fire(self, key: str, at_ms: int, position: int) -> list[Transition]:
        """The deadline of `due` has passed."""
        track = self.state.tracks[key]
        moment = Moment(at_ms, position, Origin(self.state.origins[key]))
        return self._apply(key, track, self._run_out(key, track, at_ms), moment, {})

    def _deadline(self, key: str) -> int | None:
        track = self.state.tracks.get(key)
        if track is None:
            return None
        rule, end = self._rules.of_open(key, self.state.points[key], track.onset_ms)
        at = None if rule is None else deadline(rule, track)
        first = min((one for one in (at, end) if one is not None), default=None)
        return None if first is None else max(first, track.heard_ms)

    def _run_out(self, key: str, track: Track, to_ms: int) -> list[Step]:
        rule, end = self._rules.of_open(key, self.state.points[key], track.onset_ms)
        return run_out(rule, track, end, to_ms)

    def _rule(self, key: str) -> Thresholds | None:
        return self._rules.of_alert(key, self.state.points[key])

    # what is open -------------------------------------------------------------------------------

    def open(self) -> Iterator[tuple[str, Severity, bool]]:
        """(domain, severity, stale) of every firing alert, in key order."""
        for domain, _, _, severity, stale in self.firing():
            yield domain, severity, stale

    def firing(self) -> tuple[Firing, ...]:
        """(domain, rule, point, severity, stale) of every firing alert, in key order."""
        known = self._firing
        if known is None or known[0] != self.moves or known[1] is not self.state:
            known = self._firing = self.moves, self.state, tuple(self._find_firing())
        return known[2]

    def _find_firing(self) -> Iterator[Firing]:
        for key in sorted(self.state.tracks):
            track, rule = self.state.tracks[key], self._rule(key)
            if track.level and rule is not None and not track.closed:
                point = self.state.points[key]
                severity = rule.severities[track.level - 1]
                yield self._rules.domain_of(key), rule, point, severity, track.stale

    # transitions ------------------------------------------------------------------------------

    def _apply(
        self,
        key: str,
        track: Track,
        steps: list[Step],
        moment: Moment,
        evidence: Mapping[str, Any],
    ) -> list[Transition]:
        self._deadlines.move((key,))
        if not steps:
            return []
        found: list[Transition] = []
        for step, is_told in told(key, track, steps):
            self.moves += 1
            if is_told:
                self.state.onsets[key] = track.onset_ms
                severity = severity_of(self._rule(key), track, step)
                staged = self.stages.go_through(
                    self.state, self._rules, key, step, severity, moment.decided_ms
                )
                found.append(self._tell(key, step, staged, moment, evidence))
            if step.ended and step.change is not Change.CLOSED:
                self._drop(key)
        if found:
            found += self._look_again(key, found[-1].event_ms, moment)
        return found

    def stage_again(self, moment: Moment) -> list[Transition]:
        """The sensors that are believed, or the rules, are others now: who is hidden by what."""
        waiting = self.stages.everything(self.state, self._rules)
        return self._settle(waiting, moment.decided_ms, moment)

    def _look_again(self, key: str, event_ms: int, moment: Moment) -> list[Transition]:
        """The alert has moved: who is hidden by it, or no more."""
        waiting = self.stages.dependants(self.state, self._rules, key)
        return self._settle(waiting, event_ms, moment) if waiting else []

    def _settle(
        self, waiting: list[tuple[int, str]], event_ms: int, moment: Moment
    ) -> list[Transition]:
        found = []
        for key, step, staged, was in self.stages.settle(
            self.state, self._rules, waiting, event_ms, moment.decided_ms
        ):
            at = moment.after(self.state.tracks[key].heard_ms, self.state.origins[key])
            found.append(self._tell(key, step, staged, at, {"was": was}))
        return found

    def _tell(
        self, key: str, step: Step, staged: Staged, moment: Moment, evidence: Mapping[str, Any]
    ) -> Transition:
        self.state.tracks[key].sequence += 1
        return tell(self._telling(key, moment), self.state.tracks[key], step, staged, evidence)

    def _drop(self, key: str) -> None:
        self._deadlines.move((key,))
        del self.state.tracks[key], self.state.points[key], self.state.origins[key]

    def _telling(self, key: str, moment: Moment) -> Telling:
        name, subject = key.split("|", 1)
        return Telling(
            name=name,
            domain=self._rules.domain_of(key),
            area=self.area,
            point=self.state.points[key],
            subject=subject,
            rule=self._rule(key),
            mark=self.mark,
            decided_ms=moment.decided_ms,
            valid_until_ms=moment.decided_ms + self.valid_ms,
            position=moment.position,
            origin=moment.origin,
            completeness=self.complete(),
        )
