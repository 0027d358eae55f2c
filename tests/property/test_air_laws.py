"""Laws of the air domain: the sub-index, rounding, and independence of order."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.contracts.domain import HOUR_MS, FactValue
from streams.domains.air.aqi import daily_index, hourly_index
from streams.domains.air.breakpoints import STEPS
from streams.domains.air.city import city_day, city_hour
from streams.domains.air.derive import daily, hourly
from streams.domains.air.iaqi import sub_index
from streams.domains.air.parameters import POLLUTANTS, read_numbers
from streams.domains.air.ratio import over_days
from streams.domains.air.rounding import round_to
from streams.domains.air.standard import HJ633_2012, RULES, IndexRule
from streams.domains.air.station import StationState, frozen_hours
from tests.support.air_area import START, Timeline, matrix_of, view_of

NUMBERS = read_numbers({})
ALL = frozenset(POLLUTANTS)
COLUMNS = st.sampled_from(sorted(HJ633_2012.breakpoints))
AMOUNTS = st.decimals(0, 4000, places=4).map(Fraction)
VERSIONS = st.sampled_from(RULES)


@given(COLUMNS, AMOUNTS, AMOUNTS, VERSIONS)
def test_the_sub_index_never_falls(
    column: str, one: Fraction, two: Fraction, rule: IndexRule
) -> None:
    low, high = sorted((one, two))
    first, second = sub_index(column, low, rule), sub_index(column, high, rule)
    if first is not None and second is not None:
        assert first <= second
    if first is None:
        assert second is None  # none stays none above it


@given(COLUMNS, AMOUNTS, VERSIONS)
def test_the_sub_index_lies_between_its_class_bounds(
    column: str, amount: Fraction, rule: IndexRule
) -> None:
    points = rule.breakpoints[column]
    index = sub_index(column, amount, rule)
    if amount > points[-1]:
        return
    assert index is not None
    upper = next(i for i in range(1, len(points)) if amount <= points[i])
    low, high = points[upper - 1], points[upper]
    assert max(STEPS[upper - 1], rule.floor) <= index <= STEPS[upper]
    exact = Fraction(STEPS[upper] - STEPS[upper - 1], high - low) * (amount - low)
    expected = ceil(exact + STEPS[upper - 1])
    assert index == max(expected, rule.floor)
    assert expected - 1 < exact + STEPS[upper - 1] <= expected


@given(AMOUNTS, st.integers(0, 3))
def test_rounding_half_to_even_is_nearest_and_idempotent(value: Fraction, digits: int) -> None:
    found = round_to(value, digits)
    step = Fraction(1, 10**digits)
    assert abs(found - value) * 2 <= step
    assert round_to(found, digits) == found
    if abs(found - value) * 2 == step:
        assert int(found / step) % 2 == 0


CONCENTRATIONS = st.dictionaries(
    st.sampled_from(POLLUTANTS), st.decimals(0, 700, places=1).map(Fraction), max_size=6
)


@given(CONCENTRATIONS)
def test_the_order_of_pollutants_does_not_matter(values: dict[str, Fraction]) -> None:
    backwards = dict(reversed(values.items()))
    for rule in RULES:
        one = hourly_index(values, ALL, rule, NUMBERS)
        assert one == hourly_index(backwards, ALL, rule, NUMBERS)
        named = {("o3_8h" if k == "o3" else k): v for k, v in values.items()}
        assert daily_index(named, ALL, rule, NUMBERS) == daily_index(
            dict(reversed(named.items())), ALL, rule, NUMBERS
        )


@given(CONCENTRATIONS)
def test_primary_pollutants_are_those_that_lead(values: dict[str, Fraction]) -> None:
    found = hourly_index(values, ALL, HJ633_2012, NUMBERS)
    leading = {k for k, v in found.iaqi.items() if v is not None and v == found.aqi}
    assert set(found.primary) == (leading if (found.aqi or 0) > 50 else set())


STATION_ROWS = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 23), st.decimals(0, 500, places=1)),
    min_size=1,
    max_size=40,
    unique_by=lambda r: r[:2],
)


@settings(max_examples=40, deadline=None)
@given(STATION_ROWS)
def test_city_facts_do_not_depend_on_how_stations_are_spread(
    rows: list[tuple[int, int, object]],
) -> None:
    names = [f"S{n}" for n in range(6)]
    filled = {(f"S{s}", h): {"pm25": str(v), "o3": str(v)} for s, h, v in rows}
    together = view_of(names)
    whole_matrix = matrix_of(together, filled)
    apart_hour, apart_day = {}, {}
    for name in names:
        view = view_of([name])
        matrix = matrix_of(view, {k: v for k, v in filled.items() if k[0] == name})
        apart_hour[name] = hourly(view, matrix, 12).partial
        apart_day[name] = daily(view, matrix).partial
    one_hour, one_day = hourly(together, whole_matrix, 12).partial, daily(together, whole_matrix)
    assert one_hour is not None
    assert one_day.partial is not None
    assert city_hour("city", {"x": one_hour}, {}) == city_hour(
        "city", {k: v for k, v in apart_hour.items() if v is not None}, {}
    )
    assert city_day("city", {"x": one_day.partial}, {}) == city_day(
        "city", {k: v for k, v in apart_day.items() if v is not None}, {}
    )


LETTERS = st.text("abc", max_size=14)


@given(LETTERS)
def test_frozen_hours_are_runs_of_three_and_nothing_else(letters: str) -> None:
    rows = [(hour, (ord(letter),)) for hour, letter in enumerate(letters)]
    expected = set()
    for i in range(len(letters) - 2):
        if letters[i] == letters[i + 1] == letters[i + 2]:
            expected |= {i, i + 1, i + 2}
    assert frozen_hours(rows, 3, StationState()) == expected


@settings(max_examples=80, deadline=None)
@given(st.text("aab-", min_size=1, max_size=12), st.sampled_from([1, 11, 80]), st.data())
def test_flags_do_not_depend_on_the_order_of_arrival(
    letters: str, spacing: int, data: st.DataObject
) -> None:
    present = [hour for hour, letter in enumerate(letters) if letter != "-"]
    rows = {h: {"pm25": "10" if letters[h] == "a" else "20", "co": "1"} for h in present}
    late = data.draw(st.lists(st.sampled_from(present), unique=True)) if present else []
    straight, crooked = Timeline(view_of(["A"])), Timeline(view_of(["A"]))
    for hour in range(len(letters)):
        straight.play(hour * spacing, {"A": rows[hour]} if hour in rows else {})
        on_time = hour in rows and hour not in late
        crooked.play(hour * spacing, {"A": rows[hour]} if on_time else {})
    for hour in late:
        crooked.revise(hour * spacing, {"A": rows[hour]})
    assert crooked.stored == straight.stored
    assert all((t - START) % HOUR_MS == 0 for _, t in straight.stored)
    if present:
        mine, other = crooked.state.stations["A"], straight.state.stations["A"]
        assert (mine.row, mine.repeats, mine.run_ms, mine.last_ms, mine.frozen) == (
            *(other.row, other.repeats, other.run_ms, other.last_ms, other.frozen),
        )
        assert mine.since_change == other.since_change


@settings(max_examples=60, deadline=None)
@given(st.text("ab", min_size=3, max_size=10), st.booleans(), st.data())
def test_corrected_rows_end_in_the_flags_of_the_right_ones(
    letters: str, together: bool, data: st.DataObject
) -> None:
    rows = [{"pm25": "10" if letter == "a" else "20", "co": "1"} for letter in letters]
    wrong = data.draw(st.lists(st.sampled_from(range(len(letters))), unique=True))
    straight, crooked = Timeline(view_of(["A"])), Timeline(view_of(["A"]))
    for hour, right in enumerate(rows):
        straight.play(hour, {"A": right})
        crooked.play(hour, {"A": {"pm25": "20", "co": "1"} if hour in wrong else right})
    if together:  # one frame corrects all of them before any hour is closed again
        for hour in wrong:
            crooked.put(hour, "A", rows[hour])
    for hour in wrong:
        crooked.revise(hour, {} if together else {"A": rows[hour]})
    assert crooked.stored == straight.stored


@given(st.lists(st.sampled_from([True, False, None]), max_size=31), st.integers(0, 5))
def test_the_ratio_lies_between_its_bounds(days: list[bool | None], absent: int) -> None:
    def verdict(good: bool | None) -> dict[str, bool | None]:
        return {"valid": good is not None, "good": good}

    facts = {
        n: FactValue(
            None,
            detail={
                "standard_version": "HJ 633-2012",
                "rules": {"2012": verdict(good), "2026": verdict(good)},
            },
        )
        for n, good in enumerate(days)
    }
    found = over_days(facts, len(days) + absent, {})
    if found is None or found.value is None:
        return
    low, high = found.lower or found.value, found.upper or found.value
    assert Fraction(low) <= Fraction(found.value) <= Fraction(high)
