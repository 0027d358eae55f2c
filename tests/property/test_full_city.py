"""The platform's laws with all domains, full checks and changing versions at once."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from streams.contracts.frame import JSON
from tests.property.test_split_law import same
from tests.support.full_city import hostile, later, registry
from tests.support.small_city import as_records, run

MINUTES = 90


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.long)])
def test_splits_and_restarts_change_nothing(seed: int) -> None:
    held = registry()
    logs = as_records(hostile(seed, MINUTES), held)
    store = run(logs, held, later=later())
    whole = store.canonical()
    rules = {held[0]["rule"] for held in store.transitions.values()}
    assert {"weather.rainstorm", "waterlogging.depth", "shelter.closed"} <= rules
    assert any(kind == "traffic.flooded" for kind, *_ in store.results)
    same(whole, run(logs, held, {0: range(len(logs[0]))}, later=later()).canonical())
    rng = np.random.default_rng(seed)
    restarts = sorted(set(rng.integers(1, len(logs[0]), 6).tolist()))
    same(whole, run(logs, held, restarts=restarts, later=later()).canonical())


@pytest.mark.long
@pytest.mark.parametrize("seed", [3, 4])
def test_encodings_partitions_and_ticks_change_nothing(seed: int) -> None:
    one = registry(1)
    sent = hostile(seed, MINUTES, versions=False)
    whole = run(as_records(sent, one), one).canonical()
    same(whole, run(as_records(sent, one, encoding=JSON), one).canonical())
    same(whole, run(as_records(sent, one, ticks=False), one).canonical())
    for count in (4, 12):
        held = registry(count)
        same(whole, run(as_records(sent, held), held).canonical())


def test_the_ledger_closes() -> None:
    held = registry()
    store = run(as_records(hostile(5, 70), held), held, later=later())
    total: Counter[str] = Counter()
    for counts in store.ledger.values():
        total.update(counts)
    refused = total["rejected"] + total["quarantined"] + total["duplicate"]
    assert total["received"] == refused + total["stored"]
    assert total["stored"] == total["on_time"] + total["late"]
    assert len(store.observation) == total["stored"] - total["revised"]
    assert min(refused, total["late"], total["revised"]) > 0


def test_a_domain_that_comes_later_is_told_in_the_same_order_after_a_restart() -> None:
    """The last county gets its shelters at the second version; the third tells all again."""
    held = registry()
    logs = as_records(hostile(6, 82), held)
    restarts = [round(len(logs[0]) * 0.9)]
    same(
        run(logs, held, later=later()).canonical(),
        run(logs, held, restarts=restarts, later=later()).canonical(),
    )
