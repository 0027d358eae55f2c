"""Running ozone mean, MDA8, daily values and their minimum of data, validity, yearly statistics."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest

from streams.domains.air.aqi import daily_index
from streams.domains.air.day import daily_mean, day_values, judge, verdicts
from streams.domains.air.limits import LIMITS, attains, exceedance
from streams.domains.air.ozone import Mda8, maximum_8h, running_8h
from streams.domains.air.parameters import POLLUTANTS, read_numbers
from streams.domains.air.period import annual_mean, percentile
from streams.domains.air.rounding import fixed_text
from streams.domains.air.standard import HJ633_2012, HJ633_2026

NUMBERS = read_numbers({})
ALL = frozenset(POLLUTANTS)
Hours = list[Fraction | None]


def hours(present: dict[int, int], default: int | None = None) -> Hours:
    """24 hours with the given values, the rest at the default (None = missing)."""
    return [
        None if (value := present.get(h, default)) is None else Fraction(value) for h in range(24)
    ]


def flat(value: int, count: int = 24) -> Hours:
    return [Fraction(value) if h < count else None for h in range(24)]


def test_running_mean_starts_at_midnight_and_spans_eight_hours() -> None:
    rising: Hours = [Fraction(h) for h in range(24)]
    assert running_8h(rising, 0) == 0  # label 01
    assert running_8h(rising, 6) == 3  # label 07: hours 0 … 6
    assert running_8h(rising, 7) == Fraction(7, 2)  # label 08: the first whole window
    assert running_8h(rising, 8) == Fraction(9, 2)  # label 09: hours 1 … 8
    assert running_8h(rising, 23) == Fraction(39, 2)  # label 00 = 24:00: hours 16 … 23


def test_running_mean_averages_what_is_there() -> None:
    assert running_8h(hours({7: 40}), 7) == 40
    assert running_8h(hours({1: 10, 8: 20}), 8) == 15
    assert running_8h(hours({0: 10}), 8) is None


def test_running_mean_is_shown_half_to_even() -> None:
    low = running_8h(hours({0: 4, 1: 5}), 1)
    high = running_8h(hours({0: 5, 1: 6}), 1)
    assert low is not None
    assert high is not None
    assert (fixed_text(low, 0), fixed_text(high, 0)) == ("4", "6")


def test_mda8_of_a_whole_day_has_17_windows() -> None:
    found = maximum_8h(hours(dict.fromkeys(range(12, 20), 120), 40))
    assert found == Mda8(Fraction(120), 17, True)


def test_mda8_does_not_cross_midnight() -> None:
    assert maximum_8h(hours({0: 200}, 0)).value == 25


def test_an_8h_mean_needs_six_hours() -> None:
    assert maximum_8h(hours(dict.fromkeys(range(5), 100))).value is None
    assert maximum_8h(hours(dict.fromkeys(range(6), 100))).value == 100


def test_mda8_with_13_windows_counts_only_above_the_limit() -> None:
    # hours 0 … 17 present: windows ending at 8 … 18 whole, at 19 and 20 with seven and six hours
    for value, valid in ((160, False), (161, True)):
        found = maximum_8h(flat(value, 18))
        assert (found.windows, found.valid) == (13, valid)
    found = maximum_8h(flat(60, 19))
    assert (found.windows, found.valid) == (14, True)


def test_short_mda8_is_compared_as_the_index_takes_it() -> None:
    nearly: dict[str, Hours] = {"o3": [*flat(160, 17)[:17], Fraction(163), *[None] * 6]}
    # the best window is 160 + 3/6 = 160.5 with the last six hours
    assert "o3_8h" in day_values(nearly, HJ633_2012, NUMBERS)
    assert "o3_8h" not in day_values(nearly, HJ633_2026, NUMBERS)  # 160.5 → 160


@pytest.mark.parametrize(("count", "valid"), [(19, False), (20, True), (24, True)])
def test_a_daily_mean_needs_20_hours(count: int, valid: bool) -> None:
    assert (daily_mean(flat(30, count)) == 30) is valid
    assert ("pm25" in day_values({"pm25": flat(30, count)}, HJ633_2012, NUMBERS)) is valid


def test_day_values_have_the_highest_ozone_hour_too() -> None:
    found = day_values({"o3": hours({14: 210}, 80), "co": flat(1)}, HJ633_2012, NUMBERS)
    assert found == {"co": 1, "o3_8h": Fraction(80 * 7 + 210, 8), "o3_1h": 210}


def test_the_day_comes_from_means_not_from_hourly_indexes() -> None:
    # half a day at 0 and half at 150: the mean is 75 = AQI 100, the mean of hourly AQIs also 100,
    # but with 250 for 7 hours the daily mean stays at 75 while hourly AQIs average less
    peaky = hours({h: 250 for h in range(7)}, 0)
    peaky[7] = Fraction(50)
    values = day_values({"pm25": peaky}, HJ633_2012, NUMBERS)
    assert values["pm25"] == 75
    assert daily_index(values, frozenset({"pm25"}), HJ633_2012, NUMBERS).aqi == 100


def day(**given: str) -> dict[str, Fraction]:
    base = {"pm25": "20", "pm10": "45", "so2": "8", "no2": "30", "o3_8h": "95", "co": "0.8"}
    return {k: Fraction(v) for k, v in {**base, **given}.items() if v != "-"}


def test_a_day_under_both_rules_side_by_side() -> None:
    both = verdicts(day(pm25="70"), ALL, NUMBERS)
    assert (both["2012"].aqi, both["2012"].valid, both["2012"].good) == (94, True, True)
    assert (both["2026"].aqi, both["2026"].valid, both["2026"].good) == (110, True, False)


@pytest.mark.parametrize(("pm25", "old", "new"), [("60", True, True), ("61", True, False)])
def test_good_day_edges_of_the_transition(pm25: str, old: bool, new: bool) -> None:
    both = verdicts(day(pm25=pm25), ALL, NUMBERS)
    assert (both["2012"].good, both["2026"].good) == (old, new)


def test_a_day_with_a_missing_pollutant_is_invalid_unless_above_100() -> None:
    for key in ("2012", "2026"):
        quiet = verdicts(day(o3_8h="-"), ALL, NUMBERS)[key]
        assert (quiet.aqi, quiet.valid, quiet.good) == (None, False, None)
        bad = verdicts(day(o3_8h="-", pm25="116"), ALL, NUMBERS)[key]
        assert (bad.aqi, bad.valid, bad.good) == (152, True, False)


def test_a_pollutant_outside_the_plan_does_not_invalidate() -> None:
    found = verdicts(day(co="-"), ALL - {"co"}, NUMBERS)["2026"]
    assert (found.valid, found.good) == (True, True)


def test_nothing_at_all_is_an_invalid_day() -> None:
    for planned in (ALL, frozenset[str]()):
        index = daily_index({}, planned, HJ633_2012, NUMBERS)
        assert not judge({}, planned, index).valid


def test_percentile_is_linear_between_ranks() -> None:
    values = [Fraction(v) for v in (40, 10, 30, 20)]
    assert percentile(values, 0) == 10
    assert percentile(values, 100) == 40
    assert percentile(values, 50) == 25
    assert percentile(values, 90) == 37
    assert percentile([Fraction(7)], 95) == 7
    assert percentile([], 95) is None
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, 101)


def year_without(dropped: set[date]) -> dict[date, Fraction]:
    days = (date(2025, 1, 1) + timedelta(n) for n in range(365))
    return {d: Fraction(30) for d in days if d not in dropped}


def test_annual_mean_needs_324_days_and_27_a_month() -> None:
    assert annual_mean(year_without(set())) == 30
    assert annual_mean(year_without({date(2025, 2, d) for d in (1, 2, 3)})) == 30  # 25 days
    assert annual_mean(year_without({date(2025, 2, d) for d in (1, 2, 3, 4)})) is None
    assert annual_mean(year_without({date(2025, 4, d) for d in (1, 2, 3)})) == 30  # 27 days
    assert annual_mean(year_without({date(2025, 4, d) for d in (1, 2, 3, 4)})) is None
    long = [m for m in range(1, 13) if m != 2]
    edge = {date(2025, m, d) for m in long for d in (1, 2, 3)} | {
        date(2025, m, 4) for m in (1, 3, 5, 7, 8, 10, 12)
    }
    assert len(year_without(edge)) == 325
    assert annual_mean(year_without(edge)) == 30
    assert annual_mean(year_without(edge | {date(2025, 2, 1)})) == 30  # exactly 324
    assert annual_mean(year_without(edge | {date(2025, 2, 1), date(2025, 2, 2)})) is None


def test_attainment_and_good_air_are_two_predicates_from_2031() -> None:
    value = Fraction(60)
    assert attains("GB 3095-2026 transition", "pm25", "day", value)
    assert not attains("GB 3095-2026", "pm25", "day", value)
    assert verdicts(day(pm25="60"), ALL, NUMBERS)["2026"].good


@pytest.mark.parametrize(
    ("limits", "item", "mean", "first", "second"),
    [
        ("GB 3095-2012", "pm25", "day", 35, 75),
        ("GB 3095-2012", "pm10", "year", 40, 70),
        ("GB 3095-2026 transition", "pm10", "day", 50, 120),
        ("GB 3095-2026 transition", "pm25", "year", 15, 30),
        ("GB 3095-2026", "so2", "hour", 150, 150),
        ("GB 3095-2026", "no2", "year", 30, 30),
        ("GB 3095-2026", "o3_8h", "day", 100, 160),
        ("GB 3095-2026", "co", "hour", 10, 10),
    ],
)
def test_limits(limits: str, item: str, mean: str, first: int, second: int) -> None:
    found = LIMITS[limits][item, mean]
    assert (found.first, found.second) == (first, second)


def test_every_limit_is_in_every_version() -> None:
    keys = [set(table) for table in LIMITS.values()]
    assert keys[0] == keys[1] == keys[2]


def test_exceedance_is_a_multiple_of_the_limit() -> None:
    assert exceedance("GB 3095-2012", "pm25", "day", Fraction(150)) == 1
    assert exceedance("GB 3095-2012", "pm25", "day", Fraction(75)) == 0
