"""From a frame's rows and a domain's answer to transitions of alerts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from streams.alerting.book import Book, LookedRows, Moment
from streams.alerting.in_force import Subject
from streams.area import numbered
from streams.area.lane_work import Passed, Taken
from streams.area.seat import Seat
from streams.contracts.domain import Outputs, TierRule
from streams.contracts.frame import Bool, Int64
from streams.contracts.outcome import Outcome
from streams.contracts.reason import Change
from streams.contracts.surroundings import AREA
from streams.windows.aggregate import USABLE
from streams.windows.chunk import Chunk


def judge(book: Book, seat: Seat, taken: Taken, moment: Moment, outcome: Outcome) -> Outputs:
    """Fresh good rows (and rises in doubt, unverified) under the domain's rules on raw properties.

    Gives the domain's outputs that are left to obey: without judgements of spikes.
    """
    work, new = seat.work, taken.sifted.new
    for rule in seat.rules:
        _withdraw_spikes(book, rule, seat, taken, moment, outcome)
        if rule.property is None or not len(new):
            continue
        flagged = Chunk(new.series, new.time_ms, new.value, taken.flag, new.position)
        doubtful = work.quality.unverified(flagged)
        for series, when in taken.judged.spikes:
            doubtful &= ~((new.series == series) & (new.time_ms == when))
        rows = np.flatnonzero(taken.sifted.fresh & _usable(seat, rule, flagged, doubtful))
        if len(rows):
            columns = (new.series[rows], new.time_ms[rows], new.value[rows], doubtful[rows])
            outcome.transitions += book.judge_rows(
                rule.name, subjects_of(seat, rule.name), columns, moment
            )
    return _without_spikes(seat, taken)


def look(
    book: Book, seat: Seat, rows: Chunk, number: Int64
) -> Iterator[tuple[int, str, LookedRows]]:
    """Of fresh rows of several frames, by (series, time): for each rule and frame, by its number,
    the rows that can move an alert. Rules in their order."""
    doubtful = seat.work.quality.unverified(rows)
    for rule in seat.rules:
        if rule.property is None:
            continue
        use = np.flatnonzero(_usable(seat, rule, rows, doubtful))
        columns = (rows.series[use], rows.time_ms[use], rows.value[use], doubtful[use])
        found = book.look(rule.name, subjects_of(seat, rule.name), columns) if len(use) else None
        if found is None:
            continue
        found = found[np.argsort(number[use[found]], kind="stable")]
        frames = number[use[found]]
        bounds = np.append(np.flatnonzero(np.diff(frames, prepend=-1)), len(frames)).tolist()
        for low, high in pairwise(bounds):
            at = found[low:high]
            looked = (columns[0][at], columns[1][at], columns[2][at], columns[3][at])
            yield int(frames[low]), rule.name, looked


def subjects_of(seat: Seat, rule: str) -> Mapping[int, Subject]:
    """Whom a rule on a raw property speaks of, by series."""
    return seat.rule_subjects.get(rule, {})


def _usable(seat: Seat, rule: TierRule, rows: Chunk, doubtful: Bool) -> Bool:
    """Rows of the rule's property that count for it."""
    found: Bool = (rows.flag <= USABLE) | doubtful
    if len(seat.work.domain.properties) > 1 and rule.property is not None:
        prop = seat.work.domain.property_index(rule.property)
        found &= seat.work.view.series_property[rows.series] == prop
    return found


def obey(book: Book, seat: Seat, outputs: Outputs, moment: Moment, outcome: Outcome) -> None:
    """What a domain answered, in its order: results, episodes, tickets, ends, judgements."""
    outcome.results += outputs.results
    outcome.episodes += [(seat.area, e) for e in outputs.episodes]
    outcome.tickets += [(seat.area, t) for t in outputs.tickets]
    for gone in outputs.withdrawals:
        subject = subject_of(seat, gone.point)
        for name in book.followers(gone.rule):
            outcome.transitions += book.withdraw(
                name, subject, gone.time_ms, gone.change, moment, gone.evidence
            )
    for found in outputs.judgements:
        if found.point == AREA and not seat.is_watched:
            continue  # nothing of the domain stands here any more: nothing would end the alert
        subject = subject_of(seat, found.point)
        for name in book.followers(found.rule):
            outcome.transitions += book.judge(
                name,
                subject,
                found.time_ms,
                found.value,
                moment,
                unverified=found.unverified,
                evidence=found.evidence,
            )


def doubt(book: Book, seat: Seat, passed: Passed, moment: Moment, outcome: Outcome) -> None:
    """Flags found at the watermark, health of days; alerts that began with readings which are not
    believed any more end, unless a rise of the property must never be hidden (water)."""
    work = seat.work
    if passed.reflagged is not None and len(passed.reflagged):
        outcome.reflag(numbered.flag_changes(work, passed.reflagged, seat.property_id))
    if passed.health is not None and len(passed.health.series):
        told = work.looking.told(passed.health, passed.start_ms, seat.property_id)
        outcome.health.append(told)
    for series, since_ms in passed.doubted:
        prop = work.domain.properties[int(work.view.series_property[series])]
        subject = seat.subjects.get(int(work.view.series_property[series]), {}).get(series)
        if prop.checks.rise_alerts or subject is None:
            continue
        for rule in seat.rules:
            onset = book.onset(rule.name, subject) if rule.property == prop.name else None
            if onset is not None and onset >= since_ms:
                why = {"why": "suspect"}
                outcome.transitions += book.withdraw(
                    rule.name, subject, onset, Change.WITHDRAWN, moment, why
                )


def subject_of(seat: Seat, point: int) -> Subject:
    """A point by its index, or the area as a whole."""
    if point == AREA:
        return Subject(f"area:{seat.area}", None)
    identity = seat.work.view.points[point].id
    return Subject(identity, identity)


def _withdraw_spikes(
    book: Book, rule: TierRule, seat: Seat, taken: Taken, moment: Moment, outcome: Outcome
) -> None:
    """An alert that began with a spike ends when the spike is known."""
    view, domain = seat.work.view, seat.work.domain
    for series, when in taken.judged.spikes:
        if rule.property is None:
            point = view.points[int(view.series_point[series])].id
            subject: Subject | None = Subject(point, point)
        else:
            of = seat.subjects.get(domain.property_index(rule.property), {})
            subject = of.get(series)
        if subject is not None and book.onset(rule.name, subject) == when:
            outcome.transitions += book.withdraw(
                rule.name, subject, when, Change.WITHDRAWN, moment, {"why": "spike"}
            )


def _without_spikes(seat: Seat, taken: Taken) -> Outputs:
    """The domain's outputs without judgements of readings that are spikes."""
    view = seat.work.view
    spikes = {(int(view.series_point[s]), when) for s, when in taken.judged.spikes}
    if not spikes:
        return taken.outputs
    kept = [j for j in taken.outputs.judgements if (j.point, j.time_ms) not in spikes]
    return replace(taken.outputs, judgements=kept)
