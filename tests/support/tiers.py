"""Rules for tests of alerts: the depth rule with its defaults, and a rule that counts."""

from __future__ import annotations

from streams.alerting.rule import Thresholds, fill
from streams.area.view import parameters_of
from streams.contracts.domain import TierRule, Title
from streams.contracts.reason import Severity
from streams.domains.waterlogging import DEPTH_RULE, DOMAIN

CM = 10_000  # scaled depth of one centimetre


def depth_rule(**changed: str) -> Thresholds:
    """The depth rule of waterlogging; `changed` parameters by the last part of their key."""
    values = {
        p.key: changed[p.key.rsplit(".", 1)[1]]
        for p in DOMAIN.parameters
        if p.key.rsplit(".", 1)[1] in changed
    }
    return fill(DEPTH_RULE, parameters_of(DOMAIN, values))


def counting_rule(consecutive: str = "2", clear: str = "2") -> Thresholds:
    """Tiers at 10, 20, 30; cleared by so many observations below; no jump, no hysteresis."""
    rule = TierRule(
        name="toy.count",
        title=Title("计数", "count"),
        levels=(("10", Severity.BLUE), ("20", Severity.YELLOW), ("30", Severity.RED)),
        unit_scale=0,
        consecutive=consecutive,
        clear_count=clear,
    )
    return fill(rule, {})


def lasting_rule(minutes: str = "15", over: tuple[str, ...] = ()) -> Thresholds:
    """Tiers at 10, 20, 30 that must last; cleared after ten minutes below."""
    rule = TierRule(
        name="toy.last",
        title=Title("持续", "lasting"),
        levels=(("10", Severity.BLUE), ("20", Severity.YELLOW), ("30", Severity.RED)),
        unit_scale=0,
        clear_minutes="10",
        raise_minutes=minutes,
        over=over,
    )
    return fill(rule, {})
