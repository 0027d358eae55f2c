"""Sub-index, daily and hourly AQI, level and primary pollutants by version of HJ 633."""

from __future__ import annotations

from fractions import Fraction

import pytest

from streams.domains.air.aqi import HOURLY_COLUMNS, Index, daily_index, hourly_index
from streams.domains.air.iaqi import rounded, sub_index
from streams.domains.air.level import LEVELS, level_of
from streams.domains.air.parameters import POLLUTANTS, Numbers, read_numbers
from streams.domains.air.rounding import HALF_EVEN, fixed_text, plain_text, round_to
from streams.domains.air.standard import (
    HJ633_2012,
    HJ633_2026,
    RULES,
    IndexRule,
    standard_at,
)

NUMBERS = read_numbers({})
ALL = frozenset(POLLUTANTS)
DAILY = ("pm25", "pm10", "so2", "no2", "co", "o3_8h")
HOURLY = ("pm25", "pm10", "so2", "no2", "co", "o3")


def values(items: tuple[str, ...], text: str) -> dict[str, Fraction]:
    return {i: Fraction(t) for i, t in zip(items, text.split(","), strict=True) if t != "-"}


def day(text: str, rule: IndexRule, numbers: Numbers = NUMBERS) -> Index:
    return daily_index(values(DAILY, text), ALL, rule, numbers)


def hour(text: str, rule: IndexRule, numbers: Numbers = NUMBERS) -> Index:
    return hourly_index(values(HOURLY, text), ALL, rule, numbers)


