"""Flap damping: four colour moves in a quarter of an hour, held until it has been quiet."""

from __future__ import annotations

import pytest

from streams.alerting.stages.flap import FlapNumbers, held_at, note_move
from streams.alerting.stages.parameters import flap_numbers, stage_mistakes
from streams.alerting.track import Flap
from streams.contracts.outcome import Held
from streams.contracts.reason import Severity

MINUTE = 60_000
NUMBERS = FlapNumbers()
YELLOW, ORANGE = int(Severity.YELLOW), int(Severity.ORANGE)


def moved(*moves: tuple[float, int], numbers: FlapNumbers = NUMBERS) -> dict[str, Flap]:
    """(minute, the worse colour of before and after); decided when it happened."""
    flaps: dict[str, Flap] = {}
    for minute, worse in moves:
        at = round(minute * MINUTE)
        note_move(flaps, "r|p", at, worse, at, numbers)
    return flaps


def held(flaps: dict[str, Flap], minute: float) -> Held | None:
    at = round(minute * MINUTE)
    return held_at(flaps, "r|p", at, at, NUMBERS)


def test_three_moves_are_a_rise_and_a_fall() -> None:
    assert held(moved((0, YELLOW), (5, ORANGE), (10, ORANGE)), 10) is None


def test_the_fourth_within_a_quarter_of_an_hour_holds_the_worst() -> None:
    flaps = moved((0, YELLOW), (5, ORANGE), (10, ORANGE), (15, YELLOW))
    assert held(flaps, 15) == Held(Severity.ORANGE, 30 * MINUTE)


def test_a_moment_later_it_is_not_four_in_a_quarter_of_an_hour() -> None:
    assert held(moved((0, YELLOW), (5, ORANGE), (10, ORANGE), (15.01, YELLOW)), 15.01) is None


def test_released_when_it_has_been_quiet_and_not_before() -> None:
    flaps = moved((0, YELLOW), (1, YELLOW), (2, YELLOW), (3, YELLOW))
    assert held(flaps, 17.99) == Held(Severity.YELLOW, 18 * MINUTE)
    assert held(flaps, 18) is None


def test_each_move_while_it_flaps_starts_the_quiet_again() -> None:
    flaps = moved((0, YELLOW), (1, YELLOW), (2, YELLOW), (3, YELLOW), (17, YELLOW))
    assert held(flaps, 17) == Held(Severity.YELLOW, 32 * MINUTE)
    later = moved((0, YELLOW), (1, YELLOW), (2, YELLOW), (3, YELLOW), (18, YELLOW))
    assert held(later, 18) is None, "it was quiet"


def test_what_was_worse_is_held_no_longer_than_what_came_after_it_takes() -> None:
    """Orange ended at minute 2 and yellow goes on flapping: a quarter of an hour later it is
    yellow that is held."""
    yellow = [(minute, YELLOW) for minute in range(3, 21, 3)]
    flaps = moved((0, ORANGE), (1, ORANGE), (2, ORANGE), *yellow)
    assert held(flaps, 18) == Held(Severity.YELLOW, 33 * MINUTE)


def test_an_earlier_event_time_counts_as_the_last_one() -> None:
    flaps = moved((5, YELLOW), (5, YELLOW), (5, YELLOW), (4, ORANGE))
    assert held(flaps, 5) == Held(Severity.ORANGE, 20 * MINUTE)


def test_what_is_long_quiet_is_forgotten() -> None:
    flaps = moved((0, YELLOW))
    note_move(flaps, "r|q", 40 * MINUTE, YELLOW, 40 * MINUTE, NUMBERS)
    assert list(flaps) == ["r|q"]


def test_forgetting_is_by_key_as_well_whoever_moved_in_between() -> None:
    alone = moved((0, YELLOW), (1, YELLOW), (2, YELLOW), (32, YELLOW))
    assert alone["r|p"].at_ms == [32 * MINUTE]


def test_numbers_are_the_profiles() -> None:
    values = {"alert.flap.transitions": "2", "alert.flap.within_s": "60", "alert.flap.quiet_s": "5"}
    numbers = flap_numbers(values)
    assert numbers == FlapNumbers(2, 60_000, 5_000)
    flaps = moved((0, YELLOW), (1, YELLOW), numbers=numbers)
    assert held_at(flaps, "r|p", MINUTE, MINUTE, numbers) == Held(Severity.YELLOW, MINUTE + 5_000)
    assert flap_numbers({}) == NUMBERS


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("alert.flap.transitions", "1", "at least 2"),
        ("alert.flap.quiet_s", "ten", "whole number"),
        ("alert.ticket.hides", "unit", "'unit' is not 'kind colour'"),
        ("alert.ticket.hides", "silent red", "kind 'silent'"),
        ("alert.ticket.hides", "unit pink", "colour 'pink'"),
        ("alert.ticket.hides_rising", "unit red", "red is never hidden"),
    ],
)
def test_numbers_that_are_none_are_refused(key: str, text: str, said: str) -> None:
    (mistake,) = stage_mistakes({key: text})
    assert said in mistake


def test_nothing_hides_anything_when_the_profile_says_so() -> None:
    assert stage_mistakes({"alert.ticket.hides": "-", "alert.ticket.hides_rising": "-"}) == []
