"""City hour and day, quorum, and the good-air-day ratio of city and province."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest

from streams.contracts.domain import FactValue, Payload
from streams.domains.air import DOMAIN
from streams.domains.air.city import alert_value, city_day, city_hour, meets_quorum
from streams.domains.air.derive import daily, hourly
from streams.domains.air.parameters import read_numbers
from streams.domains.air.ratio import over_cities, over_days
from tests.support.air_area import MARCH_2026, START, Row, fill, matrix_of, row, view_of

GOOD = row("20,45,8,30,90,0.8")


def hour_partial(
    rows: Mapping[str, Row], hour: int = 5, day_start: int = START, prior: bool = True
) -> Payload:
    """An area's partial of an hour; `prior` = every station had another row before."""
    view = view_of(sorted(rows))
    given = {(name, hour): values for name, values in rows.items()}
    if prior:
        given |= {(name, hour - 1): row("7,7,7,7,7,0.7") for name in rows}
    partial = hourly(view, matrix_of(view, given, day_start), hour).partial
    assert partial is not None
    return partial


def day_partial(rows: Mapping[str, Row], silent: int = 0, day_start: int = START) -> Payload:
    """An area's partial of a day on which every station repeats its row hour by hour."""
    view = view_of([*sorted(rows), *(f"silent{n}" for n in range(silent))])
    given = {(name, hour): values for name, values in rows.items() for hour in range(24)}
    partial = daily(view, matrix_of(view, given, day_start)).partial
    assert partial is not None
    return partial


def city(
    compute: Any, members: Mapping[str, Payload], parameters: Mapping[str, str] | None = None
) -> FactValue:
    fact = compute("city", members, parameters or {})
    assert isinstance(fact, FactValue)
    return fact


def test_mean_of_concentrations_then_index_then_maximum() -> None:
    # stations with PM2.5 5 and 115: AQI 8 and 150; their mean concentration 60 gives 82
    members = {
        "330106": hour_partial({"A": row("5,10,1,1,1,0.1")}),
        "330108": hour_partial({"B": row("115,10,1,1,1,0.1")}),
    }
    fact = city(city_hour, members)
    assert (fact.value, fact.have, fact.want) == ("82", 2, 2)
    assert fact.detail["primary"] == ["pm25"]
    assert fact.detail["concentration"]["pm25"] == "60"
    assert alert_value(fact) == 82


def test_the_city_mean_follows_the_standard_of_the_hour() -> None:
    rows = {"A": row("60,10,1,1,1,0.1"), "B": row("62,10,1,1,1,0.1")}
    assert city(city_hour, {"330106": hour_partial(rows)}).value == "83"
    new = city(city_hour, {"330106": hour_partial(rows, day_start=MARCH_2026)})
    assert (new.value, new.detail["standard_version"]) == ("101", "HJ 633-2026")


def test_frozen_stations_stay_out_of_the_city_mean() -> None:
    view = view_of(["A", "B"])
    matrix = matrix_of(view, {("A", 4): row("7,7,7,7,7,1"), ("A", 5): GOOD})
    fill(matrix, view, "B", 5, row("151,194,35,145,8,1.757"), good=False)
    partial = hourly(view, matrix, 5).partial
    assert partial is not None
    fact = city(city_hour, {"330500": partial})
    assert (fact.value, fact.have, fact.want) == ("45", 1, 2)
    assert fact.detail["frozen"] == ["B"]


def test_a_city_alerts_only_on_stations_that_have_shown_life() -> None:
    stuck = row("151,194,35,145,8,1.757")
    first = city(city_hour, {"330500": hour_partial({"A": stuck}, prior=False)})
    assert (first.value, alert_value(first)) == ("201", None)
    view = view_of(["A", "B"])
    rows = {("A", 4): stuck, ("A", 5): stuck, ("B", 4): GOOD, ("B", 5): row("30,45,8,30,90,0.8")}
    partial = hourly(view, matrix_of(view, rows), 5).partial
    assert partial is not None
    mixed = city(city_hour, {"330500": partial})
    assert (mixed.value, alert_value(mixed)) == ("120", 45)


def test_no_station_no_fact() -> None:
    assert city_hour("city", {}, {}) is None
    assert city_day("city", {}, {}) is None


