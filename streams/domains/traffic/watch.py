"""Once per closed five minutes, in event order: link states, area index, episodes, alerts.

The domain's `close`. A revised interval gives its results and episodes again and raises nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from streams.contracts.domain import (
    AreaView,
    Closing,
    Episode,
    Judgement,
    Outputs,
    Payload,
    Result,
    Rows,
)
from streams.contracts.exact import to_text
from streams.contracts.reason import Flag
from streams.contracts.surroundings import AREA, Surroundings
from streams.domains.traffic import flooded as water
from streams.domains.traffic.episode import (
    MICRO,
    NONE,
    Limits,
    Spell,
    Track,
    changes,
    is_known,
    limits_from,
    note,
    settle,
)
from streams.domains.traffic.flooded import Flooded
from streams.domains.traffic.free_flow import (
    Learning,
    has_changed,
    learn,
    learnt_at,
    state_anew,
    told,
)
from streams.domains.traffic.grade import NAMES, Grade, grade_of, tpi_of
from streams.domains.traffic.link import SPEED, TRAVEL_TIME, VEHICLES, Link, links_of
from streams.domains.traffic.measure import LinkState, Measure, Total, measure, registered, state_of
from streams.domains.traffic.network import Index, Sums, index_of
from streams.domains.traffic.parameters import LENGTH, VEHICLE_KM, Numbers, read_numbers
from streams.domains.traffic.payload import TPI_DIGITS, of_index, of_link, show

LINK_RULE, AREA_RULE = "traffic.link", "traffic.area"
LINK_5MIN, AREA_5MIN = "traffic.link.5min", "traffic.area.5min"
CONGESTION = "traffic.congestion"


@dataclass(slots=True)
class TrafficState:
    """Tracks and flooded links by id, what was learnt, and up to where intervals are final."""

    tracks: dict[str, Track] = field(default_factory=dict)
    learning: Learning = field(default_factory=Learning)
    flooded: dict[str, Flooded] = field(default_factory=dict)
    settled_ms: int = NONE


def initial(view: AreaView, previous: TrafficState | None) -> TrafficState:
    """A fresh state, or the previous one: what the registry states needs not be learnt."""
    state = previous or TrafficState()
    stated = {link.id for link in links_of(view) if link.free_mh is not None}
    state.learning.links = {k: v for k, v in state.learning.links.items() if k not in stated}
    return state


def heed(state: TrafficState, view: AreaView, around: Surroundings) -> tuple[TrafficState, Outputs]:
    """Which links are flooded under the present alerts of the other domains."""
    state.flooded, outputs = water.heed(state.flooded, links_of(view), around)
    return state, outputs


def close(state: TrafficState, view: AreaView, closing: Closing) -> tuple[TrafficState, Outputs]:
    """Results, episodes and judgements of one closed or revised interval."""
    numbers = read_numbers(view.parameters)
    visit = _Visit(state, closing, numbers, Outputs(), _limits(closing, numbers))
    links = links_of(view)
    if not closing.revised:
        visit.move_on({link.id for link in links if link.free_mh is None})
    totals, sums = totals_of(view, closing.rows), Sums()
    for link in links:
        visit.take(link, totals.get(link.point, {}), sums)
    visit.tell_area(view.area, sums)
    return state, visit.outputs


def totals_of(view: AreaView, rows: Rows) -> dict[int, dict[int, Total]]:
    """By point and property: good readings of the first series that has any, active ones first."""
    by_series: dict[int, Total] = {}
    columns = (rows.series.tolist(), rows.value.tolist(), rows.flag.tolist())
    for series, value, flag in zip(*columns, strict=True):
        if flag <= Flag.NOT_EVALUATED:
            known = by_series.get(series, Total(0, 0))
            by_series[series] = Total(known.n + 1, known.total + value)
    found: dict[int, dict[int, Total]] = {}
    for series in sorted(by_series, key=lambda s: (not view.series_active[s], s)):
        point, prop = int(view.series_point[series]), int(view.series_property[series])
        found.setdefault(point, {}).setdefault(prop, by_series[series])
    return found


def flat(totals: Mapping[int, Total]) -> list[int]:
    """Count and sum of each property, in their order; 0, 0 where there is none."""
    known = [totals.get(prop, _NOTHING) for prop in (TRAVEL_TIME, SPEED, VEHICLES)]
    return [number for total in known for number in (total.n, total.total)]


_NOTHING = Total(0, 0)


@dataclass(frozen=True, slots=True)
class _Visit:
    """One closing."""

    state: TrafficState
    closing: Closing
    numbers: Numbers
    outputs: Outputs
    limits: Limits

    def move_on(self, unstated: set[str]) -> None:
        """Intervals that no revision can reach become final; those of quiet hours teach."""
        state, quiet = self.state, self.numbers.quiet
        border = self.closing.end_ms - self.numbers.settle_ms
        for link, track in state.tracks.items():
            for start_ms, _, speed_mh, *_ in settle(track, border, self.limits):
                if link in unstated:
                    learn(state.learning, link, start_ms, speed_mh, quiet)
        state.settled_ms = max(state.settled_ms, border)
        now_ms = self.closing.start_ms
        if state_anew(state.learning, now_ms, self.numbers.settle_ms, quiet):
            self.outputs.results += told(state.learning, now_ms, quiet)
            self.outputs.inventory_changed |= has_changed(state.learning)

    def take(self, link: Link, totals: Mapping[int, Total], sums: Sums) -> None:
        """One link: its state, result and episode. Silence raises nothing and ends nothing.

        Of a revised interval only links whose readings changed are told again.
        """
        start = self.closing.start_ms
        free = registered(link) or learnt_at(self.state.learning, link.id, start)
        if link.active:
            sums.want(link, free)
        measured = measure(link, totals, self.numbers)
        if measured is None:
            self._track(link, None)
            return
        state = state_of(link, measured, free)
        if link.active and state is None:
            sums.unrated += 1
        if link.active and state is not None:
            sums.add(link, state)
        dtp = NONE if state is None else int(state.dtp * MICRO)
        entry = [start, dtp, int(measured.speed), *flat(totals)]
        if not (self.closing.revised and is_known(self.state.tracks.get(link.id), entry)):
            self._track(link, entry)
            self._tell(link, measured, state)

    def _tell(self, link: Link, measured: Measure, state: LinkState | None) -> None:
        wet = self.state.flooded.get(link.id)
        payload = of_link(measured, state) | dict(water.stated(wet))
        start = self.closing.start_ms
        self.outputs.results.append(Result(LINK_5MIN, link.id, start, self._period_s, payload))
        if state is not None and not self.closing.revised:
            self._judge_link(link, state, wet is not None, payload)

    def tell_area(self, area: str, sums: Sums) -> None:
        """The area's index of these five minutes; judged where enough length has a state."""
        if not sums.links:
            return
        start = self.closing.start_ms
        index = index_of(sums, VEHICLE_KM if self.numbers.by_vehicles else LENGTH)
        payload = of_index(index, sums) | {"flooded_links": sorted(self.state.flooded)}
        self.outputs.results.append(Result(AREA_5MIN, area, start, self._period_s, payload))
        if index is not None and not self.closing.revised:
            self._judge_area(index, sums, payload)

    @property
    def _period_s(self) -> int:
        return (self.closing.end_ms - self.closing.start_ms) // 1000

    def _judge_link(self, link: Link, state: LinkState, is_flooded: bool, payload: Payload) -> None:
        if link.length_mm is None or link.length_mm < self.numbers.least_length_mm:
            return
        value = self._value(state.grade, is_flooded)
        self.outputs.judgements.append(
            Judgement(LINK_RULE, link.point, self.closing.start_ms, value, evidence=payload)
        )

    def _judge_area(self, index: Index, sums: Sums, payload: Payload) -> None:
        if Fraction(sums.have_mm) < self.numbers.least_share * sums.length_mm:
            return
        value = self._value(grade_of(index.dtp), bool(self.state.flooded))
        self.outputs.judgements.append(
            Judgement(AREA_RULE, AREA, self.closing.start_ms, value, evidence=payload)
        )

    def _value(self, grade: Grade, is_flooded: bool) -> int:
        """The grade; the value of red when it is the worst one together with a flooded link."""
        return self.numbers.red_grade if is_flooded and grade is Grade.SEVERE else int(grade)

    def _track(self, link: Link, entry: list[int] | None) -> None:
        track = self.state.tracks.get(link.id)
        if self.closing.start_ms < self.state.settled_ms or (track is None and entry is None):
            return
        if track is None:
            track = self.state.tracks[link.id] = Track()
        note(track, self.closing.start_ms, entry)
        moved, undone = changes(track, self.limits)
        self.outputs.episodes += [_episode(link.id, spell) for spell in moved]
        self.outputs.episodes += [_gone(link.id, onset) for onset in undone]


