"""The life of one alert: raised, lowered, cleared, stale; edges first."""

from __future__ import annotations

from streams.alerting.rule import Thresholds
from streams.alerting.track import Step, Track, begin, deadline, expire, fall_silent, observe
from streams.contracts.reason import AlertState, Change
from tests.support.tiers import CM, counting_rule, depth_rule, lasting_rule

MINUTE = 60_000
Told = list[tuple[int, Change, int]]


def play(rule: Thresholds, *readings: tuple[float, float]) -> tuple[Track, Told]:
    """Readings (minute, value in cm) of one subject; the first one meets a tier."""
    unit = CM if rule.rule.unit == "cm" else 1
    (minute, value), *rest = readings
    time_ms = round(minute * MINUTE)
    track, first = begin(rule, "a", time_ms, round(value * unit))
    steps = [first, *observe(rule, track, time_ms, round(value * unit))]
    for minute, value in rest:
        steps += observe(rule, track, round(minute * MINUTE), round(value * unit))
    return track, told(steps)


def told(steps: list[Step]) -> Told:
    return [(step.event_ms // MINUTE, step.change, step.tier) for step in steps]


def test_one_reading_only_makes_it_pending() -> None:
    track, steps = play(depth_rule(), (0, 15))
    assert steps == [(0, Change.ONSET, 1)]
    assert track.state is AlertState.PENDING


def test_two_consecutive_readings_confirm_it() -> None:
    track, steps = play(depth_rule(), (0, 15), (1, 15))
    assert steps == [(0, Change.ONSET, 1), (1, Change.CONFIRMED, 1)]
    assert track.state is AlertState.FIRING


def test_a_second_reading_just_below_the_threshold_ends_it_unconfirmed() -> None:
    _, steps = play(depth_rule(), (0, 15), (1, 14.9999))
    assert steps == [(0, Change.ONSET, 1), (1, Change.NOT_CONFIRMED, 0)]


def test_one_reading_five_centimetres_above_confirms_at_once() -> None:
    _, steps = play(depth_rule(), (0, 20))
    assert steps == [(0, Change.ONSET, 1), (0, Change.CONFIRMED, 1)]


def test_one_reading_just_under_five_centimetres_above_does_not() -> None:
    _, steps = play(depth_rule(), (0, 19.9999))
    assert steps == [(0, Change.ONSET, 1)]


def test_consecutive_readings_confirm_the_lower_of_their_tiers() -> None:
    _, steps = play(depth_rule(), (0, 15), (1, 28))
    assert steps == [(0, Change.ONSET, 1), (1, Change.CONFIRMED, 1)]


def test_the_tier_that_one_reading_proved_rises_with_the_second() -> None:
    _, steps = play(depth_rule(), (0, 31), (1, 31))
    assert steps == [(0, Change.ONSET, 3), (0, Change.CONFIRMED, 1), (1, Change.RAISED, 3)]


def test_it_rises_tier_by_tier_up_to_red() -> None:
    readings = [(0, 15), (1, 15), (2, 27), (3, 27), (4, 30), (5, 30), (6, 50), (7, 50)]
    _, steps = play(depth_rule(), *readings)
    assert steps[1:] == [
        (1, Change.CONFIRMED, 1),
        (3, Change.RAISED, 2),
        (5, Change.RAISED, 3),
        (7, Change.RAISED, 4),
    ]


def test_at_the_hysteresis_it_holds_for_ever() -> None:
    rule = depth_rule()
    track, steps = play(rule, (0, 15), (1, 15), (2, 13), (60, 13))
    assert steps[-1] == (1, Change.CONFIRMED, 1)
    assert deadline(rule, track) is None


def test_ten_minutes_below_clear_it_to_the_millisecond() -> None:
    rule = depth_rule()
    track, _ = play(rule, (0, 15), (1, 15), (2, 12.9999))
    assert deadline(rule, track) == 12 * MINUTE
    assert expire(rule, track, 12 * MINUTE - 1) == []
    (step,) = expire(rule, track, 12 * MINUTE)
    assert (step.change, step.event_ms, step.ended) == (Change.CLEARED, 12 * MINUTE, True)
    assert step.tier == 1, "an ending names the tier that was left"


def test_one_reading_that_holds_starts_the_ten_minutes_again() -> None:
    rule = depth_rule()
    track, _ = play(rule, (0, 15), (1, 15), (2, 12), (11, 13), (12, 12))
    assert deadline(rule, track) == 22 * MINUTE


def test_it_falls_to_the_highest_tier_that_still_holds() -> None:
    rule = depth_rule()
    track, _ = play(rule, (0, 55), (1, 55), (2, 26))
    steps = expire(rule, track, 12 * MINUTE)
    assert told(steps) == [(12, Change.LOWERED, 2)], "26 cm: below orange's 28, yellow holds at 25"
    assert track.level == 2


def test_it_falls_in_steps_when_the_water_does() -> None:
    rule = depth_rule()
    track, _ = play(rule, (0, 55), (1, 55), (2, 40), (5, 20), (8, 10))
    steps = expire(rule, track, 60 * MINUTE)
    assert told(steps) == [
        (12, Change.LOWERED, 3),
        (15, Change.LOWERED, 1),
        (18, Change.CLEARED, 1),
    ]


def test_a_counting_rule_needs_its_count_of_readings_below() -> None:
    _, steps = play(counting_rule(), (0, 20), (1, 20), (2, 9), (3, 9))
    assert steps == [
        (0, Change.ONSET, 2),
        (1, Change.CONFIRMED, 2),
        (3, Change.CLEARED, 2),
    ]


def test_a_counting_rule_starts_again_after_a_reading_that_holds() -> None:
    track, steps = play(counting_rule(), (0, 10), (1, 10), (2, 9), (3, 10), (4, 9))
    assert steps[-1] == (1, Change.CONFIRMED, 1)
    assert track.level == 1


def test_a_counting_rule_has_no_timer() -> None:
    rule = counting_rule()
    track, _ = play(rule, (0, 10), (1, 10), (2, 1))
    assert deadline(rule, track) is None
    assert expire(rule, track, 10**12) == []


def test_silence_makes_it_stale_once_and_stops_the_timer() -> None:
    rule = depth_rule()
    track, _ = play(rule, (0, 15), (1, 15), (2, 10))
    assert told(fall_silent(track, 5 * MINUTE)) == [(5, Change.STALE, 1)]
    assert fall_silent(track, 6 * MINUTE) == []
    assert deadline(rule, track) is None
    assert expire(rule, track, 10**12) == []
    assert track.state is AlertState.FIRING, "silence resolves nothing"


def test_a_reading_makes_it_fresh_and_the_ten_minutes_begin_anew() -> None:
    rule = depth_rule()
    track, _ = play(rule, (0, 15), (1, 15), (2, 10))
    fall_silent(track, 5 * MINUTE)
    assert told(observe(rule, track, 30 * MINUTE, 10 * CM)) == [(30, Change.FRESH, 1)]
    assert deadline(rule, track) == 40 * MINUTE


def test_a_verified_reading_of_the_same_tier_takes_the_doubt_away() -> None:
    rule = depth_rule()
    track, _ = begin(rule, "a", 0, 60 * CM)
    observe(rule, track, 0, 60 * CM, unverified=True)
    assert track.unverified
    observe(rule, track, MINUTE, 60 * CM, unverified=True)
    assert told(observe(rule, track, 2 * MINUTE, 60 * CM)) == [(2, Change.CONFIRMED, 4)]
    assert not track.unverified


def test_a_tier_that_must_last_is_confirmed_exactly_then() -> None:
    _, steps = play(lasting_rule(), (0, 10), (5, 12), (14, 10), (15, 10))
    assert steps == [(0, Change.ONSET, 1), (15, Change.CONFIRMED, 1)]


def test_a_moment_below_begins_the_time_anew() -> None:
    _, steps = play(lasting_rule(), (0, 10), (10, 9))
    assert steps == [(0, Change.ONSET, 1), (10, Change.NOT_CONFIRMED, 0)]


def test_every_tier_has_its_own_time() -> None:
    _, steps = play(lasting_rule(), (0, 10), (10, 25), (15, 25), (24, 20), (25, 20), (26, 30))
    assert steps == [
        (0, Change.ONSET, 1),
        (15, Change.CONFIRMED, 1),
        (25, Change.RAISED, 2),
    ]


def test_the_highest_tier_that_lasted_is_confirmed_at_once() -> None:
    _, steps = play(lasting_rule(), (0, 35), (15, 22))
    assert steps == [(0, Change.ONSET, 3), (15, Change.CONFIRMED, 2)]


def test_silence_begins_the_time_anew() -> None:
    rule = lasting_rule()
    track, _ = begin(rule, "a", 0, 10)
    observe(rule, track, 0, 10)
    fall_silent(track, 10 * MINUTE)
    assert told(observe(rule, track, 15 * MINUTE, 10)) == [(15, Change.FRESH, 0)]
    assert told(observe(rule, track, 30 * MINUTE, 10)) == [(30, Change.CONFIRMED, 1)]
