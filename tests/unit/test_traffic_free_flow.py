"""Free flow learnt from quiet hours: which values count, how many, from when on."""

from __future__ import annotations

import pytest

from streams.area.view import profile_mistakes
from streams.catalog import Profile
from streams.contracts.domain import DAY_MS, HOUR_MS
from streams.domains.traffic import DOMAIN
from streams.domains.traffic.free_flow import Learning, is_quiet, learn, learnt_at, state_anew
from streams.domains.traffic.measure import FreeFlow
from streams.domains.traffic.parameters import read_numbers
from tests.support.small_city import START_MS
from tests.support.traffic_area import FIVE_MIN_MS

QUIET = read_numbers({}).quiet
SETTLE_MS = HOUR_MS
SIX = START_MS + 6 * HOUR_MS  # the night that ended at 05:00 has settled


def taught(*speeds_kmh: float, start_ms: int = START_MS, step_ms: int = 60_000) -> Learning:
    """Speeds of link `a` one after the other from midnight."""
    learning = Learning()
    for number, speed in enumerate(speeds_kmh):
        learn(learning, "a", start_ms + number * step_ms, round(speed * 1000), QUIET)
    return learning


def stated(learning: Learning, time_ms: int = SIX) -> FreeFlow | None:
    state_anew(learning, time_ms, SETTLE_MS, QUIET)
    return learnt_at(learning, "a", time_ms)


@pytest.mark.parametrize(
    ("minute_of_day", "quiet"),
    [(0, True), (299, True), (300, False), (1379, False), (1380, True), (1439, True), (720, False)],
)
def test_the_quiet_hours_run_from_23_to_5(minute_of_day: int, quiet: bool) -> None:
    assert is_quiet(START_MS + minute_of_day * 60_000, QUIET) is quiet


def test_quiet_hours_that_do_not_cross_midnight() -> None:
    quiet = read_numbers({"traffic.free_flow.from_hour": "1"}).quiet
    times = [START_MS + hour * HOUR_MS for hour in (0, 1, 4, 5, 23)]
    assert [is_quiet(time, quiet) for time in times] == [False, True, True, False, False]


def test_the_zone_is_the_one_that_is_told() -> None:
    quiet = read_numbers({"traffic.free_flow.utc_offset_hours": "2"}).quiet
    assert not is_quiet(START_MS, quiet)  # 18:00 there
    assert is_quiet(START_MS + 5 * HOUR_MS, quiet)


@pytest.mark.parametrize(("count", "known"), [(99, False), (100, True)])
def test_a_hundred_values_are_needed(count: int, known: bool) -> None:
    found = stated(taught(*[50.0] * count))
    assert found == (FreeFlow(50_000, "learnt", count) if known else None)


def test_it_is_the_85th_percentile_between_ranks() -> None:
    """1 … 101 km/h: k − 1 = 100 · 0.85 = 85, so 86 km/h; with 102 values 85.85, so 86.85."""
    assert stated(taught(*range(1, 102))) == FreeFlow(86_000, "learnt", 101)
    assert stated(taught(*range(1, 103))) == FreeFlow(86_850, "learnt", 102)


def test_the_order_of_values_means_nothing() -> None:
    values = [float(v % 37) for v in range(130)]
    assert stated(taught(*values)) == stated(taught(*sorted(values)))


def test_values_are_cut_to_a_tenth() -> None:
    assert stated(taught(*[49.99] * 100)) == FreeFlow(49_900, "learnt", 100)


def test_by_day_nothing_is_learnt() -> None:
    noon = START_MS + 12 * HOUR_MS
    assert stated(taught(*[50.0] * 200, start_ms=noon), START_MS + 2 * DAY_MS) is None


def test_it_is_stated_when_the_night_has_settled_and_holds_from_then_on() -> None:
    learning = taught(*[50.0] * 100)
    assert stated(learning, SIX - FIVE_MIN_MS) is None
    state_anew(learning, SIX, SETTLE_MS, QUIET)
    assert learnt_at(learning, "a", SIX - 1) is None
    assert learnt_at(learning, "a", SIX) == FreeFlow(50_000, "learnt", 100)


def test_an_interval_before_the_new_statement_keeps_the_old_one() -> None:
    learning = taught(*[50.0] * 100)
    state_anew(learning, SIX, SETTLE_MS, QUIET)
    for minute in range(200):
        learn(learning, "a", START_MS + DAY_MS + minute * 60_000, 80_000, QUIET)
    state_anew(learning, SIX + DAY_MS, SETTLE_MS, QUIET)
    assert learnt_at(learning, "a", SIX + DAY_MS - 1) == FreeFlow(50_000, "learnt", 100)
    assert learnt_at(learning, "a", SIX + DAY_MS) == FreeFlow(80_000, "learnt", 300)


def test_the_evening_that_has_begun_waits_for_its_night() -> None:
    learning = taught(*[50.0] * 100)
    for minute in range(60):
        learn(learning, "a", START_MS + 23 * HOUR_MS + minute * 60_000, 90_000, QUIET)
    assert stated(learning, START_MS + DAY_MS - FIVE_MIN_MS) == FreeFlow(50_000, "learnt", 100)


@pytest.mark.parametrize(("days", "known"), [(13, True), (14, False)])
def test_nights_older_than_a_fortnight_are_forgotten(days: int, known: bool) -> None:
    found = stated(taught(*[50.0] * 100), SIX + days * DAY_MS)
    assert (found is not None) is known


def test_an_unknown_link_has_none() -> None:
    assert learnt_at(Learning(), "a", SIX) is None


def test_parameters_have_the_house_defaults() -> None:
    assert (QUIET.days, QUIET.least) == (14, 100)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("traffic.free_flow.days", "many"),
        ("traffic.free_flow.days", "0"),
        ("traffic.free_flow.percentile", "101"),
        ("traffic.free_flow.utc_offset_hours", "-13"),
        ("traffic.network.weight", "cars"),
        ("traffic.tpi.interpolation", "cubic"),
        ("traffic.episode.from_grade", "1"),
        ("traffic.episode.from_grade", "6"),
    ],
)
def test_a_wrong_parameter_is_named(key: str, value: str) -> None:
    with pytest.raises(ValueError, match=key.replace(".", r"\.")):
        read_numbers({key: value})
    (mistake,) = profile_mistakes({"traffic": DOMAIN}, Profile("test", {key: value}))
    assert key in mistake


def test_all_mistakes_of_a_profile_are_told_at_once() -> None:
    wrong = {"traffic.settle.minutes": "-1", "traffic.link.measure": "radar"}
    found = profile_mistakes({"traffic": DOMAIN}, Profile("test", wrong))
    assert [any(key in mistake for mistake in found) for key in wrong] == [True, True]


def test_the_defaults_make_no_mistake() -> None:
    assert profile_mistakes({"traffic": DOMAIN}, Profile("test")) == []
