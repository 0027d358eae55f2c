"""Congestion episodes: when they begin and end, what is worst, what a revision does to them."""

from __future__ import annotations

from streams.domains.traffic.episode import (
    MICRO,
    NONE,
    Limits,
    Spell,
    Track,
    changes,
    limits_from,
    note,
    settle,
)
from tests.support.traffic_area import FIVE_MIN_MS, MIN_MS

LIMITS = limits_from(3, 15 * MIN_MS, 15 * MIN_MS, FIVE_MIN_MS)


def at(number: int) -> int:
    """Start of the n-th interval."""
    return number * FIVE_MIN_MS


def track_of(*dtps: float | None) -> Track:
    """Intervals from 0 on; None = no state."""
    track = Track()
    for number, dtp in enumerate(dtps):
        enter(track, number, dtp)
    return track


def enter(track: Track, number: int, dtp: float | None) -> None:
    micro = NONE if dtp is None else round(dtp * MICRO)
    note(track, at(number), [at(number), micro, 30_000])


def spells(track: Track, limits: Limits = LIMITS) -> list[tuple[int, int, float]]:
    """Onset and end as interval numbers, and the worst DTP, of everything not told yet."""
    moved, _ = changes(track, limits)
    return [(s.start_ms // FIVE_MIN_MS, _number(s), s.worst / MICRO) for s in moved]


def _number(spell: Spell) -> int:
    return NONE if spell.end_ms == NONE else spell.end_ms // FIVE_MIN_MS


def test_fifteen_minutes_make_an_episode_ten_do_not() -> None:
    assert spells(track_of(0.5, 0.5)) == []
    assert spells(track_of(0.5, 0.5, 0.5)) == [(0, NONE, 0.5)]


def test_exactly_at_the_bound_is_congested_just_below_is_not() -> None:
    assert spells(track_of(0.499999, 0.499999, 0.499999)) == []
    assert spells(track_of(0.5, 0.6, 0.5)) == [(0, NONE, 0.6)]


def test_it_ends_where_fifteen_minutes_below_began() -> None:
    jam = (0.6, 0.7, 0.6)
    assert spells(track_of(*jam, 0.1, 0.1)) == [(0, NONE, 0.7)]
    assert spells(track_of(*jam, 0.1, 0.1, 0.1)) == [(0, 3, 0.7)]


def test_a_short_relief_does_not_end_it() -> None:
    assert spells(track_of(0.6, 0.6, 0.1, 0.1, 0.6, 0.1, 0.1, 0.1)) == [(0, 5, 0.6)]


def test_an_interval_without_a_state_proves_nothing() -> None:
    assert spells(track_of(0.6, 0.6, 0.6, None, None, None, None)) == [(0, NONE, 0.6)]
    assert spells(track_of(0.6, None, 0.6, 0.1, None, 0.1)) == [(0, 3, 0.6)]


def test_two_jams_are_two_episodes() -> None:
    jam, free = (0.6, 0.6, 0.6), (0.1, 0.1, 0.1)
    assert spells(track_of(*jam, *free, *jam)) == [(0, 3, 0.6), (6, NONE, 0.6)]


def test_what_did_not_change_is_not_told_again() -> None:
    track = track_of(0.6, 0.6, 0.6)
    assert spells(track) == [(0, NONE, 0.6)]
    enter(track, 3, 0.55)
    assert spells(track) == []
    enter(track, 4, 0.8)
    assert spells(track) == [(0, NONE, 0.8)]


def test_a_revised_interval_undoes_an_episode() -> None:
    track = track_of(0.6, 0.6, 0.6)
    assert spells(track) == [(0, NONE, 0.6)]
    enter(track, 1, 0.1)
    enter(track, 0, 0.1)
    assert changes(track, LIMITS) == ([], [at(0)])


def test_a_revised_interval_joins_two_into_one() -> None:
    jam, free = (0.6, 0.6, 0.6), (0.1, 0.1, 0.1)
    track = track_of(*jam, *free, *jam)
    spells(track)
    enter(track, 4, 0.6)
    moved, undone = changes(track, LIMITS)
    assert ([s.start_ms for s in moved], undone) == ([at(0)], [at(6)])


def test_a_value_taken_away_leaves_a_gap() -> None:
    track = track_of(0.6, 0.9, 0.6)
    note(track, at(1), None)
    assert spells(track) == [(0, NONE, 0.6)]
    note(track, at(7), None)  # never there
    assert len(track.recent) == 2


def test_what_has_settled_goes_on_as_if_it_were_still_there() -> None:
    jam, free = (0.6, 0.7, 0.6), (0.1, 0.1, 0.1)
    track = track_of(*jam)
    assert spells(track) == [(0, NONE, 0.7)]
    assert [entry[0] for entry in settle(track, at(2), LIMITS)] == [at(0), at(1)]
    assert spells(track) == []
    for number, dtp in enumerate(free, 3):
        enter(track, number, dtp)
    assert spells(track) == [(0, 3, 0.7)]


def test_a_finished_episode_that_settled_is_not_undone() -> None:
    track = track_of(0.6, 0.7, 0.6, 0.1, 0.1, 0.1, 0.1)
    assert spells(track) == [(0, 3, 0.7)]
    settle(track, at(6), LIMITS)
    assert track.told == {}
    assert changes(track, LIMITS) == ([], [])


def test_the_grade_from_which_it_counts_is_a_parameter() -> None:
    severe = limits_from(5, 15 * MIN_MS, 15 * MIN_MS, FIVE_MIN_MS)
    assert spells(track_of(0.6, 0.69, 0.6), severe) == []
    assert spells(track_of(0.7, 0.7, 0.7), severe) == [(0, NONE, 0.7)]
