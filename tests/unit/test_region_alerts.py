"""Alerts that span areas: a city's hour under a rule, one alert for one silent gateway."""

from __future__ import annotations

from streams.alerting.ruleset import Clause, Override, RuleSet, Terms
from streams.contracts.domain import HOUR_MS, day_start
from streams.contracts.reason import AlertState, Change, Origin, Severity
from tests.support.region_bench import Bench
from tests.support.toy_level import COUNTIES, RULE, partial, silence, watermark

A, B, C = COUNTIES
T0 = day_start(1_700_000_000_000)
H = HOUR_MS


def test_city_alert_rises_and_clears_in_event_order() -> None:
    bench = Bench()
    found = []
    for number, high in enumerate((499, 500, 950, 100)):
        start = T0 + number * H
        found += bench.apply(
            partial(A, start + H, start, [high]), watermark(A, start + H, start + H)
        ).transitions
    assert [(t.change, t.severity, t.event_ms) for t in found] == [
        (Change.ONSET, Severity.BLUE, T0 + 2 * H),
        (Change.CONFIRMED, Severity.BLUE, T0 + 2 * H),
        (Change.RAISED, Severity.RED, T0 + 3 * H),
        (Change.CLEARED, Severity.RED, T0 + 4 * H),
    ]
    assert {(t.rule, t.subject, t.area, t.origin) for t in found} == {
        (RULE, "area:330100", "330100", Origin.SIMULATED)
    }
    assert len({t.alert for t in found}) == 1


def test_revision_raises_no_alert() -> None:
    bench = Bench()
    bench.apply(partial(A, T0 + H, T0, [10]), watermark(A, T0 + H, T0 + H))
    late = bench.apply(partial(A, T0 + 2 * H, T0, [990], cause="late"))
    assert late.facts
    assert late.transitions == []


def test_late_rows_raise_no_alert_even_at_the_first_fold() -> None:
    """A backfill of the last hours reaches the region as late partials: it notifies nobody."""
    bench = Bench()
    late = bench.apply(partial(A, T0 + H, T0, [990], cause="late"), watermark(A, T0 + H, T0 + H))
    assert late.facts
    assert late.transitions == []


def test_hour_folded_long_after_its_end_raises_no_alert() -> None:
    for delay, count in ((6 * H, 2), (6 * H + 1, 0)):
        bench = Bench()
        proc = T0 + H + delay
        result = bench.apply(partial(A, proc, T0, [500]), watermark(A, proc, T0 + H))
        assert len(result.transitions) == count


def test_gateway_over_three_counties_makes_one_alert_and_ends() -> None:
    bench = Bench()
    assert bench.apply(silence(A, T0, 3, 3)).transitions == []
    assert bench.apply(silence(B, T0 + 30_000, 3, 3)).transitions == []
    found = bench.apply(silence(C, T0 + 60_000, 3, 3)).transitions
    assert [t.change for t in found] == [Change.ONSET, Change.CONFIRMED]
    alert = found[-1]
    assert (alert.rule, alert.subject, alert.area) == ("region.gateway_silent", "gateway:gw", A)
    assert (alert.state, alert.severity, alert.event_ms) == (
        AlertState.FIRING,
        Severity.ORANGE,
        T0 + 60_000,
    )
    assert alert.evidence["silent"] == 9
    ended = bench.apply(silence(B, T0 + 90_000, 0, 3, speaking=True)).transitions
    assert [(t.change, t.state) for t in ended] == [(Change.CLEARED, AlertState.RESOLVED)]
    assert ended[0].alert == alert.alert


def test_share_is_met_exactly_at_four_fifths() -> None:
    values = {"region.gateway.min_sensors": "3"}
    for silent, count in ((8, 2), (7, 0)):
        bench = Bench(values)
        bench.apply(silence(B, T0, 0, 0, speaking=True), silence(C, T0, 0, 0, speaking=True))
        assert len(bench.apply(silence(A, T0 + 1, silent, 10)).transitions) == count


