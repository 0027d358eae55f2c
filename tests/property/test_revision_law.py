"""Rows that come out of order inside the horizon leave what rows in order would have left."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.support.small_city import (
    AIR,
    COUNTIES,
    START_MS,
    Sent,
    as_records,
    frame_of,
    registry,
    run,
)

HOUR_MS = 3_600_000
FEW = settings(
    max_examples=10, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
Row = tuple[str, str, int, float]


def send(hours: list[list[Row]], order: list[int]) -> list[Sent]:
    """One frame per hour in this order, each a minute after the other, after all of them ended."""
    begin = START_MS + (len(hours) + 1) * HOUR_MS
    sent = [
        Sent(frame_of(COUNTIES[0], "air", hour, begin + place * 60_000, hours[hour]))
        for place, hour in enumerate(order)
    ]
    return [*sent, Sent(None, tick_ms=begin + 48 * HOUR_MS)]


def recording(rng: np.random.Generator, count: int = 30) -> list[list[Row]]:
    """Hours of one station that freezes for a while (domain.md §1.7), with missing pollutants."""
    hours: list[list[Row]] = []
    frozen = range(8, 8 + int(rng.integers(2, 7)))
    value = dict.fromkeys(AIR, 1.0)
    for hour in range(count):
        if hour not in frozen:
            value = {p: round(float(rng.uniform(1, 300)), 1) for p in AIR}
        known = [p for p in AIR if hour in frozen or rng.random() > 0.1] or ["pm25"]
        start = START_MS + hour * HOUR_MS
        hours.append([(f"{COUNTIES[0]}-a", p, start, value[p]) for p in known])
    return hours


@given(seed=st.integers(0, 10_000))
@FEW
def test_shuffled_hours_end_as_hours_in_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    hours, held = recording(rng), registry()
    straight = run(as_records(send(hours, list(range(len(hours)))), held), held).canonical()
    mixed = rng.permutation(len(hours)).tolist()
    shuffled = run(as_records(send(hours, mixed), held), held).canonical()
    for what in ("observation", "windows", "results", "partials"):
        assert shuffled[what] == straight[what], what
    assert straight["results"]


@pytest.mark.parametrize("seed", [3, 4])
def test_the_recording_freezes(seed: int) -> None:
    """Otherwise the law above would say little."""
    held = registry()
    hours = recording(np.random.default_rng(seed))
    store = run(as_records(send(hours, list(range(len(hours)))), held), held)
    assert any(flag == 3 for _, flag in store.observation.values())
