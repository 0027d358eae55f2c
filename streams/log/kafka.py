"""The log in Apache Kafka: one topic, records to stated partitions, acknowledged by all replicas.

Reads go to an offset without a consumer group. Offsets may have gaps (transaction markers).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from streams.contracts.frame import Record
from streams.errors import Unavailable
from streams.log import Entry
from streams.log.kafka_client import client_options, translated
from streams.settings import Settings

ACKNOWLEDGE_S = 30.0
POLL_MS = 500


class KafkaLog:
    """A `Log` in Kafka. Safe to share between threads; one call at a time."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._options = client_options(settings)
        self._topic = topic
        self._lock = threading.Lock()
        self._producer: Any = None
        self._consumer: Any = None
        self._identity: str | None = None
        self._closing = threading.Event()

    def append(self, partition: int, entries: Sequence[Entry]) -> int:
        if not entries:
            raise ValueError("nothing to append")
        self._check(partition)
        with self._lock, translated():
            producer = self._produce()
            sent = [
                producer.send(
                    self._topic,
                    value=body,
                    headers=[(name, value.encode()) for name, value in headers.items()],
                    partition=partition,
                )
                for headers, body in entries
            ]
            offsets = [future.get(ACKNOWLEDGE_S).offset for future in sent]
            return int(offsets[0])

    def read(
        self, partition: int, offset: int, max_records: int = 1000, max_bytes: int = 8 << 20
    ) -> list[Record]:
        where = TopicPartition(self._topic, partition)
        if offset >= self.end(partition):
            return []
        with self._lock, translated():
            consumer = self._consume()
            consumer.assign([where])
            consumer.seek(where, offset)
            found = consumer.poll(POLL_MS, max_records=max_records).get(where, [])
        return _within([_record(message) for message in found], max_bytes)

    def first(self, partition: int) -> int:
        self._check(partition)
        where = TopicPartition(self._topic, partition)
        with self._lock, translated():
            return int(self._consume().beginning_offsets([where])[where])

    def end(self, partition: int) -> int:
        self._check(partition)
        where = TopicPartition(self._topic, partition)
        with self._lock, translated():
            return int(self._consume().end_offsets([where])[where])

    def partitions(self) -> int:
        with self._lock, translated():
            return len(self._consume().partitions_for_topic(self._topic) or ())

    def identity(self) -> str:
        if self._identity is None:
            with translated():
                admin = KafkaAdminClient(**self._options)
                try:
                    cluster = admin.describe_cluster()["cluster_id"]
                    topic = admin.describe_topics([self._topic])[0]
                finally:
                    admin.close()
            if topic["error_code"]:
                raise Unavailable(f"Kafka has no topic {self._topic}: `citybrain topics create`")
            self._identity = f"kafka {cluster} {topic['topic_id']}"
        return self._identity

    def wait(self, timeout_s: float) -> bool:
        """Kafka tells nobody that something came: it waits the time out (at most)."""
        self._closing.wait(timeout_s)
        return False

    def close(self) -> None:
        self._closing.set()
        with self._lock:
            for client in (self._producer, self._consumer):
                if client is not None:
                    client.close()
            self._producer = self._consumer = None

    def _check(self, partition: int) -> None:
        if not 0 <= partition < self.partitions():
            raise ValueError(f"no partition {partition}")

    def _produce(self) -> Any:
        if self._producer is None:
            self._producer = KafkaProducer(
                acks="all", enable_idempotence=True, linger_ms=0, **self._options
            )
        return self._producer

    def _consume(self) -> Any:
        if self._consumer is None:
            self._consumer = KafkaConsumer(
                group_id=None, enable_auto_commit=False, auto_offset_reset="none", **self._options
            )
        return self._consumer


def _record(message: Any) -> Record:
    headers = {name: value.decode("utf-8", "replace") for name, value in message.headers}
    return Record(message.offset, message.timestamp, headers, message.value or b"")


def _within(records: list[Record], max_bytes: int) -> list[Record]:
    size = 0
    for number, record in enumerate(records):
        size += len(record.body)
        if number and size > max_bytes:
            return records[:number]
    return records
