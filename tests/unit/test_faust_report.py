"""C is reported to the group only between an assignment and the next revocation."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from streams.log.memory import MemoryLog
from streams.runtime.faust_consumer import GroupThread
from streams.runtime.fetched import FetchedLog, Marks

WHERE = TopicPartition("t", 0)


class Consumer:
    """As much of aiokafka's as a look at the log needs."""

    def __init__(self) -> None:
        self.committed: list[Any] = []

    def assignment(self) -> set[TopicPartition]:
        return {WHERE}

    async def beginning_offsets(self, given: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(given, 0)

    async def end_offsets(self, given: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(given, 9)

    async def commit(self, report: Mapping[TopicPartition, Any]) -> None:
        self.committed.append({where: told.offset for where, told in report.items()})


@pytest.mark.parametrize(("steady", "told"), [(True, [{WHERE: 5}]), (False, [])])
def test_a_report_waits_for_a_steady_group(steady: bool, told: list[Any]) -> None:
    """During a rebalance the group refuses it, and aiokafka then joins anew: so would all others,
    again and again."""
    consumer = Consumer()
    thread = Thread(consumer)
    thread.steady = steady
    asyncio.run(thread._look())
    assert consumer.committed == told


class Thread(GroupThread):
    """The consumer's thread without its loop and without Faust."""

    def __init__(self, consumer: Consumer) -> None:
        self._given = consumer
        log = FetchedLog(MemoryLog(1), Marks(), lambda _: None)
        self._group = SimpleNamespace(topic="t", log=log, saved=lambda: {0: 5})

    def _ensure_consumer(self) -> Any:
        return self._given

    def _position(self, where: TopicPartition) -> int:
        return 5
