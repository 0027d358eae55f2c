"""Late rows against a plain dict: however they are split over transactions, the same is stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.contracts.domain import day_start
from streams.contracts.outcome import LEDGER_COLUMNS, LateRows
from streams.contracts.reason import NamespaceKind
from streams.storage.connect import connect
from streams.storage.late import (
    MAX_RANGES,
    SHORT_MS,
    SOME,
    Stored,
    count,
    identities,
    join_late,
    judge,
    marks,
    merge_late,
    time_ranges,
)
from streams.storage.migrate import migrate

HOUR_MS = 3_600_000
BASE_MS = 1_700_000_000_000
NAMES = (("330102", "toy", "g1"), ("330103", "toy", "g2"))

Row = tuple[int, int, int]  # sensor, hours before BASE, value
rows_of = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 2)), min_size=1, max_size=40
)


@dataclass
class Model:
    """What should be stored, row by row, in the simplest way."""

    held: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    revisions: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    ledger: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    days: dict[tuple[str, str, int], int] = field(default_factory=dict)

    def take(self, row: Row, position: int) -> None:
        sensor, hours, value = row
        time_ms = BASE_MS - hours * HOUR_MS
        counts = self.ledger.setdefault(NAMES[sensor % 2], [0] * len(LEDGER_COLUMNS))
        before = self.held.get((sensor, time_ms))
        if before is not None and before[0] == value:
            counts[LEDGER_COLUMNS.index("duplicate")] += 1
            return
        if before is not None:
            self.revisions.append((sensor, time_ms, *before, value))
            counts[LEDGER_COLUMNS.index("revised")] += 1
        for name in ("stored", "late"):
            counts[LEDGER_COLUMNS.index(name)] += 1
        self.held[sensor, time_ms] = (value, position)
        area, domain, _ = NAMES[sensor % 2]
        self.days[area, domain, day_start(time_ms)] = position


def late_rows(rows: Sequence[Row], first: int) -> LateRows:
    columns = np.array(rows, np.int64)
    return LateRows(
        names=NAMES,
        name=(columns[:, 0] % 2).astype(np.int16),
        sensor=columns[:, 0].astype(np.int32),
        property=np.ones(len(rows), np.int16),
        time_ms=BASE_MS - columns[:, 1] * HOUR_MS,
        value=columns[:, 2],
        flag=np.ones(len(rows), np.int8),
        position=np.arange(first, first + len(rows)),
    )


def batches(rows: list[Row], cuts: set[int]) -> list[tuple[int, list[Row]]]:
    edges = [0, *sorted(c for c in cuts if 0 < c < len(rows)), len(rows)]
    return [(a, rows[a:b]) for a, b in pairwise(edges)]


@given(rows_of, st.sets(st.integers(1, 39), max_size=6))
def test_any_split_gives_what_row_by_row_gives(rows: list[Row], cuts: set[int]) -> None:
    model = Model()
    for position, row in enumerate(rows):
        model.take(row, position)
    held: dict[tuple[int, int], tuple[int, int]] = {}
    revisions: list[tuple[int, int, int, int, int]] = []
    ledger: dict[tuple[str, str, str], list[int]] = {}
    days: dict[tuple[str, str, int], int] = {}
    for first, batch in batches(rows, cuts):
        late = late_rows(batch, first)
        identity, firsts = identities(late)
        keys = [(int(late.sensor[i]), int(late.time_ms[i])) for i in firsts]
        known = [held.get(key, (0, 0)) for key in keys]
        stored = Stored(
            np.array([key in held for key in keys]),
            np.array([value for value, _ in known], np.int64),
            np.ones(len(keys), np.int8),
            np.array([position for _, position in known], np.int64),
        )
        verdict = judge(late, identity, stored)
        for i in np.flatnonzero(verdict.revised):
            old = (int(verdict.old_value[i]), int(verdict.old_position[i]))
            key = (int(late.sensor[i]), int(late.time_ms[i]))
            revisions.append((*key, *old, int(late.value[i])))
        for i, inserted in zip(verdict.last, verdict.inserted, strict=True):
            key = (int(late.sensor[i]), int(late.time_ms[i]))
            assert inserted == (key not in held)
            held[key] = (int(late.value[i]), int(late.position[i]))
        for name, counts in count(late, verdict).items():
            before = ledger.get(name, [0] * len(counts))
            ledger[name] = [a + int(b) for a, b in zip(before, counts, strict=True)]
        for mark in marks(late, verdict, 8 * HOUR_MS):
            days[mark.area, mark.domain, mark.day_start_ms] = mark.position
    assert held == model.held
    assert revisions == model.revisions
    assert ledger == model.ledger
    assert days == model.days


@given(st.lists(st.integers(0, 10**11), min_size=1, max_size=60))
def test_time_ranges_cover_every_time_and_are_few(times: list[int]) -> None:
    ranges = time_ranges(np.array(times, np.int64))
    assert len(ranges) <= MAX_RANGES
    assert all(any(low <= t <= high for low, high in ranges) for t in times)
    least = SHORT_MS if len(ranges) <= SOME else HOUR_MS
    assert all(a[1] + least < b[0] for a, b in pairwise(ranges))


def test_hourly_values_are_found_one_by_one() -> None:
    """Between two of them lie all the readings of a city's hour."""
    times = np.arange(24, dtype=np.int64) * HOUR_MS
    assert time_ranges(times) == [(t, t) for t in times.tolist()]


