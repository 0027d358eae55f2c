"""The queue-backed log: forward from the queue, back from the log, bounded, nothing omitted."""

from __future__ import annotations

import pytest

from streams.contracts.frame import Record
from streams.log.memory import MemoryLog
from streams.runtime.fetched import HEADER_BYTES, FetchedLog, Marks

BODY = b"x" * 100
SIZE = len(BODY) + HEADER_BYTES


def records(*offsets: int) -> list[Record]:
    return [Record(offset, 0, {}, BODY) for offset in offsets]


def offsets(found: list[Record]) -> list[int]:
    return [record.offset for record in found]


@pytest.fixture
def direct() -> MemoryLog:
    log = MemoryLog(2)
    log.append(0, [({}, BODY)] * 10)
    return log


@pytest.fixture
def log(direct: MemoryLog) -> FetchedLog:
    made = FetchedLog(direct)
    made.open(0, 4)
    return made


def test_reads_forward_what_was_offered(log: FetchedLog) -> None:
    log.offer(0, records(4, 5, 6))
    assert offsets(log.read(0, 4, max_records=2)) == [4, 5]
    assert offsets(log.read(0, 6)) == [6]
    assert log.read(0, 7) == []


def test_nothing_comes_before_it_is_opened(direct: MemoryLog) -> None:
    log = FetchedLog(direct)
    assert log.offer(0, records(0, 1))
    assert log.read(0, 0) == []


def test_what_lies_below_the_expected_offset_is_dropped(log: FetchedLog) -> None:
    log.offer(0, records(2, 3, 4))
    log.offer(0, records(3, 4, 5))
    assert offsets(log.read(0, 4)) == [4, 5]


def test_gaps_are_accepted(log: FetchedLog) -> None:
    log.offer(0, records(6, 9))
    assert offsets(log.read(0, 4)) == [6, 9]
    assert log.read(0, 10) == []


def test_goes_back_to_the_log_and_on_with_the_queue(log: FetchedLog) -> None:
    log.offer(0, records(4, 5, 6))
    assert offsets(log.read(0, 4, max_records=2)) == [4, 5]
    assert offsets(log.read(0, 2)) == [2, 3, 4, 5]  # the queue holds the rest from 6 on
    assert offsets(log.read(0, 6)) == [6]


def test_a_gap_before_the_queue_leads_into_the_queue() -> None:
    class Sparse(MemoryLog):
        def read(
            self, partition: int, offset: int, max_records: int = 1000, max_bytes: int = 8 << 20
        ) -> list[Record]:
            return [r for r in records(0, 1, 5, 6) if r.offset >= offset][:max_records]

    back = FetchedLog(Sparse(1))
    back.open(0, 6)
    back.offer(0, records(6, 7))
    assert offsets(back.read(0, 2)) == [5]
    assert offsets(back.read(0, 6)) == [6, 7]


def test_a_host_that_was_moved_on_skips_what_waits(log: FetchedLog) -> None:
    log.offer(0, records(4, 5, 6))
    assert offsets(log.read(0, 6)) == [6]
    assert log.read(0, 20) == []
    log.offer(0, records(7, 19, 20))
    assert offsets(log.read(0, 20)) == [20]


def test_one_record_is_given_whatever_its_size(log: FetchedLog) -> None:
    log.offer(0, records(4, 5))
    assert offsets(log.read(0, 4, max_bytes=1)) == [4]


@pytest.mark.parametrize(
    "marks",
    [Marks(high_bytes=4 * SIZE, least_bytes=1), Marks(high_records=4)],
    ids=["bytes", "records"],
)
def test_pauses_at_the_high_mark_and_goes_on_at_the_low_one(
    direct: MemoryLog, marks: Marks
) -> None:
    room: list[int] = []
    log = FetchedLog(direct, marks, room.append)
    log.open(0, 0)
    assert not log.offer(0, records(0, 1, 2))
    assert log.offer(0, records(3))
    assert log.paused() == 1
    log.read(0, 0, max_records=1)
    assert room == []
    log.read(0, 1, max_records=1)
    assert room == [0]
    assert log.paused() == 0


def test_partitions_share_the_bytes() -> None:
    marks = Marks(high_bytes=100, least_bytes=10)
    assert marks.is_high(50, 1, partitions=2)
    assert not marks.is_high(50, 1, partitions=1)
    assert not marks.is_high(9, 1, partitions=50)


def test_a_new_assignment_begins_anew(log: FetchedLog) -> None:
    log.offer(0, records(4, 5))
    log.shut(0)
    assert log.read(0, 4) == []
    log.open(0, 8)
    log.offer(0, records(5, 8))
    assert offsets(log.read(0, 8)) == [8]


def test_the_end_is_what_the_consumer_saw(log: FetchedLog) -> None:
    log.mark(0, end=9, fetched_to=4)
    assert log.end(0) == 9
    assert not log.is_worked_off(0, 4)
    log.offer(0, records(4, 7))
    log.mark(0, end=9, fetched_to=9)  # markers of transactions at 8
    assert log.end(0) == 8
    assert log.is_worked_off(0, 8)
    assert not log.is_worked_off(0, 7)


def test_more_may_have_come_since_the_end_was_seen(log: FetchedLog) -> None:
    log.mark(0, end=4, fetched_to=4)
    assert log.is_worked_off(0, 4)
    log.offer(0, records(4))
    assert not log.is_worked_off(0, 5)


def test_bounds_come_from_the_log_until_the_consumer_knows_them(log: FetchedLog) -> None:
    assert (log.first(0), log.end(0)) == (0, 10)
    log.mark(0, end=12, fetched_to=4, first=3)
    assert (log.first(0), log.end(0)) == (3, 12)


def test_waiting_ends_when_something_comes(log: FetchedLog) -> None:
    assert not log.wait(0.0)
    log.offer(0, records(4))
    assert log.wait(0.0)
    assert not log.wait(0.0)