def _limits(closing: Closing, numbers: Numbers) -> Limits:
    return limits_from(
        numbers.from_grade,
        numbers.episode_least_ms,
        numbers.episode_clear_ms,
        closing.end_ms - closing.start_ms,
    )


def _episode(link: str, spell: Spell) -> Episode:
    worst = Fraction(spell.worst, MICRO)
    ended = spell.end_ms != NONE
    payload = {
        "worst_dtp": to_text(spell.worst, 6),
        "worst_tpi": show(tpi_of(worst), TPI_DIGITS),
        "worst_grade": int(grade_of(worst)),
        "worst_grade_name": NAMES[grade_of(worst) - 1],
        "worst_ms": spell.worst_ms,
        "intervals": spell.intervals if ended else None,
        "duration_s": (spell.end_ms - spell.start_ms) // 1000 if ended else None,
    }
    end_ms = spell.end_ms if ended else None
    return Episode(
        _identity(link, spell.start_ms), CONGESTION, link, spell.start_ms, end_ms, payload
    )


def _gone(link: str, onset_ms: int) -> Episode:
    return Episode(_identity(link, onset_ms), CONGESTION, link, onset_ms, None, {}, removed=True)


def _identity(link: str, start_ms: int) -> str:
    return hashlib.sha256(f"{CONGESTION}|{link}|{start_ms}".encode()).hexdigest()[:32]
