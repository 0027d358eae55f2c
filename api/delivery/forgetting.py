"""Lets a compacted topic forget alerts that ended long ago: a tombstone for each.

It follows the outbox behind the publisher, by a position of its own, so that none is left out; what
it has not reached yet stays in the outbox. A repeat after a restart does no harm.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from api.delivery.deliverer import Deliverer
from api.delivery.store import DeliveryStore, Numbered
from api.moment import from_ms, iso
from streams.contracts.cloudevents import write_headers
from streams.log.kafka_publisher import Keyed

FORGOTTEN_TYPE = "citybrain.alert.forgotten.v1"
FORGOTTEN = "kafka-forgotten"
BATCH = 500
EVERY_S = 60.0
SHARED_PARTITION = 0  # of cities and provinces, which the table does not name
Publish = Callable[[Sequence[Keyed]], Awaitable[bool]]


class Forgetting:
    """Part of the publisher's chore: the same producer, one thread at a time."""

    def __init__(
        self, store: DeliveryStore, namespace: str, after_h: float, every_s: float = EVERY_S
    ) -> None:
        self._store, self._namespace = store, namespace
        self._after_s, self._every_s = 3600.0 * after_h, every_s
        self._next_s = 0.0

    async def step(self, deliverer: Deliverer, published: int, publish: Publish) -> None:
        """When it is time: tombstones of what ended long enough ago and is published, in order."""
        now = deliverer.now_s()
        if now < self._next_s or published < 0:
            return
        if not self._after_s:
            await deliverer.in_store(partial(self._store.leave, FORGOTTEN))
            self._next_s = float("inf")
            return
        self._next_s = now + self._every_s
        position = await deliverer.in_store(partial(self._store.position, FORGOTTEN))
        while True:
            before = now - self._after_s
            read = partial(self._store.numbered, position, published, before, BATCH)
            found = await deliverer.in_store(read)
            if not found:
                return
            table = await deliverer.in_store(self._store.partitions)
            ended = [self._tombstone(one, table, now) for one in found if one.ended]
            if ended and not await publish(ended):
                return
            position = found[-1].sequence
            await deliverer.in_store(partial(self._store.move, FORGOTTEN, position))

    def _tombstone(self, one: Numbered, table: Mapping[str, int], now_s: float) -> Keyed:
        headers = write_headers(
            f"{self._namespace}-{one.sequence}-forgotten",
            f"citybrain/{self._namespace}",
            FORGOTTEN_TYPE,
            iso(from_ms(int(now_s * 1000))),
            subject=one.area,
        )
        number = {"ce_sequence": str(one.sequence)}
        return Keyed(partition_of(one.area, table), one.alert, headers | number, None)


def partition_of(area: str, table: Mapping[str, int]) -> int:
    """Where the alerts of an area are."""
    return table.get(area, SHARED_PARTITION)