def test_silences_further_apart_than_the_window_are_not_one_gateway() -> None:
    bench = Bench()
    bench.apply(silence(A, T0, 3, 3))
    bench.apply(silence(B, T0 + 60_001, 3, 3))
    assert bench.apply(silence(C, T0 + 60_001, 3, 3)).transitions == []


def test_two_sensors_are_told_one_by_one() -> None:
    bench = Bench()
    bench.apply(silence(B, T0, 0, 0, speaking=True), silence(C, T0, 0, 0, speaking=True))
    assert bench.apply(silence(A, T0 + 1, 2, 2)).transitions == []


def test_parameters_change_the_gateway_rule() -> None:
    bench = Bench({"region.gateway.silent_share": "0.3", "region.gateway.min_sensors": "2",
                   "region.gateway.severity": "4"})  # fmt: skip
    found = bench.apply(silence(A, T0, 3, 3)).transitions
    assert [t.severity for t in found] == [Severity.RED, Severity.RED]
    assert found[0].evidence["parameters"]["silent_share"] == "3/10"


def test_small_share_in_another_county_does_not_hide_a_dead_gateway() -> None:
    bench = Bench(gauges=2)
    found = bench.apply(silence(A, T0, 10, 10)).transitions
    assert [t.change for t in found] == [Change.ONSET, Change.CONFIRMED]


def test_origin_is_live_only_when_every_side_says_so() -> None:
    for kind, said, want in (
        (Origin.LIVE, "live", Origin.LIVE),
        (Origin.LIVE, "replayed", Origin.REPLAYED),
        (Origin.SIMULATED, "live", Origin.SIMULATED),
    ):
        bench = Bench(origin=kind, gauges=2)
        found = bench.apply(silence(A, T0, 10, 10, origin=said)).transitions
        assert {t.origin for t in found} == {want}


def under(terms: Terms, **said: object) -> RuleSet:
    """A rule set that changes the city's rule."""
    return RuleSet((Clause(RULE, "toy", terms=terms, **said),))  # type: ignore[arg-type]


def hour(bench: Bench, number: int, high: int) -> list[tuple[Change, Severity]]:
    """One hour of the city with this highest level; what it did to the alert."""
    start = T0 + number * H
    found = bench.apply(
        partial(A, start + H, start, [high]), watermark(A, start + H, start + H)
    ).transitions
    return [(t.change, t.severity) for t in found]


def test_a_city_is_judged_by_the_rule_set_in_force() -> None:
    bench = Bench()
    bench.use(under(Terms(levels={"blue": "20"})))
    assert hour(bench, 0, 300)[-1] == (Change.CONFIRMED, Severity.BLUE)
    other = Bench()
    nearer = Override(area="330100", terms=Terms(levels={"blue": "40"}))
    other.use(under(Terms(levels={"blue": "20"}), overrides=(nearer,)))
    assert hour(other, 0, 300) == []


def test_a_citys_alert_is_retired_in_the_first_moment_without_its_rule() -> None:
    bench = Bench()
    hour(bench, 0, 500)
    rules = under(Terms(off=True))
    bench.use(rules)
    (gone,) = bench.apply(watermark(B, T0 + H + 1, T0 + H)).transitions
    assert (gone.change, gone.state) == (Change.RETIRED, AlertState.RESOLVED)
    assert gone.rule_version == f"@{rules.mark}"
    bench.use(rules)
    assert hour(bench, 1, 990) == []


def test_a_new_rule_follows_the_citys_value() -> None:
    bench = Bench()
    terms = Terms(levels={"red": "40"}, clear_readings="1")
    new = Clause("toy.worse", "toy", RULE, "更糟", "worse", terms=terms)
    bench.use(RuleSet((new,)))
    start = T0
    found = bench.apply(partial(A, start + H, start, [500]), watermark(A, start + H, start + H))
    assert {(t.rule, t.severity) for t in found.transitions if t.change is Change.CONFIRMED} == {
        (RULE, Severity.BLUE),
        ("toy.worse", Severity.RED),
    }
