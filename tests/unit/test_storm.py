"""The rain behind an episode against its design intensity."""

from __future__ import annotations

from streams.contracts.domain import Point
from streams.domains.waterlogging.storm import evidence, hardest_hour, last_rain

FIVE = 300_000
HOUR = 3_600_000
MM = 1000


def point(**attributes: str) -> Point:
    return Point("p", "flood_point", "330106", "p", None, None, attributes)


def test_the_hardest_hour_is_twelve_sums_wherever_they_are() -> None:
    sums = {str(n * FIVE): MM for n in range(30)} | {str(7 * FIVE): 5 * MM}
    assert hardest_hour(sums, 0, 30 * FIVE) == 16 * MM
    assert hardest_hour({}, 0, HOUR) == 0


def test_two_sums_an_hour_apart_are_not_in_one_hour() -> None:
    assert hardest_hour({"0": 7, str(HOUR): 5}, 0, 2 * HOUR) == 7
    assert hardest_hour({"0": 7, str(HOUR - FIVE): 5}, 0, 2 * HOUR) == 12


def test_rain_ends_with_its_last_wet_five_minutes() -> None:
    assert last_rain({"0": 3, str(FIVE): 1, str(2 * FIVE): 0}, 0, HOUR) == 2 * FIVE
    assert last_rain({"0": 0}, 0, HOUR) is None


def test_exactly_the_design_is_within_it() -> None:
    here = point(design_rain_mm_h="45.5", gauge="g")
    start = 4 * HOUR
    one = evidence(here, {str(start): 45_500}, start, start + HOUR, start)
    assert (one["within_design"], one["hardest_hour_mm"], one["rain_mm"]) == (True, "45.5", "45.5")
    other = evidence(here, {str(start): 45_501}, start, start + HOUR, start)
    assert other["within_design"] is False


def test_three_hours_before_the_water_count_and_no_more() -> None:
    start = 10 * HOUR
    sums = {str(start - 3 * HOUR): 1 * MM, str(start - 3 * HOUR - FIVE): 9 * MM}
    assert evidence(point(), sums, start, start + HOUR, start)["rain_mm"] == "1"


def test_nobody_guesses_a_design_or_a_gauge() -> None:
    assert evidence(point(), {"0": 1}, 0, HOUR, 0)["within_design"] is None
    without = evidence(point(design_rain_mm_h="60"), None, 0, HOUR, 0)
    assert (without["gauge"], without["within_design"], without["rain_mm"]) == (None, None, None)


def test_water_that_stays_after_the_rain_is_measured_from_its_end() -> None:
    start = 4 * HOUR
    found = evidence(point(), {str(start): MM}, start, start + 2 * HOUR, start + FIVE + 2_000_000)
    assert found["ponded_after_rain_s"] == 2000
