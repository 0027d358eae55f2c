"""The log in Apache Kafka: one topic, records to stated partitions, acknowledged by all replicas.

Reads go to an offset without a consumer group, and see only what is committed. Offsets may have
gaps: markers of transactions, records of aborted ones, and what was deleted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import OffsetOutOfRangeError, for_code

from streams.contracts.frame import Record
from streams.errors import Misconfigured, Unavailable
from streams.log import Entry
from streams.log.catalogue import MAX_LETTER_BYTES
from streams.log.kafka_client import client_options, translated
from streams.log.kafka_record import record_of
from streams.settings import Settings

DELIVER_MS = 20_000  # an append ends within this, well or badly
ANSWER_MS = 10_000  # a question about offsets
READ_S = 20.0  # records that are there must come within this
POLL_MS = 500
UNKNOWN_TOPIC = 3  # error code of the protocol
WATCH_S = 0.05  # between two looks at the ends, while somebody waits
BATCH_BYTES = 1 << 20
FETCH_BYTES = 4 << 20
FETCH_WAIT_MS = 5  # only what is there is fetched; a broker that waits would hold the next one up
RETRY_MS = 20


T = TypeVar("T")


@dataclass(slots=True)
class _Cursor:
    """Where the last read of a partition ended, and what was fetched beyond it."""

    next: int = -1
    ahead: list[Record] = field(default_factory=list)


class KafkaLog:
    """A `Log` in Kafka. Safe to share between threads: appends overlap, reads take turns."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._options = client_options(settings)
        self._topic = topic
        self._count: int | None = None
        self._closing = threading.Event()
        self._sending = threading.Lock()
        self._producer: Any = None
        self._reading = threading.Lock()
        self._consumer: Any = None
        self._cursors: dict[int, _Cursor] = {}
        self._ends: dict[int, int] = {}  # at least so far
        self._watching = threading.Lock()
        self._watcher: Any = None
        self._seen: int | None = None
        self._asking = threading.Lock()
        self._admin: Any = None

    def append(self, partition: int, entries: Sequence[Entry]) -> int:
        """See `Log`. What a failed append had sent may stand in the log, then as a beginning."""
        if not entries:
            raise ValueError("nothing to append")
        self._check(partition)
        try:
            with translated(self._topic):
                with self._sending:
                    producer = self._produce()
                    sent = [self._send(producer, partition, entry) for entry in entries]
                deadline = time.monotonic() + DELIVER_MS / 1000 + 1.0
                offsets = [_offset(future, deadline) for future in sent]
                return offsets[0]
        except (Unavailable, Misconfigured):
            self._drop_producer()  # what it still holds must not come after a second try
            raise

    def read(
        self, partition: int, offset: int, max_records: int = 1000, max_bytes: int = 8 << 20
    ) -> list[Record]:
        self._check(partition)
        with self._reading:
            try:
                with translated(self._topic):
                    cursor = self._cursor(partition, offset)
                    if not cursor.ahead:
                        cursor.ahead = self._fetch(partition, offset, max_records)
            except (Unavailable, Misconfigured):
                self._drop_consumer()
                raise
            count = _within(cursor.ahead, max_records, max_bytes)
            found, cursor.ahead = cursor.ahead[:count], cursor.ahead[count:]
            if found:
                cursor.next = found[-1].offset + 1
            return found

    def first(self, partition: int) -> int:
        self._check(partition)
        return self._asked(partition, lambda c, w: c.beginning_offsets(w, ANSWER_MS))

    def end(self, partition: int) -> int:
        self._check(partition)
        return self._asked(partition, lambda c, w: c.end_offsets(w, ANSWER_MS))

    def partitions(self) -> int:
        """Asked once: the number is fixed. `Misconfigured` when there is no such topic."""
        if self._count is None:
            self._count = len(self._describe()["partitions"])
        return self._count

    def identity(self) -> str:
        """Cluster and topic as Kafka numbers them. Asked each time: topics are made again."""
        topic = self._describe()
        cluster = self._administer(lambda admin: admin.describe_cluster()["cluster_id"])
        return f"kafka {cluster} {topic['topic_id']}"

    def wait(self, timeout_s: float) -> bool:
        """Looks at the ends of all partitions; what came before the first call is not announced."""
        deadline = time.monotonic() + timeout_s
        with self._watching:
            try:
                while not self._closing.is_set():
                    if self._grew():
                        return True
                    left = deadline - time.monotonic()
                    if left <= 0 or self._closing.wait(min(left, WATCH_S)):
                        return False
            except (Unavailable, Misconfigured):
                self._drop_watcher()
                raise
        return False

    def close(self) -> None:
        self._closing.set()
        self._drop_producer()
        with self._reading:
            self._drop_consumer()
        with self._watching:
            self._drop_watcher()
        with self._asking:
            _close(self._admin)
            self._admin = None

    def _check(self, partition: int) -> None:
        if not 0 <= partition < self.partitions():
            raise ValueError(f"no partition {partition}")

    def _send(self, producer: Any, partition: int, entry: Entry) -> Any:
        headers, body = entry
        return producer.send(
            self._topic,
            value=body,
            headers=[(name, value.encode()) for name, value in headers.items()],
            partition=partition,
        )

    def _produce(self) -> Any:
        if self._producer is None:
            self._producer = KafkaProducer(
                **self._options,
                acks="all",
                enable_idempotence=True,
                allow_auto_create_topics=False,
                linger_ms=0,
                batch_size=BATCH_BYTES,
                max_request_size=MAX_LETTER_BYTES,
                max_block_ms=ANSWER_MS,
                request_timeout_ms=ANSWER_MS,
                delivery_timeout_ms=DELIVER_MS,
            )
        return self._producer

    def _consume(self) -> Any:
        if self._consumer is None:
            self._consumer = self._new_consumer()
            every = [TopicPartition(self._topic, n) for n in range(self.partitions())]
            self._consumer.assign(every)
            self._consumer.pause(*every)
            for where in every:  # one without a position would stop every fetch
                self._consumer.seek(where, 0)
        return self._consumer

    def _new_consumer(self) -> Any:
        return KafkaConsumer(
            **self._options,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            allow_auto_create_topics=False,
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            retry_backoff_ms=RETRY_MS,
            request_timeout_ms=ANSWER_MS,
        )

    def _cursor(self, partition: int, offset: int) -> _Cursor:
        """The partition's cursor at this offset; only a jump has to seek."""
        consumer = self._consume()
        cursor = self._cursors.setdefault(partition, _Cursor())
        if cursor.next != offset:
            consumer.seek(TopicPartition(self._topic, partition), offset)
            cursor.next, cursor.ahead = offset, []
        return cursor

    def _fetch(self, partition: int, offset: int, max_records: int) -> list[Record]:
        """Records that are there, waited for; none only when nothing is, or nothing but gaps."""
        if offset >= self._ends.get(partition, 0):
            self._ends[partition] = self._end(partition)
        end = self._ends[partition]
        where = TopicPartition(self._topic, partition)
        deadline = time.monotonic() + READ_S
        self._consumer.resume(where)
        try:
            while self._position(where, offset) < end:
                found = self._poll(where, offset, max_records)
                if found:
                    return [record_of(message) for message in found]
                if time.monotonic() > deadline:
                    raise Unavailable(f"Kafka gives no record of {where} within {READ_S:.0f} s")
        finally:
            self._consumer.pause(where)
        return []

    def _poll(self, where: Any, offset: int, max_records: int) -> list[Any]:
        try:
            found = self._consumer.poll(POLL_MS, max_records=max_records).get(where, [])
            return list(found)
        except OffsetOutOfRangeError:
            earliest = self._consumer.beginning_offsets([where], ANSWER_MS)[where]
            if earliest <= offset:
                raise
            self._consumer.seek(where, earliest)
            return []

    def _position(self, where: Any, offset: int) -> int:
        position = self._consumer.position(where, ANSWER_MS)
        return offset if position is None else int(position)

    def _end(self, partition: int) -> int:
        where = TopicPartition(self._topic, partition)
        return int(self._consumer.end_offsets([where], ANSWER_MS)[where])

    def _asked(self, partition: int, question: Callable[[Any, list[Any]], Any]) -> int:
        where = TopicPartition(self._topic, partition)
        with self._reading:
            try:
                with translated(self._topic):
                    return int(question(self._consume(), [where])[where])
            except (Unavailable, Misconfigured):
                self._drop_consumer()
                raise

    def _grew(self) -> bool:
        every = [TopicPartition(self._topic, n) for n in range(self.partitions())]
        with translated(self._topic):
            if self._watcher is None:
                self._watcher = self._new_consumer()
            now = sum(self._watcher.end_offsets(every, ANSWER_MS).values())
        before, self._seen = self._seen, now
        return before is not None and now > before

    def _describe(self) -> Any:
        topic = self._administer(lambda admin: admin.describe_topics([self._topic])[0])
        if topic["error_code"] == UNKNOWN_TOPIC:
            raise Misconfigured([f"Kafka has no topic {self._topic}: `citybrain topics create`"])
        with translated(self._topic):
            if topic["error_code"]:
                raise for_code(topic["error_code"])(self._topic)
        return topic

    def _administer(self, question: Callable[[Any], T]) -> T:
        """Asks the cluster; anew, when the connection that was kept turns out to be broken."""
        with self._asking:
            kept = self._admin is not None
            try:
                return self._ask(question)
            except Unavailable:
                _close(self._admin)
                self._admin = None
                if not kept:
                    raise
            return self._ask(question)

    def _ask(self, question: Callable[[Any], T]) -> T:
        with translated(self._topic):
            if self._admin is None:
                self._admin = KafkaAdminClient(**self._options, request_timeout_ms=ANSWER_MS)
            return question(self._admin)

    def _drop_producer(self) -> None:
        with self._sending:
            producer, self._producer = self._producer, None
        if producer is not None:
            producer.close(timeout=0)

    def _drop_consumer(self) -> None:
        _close(self._consumer)
        self._consumer = None
        self._cursors.clear()
        self._ends.clear()

    def _drop_watcher(self) -> None:
        _close(self._watcher)
        self._watcher = None


def _close(client: Any) -> None:
    if client is not None:
        client.close()


def _offset(future: Any, deadline: float) -> int:
    return int(future.get(max(0.0, deadline - time.monotonic())).offset)


def _within(records: Sequence[Record], max_records: int, max_bytes: int) -> int:
    """How many of the records stay within both bounds; at least one when there is one."""
    size = 0
    for number, record in enumerate(records[:max_records]):
        size += len(record.body)
        if number and size > max_bytes:
            return number
    return min(len(records), max_records)
