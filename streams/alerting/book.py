"""All alerts of one area (or city): feeds tracks, numbers their transitions, keeps their timers.

Column work for raw properties: only series that meet a tier or have an open alert are looked at
one by one. Deterministic: no clock, no randomness; timers fire when the caller says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from streams.alerting.closing import FORGET_MS, find_open, is_forgotten, told
from streams.alerting.deadlines import Deadlines
from streams.alerting.in_force import InForce, Subject
from streams.alerting.rule import Thresholds, fingerprint
from streams.alerting.ruling import Ruling
from streams.alerting.telling import Telling, tell
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
from streams.windows.aggregate import group_starts

VALID_MS = 15 * 60_000
Firing: TypeAlias = tuple[str, Thresholds, str | None, Severity, bool]
LookedRows: TypeAlias = tuple[Int32, Int64, Int64, Bool]  # series, time, value, unverified


@dataclass(frozen=True, slots=True)
class Moment:
    """Who decides and when: processing time, evidence position, origin of the input."""

    decided_ms: int
    position: int
    origin: Origin


class Book:
    """See the module. `mark` is the short hash of the rule set in force, "" without one; `complete`
    says how much of the area speaks now."""

    def __init__(self, area: str, valid_ms: int = VALID_MS) -> None:
        self.area = area
        self.valid_ms = valid_ms
        self.forget_ms = FORGET_MS  # how long the sensor of a closed alert may be silent
        self.state = BookState()
        self.mark = ""
        self._rules = InForce()
        self.moves = 0  # grows with every transition; not kept
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
        at = self.look(name, subjects, rows)
        if at is None:
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
        keep = np.flatnonzero(np.isin(series, np.unique(series[hot])))
        bounds = np.append(group_starts(series[keep]), len(keep)).tolist()
        moving = []
        for low, high in pairwise(bounds):
            index = keep[low:high]
            subject = subjects.get(int(series[index[0]]))
            if subject is not None and not self._is_steady(
                name, subject, time_ms[index], value[index]
            ):
                moving.append(index)
        if not moving:
            return None
        return np.concatenate(moving)

    def judge_looked(
        self, name: str, subjects: Mapping[int, Subject], rows: LookedRows, moment: Moment
    ) -> list[Transition]:
        """Rows of one frame that `look` has chosen, perhaps among those of more frames."""
        series, time_ms, value, unverified = rows
        found: list[Transition] = []
        bounds = np.append(group_starts(series), len(series)).tolist()
        for low, high in pairwise(bounds):
            subject = subjects[int(series[low])]
            if self._is_steady(name, subject, time_ms[low:high], value[low:high]):
                continue
            stretch = zip(
                time_ms[low:high].tolist(),
                value[low:high].tolist(),
                unverified[low:high].tolist(),
                strict=True,
            )
            for time, one, doubtful in stretch:
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
        track, steps = self.state.tracks.get(key), list[Step]()
        if ruling.season is not None and not ruling.season.holds(time_ms):
            steps = [] if track is None else self._run_out(key, track, time_ms)
            return [] if track is None else self._apply(key, track, steps, moment, {})
        if track is not None and is_forgotten(track, time_ms, self.forget_ms):
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
        at = _after(track, replace(moment, origin=Origin(self.state.origins[key])))
        step = Step(Change.CLOSED, track.level, at.decided_ms, None, ended=True)
        found = self._apply(key, track, [step], at, close.evidence())
        track.closed = int(close.severity)
        return verdict, found

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
        rule does not hold any more."""
        self._firing = None
        found: list[Transition] = []
        for key in sorted(self.state.tracks):
            track, rule = self.state.tracks[key], self._rule(key)
            track.tiers = track.tiers or self._rules.declared_tiers(key)
            end = self._rules.season_end(key, track.onset_ms)
            if rule is None or (end is not None and end <= moment.decided_ms):
                found += self._retire(key, moment)
            elif track.version != rule.version:
                at = _after(track, moment)
                found += self._apply(key, track, adapt(rule, track, at.decided_ms), at, {})
        return found

    def _retire(self, key: str, moment: Moment) -> list[Transition]:
        track = self.state.tracks[key]
        at = _after(track, moment)
        step = Step(Change.RETIRED, track.level, at.decided_ms, None, ended=True)
        return self._apply(key, track, [step], at, {})

    def silence(
        self, subject_key: str, time_ms: int, moment: Moment, domain: str | None = None
    ) -> list[Transition]:
        """Every open alert of the subject (of this domain) becomes stale."""
        found: list[Transition] = []
        for key in self._keys_of(subject_key):
            if domain in (None, self._rules.domain_of(key)):
                track = self.state.tracks[key]
                found += self._apply(key, track, fall_silent(track, time_ms), moment, {})
        return found

    def silence_area(self, domain: str, time_ms: int, moment: Moment) -> list[Transition]:
        """The domain's open alerts of the area itself become stale: all its sensors are silent."""
        return self.silence(f"area:{self.area}", time_ms, moment, domain)

    def onset(self, name: str, subject: Subject) -> int | None:
        """When the open alert began, None = there is none."""
        track = self.state.tracks.get(f"{name}|{subject.key}")
        return None if track is None else track.onset_ms

    def _keys_of(self, subject_key: str) -> list[str]:
        return sorted(k for k in self.state.tracks if k.split("|", 1)[1] == subject_key)

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
        rule, end = self._rule(key), self._rules.season_end(key, track.onset_ms)
        at = None if rule is None else deadline(rule, track)
        first = min((one for one in (at, end) if one is not None), default=None)
        return None if first is None else max(first, track.heard_ms)

    def _run_out(self, key: str, track: Track, to_ms: int) -> list[Step]:
        end = self._rules.season_end(key, track.onset_ms)
        return run_out(self._rule(key), track, end, to_ms)

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
        found = []
        self._deadlines.move((key,))
        for step, is_told in told(key, track, steps):
            self.moves += 1
            if is_told:
                track.sequence += 1
                self.state.onsets[key] = track.onset_ms
                found.append(tell(self._telling(key, moment), track, step, evidence))
            if step.ended and step.change is not Change.CLOSED:
                self._drop(key)
        return found

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


def _after(track: Track, moment: Moment) -> Moment:
    """The moment, but not before the alert was heard of last."""
    return Moment(max(moment.decided_ms, track.heard_ms), moment.position, moment.origin)
