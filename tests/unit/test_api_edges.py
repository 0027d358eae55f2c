"""The border of the API without a database: times, decimals, cursors, rates, differences."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as some

from api.colour import colour
from api.exact import mean, unscaled
from api.latest import latest_table
from api.live import Sample, difference, rates
from api.moment import age_s, from_ms, iso, mend_plus
from api.paging import Paging, decode, encode
from api.problem import Problem
from api.queries.rows import LatestRow, LedgerCounts, PartitionRow, PropertyRow, SensorRow
from api.queries.statements import statements
from api.routers.accounts import counts
from api.routers.areas import parse_bbox
from api.routers.namespaces import ingest_time, is_unattended, partition_health

NOW = datetime(2024, 9, 15, 22, 30, tzinfo=UTC)


def test_times_are_written_in_shanghai() -> None:
    assert iso(NOW) == "2024-09-16T06:30:00+08:00"
    assert iso(from_ms(1_726_439_400_120)) == "2024-09-16T06:30:00.120+08:00"


@pytest.mark.parametrize(
    ("given_text", "understood"),
    [
        ("2024-09-16T06:30:00 08:00", "2024-09-16T06:30:00+08:00"),
        ("2024-09-16T06:30:00+08:00", "2024-09-16T06:30:00+08:00"),
        ("2024-09-16 06:30:00", "2024-09-16 06:30:00"),
    ],
)
def test_only_an_unescaped_plus_is_mended(given_text: str, understood: str) -> None:
    assert mend_plus(given_text) == understood


def test_age_is_never_negative_and_unknown_without_a_clock() -> None:
    assert age_s(NOW - timedelta(seconds=90), NOW) == 90
    assert age_s(NOW + timedelta(seconds=90), NOW) == 0
    assert age_s(None, NOW) is None
    assert age_s(NOW, None) is None


@pytest.mark.parametrize(
    ("value", "scale", "text"),
    [(153, 3, "0.153"), (-5, 1, "-0.5"), (0, 2, "0.00"), (7, 0, "7"), (2**63 - 1, 3, None)],
)
def test_decimals_are_exact(value: int, scale: int, text: str | None) -> None:
    assert unscaled(value, scale).text == (text or "9223372036854775.807")


@pytest.mark.parametrize(
    ("total", "count", "text"), [(1, 3, "0.00033"), (1, 8, "0.00012"), (3, 8, "0.00038")]
)
def test_means_are_rounded_half_to_even(total: int, count: int, text: str) -> None:
    found = mean(total, count, 3)
    assert found is not None
    assert found.text == text


def test_there_is_no_mean_of_nothing() -> None:
    assert mean(0, 0, 3) is None


@given(some.lists(some.one_of(some.text(), some.integers(-(2**53), 2**53)), max_size=5))
def test_cursors_come_back_as_they_were(key: list[str | int]) -> None:
    assert list(decode(encode(key, "f"), "f")) == key


@given(some.text())
def test_a_foreign_cursor_is_a_problem(text: str) -> None:
    with pytest.raises(Problem) as refused:
        decode(text, "filters that nobody guesses")
    assert refused.value.status == 422


@pytest.mark.parametrize("after", [("a",), ("a", 1), (1, "2024-09-16T06:30:00+08:00"), (1, "x")])
def test_cursor_parts_of_other_kinds_are_refused(after: tuple[str | int, ...]) -> None:
    with pytest.raises(Problem):
        Paging(10, after, "f").key(str, datetime)


def test_a_page_has_a_cursor_only_when_more_follows() -> None:
    paging = Paging(2, None, "f")
    page, cursor = paging.cut(["a", "b", "c"], lambda row: (row,))
    assert page == ["a", "b"]
    assert cursor is not None
    assert decode(cursor, "f") == ("b",)
    assert paging.cut(["a", "b"], lambda row: (row,)) == (["a", "b"], None)
    assert paging.cut([], lambda row: (row,)) == ([], None)


@pytest.mark.parametrize("text", ["", "1,2,3", "1,2,3,x", "3,0,1,1", "0,3,1,1", "nan,0,1,1"])
def test_bad_boxes_are_problems(text: str) -> None:
    with pytest.raises(Problem):
        parse_bbox(text)


def test_colours_have_a_word_beside_the_rank() -> None:
    assert [colour(rank).zh for rank in range(5)] == ["绿", "蓝", "黄", "橙", "红"]


def partition(**changes: int | None) -> PartitionRow:
    row: dict[str, int | None] = {"log_end": 10, "position": 4, "append_ms": None}
    row |= {"waiting_ms": int((NOW - timedelta(seconds=31)).timestamp() * 1000)} | changes
    return PartitionRow(
        topic="t",
        partition=0,
        first_offset=0,
        checkpoint=0,
        epoch=1,
        headers=None,
        **row,  # type: ignore[arg-type]
    )


def test_a_partition_stalls_only_when_its_next_record_waits_too_long() -> None:
    assert partition_health(partition(), NOW, 30).stalled
    assert not partition_health(partition(), NOW, 32).stalled
    assert not partition_health(partition(position=10), NOW, 30).stalled
    assert partition_health(partition(), NOW, 30).lag == 6


def test_a_partition_is_complete_up_to_its_last_record_or_now() -> None:
    before = NOW - timedelta(seconds=40)
    last = int(before.timestamp() * 1000)
    assert partition_health(partition(append_ms=last), NOW, 30).complete_to == before
    assert partition_health(partition(append_ms=last, position=10), NOW, 30).complete_to == NOW
    assert partition_health(partition(), NOW, 30).complete_to is None


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"ce_time": "2024-09-16T06:30:00+08:00"}, NOW),
        ({"ce_time": "2024-09-16T06:30:00"}, None),
        ({"ce_time": "soon"}, None),
        ({}, None),
    ],
)
def test_processing_time_is_the_records_ingest_time(
    headers: dict[str, str], found: datetime | None
) -> None:
    assert ingest_time(msgpack.packb(headers)) == found


@pytest.mark.parametrize(
    ("changed", "closes"), [({}, True), ({"received": 11}, False), ({"late": 3}, False)]
)
def test_the_ledger_says_whether_it_closes(changed: dict[str, int], closes: bool) -> None:
    row = {
        "received": 10, "rejected": 1, "quarantined": 1, "duplicate": 1, "stored": 7,
        "on_time": 5, "late": 2, "revised": 1,
    }  # fmt: skip
    assert counts(LedgerCounts(**(row | changed))).closes is closes


def test_latest_values_come_out_of_the_columns_with_age_and_silence() -> None:
    series = {
        "sensor": [7, 8, 7], "property": ["depth", "depth", "gone"],
        "time": [1_726_439_370_000] * 3, "value": [153, 20, 1], "flag": [1, 3, 1],
    }  # fmt: skip
    rows = [LatestRow("a", "waterlogging", NOW, NOW, {"series": series, "silent": [8]})]
    table = latest_table(rows, {"depth": PropertyRow(1, "depth", "waterlogging", "m", 3)}, NOW)
    (first,) = table.of([SensorRow(7, "s7", "p", "g", ["depth"], 60)])
    assert (first.value.text, first.age_s, first.quality, first.silent) == (
        "0.153", 30, "good", False,
    )  # fmt: skip
    (second,) = table.of([SensorRow(8, "s8", "p", "g", ["depth"], 60)])
    assert (second.quality, second.silent) == ("suspect", True)
    assert table.of([SensorRow(9, "s9", "p", "g", ["depth"], 60)]) == []


def test_rates_follow_the_processing_clock() -> None:
    samples = deque([Sample(10.0, NOW, 100), Sample(14.0, NOW + timedelta(minutes=4), 900)])
    assert rates(samples) == {"readings_per_s": 200.0, "speed": 60.0}
    assert rates(deque([Sample(1.0, NOW, 5)])) == {"readings_per_s": None, "speed": None}


def test_differences_are_sections_and_single_areas() -> None:
    old = {"areas": {"a": {"rank": 1}, "b": {"rank": 0}}, "alerts": [1], "trouble": None}
    new = {"areas": {"a": {"rank": 2}, "b": {"rank": 0}}, "alerts": [1], "trouble": None}
    assert difference(old, new) == {"areas": {"a": {"rank": 2}}}
    assert difference({}, new) == new
    assert difference(new, new) == {}
    assert difference(new, {**new, "trouble": "database"}) == {"trouble": "database"}
    assert difference({**new, "trouble": "database"}, new) == {"trouble": None}


def test_statements_are_named_once_and_hold_one_statement_each() -> None:
    for name, text in statements().items():
        code = b"\n".join(line for line in text.splitlines() if not line.startswith(b"--"))
        assert b";" not in code, name


def test_a_live_namespace_without_a_turning_worker_is_not_healthy() -> None:
    assert is_unattended("live", [], 30)
    assert is_unattended("live", [31.0, None], 30)
    assert not is_unattended("live", [31.0, 30.0], 30)
    assert not is_unattended("replay", [], 30)
