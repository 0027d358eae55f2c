"""Official warnings in the log: no split, run, restart or partition count changes what follows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from streams.catalog import Profile
from streams.contracts.cap.model import Status
from streams.contracts.reason import Severity
from streams.contracts.warning import Kind, OfficialWarning
from tests.property.test_split_law import same
from tests.support.full_city import hostile, registry
from tests.support.model_store import ModelStore
from tests.support.official import warning
from tests.support.small_city import COUNTIES, START_MS, Sent, as_records, run

MINUTE = 60_000
MINUTES = 80
HEEDING = Profile("heeding", {"shelter.official.hazard_of_type": "暴雨=flood, 台风=flood"})


def told() -> list[tuple[int, OfficialWarning]]:
    """(minute, warning): red ones that begin, change, end by themselves and are cancelled."""

    def at(minute: int, name: str, **given: Any) -> tuple[int, OfficialWarning]:
        return minute, warning(name, START_MS + minute * MINUTE, **given)

    county, orange = (COUNTIES[0],), {"severity": Severity.ORANGE}
    return [
        at(3, "c.1", areas=county, type="台风"),
        at(8, "p.1", expires_ms=START_MS + 30 * MINUTE),
        *[
            at(20, "c.2", areas=county, type="台风", kind=Kind.UPDATE, refers=("c.1",), **orange)
            for _ in range(2)
        ],
        at(25, "t.1", status=Status.TEST),
        at(41, "r.1", series="r", areas=county),
        at(47, "r.2", series="r", areas=county, kind=Kind.CANCEL),
        at(61, "c.3", areas=(), kind=Kind.CANCEL, refers=("c.2",)),
    ]


def sent(seed: int) -> list[Sent]:
    """The hostile city, heeding, with the warnings in their minutes."""
    found, waiting, now = [Sent(None, tick_ms=START_MS, activate=HEEDING)], told(), START_MS
    for one in hostile(seed, MINUTES, versions=False):
        now = max(now, one.tick_ms, one.frame.ingest_ms if one.frame else 0)
        while waiting and now >= START_MS + waiting[0][0] * MINUTE:
            found.append(Sent(None, tick_ms=now, warning=waiting.pop(0)[1]))
        found.append(one)
    return found


def closed_shelters(store: ModelStore) -> list[str]:
    """What the evidence of closed shelters names as official."""
    return sorted(
        {
            name.split(":")[1]
            for changes in store.transitions.values()
            if changes[0]["rule"] == "shelter.closed"
            for change in changes
            for name in change["evidence"].get("warnings", ())
            if name.startswith("official:")
        }
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_splits_runs_and_restarts_change_nothing(seed: int) -> None:
    held = registry()
    logs = as_records(sent(seed), held)
    store = run(logs, held, later=[HEEDING])
    whole = store.canonical()
    assert len(store.warnings) == 7, "said twice, it is stored once"
    assert closed_shelters(store) == ["台风", "暴雨"]
    each = {0: range(len(logs[0]))}
    same(whole, run(logs, held, each, later=[HEEDING]).canonical())
    rng = np.random.default_rng(seed)
    restarts = sorted(set(rng.integers(1, len(logs[0]), 6).tolist()))
    same(whole, run(logs, held, restarts=restarts, later=[HEEDING]).canonical())


def test_partitions_and_ticks_change_nothing() -> None:
    one, messages = registry(1), sent(3)
    whole = run(as_records(messages, one), one, later=[HEEDING]).canonical()
    same(whole, run(as_records(messages, one, ticks=False), one, later=[HEEDING]).canonical())
    many = registry(4)
    same(whole, run(as_records(messages, many), many, later=[HEEDING]).canonical())


def test_without_the_house_number_they_are_context_only() -> None:
    held, messages = registry(), sent(4)
    quiet = [one for one in messages if one.activate is None]
    with_warnings = run(as_records(quiet, held), held)
    without = run(as_records([one for one in quiet if one.warning is None], held), held)
    assert closed_shelters(with_warnings) == []
    assert with_warnings.transitions == without.transitions
