"""Rule sets through the pipeline: activation, what every transition says, versions of no use."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.alerting.ruleset import RuleSet, Terms
from streams.alerting.soundness import rule_mistakes
from streams.catalog import Profile
from streams.contracts.codec import encode_control
from streams.contracts.frame import Record
from streams.contracts.reason import Reason
from streams.pipeline import Pipeline
from tests.support.rule_sets import at_point, depth, in_area, levels, new_rule, only, rule_set
from tests.support.small_city import (
    COUNTIES,
    DOMAINS,
    START_MS,
    activation,
    keep_checkpoint,
    registry,
    setup,
)
from tests.support.timeline import DEPTH, Timeline

POINT = f"{COUNTIES[0]}-p0"
LOWER = rule_set(depth(levels(blue="10"), overrides=(at_point(POINT, levels(blue="5")),)))


def test_a_lower_threshold_holds_from_its_activation_on() -> None:
    city = Timeline()
    city.depth("10:00", p0=0.07, p1=0.07)
    city.use(LOWER)
    city.depth("10:01", p0=0.07, p1=0.07)
    city.depth("10:02", p0=0.07, p1=0.07)
    assert city.story("p0") == ["10:01:00 onset blue", "10:02:00 confirmed blue"]
    assert city.story("p1") == []
    assert {t.rule_version.split("@")[1] for t in city.of("p0")} == {LOWER.mark}
    assert LOWER.version.startswith(f"sha256:{LOWER.mark}")


def test_a_rule_that_is_switched_off_retires_its_alerts() -> None:
    city = Timeline()
    city.depth("10:00", p0=0.31)
    city.use(rule_set(depth(Terms(off=True))))
    retired = city.of()[-1]
    assert (retired.change.value, retired.threshold, retired.unit) == ("retired", None, "")
    assert retired.completeness is not None
    assert retired.completeness == city.of()[0].completeness
    city.depth("10:01", p0=0.61)
    assert len(city.of()) == 3


def test_several_rules_watch_one_property() -> None:
    city = Timeline()
    city.use(rule_set(new_rule(scope=only(points=(POINT,)))))
    city.depth("10:00", p0=0.06, p1=0.06)
    city.depth("10:01", p0=0.16, p1=0.06)
    rules = {(t.rule, t.point) for t in city.transitions}
    assert {("waterlogging.wet", POINT), (DEPTH, POINT)} <= rules
    assert {point for _, point in rules} == {POINT}


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        (rule_set(depth(levels(blue="40"))), "do not ascend"),
        (rule_set(depth(levels(purple="40"))), "level 'purple'"),
        (rule_set(new_rule(watches="height")), "depth, waterlogging.rise"),
        (rule_set(depth(overrides=(in_area("Hangzhou", levels(blue="1")),))), "no area code"),
        (rule_set(depth(season=(("06-31", "07-01"),))), "MM-DD"),
        (rule_set(depth(), depth()), "twice"),
        (rule_set(depth(scope=only(types=("shelter",)))), "point type 'shelter'"),
        (rule_set(depth(levels(blue="15.00001"))), "finer"),
        (rule_set(depth(Terms(clear_minutes="1", clear_readings="1"))), "either minutes"),
        (rule_set(new_rule(terms=levels(red="1"))), "needs `clear`"),
        (rule_set(new_rule(hidden_by=("air.none",))), "there is no rule 'air.none'"),
    ],
)
def test_a_set_that_cannot_hold_changes_nothing(rules: RuleSet, why: str) -> None:
    city = Timeline()
    outcome = city.use(rules)
    (letter,) = outcome.dead_letters
    assert letter.reason is Reason.UNUSABLE_VERSION
    assert why in letter.detail
    assert outcome.activated == []
    assert [why in str(m) for m in rule_mistakes(DOMAINS, {}, rules, None)] == [True]


def test_a_profile_that_the_set_in_force_cannot_hold_with_changes_nothing() -> None:
    city = Timeline()
    city.use(rule_set(depth(levels(red="45"))))
    outcome = city.use(Profile("deep", {"waterlogging.tier.orange_cm": "48"}))
    assert [letter.reason for letter in outcome.dead_letters] == [Reason.UNUSABLE_VERSION]
    assert "do not ascend" in outcome.dead_letters[0].detail


def test_thresholds_of_a_point_are_looked_at_with_those_of_its_area() -> None:
    clash = rule_set(
        depth(
            overrides=(
                at_point(POINT, levels(blue="26")),
                in_area(COUNTIES[0], levels(yellow="20", blue="10")),
            )
        )
    )
    assert rule_mistakes(DOMAINS, {}, clash, None) == []
    (mistake,) = rule_mistakes(DOMAINS, {}, clash, registry())
    assert mistake.place == f"point {POINT}"


def test_what_is_said_of_a_point_that_left_troubles_nobody() -> None:
    city, held = Timeline(), registry()
    city.depth("10:00", p0=0.31, p1=0.31)
    points = {name: point for name, point in held.points.items() if name != POINT}
    sensors = {name: sensor for name, sensor in held.sensors.items() if name != POINT}
    city.activate(replace(held, points=points, sensors=sensors))
    clash = rule_set(
        depth(
            overrides=(
                at_point(POINT, levels(blue="26")),
                in_area(COUNTIES[0], levels(yellow="20", blue="10")),
            )
        )
    )
    assert city.use(clash).dead_letters == []
    assert city.of("p0")[-1].change.value == "retired"
    outcome = city.activate(held)
    assert [one.reason for one in outcome.dead_letters] == [Reason.UNUSABLE_VERSION]


def test_a_content_of_another_kind_is_refused() -> None:
    profile, wrong = Profile("p", {}), rule_set()
    pipeline = Pipeline(setup())
    record = Record(0, START_MS, *encode_control("rules", profile.version, START_MS))
    outcome = pipeline.process([record], {profile.version: profile.to_dict()})
    assert [one.reason for one in outcome.dead_letters] == [Reason.UNUSABLE_VERSION]
    record = Record(0, START_MS, *encode_control("registry", wrong.version, START_MS))
    outcome = pipeline.process([record], {wrong.version: wrong.to_dict()})
    assert [one.reason for one in outcome.dead_letters] == [Reason.UNUSABLE_VERSION]


def test_a_checkpoint_knows_the_set_in_force() -> None:
    held, pipeline = registry(), Pipeline(setup())
    contents = {held.version: held.to_dict(), LOWER.version: LOWER.to_dict()}
    controls = (activation(held, START_MS), activation(LOWER, START_MS))
    records = [Record(n, START_MS, *control) for n, control in enumerate(controls)]
    pipeline.process(records, contents)
    parts: dict[str, bytes] = {}
    keep_checkpoint(pipeline, parts, {})
    fresh = Pipeline(setup())
    fresh.load(parts, {})
    assert fresh.missing_versions() == {held.version, LOWER.version}
