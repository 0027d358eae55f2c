"""Alert events into Kafka: every transition in order, key = alert id, partition by area.

The position moves after the brokers have acknowledged, so an event may come twice and never not at
all: readers drop what has a `ce_id` that they know, or a `ce_sequence` that is not higher.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

import orjson
import structlog

from api.delivery import metrics
from api.delivery.deliverer import Chore, Deliverer
from api.delivery.event import ALERT_TYPE, Event
from api.delivery.forgetting import Forgetting, partition_of
from api.delivery.store import DeliveryStore
from api.moment import from_ms, iso
from streams.contracts.cloudevents import write_headers
from streams.errors import Misconfigured, Unavailable
from streams.log.kafka_publisher import KafkaPublisher, Keyed
from streams.runtime.health import Health

log = structlog.get_logger(__name__)

KAFKA = "kafka"
BATCH = 500
POLL_S = 0.2
PAUSE_S = 2.0


def publishing(
    store: DeliveryStore,
    publisher: KafkaPublisher,
    namespace: str,
    health: Health,
    forgetting: Forgetting,
) -> Chore:
    """A chore of the deliverer. While Kafka is away it waits; subscribers are served on."""

    async def run(deliverer: Deliverer) -> None:
        position = await deliverer.in_store(lambda: store.position(KAFKA))
        away = False

        async def publish(records: Sequence[Keyed]) -> bool:
            nonlocal away
            why = await _publish(publisher, records)
            away = _told(health, away, why)
            return why is None

        while True:
            await forgetting.step(deliverer, position, publish)
            read = partial(store.events, position, BATCH)
            events = await deliverer.in_store(read)
            if not events:
                await asyncio.sleep(POLL_S)
                continue
            table = await deliverer.in_store(store.partitions)
            if not await publish([keyed(event, namespace, table) for event in events]):
                await asyncio.sleep(PAUSE_S)
                continue
            position = events[-1].sequence
            move = partial(store.move, KAFKA, position)
            await deliverer.in_store(move)
            metrics.PUBLISHED.inc(len(events))

    return run


async def _publish(publisher: KafkaPublisher, records: Sequence[Keyed]) -> str | None:
    """None when all are acknowledged; else why not."""
    try:
        await asyncio.to_thread(publisher.publish, records)
    except (Unavailable, Misconfigured) as error:
        return str(error)
    return None


def keyed(event: Event, namespace: str, table: Mapping[str, int]) -> Keyed:
    """The event as a CloudEvent in binary mode."""
    headers = write_headers(
        f"{namespace}-{event.sequence}",
        f"citybrain/{namespace}",
        ALERT_TYPE,
        iso(from_ms(event.content["decided_ms"])),
        subject=event.area,
        content_type="application/json",
    )
    more = {
        "ce_sequence": str(event.sequence),
        "ce_status": event.status.lower(),
        "ce_validuntil": iso(from_ms(event.valid_until_ms)),
        "origin": str(event.content["origin"]),
    }
    partition = partition_of(event.area, table)
    return Keyed(partition, event.alert, headers | more, orjson.dumps(event.content))


def _told(health: Health, away: bool, why: str | None) -> bool:
    health.trouble("kafka", why)
    if why is not None and not away:
        log.warning("publish.interrupted", error=why)
    if why is None and away:
        log.info("publish.recovered")
    return why is not None
