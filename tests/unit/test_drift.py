"""Drift: a day at a time, exactly on the limit, and the way back."""

from __future__ import annotations

from decimal import Decimal

from streams.contracts.domain import DAY_MS, Property, Title
from streams.quality.drift import Said, Track, follow, median, rate
from streams.quality.parameters import DriftNumbers

LEVEL = Property("level", "m", 2, Title("水位", "level"), Decimal(0), Decimal(9))
NUMBERS = DriftNumbers(baseline_days=3, recent_days=3, rate_days=10)
LIMIT = 10


def days(track: Track, *differences: int) -> list[Said | None]:
    first = len(track.recent)
    return [
        follow(track, LEVEL, LIMIT, ((first + n) * DAY_MS, diff), NUMBERS)
        for n, diff in enumerate(differences)
    ]


def test_exactly_the_limit_is_no_drift() -> None:
    assert days(Track(), 0, 0, 0, 10, 10, 10, 10, 10) == [None] * 8


def test_a_sensor_that_creeps_gets_a_ticket_with_its_rate_and_since_when() -> None:
    said = days(Track(), 0, 0, 0, 4, 8, 12, 16)
    assert said[:6] == [None] * 6
    found = said[6]
    assert found is not None
    assert found.opened
    assert found.evidence["departure"] == "0.12"
    assert found.evidence["since_ms"] == 4 * DAY_MS, "the first day more than half the limit off"
    assert found.evidence["rate_per_day"] == rate(
        [(n * DAY_MS, v) for n, v in enumerate((0, 0, 0, 4, 8, 12, 16))], 2
    )


def test_the_rate_is_the_median_of_all_slopes() -> None:
    line = [(n * DAY_MS, 3 * n) for n in range(6)]
    assert rate(line, 2) == "0.03"
    assert rate([*line, (6 * DAY_MS, 900)], 2) == "0.03", "one wild day does not move it"
    assert rate([(0, 5)], 2) == "0"


def test_one_wild_day_is_no_drift() -> None:
    assert days(Track(), 0, 0, 0, 0, 500, 0, 0) == [None] * 7


def test_a_day_that_is_back_ends_it() -> None:
    track = Track()
    said = days(track, 0, 0, 0, 50, 50, 50, 50, 10)
    opened = [s.opened for s in said if s is not None]
    assert opened == [True, None, None, False], "day 5 opens: two of the last three are off"
    assert not track.open


def test_too_few_days_say_nothing() -> None:
    assert days(Track(), 0, 90) == [None, None]


def test_a_day_comes_once_and_in_order() -> None:
    track = Track()
    days(track, 0, 0, 0)
    assert follow(track, LEVEL, LIMIT, (DAY_MS, 99), NUMBERS) is None
    assert len(track.recent) == 3


def test_downwards_counts_as_well() -> None:
    found = days(Track(), 0, 0, 0, -20, -20)[-1]
    assert found is not None
    assert found.evidence["departure"] == "-0.2"


def test_the_median_of_an_even_number_is_rounded_down() -> None:
    assert [median([1, 2]), median([-1, -2]), median([3, 1, 2])] == [1, -2, 2]
