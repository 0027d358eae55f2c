"""The broker as the harness needs it: topics made, filled, read to their end and deleted; how far
a group's committed positions are. Everything that is made carries one prefix and goes with it."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any

import msgpack
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError

from benchmarks.side_by_side.data import PARTITIONS, Content

READY_S = 20.0
READ_S = 120.0
CONFIG = {"retention.ms": "-1", "message.timestamp.type": "CreateTime"}
Headed = tuple[int, bytes, bytes, int, list[tuple[str, bytes]]]


class Broker:
    """One broker (or cluster) at an address."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._admin: Any = KafkaAdminClient(bootstrap_servers=address, bootstrap_timeout_ms=3000)

    def __enter__(self) -> Broker:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._admin.close()

    def make(self, *topics: str) -> None:
        """Makes topics of four partitions and waits until they have leaders."""
        with contextlib.suppress(TopicAlreadyExistsError):
            self._admin.create_topics(
                [NewTopic(t, PARTITIONS, 1, topic_configs=CONFIG) for t in topics]
            )
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            found = self._admin.describe_topics(list(topics))
            if all(_ready(topic) for topic in found):
                return
            time.sleep(0.05)
        raise TimeoutError(f"topics {', '.join(topics)} did not become ready in {READY_S:.0f} s")

    def fill(self, python: str, topic: str, records: Iterable[Content | Headed]) -> None:
        """Makes the topic and writes the records, with the producer of the rivals' environment."""
        self.make(topic)
        command = [python, "-m", "benchmarks.rivals.load", self.address]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as loader:
            assert loader.stdin is not None
            pack = msgpack.Packer()
            for partition, key, body, time_ms, *headers in records:
                found = headers[0] if headers else []
                loader.stdin.write(pack.pack([topic, partition, key, body, time_ms, found]))
            loader.stdin.close()
            if loader.wait():
                raise RuntimeError(f"topic {topic} could not be filled")

    def is_caught_up(self, group: str, topic: str) -> bool:
        """Whether the group's committed positions stand at the end of the topic, and of every
        other topic that it reads (a repartition topic of its own)."""
        found = self._admin.list_group_offsets({group: None})[group]
        places = {TopicPartition(topic, n) for n in range(PARTITIONS)} | set(found)
        with self._reader() as reader:
            ends = reader.end_offsets(sorted(places))
        return all(p in found and found[p].offset >= end for p, end in ends.items() if end)

    def read(self, topic: str) -> Iterator[tuple[bytes, bytes]]:
        """Key and body of everything committed in the topic, partition by partition."""
        with self._reader() as reader:
            numbers = sorted(reader.partitions_for_topic(topic) or ())
            places = [TopicPartition(topic, number) for number in numbers]
            reader.assign(places)
            reader.seek_to_beginning(*places)
            ends = reader.end_offsets(places)
            deadline = time.monotonic() + READ_S
            while any(reader.position(place) < ends[place] for place in places):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"topic {topic} could not be read to its end")
                for messages in reader.poll(500, max_records=5000).values():
                    for message in messages:
                        if message.value is not None:
                            yield message.key or b"", message.value

    def delete(self, prefix: str) -> None:
        """Deletes every topic and group whose name holds it: engines may put words before it."""
        topics = [topic for topic in self._admin.list_topics() if prefix in topic]
        for topic in topics:
            with contextlib.suppress(UnknownTopicOrPartitionError):
                self._admin.delete_topics([topic])
        groups = [g["group_id"] for g in self._admin.list_groups()]
        mine = [group for group in groups if prefix in group]
        if mine:
            self._admin.delete_groups(mine)

    @contextlib.contextmanager
    def _reader(self) -> Iterator[Any]:
        reader = KafkaConsumer(
            bootstrap_servers=self.address,
            enable_auto_commit=False,
            isolation_level="read_committed",
            bootstrap_timeout_ms=3000,
        )
        try:
            yield reader
        finally:
            reader.close()


def _ready(topic: dict[str, Any]) -> bool:
    partitions: Sequence[dict[str, Any]] = topic.get("partitions", ())
    return len(partitions) == PARTITIONS and all(p["leader_id"] >= 0 for p in partitions)
