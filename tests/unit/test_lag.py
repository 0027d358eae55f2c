"""How far behind, complete up to when, and what is about to be lost."""

from __future__ import annotations

import pytest

from deploy.lag import Lag, PartitionLag, compare
from streams.contracts.reason import LogKind
from streams.log.catalogue import DAY_MS
from streams.log.memory import MemoryLog
from streams.storage.progress import Position

NOW = 100 * DAY_MS
WEEK = 7 * DAY_MS


class ShortLog(MemoryLog):
    """One that lost its beginning."""

    def first(self, partition: int) -> int:
        return 5


def log_with(records: int, age_ms: int = 0, kind: type[MemoryLog] = MemoryLog) -> MemoryLog:
    made = kind(1, lambda: NOW - age_ms)
    if records:
        made.append(0, [({}, b"")] * records)
    return made


def look(
    log: MemoryLog, position: Position | None, retention_ms: int | None = WEEK
) -> PartitionLag:
    known = {} if position is None else {0: position}
    return compare(log, known, NOW, retention_ms)[0]


def test_nothing_behind_is_complete_up_to_now() -> None:
    found = look(log_with(10), Position(10, 8, NOW - 60_000))
    assert (found.behind, found.complete_ms, found.warning) == (0, NOW, None)


def test_behind_is_complete_up_to_the_last_record_that_was_done() -> None:
    found = look(log_with(10), Position(7, 5, NOW - 60_000))
    assert (found.behind, found.complete_ms) == (3, NOW - 60_000)


def test_what_no_worker_ever_had_is_complete_up_to_nothing() -> None:
    assert look(log_with(10), None).complete_ms is None
    assert look(log_with(0), None).complete_ms == NOW


def test_an_old_checkpoint_is_told_before_its_record_is_deleted() -> None:
    position = Position(10, 8, NOW)
    assert look(log_with(10, WEEK // 2 - 1), position).warning is None
    assert "the checkpoint is 3.5 days old" in (
        look(log_with(10, WEEK // 2), position).warning or ""
    )
    assert look(log_with(10, WEEK // 2), position, None).warning is None
    assert look(log_with(10, WEEK // 2), position, -1).warning is None
    assert look(log_with(10, 50 * DAY_MS), Position(10, 10, NOW)).warning is None


@pytest.mark.parametrize("checkpoint", [0, 4])
def test_records_that_are_needed_and_gone_are_told(checkpoint: int) -> None:
    found = look(log_with(10, kind=ShortLog), Position(6, checkpoint, NOW))
    assert f"records {checkpoint} to 4 are needed" in (found.warning or "")


def test_a_log_that_is_shorter_than_what_was_read_of_it_is_told() -> None:
    assert "was cut off, or made again" in (look(log_with(3), Position(4, 3, NOW)).warning or "")


def test_the_whole_is_complete_up_to_its_slowest_partition() -> None:
    parts = [PartitionLag(n, 0, 10, 7, 5, NOW - n) for n in (1, 2)]
    assert Lag("x", LogKind.TABLE, tuple(parts), None).complete_ms == NOW - 2
    parts.append(PartitionLag(3, 0, 10, 0, 0, None))
    whole = Lag("x", LogKind.TABLE, tuple(parts), None)
    assert (whole.complete_ms, whole.behind) == (None, 16)
