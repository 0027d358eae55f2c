"""The history is a dictionary by (series, time) in which the last word wins."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streams.windows.chunk import Chunk, pack, unpack
from streams.windows.cold import narrow
from streams.windows.history import History

BUCKET_MS = 1000
ROW = st.tuples(st.integers(0, 4), st.integers(0, 9_999), st.integers(-5, 5), st.integers(1, 4))
CHUNKS = st.lists(st.lists(ROW, min_size=1, max_size=12), max_size=8)
Row = tuple[int, int, int, int]


def chunk_of(rows: list[Row], position: int = 0) -> Chunk:
    """Rows (series, time, value, flag) as they came."""
    columns = np.array(rows, np.int64).reshape(len(rows), 4).T
    return Chunk(
        columns[0].astype(np.int32),
        columns[1],
        columns[2],
        columns[3].astype(np.int8),
        np.full(len(rows), position, np.int64),
    )


def build(chunks: list[list[Row]]) -> tuple[History, dict[tuple[int, int], tuple[int, int]]]:
    history, known = History(BUCKET_MS, warm=2), dict[tuple[int, int], tuple[int, int]]()
    for position, rows in enumerate(chunks):
        history.add(chunk_of(rows, position))
        known |= {(series, time): (value, flag) for series, time, value, flag in rows}
    return history, known


def listed(chunk: Chunk) -> list[Row]:
    columns = (chunk.series, chunk.time_ms, chunk.value, chunk.flag)
    return list(zip(*(column.tolist() for column in columns), strict=True))


@given(chunks=CHUNKS, start=st.integers(-100, 10_100), length=st.integers(1, 10_100))
def test_a_period_holds_the_last_words_in_order(
    chunks: list[list[Row]], start: int, length: int
) -> None:
    history, known = build(chunks)
    end = start + length
    want = sorted((s, t, *held) for (s, t), held in known.items() if start <= t < end)
    assert listed(history.chunk_between(None, start, end)) == want


@given(
    chunks=CHUNKS,
    start=st.integers(0, 9_000),
    length=st.integers(1, 5_000),
    wanted=st.sets(st.integers(0, 5)),
)
def test_some_series_of_a_period(
    chunks: list[list[Row]], start: int, length: int, wanted: set[int]
) -> None:
    history, known = build(chunks)
    series = np.array(sorted(wanted), np.int32)
    rows = history.between(series, start, start + length)
    want = sorted(
        (s, t, v) for (s, t), (v, _) in known.items() if s in wanted and start <= t < start + length
    )
    columns = (rows.series, rows.time_ms, rows.value)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == want


@given(chunks=CHUNKS, asked=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9_999))))
def test_finding_knows_what_is_known(chunks: list[list[Row]], asked: list[tuple[int, int]]) -> None:
    history, known = build(chunks)
    keys = asked + list(known)
    series = np.array([key[0] for key in keys], np.int32)
    found = history.find(series, np.array([key[1] for key in keys], np.int64))
    for row, key in enumerate(keys):
        assert (found.position[row] >= 0) == (key in known)
        if key in known:
            assert (found.value[row], found.flag[row]) == known[key]


@given(chunks=CHUNKS, later=CHUNKS, start=st.integers(-100, 10_100), length=st.integers(1, 10_100))
def test_saved_segments_bring_it_back(
    chunks: list[list[Row]], later: list[list[Row]], start: int, length: int
) -> None:
    """Segments stay packed until somebody asks: they must answer as rows do, also with new ones."""
    history, _ = build(chunks)
    again = History(BUCKET_MS, warm=2)
    for chunk in history.unsaved:
        again.restore(pack(chunk), int(chunk.time_ms.max()))
    assert again.unsaved == []
    assert again.starts(start, start + length) == history.starts(start, start + length)
    for rows in later:
        again.add(chunk_of(rows, 99))
        history.add(chunk_of(rows, 99))
    assert listed(again.chunk_between(None, start, start + length)) == listed(
        history.chunk_between(None, start, start + length)
    )


def packed_without_steps(chunk: Chunk) -> bytes:
    """A segment as it was written before columns had steps; checkpoints may still hold some."""
    bases = int(chunk.time_ms.min()), int(chunk.position.min())
    columns = (
        chunk.series.astype("<i4"),
        (chunk.time_ms - bases[0]).astype("<i8"),
        chunk.value.astype("<i8"),
        chunk.flag.astype("<i1"),
        (chunk.position - bases[1]).astype("<i8"),
    )
    head = np.array([len(chunk), *bases], "<i8").tobytes()
    return head + bytes(c.itemsize for c in columns) + b"".join(c.tobytes() for c in columns)


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 2**20), st.integers(0, 2**41), st.integers(-(2**53), 2**53), ROW),
        min_size=1,
    ),
    position=st.integers(0, 2**60),
)
def test_packing_keeps_every_number(rows: list[tuple[int, int, int, Row]], position: int) -> None:
    chunk = chunk_of([(s, t, v, other[3]) for s, t, v, other in rows], position)
    for found in (unpack(pack(chunk)), unpack(packed_without_steps(chunk))):
        assert listed(found) == listed(chunk)
        np.testing.assert_array_equal(found.position, chunk.position)


@given(chunks=CHUNKS, before=st.integers(0, 10_000))
def test_forgetting_drops_whole_buckets_only(chunks: list[list[Row]], before: int) -> None:
    history, known = build(chunks)
    history.forget(before)
    kept = before // BUCKET_MS * BUCKET_MS
    want = sorted((s, t, *held) for (s, t), held in known.items() if t >= kept)
    assert listed(history.chunk_between(None, 0, 10_000)) == want


@given(
    values=st.lists(st.integers(-(2**62), 2**62), min_size=1)
    | st.lists(st.integers(-5, 70_000), min_size=1)
)
def test_a_narrow_column_keeps_every_number(values: list[int]) -> None:
    column = np.array(values, np.int64)
    found = narrow(column)
    np.testing.assert_array_equal(found.wide(len(values)), column)
    if max(values) - min(values) < 256:
        assert found.rest is None or found.rest.itemsize == 1
