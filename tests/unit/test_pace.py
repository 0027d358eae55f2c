"""A cycle takes what fits into its time: dear records in small batches, cheap in large ones."""

from __future__ import annotations

import pytest

from streams.runtime.pace import LEAST, START, Pace


def settled(cost_s: float, partitions: int, most: int = 1000) -> int:
    pace = Pace(most, cycle_s=0.5)
    for _ in range(20):
        records = pace.records() * partitions
        pace.took(records, partitions, records * cost_s)
    return pace.records()


@pytest.mark.parametrize(
    ("cost_s", "partitions", "records"),
    [(0.001, 1, 500), (0.001, 4, 125), (0.000001, 4, 1000), (0.1, 2, LEAST), (0.01, 1, 50)],
)
def test_settles_where_a_cycle_lasts_its_time(cost_s: float, partitions: int, records: int) -> None:
    assert settled(cost_s, partitions) == records


def test_never_more_than_it_was_told() -> None:
    assert settled(0.0, 1, most=5) == 5


def test_begins_small_and_doubles() -> None:
    pace = Pace(1000)
    assert pace.records() == START
    pace.took(START, 1, 0.0)
    assert pace.records() == 2 * START


def test_an_idle_cycle_teaches_nothing() -> None:
    pace = Pace(1000)
    pace.took(0, 0, 5.0)
    assert pace.records() == START
