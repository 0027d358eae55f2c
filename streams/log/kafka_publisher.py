"""Publishes keyed records to a topic of ours: in order, acknowledged by all in-sync replicas.

The producer is idempotent: what it repeats by itself comes once. After a failure the caller says
the whole batch again, with a new producer; readers know repeats by the event's id.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kafka import KafkaProducer

from streams.errors import Misconfigured, Unavailable
from streams.log.catalogue import MAX_RECORD_BYTES
from streams.log.kafka_client import client_options, translated
from streams.settings import Settings

ANSWER_MS = 10_000
DELIVER_MS = 20_000
LINGER_MS = 5


@dataclass(frozen=True, slots=True)
class Keyed:
    """One record and where it belongs; without a body it is a tombstone of its key."""

    partition: int
    key: str
    headers: Mapping[str, str]
    body: bytes | None


class KafkaPublisher:
    """One topic; used by one thread at a time."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._options = client_options(settings)
        self._topic = topic
        self._producer: Any = None

    def partitions(self) -> int:
        """How many the topic has. Raises `Misconfigured` when there is no such topic."""
        with translated(self._topic):
            found = self._produce().partitions_for(self._topic)
        if not found:
            raise Misconfigured([f"there is no topic {self._topic}: `citybrain topics create`"])
        return len(found)

    def publish(self, records: Sequence[Keyed]) -> None:
        """Returns when all are acknowledged. Raises `Unavailable`, `Misconfigured`; then a
        beginning of them, or all, may stand in the topic."""
        try:
            with translated(self._topic):
                producer = self._produce()
                sent = [self._send(producer, record) for record in records]
                deadline = time.monotonic() + DELIVER_MS / 1000 + 1.0
                for future in sent:
                    future.get(max(0.0, deadline - time.monotonic()))
        except (Unavailable, Misconfigured):
            self.close()  # what it still holds must not come after a second try
            raise

    def close(self) -> None:
        """Gives the connections back; what is not acknowledged is dropped."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=0)

    def _send(self, producer: Any, record: Keyed) -> Any:
        return producer.send(
            self._topic,
            key=record.key.encode(),
            value=record.body,
            headers=[(name, value.encode()) for name, value in record.headers.items()],
            partition=record.partition,
        )

    def _produce(self) -> Any:
        if self._producer is None:
            self._producer = KafkaProducer(
                **self._options,
                acks="all",
                enable_idempotence=True,
                allow_auto_create_topics=False,
                linger_ms=LINGER_MS,
                max_request_size=MAX_RECORD_BYTES,
                max_block_ms=ANSWER_MS,
                request_timeout_ms=ANSWER_MS,
                delivery_timeout_ms=DELIVER_MS,
            )
        return self._producer