def test_stations_without_data_give_a_fact_without_value() -> None:
    view = view_of(["A"])
    partial = hourly(view, matrix_of(view, {}), 0).partial
    assert partial is not None
    fact = city(city_hour, {"330106": partial})
    assert (fact.value, fact.have, fact.want, alert_value(fact)) == (None, 0, 1, None)


@pytest.mark.parametrize(
    ("have", "want", "met"),
    [
        (0, 0, False),
        (0, 1, False),
        (1, 1, True),
        (1, 2, True),
        (1, 3, False),
        (2, 3, True),
        (2, 4, False),
        (3, 4, True),
        (8, 11, False),
        (9, 11, True),
        (9, 12, True),
    ],
)
def test_quorum(have: int, want: int, met: bool) -> None:
    assert meets_quorum(have, want, read_numbers({})) is met


def test_figures_echo_the_parameters_they_were_made_with() -> None:
    chosen = {"air.city.quorum_share": "0.9"}
    day = city(city_day, {"330106": day_partial({"A": GOOD})}, chosen)
    assert day.detail["parameters"]["air.city.quorum_share"] == "0.9"
    assert day.detail["parameters"]["air.city.small_below"] == "4"
    hour = city(city_hour, {"330106": hour_partial({"A": GOOD})})
    assert hour.detail["parameters"]["air.hourly.pm_rule_2012"] == "national_feed"
    assert ratio(days(1, 1), 2).detail["parameters"]["air.digits.ratio"] == "1"


def test_quorum_is_a_parameter() -> None:
    assert meets_quorum(2, 4, read_numbers({"air.city.quorum_share": "0.5"}))


def test_a_city_day_by_both_rules() -> None:
    fact = city(city_day, {"330106": day_partial({"A": row("70,45,8,30,90,0.8")})})
    assert (fact.value, fact.have, fact.want) == ("94", 1, 1)
    assert fact.detail["rules"] == {
        "2012": {"aqi": 94, "valid": True, "good": True},
        "2026": {"aqi": 110, "valid": True, "good": False},
    }
    assert fact.detail["valid"] is True
    assert fact.detail["concentration"]["pm25"] == {"mean": ["70", "1"], "stations": 1}


def test_a_city_day_below_the_quorum_is_invalid() -> None:
    below = city(city_day, {"330106": day_partial({"A": GOOD, "B": GOOD}, silent=2)})
    assert (below.value, below.have, below.want) == (None, 2, 4)
    assert below.detail["valid"] is False
    assert "pm25" in below.detail["below_quorum"]
    enough = city(city_day, {"330106": day_partial({"A": GOOD, "B": GOOD, "C": GOOD}, silent=1)})
    assert enough.value == "45"


def test_a_city_day_averages_the_stations_mda8() -> None:
    members = {
        "330106": day_partial({"A": row("20,45,8,30,160,0.8"), "B": row("20,45,8,30,163,1")})
    }
    fact = city(city_day, members)
    assert fact.detail["iaqi"]["o3_8h"] == 102  # 161.5
    assert fact.detail["shown"]["o3_8h"] == "162"  # half to even


def test_members_in_any_order_add_up_to_the_same() -> None:
    parts = {f"33010{n}": day_partial({f"S{n}": row(f"{n},45,8,30,90,0.{n}")}) for n in range(1, 7)}
    assert city_day("city", parts, {}) == city_day("city", dict(reversed(parts.items())), {})


DAY = 86_400_000


def fact(old: bool | None, new: bool | None, standard: str = "HJ 633-2012") -> FactValue:
    def verdict(good: bool | None) -> dict[str, Any]:
        return {"aqi": None, "valid": good is not None, "good": good}

    rules = {"2012": verdict(old), "2026": verdict(new)}
    return FactValue("50", detail={"standard_version": standard, "rules": rules})


def days(good: int, bad: int, invalid: int = 0) -> dict[int, FactValue]:
    every = [fact(True, True)] * good + [fact(False, False)] * bad + [fact(None, None)] * invalid
    return {n * DAY: value for n, value in enumerate(every)}


def ratio(given: Mapping[int, FactValue], wanted: int, **parameters: str) -> FactValue:
    found = over_days(given, wanted, parameters)
    assert found is not None
    return found


