"""Rule sets keep the laws: any split, run, restart and partition count, across an activation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from streams.alerting.ruleset import RuleSet, Terms
from streams.catalog import Profile
from streams.contracts.reason import Change
from tests.property.test_run_law import frames_taken_alone
from tests.property.test_split_law import same
from tests.support.rule_sets import (
    at_point,
    depth,
    in_area,
    levels,
    new_rule,
    only,
    rule_set,
)
from tests.support.small_city import COUNTIES, START_MS, Sent, as_records, hostile, registry, run

MINUTE = 60_000
POINT = f"{COUNTIES[0]}-p0"
LOWER = rule_set(
    depth(
        levels(blue="8", yellow="12"),
        overrides=(
            at_point(POINT, levels(blue="5")),
            in_area(COUNTIES[1], Terms(off=True)),
            in_area("330200", Terms(levels={"red": "none"}, for_minutes="3", clear_readings="2")),
        ),
    ),
    new_rule(scope=only(areas=("330100",))),
    new_rule("waterlogging.gush", "waterlogging.rise", season=(("08-01", "08-16"),)),
)
OTHER = rule_set(
    depth(levels(blue="none", yellow="20"), scope=only(points=(POINT, f"{COUNTIES[3]}-p1"))),
    new_rule(terms=Terms(levels={"red": "9"}, clear_minutes="1")),
)
SETS = (LOWER, OTHER, RuleSet())
ZONE = Profile("west", {"profile.utc_offset_hours": "7"})  # a day begins an hour after START_MS
LATER = (*SETS, ZONE)


def activated(seed: int) -> list[Sent]:
    """A flood in which three rule sets come into force."""
    sent = hostile(seed, minutes=120)
    for minute, version in zip((35, 75, 100), SETS, strict=True):
        at = START_MS + minute * MINUTE
        place = next(i for i, one in enumerate(sent) if (one.frame and one.frame.ingest_ms >= at))
        sent.insert(place, Sent(None, tick_ms=at, activate=version))
    return [Sent(None, tick_ms=START_MS, activate=ZONE), *sent]


def told(canonical: dict[str, Any]) -> list[dict[str, Any]]:
    """All transitions."""
    return [one for of_alert in canonical["transitions"].values() for one in of_alert]


def without_mark(canonical: dict[str, Any]) -> dict[str, Any]:
    rows = [row | {"rule_version": row["rule_version"].split("@")[0]} for row in told(canonical)]
    return {**canonical, "transitions": rows}


@pytest.mark.parametrize("seed", range(4))
def test_an_empty_rule_set_changes_nothing_but_the_mark(seed: int) -> None:
    held, sent = registry(), hostile(seed)
    plain = run(as_records(sent, held), held)
    empty = [Sent(None, tick_ms=START_MS, activate=RuleSet()), *sent]
    under = run(as_records(empty, held), held, later=(RuleSet(),))
    assert {row["rule_version"].split("@")[1] for row in told(under.canonical())} == {
        RuleSet().mark
    }
    same(without_mark(plain.canonical()), without_mark(under.canonical()))


@pytest.mark.parametrize("seed", range(6))
def test_splits_restarts_and_partitions_do_not_matter(seed: int) -> None:
    held, sent = registry(), activated(seed)
    logs = as_records(sent, held)
    whole = run(logs, held, later=LATER).canonical()
    rules = {row["rule"] for row in told(whole)}
    assert {"waterlogging.wet", "waterlogging.gush"} <= rules, "or the law is empty"
    assert Change.RETIRED in {row["change"] for row in told(whole)}
    each = {p: range(len(records)) for p, records in logs.items()}
    same(whole, run(logs, held, each, later=LATER).canonical())
    rng = np.random.default_rng(seed)
    restarts = sorted(set(rng.integers(1, len(logs[0]), 5).tolist()))
    same(whole, run(logs, held, restarts=restarts, later=LATER).canonical())
    many = registry(4)
    same(whole, run(as_records(sent, many), many, later=LATER).canonical())


@pytest.mark.parametrize("seed", range(4))
def test_runs_equal_frames_taken_one_by_one(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    held = registry()
    logs = as_records(activated(seed), held)
    whole = run(logs, held, later=LATER).canonical()
    frames_taken_alone(monkeypatch)
    each = {p: range(len(records)) for p, records in logs.items()}
    same(whole, run(logs, held, each, later=LATER).canonical())
