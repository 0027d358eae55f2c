"""Kafka's side of the Faust host: a transport whose consumer hands records over without streams.

Faust keeps the group membership and its life cycle; what it does to positions is taken out: after
an assignment and whenever its flow resumes it would seek to the committed offset (0.15,
`Recovery._resume_streams`, `Consumer.getmany`), and it acknowledges events even when an agent
raises. Here a partition is paused the moment it is assigned and opens when its owner has said at
which offset. All of it runs in the consumer's own thread and loop, so that opening, seeking and
handing over never interleave. The group's committed offset is C, for operators' tools only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Protocol, cast

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    ConsumerStoppedError,
    IllegalStateError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
)
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.errors import Misconfigured
from streams.log.kafka_record import record_of
from streams.runtime.fetched import FetchedLog
from streams.runtime.health import Health

LOGGER = structlog.get_logger(__name__)

FETCH_MS = 500
WATCH_S = 2.0
AGAIN_S = 1.0
ANSWER_S = 5.0  # the broker has so long for a look at the log's ends


class Group(Protocol):
    """What the consumer works for."""

    topic: str
    log: FetchedLog
    health: Health
    consumer_options: dict[str, Any]

    def saved(self) -> Mapping[int, int]:
        """C of the partitions that we hold."""

    def fail(self, error: BaseException) -> None:
        """The worker has to end with this."""


class HasGroup(Protocol):
    """The app, as the consumer sees it."""

    group: Group


class Listener(driver.ConsumerRebalanceListener):
    """Shuts and pauses partitions before Faust learns of the change."""

    _thread: GroupThread

    def on_partitions_revoked(self, revoked: Iterable[Any]) -> Any:
        self._thread.steady = False
        self._thread.shut()
        return super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        self._thread.shut(assigned)
        await super().on_partitions_assigned(assigned)
        self._thread.steady = True


class GroupThread(driver.AIOKafkaConsumerThread):
    """Fetches into the queues; a task beside it watches the log's ends and reports C."""

    _group: Group
    _own_tasks: tuple[asyncio.Task[None], ...] = ()
    generation = 0
    steady = False
    """Between an assignment and the next revocation. C is reported only then: a report that the
    group refuses makes aiokafka join it anew, which makes every other member do the same."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._group = cast(HasGroup, self.app).group

    def open(self, partition: int, offset: int, generation: int) -> None:
        """From any thread: records of the partition come from this offset on, if the assignment
        that it was given with still holds."""
        self._in_loop(self._open, partition, offset, generation)

    def go_on(self, partition: int) -> None:
        """From any thread: ends a pause."""
        self._in_loop(self._go_on, partition)

    def shut(self, assigned: Iterable[TopicPartition] = ()) -> None:
        """In the loop: what was open is over; what is assigned now waits to be opened."""
        self.generation += 1
        for partition in self._group.log.opened():
            self._group.log.shut(partition)
        self._ensure_consumer().pause(*assigned)

    async def on_start(self) -> None:
        await super().on_start()
        loop = asyncio.get_running_loop()
        self._own_tasks = (loop.create_task(self._pump()), loop.create_task(self._watch()))

    async def on_thread_stop(self) -> None:
        for task in self._own_tasks:
            task.cancel()
        await super().on_thread_stop()

    async def leave(self) -> None:
        """Leaves the group now; in another loop than the thread's."""
        consumer = self._consumer
        if consumer is not None and not self.thread_loop.is_closed():
            leaving = asyncio.run_coroutine_threadsafe(
                consumer._coordinator.close(), self.thread_loop
            )
            await asyncio.wrap_future(leaving)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust looks for streams that hang; there are none."""

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(**self._group.consumer_options)

    def _open(self, partition: int, offset: int, generation: int) -> None:
        consumer, where = self._ensure_consumer(), self._where(partition)
        if generation == self.generation and where in consumer.assignment():
            consumer.seek(where, offset)
            self._group.log.open(partition, offset)
            consumer.resume(where)

    def _go_on(self, partition: int) -> None:
        consumer, where = self._ensure_consumer(), self._where(partition)
        if where in consumer.assignment() and partition in self._group.log.opened():
            consumer.resume(where)

    async def _pump(self) -> None:
        """Moves what was fetched into the queues, until the consumer ends."""
        consumer = self._ensure_consumer()
        while True:
            try:
                self._hand_over(await consumer.getmany(timeout_ms=FETCH_MS))
            except NoOffsetForPartitionError:
                continue  # just assigned, not opened yet
            except (ConsumerStoppedError, IllegalStateError):
                return
            except OffsetOutOfRangeError as error:
                self._group.fail(Misconfigured([_out_of_range(error)]))
                return
            except Exception as error:
                if not (isinstance(error, KafkaError) and error.retriable):
                    self._group.fail(error)
                    return
                await asyncio.sleep(AGAIN_S)

    def _hand_over(self, found: Mapping[TopicPartition, list[Any]]) -> None:
        consumer, log = self._ensure_consumer(), self._group.log
        for where, messages in found.items():
            if log.offer(where.partition, [record_of(message) for message in messages]):
                consumer.pause(where)
        for where in consumer.assignment():
            end = consumer.highwater(where)
            if end is not None and where.partition in log.opened():
                log.mark(where.partition, end, self._position(where))

    def _position(self, where: TopicPartition) -> int:
        assignment = self._ensure_consumer()._subscription.subscription.assignment
        state = assignment.state_value(where)
        return int(state.position) if state.has_valid_position else -1

    async def _watch(self) -> None:
        """Looks at the log's ends now and then: retention, paused partitions, is the broker there;
        and reports C to the group."""
        while True:
            await asyncio.sleep(WATCH_S)
            try:
                await asyncio.wait_for(self._look(), ANSWER_S)
            except (TimeoutError, KafkaError) as error:
                self._group.health.trouble("broker", repr(error))
            else:
                self._group.health.trouble("broker", None)

    async def _look(self) -> None:
        consumer, log = self._ensure_consumer(), self._group.log
        assigned = consumer.assignment()
        if not assigned:
            await consumer._client.fetch_all_metadata()
            return
        firsts = await consumer.beginning_offsets(assigned)
        ends = await consumer.end_offsets(assigned)
        for where in assigned & consumer.assignment():
            log.mark(where.partition, ends[where], self._position(where), firsts[where])
        saved = self._group.saved()
        report = {
            where: OffsetAndMetadata(saved[where.partition], "")
            for where in consumer.assignment()
            if where.partition in saved
        }
        if report and self.steady:
            try:
                await consumer.commit(report)
            except (KafkaError, IllegalStateError) as error:  # only a report: the next one comes
                LOGGER.info("C not reported to the group", error=repr(error))

    def _where(self, partition: int) -> TopicPartition:
        return TopicPartition(self._group.topic, partition)

    def _in_loop(self, act: Any, *given: Any) -> None:
        if not self.thread_loop.is_closed():
            self.thread_loop.call_soon_threadsafe(act, *given)


class GroupConsumer(driver.Consumer):
    """A consumer without messages: its thread hands them over, positions are the database's."""

    RebalanceListener = Listener
    _thread: GroupThread

    def _new_consumer_thread(self) -> GroupThread:
        return GroupThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def generation(self) -> int:
        """Counts assignments and revocations."""
        return self._thread.generation

    def open(self, partition: int, offset: int, generation: int) -> None:
        """See `GroupThread.open`."""
        self._thread.open(partition, offset, generation)

    def go_on(self, partition: int) -> None:
        """See `GroupThread.go_on`."""
        self._thread.go_on(partition)

    async def leave(self) -> None:
        """See `GroupThread.leave`."""
        await self._thread.leave()

    async def subscribe(self, topics: Iterable[str]) -> None:
        """Faust counts the topics of its streams; there are none, ours is given."""
        await super().subscribe([cast(HasGroup, self.app).group.topic])

    async def perform_seek(self) -> None:
        """Never: the owner of a partition says where it opens."""

    async def commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Never: nothing is acknowledged."""
        return False

    async def _drain_messages(self, fetcher: Any) -> None:
        """The thread fetches; this only lives as long as Faust's fetcher."""
        await fetcher.wait_until_stopped()


class GroupTransport(driver.Transport):
    """Faust's transport with the consumer above."""

    Consumer = GroupConsumer


def _out_of_range(error: OffsetOutOfRangeError) -> str:
    return (
        f"Kafka does not hold the offsets that come next ({error}): the topic was made anew, or"
        " records that nobody has processed went with its retention"
    )
