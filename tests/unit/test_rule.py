"""Thresholds of a rule: exactly on them, from parameters, with every mistake told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from streams.alerting.rule import fill, fingerprint
from streams.contracts.reason import Severity
from streams.domains.waterlogging import DEPTH_RULE
from streams.errors import Misconfigured
from tests.support.tiers import CM, counting_rule, depth_rule, lasting_rule

DEPTH = {
    "waterlogging.tier.blue_cm": "15",
    "waterlogging.tier.yellow_cm": "27",
    "waterlogging.tier.orange_cm": "30",
    "waterlogging.tier.red_cm": "50",
    "waterlogging.raise.consecutive": "2",
    "waterlogging.raise.jump_over_cm": "5",
    "waterlogging.clear.hysteresis_cm": "2",
    "waterlogging.clear.minutes": "10",
}


@pytest.mark.parametrize(
    ("millimetres", "severity"),
    [
        (0, None),
        (149, None),  # 14.9 cm is only watched (关注), no alert
        (150, Severity.BLUE),
        (269, Severity.BLUE),
        (270, Severity.YELLOW),
        (299, Severity.YELLOW),
        (300, Severity.ORANGE),
        (499, Severity.ORANGE),
        (500, Severity.RED),
        (3000, Severity.RED),
    ],
)
def test_depth_tiers_are_met_at_their_threshold(
    millimetres: int, severity: Severity | None
) -> None:
    """The edges of domain.md §2.2."""
    rule = depth_rule()
    tier = rule.tier(millimetres * CM // 10)
    assert (rule.severities[tier - 1] if tier else None) is severity


def test_one_scaled_step_below_a_threshold_does_not_meet_it() -> None:
    rule = depth_rule()
    assert [rule.tier(t - 1) for t in rule.meet] == [0, 1, 2, 3]


def test_one_reading_raises_at_once_from_five_centimetres_above_a_threshold() -> None:
    rule = depth_rule()
    assert [rule.jump_tier(v * CM) for v in (15, 20, 32, 35, 55)] == [0, 1, 2, 3, 4]
    assert rule.jump_tier(20 * CM - 1) == 0


def test_a_rule_without_jump_never_raises_at_once() -> None:
    assert counting_rule().jump_tier(10**9) == 0


def test_a_tier_is_held_down_to_its_hysteresis() -> None:
    assert depth_rule().hold == tuple(cm * CM for cm in (13, 25, 28, 48))


def test_decimals_stay_exact() -> None:
    rule = fill(DEPTH_RULE, DEPTH | {"waterlogging.tier.blue_cm": "15.1"})
    assert rule.meet[0] == 151_000
    assert rule.texts[0] == "15.1"


def test_a_tier_named_in_over_is_met_only_above() -> None:
    rule = lasting_rule(over=("20",))
    assert [rule.tier(v) for v in (9, 10, 20, 21, 29, 30)] == [0, 1, 1, 2, 2, 3]


def test_over_must_name_a_level() -> None:
    with pytest.raises(Misconfigured, match="over names no level: 25"):
        lasting_rule(over=("25",))


def test_the_time_that_a_tier_must_last_is_part_of_the_version() -> None:
    assert lasting_rule("15").version != lasting_rule("16").version


def test_every_mistake_is_told() -> None:
    wrong = DEPTH | {
        "waterlogging.tier.yellow_cm": "30",
        "waterlogging.clear.minutes": "ten",
    }
    with pytest.raises(Misconfigured) as caught:
        fill(replace(DEPTH_RULE, clear_count="2"), wrong)
    told = "\n".join(caught.value.mistakes)
    assert "do not ascend" in told
    assert "either clear_minutes or clear_count" in told


def test_a_number_that_is_none_is_told() -> None:
    with pytest.raises(Misconfigured, match="'ten' is not a number"):
        fill(DEPTH_RULE, DEPTH | {"waterlogging.clear.hysteresis_cm": "ten"})


@pytest.mark.parametrize("key", ["waterlogging.clear.minutes", "waterlogging.raise.consecutive"])
def test_a_wrong_time_or_count_is_told(key: str) -> None:
    with pytest.raises(Misconfigured, match="is not a number"):
        fill(DEPTH_RULE, DEPTH | {key: "ten"})


def test_the_version_follows_the_numbers() -> None:
    one = fill(DEPTH_RULE, DEPTH)
    assert one.version == fill(DEPTH_RULE, dict(DEPTH)).version
    assert one.version != fill(DEPTH_RULE, DEPTH | {"waterlogging.tier.red_cm": "60"}).version
    assert one.version != fill(DEPTH_RULE, DEPTH | {"waterlogging.clear.minutes": "9"}).version


def test_a_fingerprint_comes_from_rule_subject_and_onset_only() -> None:
    assert fingerprint("r", "p", 1) == fingerprint("r", "p", 1)
    others = {fingerprint("s", "p", 1), fingerprint("r", "q", 1), fingerprint("r", "p", 2)}
    assert len(others | {fingerprint("r", "p", 1)}) == 4