def listed(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


DAYS = [  # domain.md §1.9: concentrations, then IAQIs, AQI, primary, level for 2012 and 2026
    ("20,45,8,30,0.8,95", "29,45,8,38,20,48", 48, "", 1, "29,45,8,38,20,48", 48, "", 1),
    ("35,50,50,40,2,100", "50,50,50,50,50,50", 50, "", 1, "50,50,50,50,50,50", 50, "", 1),
    ("36,50,10,40,0.9,100", "52,50,10,50,23,50", 52, "pm25", 2, "52,50,10,50,23,50", 52, "pm25", 2),
    (
        "60,100,10,40,1.0,120",
        *("82,75,10,50,25,67", 82, "pm25", 2),
        *("100,86,10,50,25,67", 100, "pm25", 2),
    ),
    (
        "61,100,10,40,1.0,120",
        *("83,75,10,50,25,67", 83, "pm25", 2),
        *("101,86,10,50,25,67", 101, "pm25", 3),
    ),
    (
        "75,120,12,45,1.1,150",
        *("100,85,12,57,28,92", 100, "pm25", 2),
        *("114,100,12,57,28,92", 114, "pm25", 3),
    ),
    (
        "75,150,12,45,1.1,160",
        *("100,100,12,57,28,100", 100, "pm25 pm10 o3", 2),
        *("114,112,12,57,28,100", 114, "pm25", 3),
    ),
    (
        "48,121,9,38,0.9,161",
        *("67,86,9,48,23,101", 101, "o3", 3),
        *("76,101,9,48,23,101", 101, "pm10 o3", 3),
    ),
    (
        "116,180,20,80,1.6,90",
        *("152,115,20,100,40,45", 152, "pm25", 4),
        *("152,124,20,100,40,45", 152, "pm25", 4),
    ),
    (
        "30,600,15,35,0.9,110",
        *("43,500,15,44,23,59", 500, "pm10", 6),
        *("43,500,15,44,23,59", 500, "pm10", 6),
    ),
    (
        "28,55,8,33,0.7,215",
        *("40,53,8,42,18,150", 150, "o3", 3),
        *("40,54,8,42,18,150", 150, "o3", 3),
    ),
    (
        "28,55,8,33,0.7,216",
        *("40,53,8,42,18,151", 151, "o3", 4),
        *("40,54,8,42,18,151", 151, "o3", 4),
    ),
]


@pytest.mark.parametrize("vector", DAYS, ids=[str(v[0]) for v in DAYS])
@pytest.mark.parametrize("rule", RULES, ids=[r.version for r in RULES])
def test_daily_vectors(vector: tuple[str | int, ...], rule: IndexRule) -> None:
    at = 1 if rule is HJ633_2012 else 5
    iaqi, aqi, primary, level = vector[at : at + 4]
    found = day(str(vector[0]), rule)
    assert [found.iaqi[item] for item in DAILY] == listed(str(iaqi))
    assert (found.aqi, found.level) == (aqi, level)
    assert set(found.primary) == set(str(primary).split())
    assert found.standard == rule.version


def test_ozone_above_800_has_no_8h_index_in_2012_and_300_in_2026() -> None:
    text = "30,45,9,35,0.8,801"
    old, new = day(text, HJ633_2012), day(text, HJ633_2026)
    assert old.iaqi["o3_8h"] is None
    assert (old.aqi, old.level, old.primary) == (None, None, ())
    assert [new.iaqi[item] for item in DAILY] == [43, 45, 9, 44, 20, 300]
    assert (new.aqi, new.level, new.primary) == (300, 5, ("o3",))


def test_ozone_above_800_is_reported_by_its_highest_hour_in_2012() -> None:
    found = daily_index(
        values((*DAILY, "o3_1h"), "30,45,9,35,0.8,801,900"), ALL, HJ633_2012, NUMBERS
    )
    assert (found.aqi, found.primary, found.iaqi["o3_1h"]) == (350, ("o3",), 350)


def test_highest_hour_of_ozone_counts_in_the_2012_daily_report_only() -> None:
    given = values((*DAILY, "o3_1h"), "20,45,8,30,0.8,150,201")
    assert daily_index(given, ALL, HJ633_2012, NUMBERS).aqi == 101
    new = daily_index(given, ALL, HJ633_2026, NUMBERS)
    assert (new.aqi, "o3_1h" in new.iaqi) == (92, False)


HOURS_2026 = [
    ("35,50,150,100,5,160", "50,50,50,50,50,50", 50, "", 1),
    ("75,150,500,200,10,200", "114,112,100,100,100,100", 114, "pm25", 3),
    ("18,40,6,22,0.6,201", "26,40,2,11,6,101", 101, "o3", 3),
]


@pytest.mark.parametrize(("text", "iaqi", "aqi", "primary", "level"), HOURS_2026)
def test_hourly_vectors(text: str, iaqi: str, aqi: int, primary: str, level: int) -> None:
    found = hour(text, HJ633_2026)
    assert [found.iaqi[item] for item in HOURLY] == listed(iaqi)
    assert (found.aqi, found.level, found.primary) == (aqi, level, tuple(primary.split()))


SINGLE = [
    ("pm25_24h", "1", 2, 2),
    ("pm25_24h", "55", 75, 90),
    ("pm25_24h", "76", 102, 115),
    ("pm25_24h", "151", 201, 201),
    ("pm10_24h", "51", 51, 51),
    ("pm10_24h", "121", 86, 101),
    ("pm10_24h", "421", 302, 302),
    ("so2_24h", "151", 101, 101),
    ("no2_24h", "41", 52, 52),
    ("co_24h", "0.1", 3, 3),
    ("co_24h", "2.2", 55, 55),
    ("o3_8h", "180", 119, 119),
    ("o3_8h", "266", 201, 201),
    ("pm25_24h", "0", 0, 1),  # the range of 2026 is 1 … 500
    ("so2_1h", "800", 200, 200),
    ("so2_1h", "801", None, 200),
    ("o3_8h", "800", 300, 300),
    ("o3_8h", "801", None, 300),
    ("o3_1h", "1200", 500, 500),
    ("o3_1h", "1201", 500, 500),
    ("pm10_24h", "869", 500, 500),
    ("co_1h", "151", 500, 500),
]


@pytest.mark.parametrize(("column", "text", "old", "new"), SINGLE)
def test_single_values(column: str, text: str, old: int | None, new: int | None) -> None:
    assert sub_index(column, Fraction(text), HJ633_2012) == old
    assert sub_index(column, Fraction(text), HJ633_2026) == new


def test_every_breakpoint_has_exactly_its_index() -> None:
    steps = (0, 50, 100, 150, 200, 300, 400, 500)
    for rule in RULES:
        for column, points in rule.breakpoints.items():
            for point, step in zip(points, steps, strict=False):
                expected = max(step, rule.floor)
                assert sub_index(column, Fraction(point), rule) == expected, (rule.key, column)


def test_versions_differ_only_for_particles_at_100() -> None:
    old, new = HJ633_2012.breakpoints, HJ633_2026.breakpoints
    changed = {(c, i) for c in old for i, b in enumerate(old[c]) if b != new[c][i]}
    assert changed == {("pm10_24h", 2), ("pm25_24h", 2)}


def test_a_float_would_have_been_one_too_high() -> None:
    floating = (100 - 50) / (4 - 2) * (2.2 - 2) + 50
    assert floating > 55
    assert sub_index("co_24h", Fraction("2.2"), HJ633_2012) == 55


def test_cap_of_2012_is_a_parameter() -> None:
    loose = read_numbers({"air.iaqi.cap_2012": "900"})
    assert hour("10,869,1,1,0.1,1", HJ633_2012).aqi == 500
    found = hour("10,869,1,1,0.1,1", HJ633_2012, loose)
    assert found.aqi == 769  # the last class went on


def test_negative_concentration_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        sub_index("co_24h", Fraction(-1, 10), HJ633_2012)


@pytest.mark.parametrize(
    ("text", "digits", "expected"),
    [
        ("34.5", 0, "34"),
        ("35.5", 0, "36"),
        ("2.05", 1, "2.0"),
        ("2.15", 1, "2.2"),
        ("2.25", 1, "2.2"),
        ("34.50001", 0, "35"),
        ("-0.5", 0, "0"),
        ("-1.5", 0, "-2"),
        ("0.05", 1, "0.0"),
    ],
)
def test_gbt8170_rounds_an_exact_half_to_even(text: str, digits: int, expected: str) -> None:
    assert fixed_text(Fraction(text), digits) == expected


def test_half_up_is_available_and_unknown_modes_are_refused() -> None:
    assert round_to(Fraction("34.5"), 0, "half_up") == 35
    assert round_to(Fraction("2.25"), 1, "half_up") == Fraction("2.3")
    with pytest.raises(ValueError, match="unknown rounding mode"):
        round_to(Fraction(1), 0, "floor")


def test_plain_text_has_no_trailing_zeros() -> None:
    assert [plain_text(Fraction(t), 4) for t in ("35", "0.80", "72.125", "100")] == [
        *("35", "0.8", "72.125", "100")
    ]


def test_only_2026_rounds_before_the_index() -> None:
    assert rounded("pm25", Fraction("60.5"), HJ633_2026, HALF_EVEN) == 60
    assert rounded("co", Fraction("2.05"), HJ633_2026, HALF_EVEN) == 2
    assert rounded("pm25", Fraction("60.5"), HJ633_2012, HALF_EVEN) == Fraction("60.5")
    assert day("60.5,50,10,40,0.9,100", HJ633_2026).aqi == 100
    assert day("61.5,50,10,40,0.9,100", HJ633_2026).aqi == 102
    assert day("75.4,50,10,40,0.9,100", HJ633_2012).aqi == 101


def test_rounding_a_2012_day_by_the_digits_of_the_evaluation_is_a_choice() -> None:
    digits = read_numbers({"air.daily.rounding_2012": "digits"})
    assert day("75.4,50,10,40,0.9,100", HJ633_2012, digits).aqi == 100
    assert day("75.5,50,10,40,0.9,100", HJ633_2012, digits).aqi == 102


def test_2026_withholds_up_to_100_when_a_pollutant_is_missing() -> None:
    found = hour("20,45,8,30,-,95", HJ633_2026)
    assert (found.aqi, found.level, found.primary) == (None, None, ())
    assert (found.computed, found.missing, found.iaqi["pm10"]) == (45, ("co",), 45)
    assert hour("60,45,8,30,-,95", HJ633_2026).aqi is None  # exactly 100
    over = hour("61,45,8,30,-,95", HJ633_2026)
    assert (over.aqi, over.level, over.primary) == (101, 3, ("pm25",))


def test_what_is_not_monitored_by_plan_does_not_withhold() -> None:
    given = values(HOURLY, "3,8,2,8,-,21")
    found = hourly_index(given, ALL - {"co"}, HJ633_2026, NUMBERS)
    assert (found.aqi, found.level, found.missing) == (8, 1, ())


def test_2012_computes_from_what_is_there() -> None:
    assert hour("40,-,-,-,-,-", HJ633_2012).aqi == 57
    nothing = hour("-,-,-,-,-,-", HJ633_2012)
    assert (nothing.aqi, nothing.level, nothing.primary) == (None, None, ())


def test_an_ozone_hour_does_not_replace_a_missing_mda8_in_2026() -> None:
    given = values((*DAILY, "o3_1h"), "20,45,8,30,0.8,-,90")
    found = daily_index(given, ALL, HJ633_2026, NUMBERS)
    assert (found.aqi, found.missing) == (None, ("o3",))


def test_hourly_particles_have_no_index_when_the_2012_text_is_chosen() -> None:
    text = read_numbers({"air.hourly.pm_rule_2012": "text"})
    found = hour("300,300,6,22,0.6,50", HJ633_2012, text)
    assert (found.iaqi["pm25"], found.iaqi["pm10"], found.aqi) == (None, None, 16)
    assert hour("300,300,6,22,0.6,50", HJ633_2026, text).aqi == 350


def test_ozone_of_an_hour_uses_the_1h_column() -> None:
    assert HOURLY_COLUMNS["o3"] == "o3_1h"
    assert hour("1,1,1,1,0.1,160", HJ633_2012).aqi == 50


def test_no_primary_at_50_and_ties_by_rounded_index() -> None:
    assert hour("35,50,1,1,0.1,1", HJ633_2012).primary == ()
    # 57.5 and 57.5 here; a tie is judged after rounding up
    found = hour("41,65,1,1,0.1,1", HJ633_2012)
    assert (found.iaqi["pm25"], found.iaqi["pm10"]) == (58, 58)
    assert set(found.primary) == {"pm25", "pm10"}


@pytest.mark.parametrize(
    ("aqi", "number"),
    [
        *[(0, 1), (1, 1), (50, 1), (51, 2), (100, 2), (101, 3), (150, 3)],
        *[(151, 4), (200, 4), (201, 5), (300, 5), (301, 6), (500, 6)],
    ],
)
def test_level_edges(aqi: int, number: int) -> None:
    assert level_of(aqi).number == number


def test_level_names_and_colours() -> None:
    assert [level.category for level in LEVELS] == [
        *("优", "良", "轻度污染", "中度污染", "重度污染", "严重污染")
    ]
    assert LEVELS[4].rgb == (153, 0, 76)
    assert LEVELS[5].cmyk == (30, 100, 100, 30)


HOUR = 3_600_000
MARCH_2026 = 1_772_294_400_000  # 2026-03-01T00:00+08:00
JANUARY_2031 = 1_924_963_200_000


def test_standard_by_the_start_of_the_hour() -> None:
    labelled_midnight = standard_at(MARCH_2026 - HOUR)  # label 2026-03-01T00:00
    assert labelled_midnight.index is HJ633_2012
    assert (labelled_midnight.limits, labelled_midnight.evaluation) == (
        "GB 3095-2012",
        "HJ 663-2013",
    )
    first = standard_at(MARCH_2026)  # label 2026-03-01T01:00
    assert first.index is HJ633_2026
    assert (first.limits, first.evaluation) == ("GB 3095-2026 transition", "HJ 663-2026")


def test_final_limits_hold_from_2031_with_the_same_index() -> None:
    assert standard_at(JANUARY_2031 - 1).limits == "GB 3095-2026 transition"
    final = standard_at(JANUARY_2031)
    assert (final.limits, final.index) == ("GB 3095-2026", HJ633_2026)
    assert standard_at(0).index is HJ633_2012


def test_parameters_refuse_what_they_do_not_know() -> None:
    with pytest.raises(ValueError, match=r"air\.hourly\.pm_rule_2012"):
        read_numbers({"air.hourly.pm_rule_2012": "guess"})
    with pytest.raises(ValueError, match=r"air\.city\.o3_daily"):
        read_numbers({"air.city.o3_daily": "worst"})
