"""Laws of closes: they are records like others, and what was closed is told no more.

Closes of alerts that the log raises are put at random places into it, also before their onset,
after their end and twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from streams.catalog import Registry
from streams.contracts.closing import Close, Ending, Verdict, encode_close
from streams.contracts.frame import Record
from streams.contracts.reason import Change, Severity
from tests.property.test_split_law import difference
from tests.support.small_city import START_MS, as_records, hostile, registry, run

SEEDS = st.integers(0, 10_000)
FEW = settings(
    max_examples=3, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
MANY = 40


def closes(
    rng: np.random.Generator, told: Mapping[str, Sequence[Mapping[str, Any]]], end: int
) -> list[tuple[int, Close]]:
    """Places in the log and what is closed there; most by what some transition said."""
    alerts = sorted(told)
    found = []
    for number in range(1, MANY + 1):
        alert = alerts[int(rng.integers(len(alerts)))]
        moves = told[alert]
        seen = moves[int(rng.integers(len(moves)))]
        place = int(rng.integers(1, end)) if rng.random() < 0.2 else int(seen["place"]) + 1
        severity = max(Severity.BLUE, Severity(seen["severity"]))
        ending = Ending.FALSE_ALARM if rng.random() < 0.5 else Ending.CLOSED_BY_HAND
        close = Close(
            seen["area"], alert, seen["subject"], False, severity, number, "account:wang",
            ending, "seen", START_MS,
        )  # fmt: skip
        found.append((place, close))
    return sorted(found, key=lambda one: one[0])


def with_closes(seed: int, held: Registry) -> tuple[dict[int, list[Record]], int]:
    """The hostile log with closes in it, and how many these are."""
    log = as_records(hostile(seed, minutes=90), held)[0]
    plain = run({0: log}, held, {0: range(len(log))}, keep_places=True)
    placed = closes(np.random.default_rng(seed), plain.transitions, len(log))
    records: list[Record] = []
    for place, record in enumerate(log):
        mine = [encode_close(close) for at, close in placed if at == place]
        for message in [*mine, (record.headers, record.body)]:
            records.append(Record(len(records), record.append_ms, *message))
    return {0: records}, len(placed)


@given(seed=SEEDS)
@FEW
def test_splits_and_restarts_change_nothing(seed: int) -> None:
    held = registry()
    logs, _ = with_closes(seed, held)
    whole = run(logs, held).canonical()
    assert {"closed", "not_open"} <= {verdict for _, _, verdict in whole["closed"]}
    rng = np.random.default_rng(seed)
    cuts = {0: rng.integers(0, len(logs[0]), 30).tolist()}
    assert difference(whole, run(logs, held, cuts).canonical()) == ""
    restarts = sorted(set(rng.integers(1, len(logs[0]), 5).tolist()))
    assert difference(whole, run(logs, held, restarts=restarts).canonical()) == ""


@given(seed=SEEDS)
@FEW
def test_a_close_is_the_end_and_every_close_is_answered(seed: int) -> None:
    held = registry()
    logs, count = with_closes(seed, held)
    store = run(logs, held)
    assert len(store.closed) == count
    ended = [alert for alert, _, verdict in store.closed if verdict is Verdict.CLOSED]
    assert ended
    assert len(set(ended)) == len(ended), "each once"
    for alert, moves in store.transitions.items():
        by_hand = [m["change"] is Change.CLOSED for m in moves]
        assert sum(by_hand) == (alert in ended)
        assert not any(by_hand[:-1]), "nothing of it is told afterwards"
