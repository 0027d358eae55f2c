"""The area's index: sums, never means of indices; weights, missing links, hours, days, facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from streams.contracts.domain import AreaView, FactValue, Payload, Point
from streams.domains.traffic.derive import LINK_HOUR, daily, hourly
from streams.domains.traffic.figures import FACTS, congested_share, dtp, tpi, tti
from streams.domains.traffic.link import SPEED, TRAVEL_TIME, VEHICLES
from streams.domains.traffic.network import Sums, index_of
from tests.support.traffic_area import Values, link, matrix_of, view_of

BY_LENGTH = {"traffic.network.weight": "length"}
TWO = (link("a"), link("b", length_m="3000"))


def jam(kmh: float, vehicles: float | None = None) -> list[Values]:
    """One interval at this speed."""
    return [{SPEED: kmh} if vehicles is None else {SPEED: kmh, VEHICLES: vehicles}]


def partial(
    links: Sequence[Point],
    hours: Mapping[int, Mapping[str, Sequence[Values]]],
    parameters: Mapping[str, str] | None = None,
    hour: int = 8,
) -> Payload:
    view = view_of(links, parameters)
    found = hourly(view, matrix_of(view, hours), hour).partial
    assert found is not None
    return found


def fact(found: FactValue | None) -> FactValue:
    assert found is not None
    return found


def exact(found: FactValue | None) -> Fraction:
    known = fact(found)
    assert known.numerator is not None
    assert known.denominator is not None
    return Fraction(int(known.numerator), int(known.denominator))


def test_it_is_delay_over_travel_time_and_no_mean_of_indices() -> None:
    """1 km at 60 (1 min, no delay) and 3 km at 15 (12 min instead of 3): DTP 9/13, not 0.375."""
    held = partial(TWO, {8: {"a": jam(60), "b": jam(15)}}, BY_LENGTH)
    assert exact(dtp("county", {"x": held}, BY_LENGTH)) == Fraction(9, 13)
    assert exact(tti("county", {"x": held}, BY_LENGTH)) == Fraction(13, 4)
    assert (
        exact(tpi("county", {"x": held}, BY_LENGTH)) == 6 + (Fraction(9, 13) - Fraction(6, 10)) * 20
    )


def test_by_vehicle_km_a_busy_link_weighs_more() -> None:
    """30 vehicles at 60 on 1 km, 10 at 15 on 3 km: 90 of 150 vehicle-minutes are delay."""
    held = partial(TWO, {8: {"a": jam(60, 30), "b": jam(15, 10)}})
    found = dtp("county", {"x": held}, {})
    assert exact(found) == Fraction(90, 150)
    told = fact(found).detail
    assert told["method"] == "GB/T 33171-2016 DTP, Σ delay ÷ Σ travel time by vehicle_km"
    assert (told["by_vehicle_km"]["dtp"], told["by_length"]["dtp"]) == ("0.6000", "0.6923")


def test_a_speed_without_vehicles_has_no_weight_by_vehicle_km() -> None:
    """Count 0 or no count at all: the link has its state, its length counts, its time does not."""
    for silent in (jam(15, 0), jam(15)):
        held = partial(TWO, {8: {"a": jam(60, 30), "b": silent}})
        found = fact(dtp("county", {"x": held}, {}))
        assert exact(found) == 0
        assert (found.have, found.want) == (2, 2)
        assert found.detail["counted"] == (2 if VEHICLES in silent[0] else 1)
        assert fact(congested_share("county", {"x": held}, {})).value == "75.0"


def test_where_no_vehicle_was_counted_the_length_weighs_and_it_says_so() -> None:
    held = partial(TWO, {8: {"a": jam(60, 0), "b": jam(15)}})
    found = fact(dtp("county", {"x": held}, {}))
    assert exact(found) == Fraction(9, 13)
    assert (found.detail["weight"], found.detail["weight_wanted"]) == ("length", "vehicle_km")
    assert found.detail["by_vehicle_km"] is None


def test_faster_than_free_flow_does_not_pay_for_delay_elsewhere() -> None:
    held = partial((link("a"), link("b")), {8: {"a": jam(120), "b": jam(30)}}, BY_LENGTH)
    assert exact(dtp("county", {"x": held}, BY_LENGTH)) == Fraction(60, 30 + 120)


def test_the_index_of_a_city_comes_from_the_sums_of_its_counties() -> None:
    one = partial((link("a"),), {8: {"a": jam(60, 30)}})
    other = partial((link("b", length_m="3000"),), {8: {"b": jam(15, 10)}})
    assert exact(dtp("city", {"x": one, "y": other}, {})) == Fraction(90, 150)
    assert fact(dtp("city", {"x": one, "y": other}, {})).detail["members"] == ["x", "y"]


def test_missing_links_give_bounds_by_length() -> None:
    """3 of 4 km are missing: as if they flowed, 0.5 · 1/4; as if they stood, that + 3/4."""
    held = partial(TWO, {8: {"a": jam(30)}}, BY_LENGTH)
    found = fact(dtp("county", {"x": held}, BY_LENGTH))
    assert (found.value, found.lower, found.upper) == ("0.5000", "0.1250", "0.8750")
    assert (found.have, found.want) == (1, 2)
    times = fact(tti("county", {"x": held}, BY_LENGTH))
    assert (times.lower, times.upper) == ("1.143", "8.000")
    share = fact(congested_share("county", {"x": held}, BY_LENGTH))
    assert (share.value, share.lower, share.upper) == ("100.0", "25.0", "100.0")


def test_everything_there_has_no_bounds() -> None:
    held = partial(TWO, {8: {"a": jam(30), "b": jam(30)}})
    found = fact(dtp("county", {"x": held}, {}))
    assert (found.lower, found.upper) == (None, None)


def learnt_view(points: Sequence[Point], **known: int | None) -> AreaView:
    """A view with what was learnt (m/h) in force."""
    payloads = {name: {"free_flow_mh": mh, "free_flow_n": 120} for name, mh in known.items()}
    return replace(view_of(points, BY_LENGTH), learnt=payloads)


THREE = (link("a"), link("b", free_flow_kmh=""), link("c", free_flow_kmh=""))
EIGHT = {8: {"a": jam(30), "b": jam(30), "c": jam(30)}}


def test_a_learnt_free_flow_counts_like_a_registered_one() -> None:
    """a: 60 registered, b: 90 learnt, both at 30: 60 + 80 of 240 s are delay; c is unknown."""
    view = learnt_view(THREE, b=90_000)
    for derived in (
        hourly(view, matrix_of(view, EIGHT), 8),
        daily(view, matrix_of(view, {8: EIGHT[8]})),
    ):
        assert derived.partial is not None
        found = fact(dtp("county", {"x": derived.partial}, BY_LENGTH))
        assert exact(found) == Fraction(140, 240)
        assert found.have == 2
    hour = hourly(view, matrix_of(view, EIGHT), 8)
    assert hour.partial is not None
    found = fact(tpi("county", {"x": hour.partial}, BY_LENGTH))
    assert found.detail["free_flow"] == {"registered": 1, "learnt": 1, "unknown": 1}
    assert found.detail["without_free_flow"] == 1
    told = {r.point: r.payload for r in hour.results}
    assert (told["b"]["free_flow_kmh"], told["b"]["free_flow_origin"]) == ("90.000", "learnt")
    assert told["b"]["free_flow_n"] == 120
    assert told["c"]["dtp"] is None


def test_the_registered_free_flow_goes_before_the_learnt_one() -> None:
    view = learnt_view((link("a"),), a=90_000)
    (result,) = hourly(view, matrix_of(view, {8: {"a": jam(30)}}), 8).results
    assert (result.payload["free_flow_kmh"], result.payload["dtp"]) == ("60.000", "0.5000")
    assert result.payload["free_flow_origin"] == "registry"


def test_what_was_taken_back_is_unknown() -> None:
    view = learnt_view((link("a", free_flow_kmh=""),), a=None)
    (result,) = hourly(view, matrix_of(view, {8: {"a": jam(30)}}), 8).results
    assert result.payload["free_flow_origin"] is None


def test_a_partial_from_before_learnt_links_counted_can_still_be_read() -> None:
    held = dict(partial((link("a"), link("b", free_flow_kmh="")), {8: {"b": jam(30)}}))
    del held["learnt"], held["unknown"]
    found = fact(dtp("county", {"x": held}, {}))
    assert found.detail["free_flow"] == {"registered": 1, "learnt": 0, "unknown": 1}


def test_a_link_without_free_flow_is_missing_never_guessed() -> None:
    links = (link("a"), link("b", length_m="3000", free_flow_kmh=""))
    held = partial(links, {8: {"a": jam(60), "b": jam(5)}}, BY_LENGTH)
    found = fact(dtp("county", {"x": held}, BY_LENGTH))
    assert (found.value, found.have, found.want) == ("0.0000", 1, 2)
    assert found.detail["without_free_flow"] == 1
    assert found.upper == "0.7500"


def test_an_hour_without_a_reading_has_no_value_and_no_zero() -> None:
    held = partial(TWO, {})
    for compute in (dtp, tti, tpi, congested_share):
        found = fact(compute("county", {"x": held}, {}))
        assert (found.value, found.numerator, found.have, found.want) == (None, None, 0, 2)


def test_an_area_without_links_has_no_fact() -> None:
    view = view_of(())
    assert hourly(view, matrix_of(view, {}), 8).partial is None
    assert daily(view, matrix_of(view, {})).partial is None
    assert dtp("county", {}, {}) is None
    assert congested_share("county", {}, {}) is None


def test_shares_of_length_by_grade() -> None:
    links = [link(name, length_m="100") for name in "abcde"]
    speeds = dict(zip("abcde", (43, 42, 30, 24, 18), strict=True))
    held = partial(links, {8: {name: jam(speed) for name, speed in speeds.items()}})
    found = fact(congested_share("county", {"x": held}, {}))
    assert found.detail["shares"] == dict.fromkeys(
        ("畅通", "基本畅通", "轻度拥堵", "中度拥堵", "严重拥堵"), "20.0"
    )
    assert found.value == "60.0"


def test_an_hour_is_the_mean_travel_time_of_its_intervals() -> None:
    view = view_of((link("a"),))
    intervals: list[Values] = [{TRAVEL_TIME: 60, VEHICLES: 3}, {TRAVEL_TIME: 120, VEHICLES: 4}]
    found = hourly(view, matrix_of(view, {8: {"a": intervals}}), 8)
    (result,) = found.results
    assert (result.kind, result.point) == (LINK_HOUR, "a")
    told: Mapping[str, Any] = result.payload
    assert (told["travel_time_s"], told["speed_kmh"], told["vehicles"]) == ("90.000", "40.000", 7)
    assert (told["grade_name"], told["dtp"], told["intervals"]) == ("基本畅通", "0.3333", 2)
    assert (told["free_flow_kmh"], told["free_flow_origin"]) == ("60.000", "registry")


def test_a_link_without_free_flow_is_told_with_its_speed_and_no_state() -> None:
    view = view_of((link("a", free_flow_kmh=""),))
    (result,) = hourly(view, matrix_of(view, {8: {"a": jam(20)}}), 8).results
    assert (result.payload["speed_kmh"], result.payload["grade"]) == ("20.000", None)
    assert result.payload["free_flow_origin"] is None


def test_a_day_is_made_of_its_hours() -> None:
    view = view_of((link("a"),))
    hours = {7: {"a": jam(60, 10)}, 8: {"a": jam(15, 30)}}
    held = daily(view, matrix_of(view, hours)).partial
    assert held is not None
    found = fact(dtp("county", {"x": held}, {}))
    assert exact(found) == Fraction(30 * 3, 10 * 1 + 30 * 4)
    assert (found.have, found.want) == (2, 24)


def test_registry_sums_survive_as_a_partial() -> None:
    held = partial(TWO, {8: {"a": jam(60, 30), "b": jam(15, 10)}})
    sums = Sums.from_payload(held)
    assert sums.to_payload() == held
    index = index_of(sums, "length")
    assert index is not None
    assert index.dtp == Fraction(9, 13)


@pytest.mark.parametrize("spec", FACTS, ids=lambda spec: spec.indicator)
def test_every_fact_names_its_method_and_numbers(spec: Any) -> None:
    held = partial(TWO, {8: {"a": jam(60, 30), "b": jam(15, 10)}})
    found = fact(spec.compute("county", {"x": held}, {}))
    assert found.detail["method"].startswith("GB/T 33171-2016")
    assert found.detail["parameters"]["traffic.network.weight"] == "vehicle_km"
    assert found.value is not None


def test_a_standing_link_counts_as_one_km_per_hour() -> None:
    view: AreaView = view_of(TWO)
    held = hourly(view, matrix_of(view, {8: {"a": jam(0)}}), 8).partial
    assert held is not None
    found = fact(tti("county", {"x": held}, BY_LENGTH))
    assert found.value == "60.000"
    assert found.upper == "240.000"  # three quarters of the length stand as well