@pytest.mark.parametrize(("good", "bad", "shown"), [(55, 1, "98.2"), (58, 1, "98.3")])
def test_an_invalid_day_leaves_numerator_and_denominator(good: int, bad: int, shown: str) -> None:
    found = ratio(days(good, bad, 60 - good - bad), 60)
    assert found.value == shown
    assert (found.numerator, found.denominator) == (str(100 * good), str(good + bad))
    assert (found.have, found.want) == (good + bad, 60)


def test_bounds_when_days_are_missing() -> None:
    found = ratio(days(8, 1), 12)
    assert (found.value, found.lower, found.upper) == ("88.9", "66.7", "91.7")
    whole = ratio(days(11, 1), 12)
    assert (whole.value, whole.lower, whole.upper) == ("91.7", None, None)


def test_ratios_of_both_rules_side_by_side() -> None:
    given = {
        0: fact(True, True),
        DAY: fact(True, False),
        2 * DAY: fact(True, False, "HJ 633-2026"),
        3 * DAY: fact(True, True, "HJ 633-2026"),
    }
    found = ratio(given, 4)
    assert found.value == "75.0"  # each day by the rule in force on it
    assert found.detail["ratio_2012rule"] == "100.0"
    assert found.detail["ratio_2026rule"] == "50.0"
    assert found.detail["standards"] == ["HJ 633-2012", "HJ 633-2026"]


def test_no_valid_day_gives_no_ratio() -> None:
    found = ratio(days(0, 0, 3), 3)
    assert (found.value, found.have, found.lower, found.upper) == (None, 0, "0.0", "100.0")
    assert over_days({}, 30, {}) is None


def test_the_province_is_the_mean_of_cities_and_states_the_pooled_figure() -> None:
    cities = {"330100": ratio(days(10, 0), 10), "330200": ratio(days(1, 1), 2)}
    found = over_cities(cities, {"air.province.cities": "2"})
    assert found is not None
    assert (found.value, found.have, found.want) == ("75.0", 2, 2)
    assert (found.detail["mean_of_cities"], found.detail["pooled"]) == ("75.0", "91.7")
    assert (found.numerator, found.denominator) == ("75", "1")
    assert found.lower is None
    pooled = over_cities(
        cities, {"air.province.cities": "2", "air.province.ratio_method": "pooled_days"}
    )
    assert pooled is not None
    assert (pooled.value, pooled.detail["mean_of_cities"]) == ("91.7", "75.0")


def test_the_province_averages_unrounded_ratios() -> None:
    cities = {"330100": ratio(days(2, 1), 3), "330200": ratio(days(1, 0), 1)}
    found = over_cities(cities, {"air.province.cities": "2"})
    assert found is not None
    assert found.numerator is not None
    assert found.denominator is not None
    assert Fraction(int(found.numerator), int(found.denominator)) == Fraction(250, 3)


def test_missing_cities_widen_the_bounds() -> None:
    cities = {f"3301{n:02}": ratio(days(10, 0), 10) for n in range(10)}
    found = over_cities(cities, {})
    assert found is not None
    assert (found.value, found.have, found.want) == ("100.0", 10, 11)
    assert (found.lower, found.upper) == ("90.9", "100.0")
    assert over_cities({}, {}) is None


def test_the_domain_offers_what_the_plan_asks() -> None:
    assert [spec.indicator for spec in DOMAIN.facts] == ["air.aqi.hour", "air.aqi.day"]
    (row_15,) = DOMAIN.rollups
    assert (row_15.indicator, row_15.plan_row, row_15.periods) == ("plan.15", 15, ("month", "year"))
    assert {rule.name for rule in DOMAIN.rules} == {"air.station", "air.city"}


def test_every_key_that_a_rule_names_is_a_parameter() -> None:
    keys = {parameter.key for parameter in DOMAIN.parameters}
    for rule in DOMAIN.rules:
        named = {key for key, _ in rule.levels} | {rule.consecutive, rule.clear_count}
        assert named <= keys
    assert len(keys) == len(DOMAIN.parameters)
    assert all(parameter.source for parameter in DOMAIN.parameters)


def test_tiers_are_the_levels_from_light_pollution_on() -> None:
    assert read_numbers({}).tiers == (101, 151, 201, 301)