def test_hourly_values_of_many_days_are_one_range() -> None:
    assert len(time_ranges(np.arange(24 * 30, dtype=np.int64) * HOUR_MS)) == 1


def test_few_ranges_take_the_narrow_gaps_in() -> None:
    times = np.array([0, 2, 10, 12, 40], np.int64) * HOUR_MS
    assert time_ranges(times, 2) == [(0, 12 * HOUR_MS), (40 * HOUR_MS, 40 * HOUR_MS)]


@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True),
            st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=5),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_joined_late_rows_are_the_rows_one_behind_the_other(
    parts: list[tuple[list[int], list[tuple[int, int]]]],
) -> None:
    made = [named_rows(names, rows) for names, rows in parts]
    joined = join_late(made)
    assert list(told(joined)) == [row for part in made for row in told(part)]
    assert len(set(joined.names)) == len(joined.names)


def named_rows(names: list[int], rows: list[tuple[int, int]]) -> LateRows:
    """Rows of (index of the name, value); everything else follows from the value."""
    value = np.array([value for _, value in rows], np.int64)
    return LateRows(
        names=tuple((f"area {n}", "waterlogging", f"gw {n}") for n in names),
        name=np.array([index % len(names) for index, _ in rows], np.int16),
        sensor=(value + 1).astype(np.int32),
        property=(value + 2).astype(np.int16),
        time_ms=value + 3,
        value=value,
        flag=(value % 2 + 1).astype(np.int8),
        position=value + 4,
    )


def told(rows: LateRows) -> Iterator[tuple[object, ...]]:
    """Every row with its name in words."""
    columns = (rows.sensor, rows.property, rows.time_ms, rows.value, rows.flag, rows.position)
    for name, *row in zip(rows.name.tolist(), *(c.tolist() for c in columns), strict=True):
        yield (rows.names[name], *row)


@pytest.mark.integration
@pytest.mark.every_store
@pytest.mark.parametrize("cuts", [set(), {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, {4, 9}])
def test_the_store_holds_what_the_model_holds(
    database_url: str, namespace: str, cuts: set[int]
) -> None:
    rows = [(0, 1, 1), (0, 1, 1), (0, 1, 2), (1, 30, 1), (0, 1, 1), (2, 5, 0), (2, 5, 0),
            (3, 40, 2), (3, 40, 1), (1, 30, 1), (0, 2, 2), (2, 5, 1)]  # fmt: skip
    model = Model()
    for position, row in enumerate(rows):
        model.take(row, position)
    migrate(database_url, namespace, NamespaceKind.REPLAY, domains={}, partitions=1)
    ledger: dict[tuple[str, str, str], list[int]] = {}
    for first, batch in batches(rows, cuts):
        with connect(database_url, namespace) as connection, connection.cursor() as cursor:
            counts, _ = merge_late(cursor, late_rows(batch, first))
        for name, row_counts in counts.items():
            before = ledger.get(name, [0] * len(row_counts))
            ledger[name] = [a + int(b) for a, b in zip(before, row_counts, strict=True)]
    with connect(database_url, namespace) as connection:
        held = connection.execute("select sensor, ms_of(t), value, position from observation")
        assert {(s, t): (v, p) for s, t, v, p in held} == model.held
        found = connection.execute(
            "select sensor, ms_of(t), old_value, old_position, value from observation_revision"
            " order by position"
        ).fetchall()
    assert found == model.revisions
    assert ledger == model.ledger
