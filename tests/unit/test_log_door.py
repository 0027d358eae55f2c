"""The way to the log: opened when needed, opened anew after it failed, and nothing but 503."""

from __future__ import annotations

import pytest

from api.actions.log_door import LogDoor
from streams.errors import Misconfigured, Unavailable
from streams.log import Entry, Log
from streams.log.memory import MemoryLog

RECORD: Entry = ({"ce_id": "1"}, b"{}")


class Opener:
    """Gives one log; fails as often as it is told to."""

    def __init__(self, *failures: Exception) -> None:
        self.log, self.failures, self.asked = MemoryLog(2), list(failures), 0

    def __call__(self, namespace: str) -> Log:
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        return self.log


def test_a_log_is_opened_once_and_only_when_needed() -> None:
    opener = Opener()
    door = LogDoor(opener)
    assert opener.asked == 0
    assert [door.append("city", 1, RECORD) for _ in range(3)] == [0, 1, 2]
    assert opener.asked == 1
    assert [record.body for record in opener.log.read(1, 0)] == [b"{}"] * 3
    door.close()


def test_what_cannot_be_opened_is_unavailable_and_tried_again() -> None:
    opener = Opener(Misconfigured(["set CITYBRAIN_KAFKA"]), Unavailable("refused"))
    door = LogDoor(opener)
    for why in ("set CITYBRAIN_KAFKA", "refused"):
        with pytest.raises(Unavailable, match=why):
            door.append("city", 0, RECORD)
    assert door.append("city", 0, RECORD) == 0


def test_without_a_way_to_the_log_it_says_so() -> None:
    with pytest.raises(Unavailable, match="without a way to the log"):
        LogDoor(None).append("city", 0, RECORD)
