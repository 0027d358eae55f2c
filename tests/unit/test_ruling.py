"""Rules of an area under a rule set: the nearest word wins, number by number."""

from __future__ import annotations

import pytest

from streams.alerting.rule import Thresholds, fill
from streams.alerting.ruleset import RuleSet, Terms
from streams.alerting.ruling import Ruling, rulings
from streams.area.view import parameters_of
from streams.contracts.domain import Domain, Point
from streams.domains import find_domains
from streams.domains.waterlogging import DOMAIN
from streams.errors import Misconfigured
from tests.support.rule_sets import (
    DEPTH,
    at_point,
    depth,
    in_area,
    levels,
    new_rule,
    only,
    rule_set,
)
from tests.support.tiers import CM, depth_rule

ZONE_MS = 8 * 3_600_000
HERE = "330106"
POINTS = tuple(
    Point(f"p{n}", "flood_point", HERE, "p", None, None, {"tidal": "yes" if n else "no"})
    for n in range(3)
)


def ruling(rules: RuleSet, area: str = HERE, name: str = DEPTH) -> Ruling:
    found = rulings(DOMAIN, parameters_of(DOMAIN, {}), rules, area, POINTS, ZONE_MS)
    return found[name]


def cm(filled: Thresholds | None) -> list[float]:
    """The thresholds in centimetres."""
    assert filled is not None
    return [meet / CM for meet in filled.meet]


@pytest.mark.parametrize("domain", find_domains().values(), ids=lambda d: str(d.name))
def test_an_empty_set_leaves_every_rule_exactly_as_it_is(domain: Domain) -> None:
    parameters = parameters_of(domain, {})
    found = rulings(domain, parameters, RuleSet(), HERE, POINTS, ZONE_MS)
    plain = {rule.name: fill(rule, parameters) for rule in domain.rules}
    assert list(found) == list(plain)
    for name, filled in plain.items():
        assert found[name].of(None) == found[name].of("p0") == filled
        assert found[name].season is None
        assert found[name].watches == name


def test_the_nearest_word_wins_number_by_number() -> None:
    rules = rule_set(
        depth(
            levels(blue="10", red="60"),
            overrides=(
                at_point("p1", levels(yellow="20")),
                in_area("330106", levels(orange="33")),
                in_area("330100", levels(orange="32", blue="12")),
                in_area("330000", levels(blue="11", yellow="26")),
            ),
        )
    )
    assert cm(ruling(rules).of("p1")) == [12, 20, 33, 60]
    assert cm(ruling(rules).of("p0")) == [12, 26, 33, 60]
    assert cm(ruling(rules, "330108").of("p0")) == [12, 26, 32, 60]
    assert cm(ruling(rules, "330203").of("p0")) == [11, 26, 30, 60]
    assert cm(ruling(rules, "310101").of("p0")) == [10, 27, 30, 60]


def test_the_order_of_overrides_means_nothing() -> None:
    two = (in_area("330106", levels(blue="12")), in_area("330100", levels(blue="11")))
    one, other = rule_set(depth(overrides=two)), rule_set(depth(overrides=two[::-1]))
    assert one.version == other.version
    assert cm(ruling(one).of("p0")) == cm(ruling(other).of("p0"))


def test_a_rule_off_in_the_province_may_be_on_at_one_point() -> None:
    rules = rule_set(depth(Terms(off=True), overrides=(at_point("p2", Terms(off=False)),)))
    held = ruling(rules)
    assert (held.of("p0"), held.of(None)) == (None, None)
    assert held.of("p2") == depth_rule()


def test_a_level_may_go_and_another_be_met_only_above() -> None:
    held = ruling(rule_set(depth(levels(blue="none", yellow="none", red=">50")))).of("p0")
    assert held is not None
    assert held.meet == (30 * CM, 50 * CM + 1)
    assert [s.name for s in held.severities] == ["ORANGE", "RED"]


def test_a_scope_of_areas_holds_below_them_and_nowhere_else() -> None:
    rules = rule_set(depth(scope=only(areas=("330100",))))
    assert ruling(rules, "330108").of("p0") == depth_rule()
    assert not ruling(rules, "330203").holds_somewhere


def test_a_scope_of_points_never_speaks_of_the_area_itself() -> None:
    held = ruling(rule_set(depth(scope=only(where={"tidal": "yes"}))))
    assert (held.of(None), held.of("p0"), held.of("p9")) == (None, None, None)
    assert held.of("p1") == held.of("p2") == depth_rule()
    named = ruling(rule_set(depth(scope=only(points=("p0",), types=("flood_point",)))))
    assert (named.of("p0"), named.of("p1")) == (depth_rule(), None)


def test_a_new_rule_is_in_a_unit_that_its_property_is_known_in() -> None:
    held = ruling(rule_set(new_rule()), name="waterlogging.wet").of("p0")
    assert cm(held) == [5]


def test_a_new_rule_over_a_derived_value_has_its_unit_and_follows_it() -> None:
    rules = rule_set(new_rule("waterlogging.gush", "waterlogging.rise"))
    held = ruling(rules, name="waterlogging.gush")
    assert held.watches == "waterlogging.rise"
    assert held.rule.property is None
    assert cm(held.of("p0")) == [5]


def test_what_is_said_of_for_and_clear_replaces_both_of_their_kinds() -> None:
    held = ruling(rule_set(depth(Terms(for_minutes="5", clear_readings="3")))).of("p0")
    assert held is not None
    assert (held.consecutive, held.raise_ms) == (1, 300_000)
    assert (held.clear_ms, held.clear_count) == (None, 3)


def test_every_mistake_of_an_area_is_told() -> None:
    rules = rule_set(
        depth(levels(blue="40")),
        new_rule(terms=Terms(levels={"red": "1"}, clear_minutes="0")),
    )
    with pytest.raises(Misconfigured) as caught:
        ruling(rules)
    told = "\n".join(caught.value.mistakes)
    assert "do not ascend: 40, 27" in told
    assert "it would never end" in told
