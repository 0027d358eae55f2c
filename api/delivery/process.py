"""The deliverer as a process: leads, delivers, begins anew after trouble, ends when told to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog
from aiohttp.abc import AbstractResolver

from api.actions.incident import GAP_MS
from api.delivery.channels import open_channels
from api.delivery.deliverer import Chore, Deliverer
from api.delivery.forgetting import Forgetting
from api.delivery.heartbeat import Heartbeats
from api.delivery.keeping import keeping
from api.delivery.leader import leading, watch
from api.delivery.naming import naming
from api.delivery.people import grouping
from api.delivery.publishing import publishing
from api.delivery.settings import DeliverSettings
from api.delivery.store import DeliveryStore
from streams.contracts.domain import Domain
from streams.errors import FenceLost, Unavailable
from streams.log.kafka_publisher import KafkaPublisher
from streams.runtime.health import Health
from streams.storage.connect import Connection

log = structlog.get_logger(__name__)

FIRST_PAUSE_S = 0.5
MOST_PAUSE_S = 10.0


@dataclass(frozen=True)
class Order:
    """What is to be delivered, and how."""

    conninfo: str
    namespace: str
    settings: DeliverSettings
    health: Health = field(default_factory=Health)
    domains: Mapping[str, Domain] = field(default_factory=dict)  # their rules' titles
    gap_ms: int = GAP_MS  # after which an incident is over
    publisher: KafkaPublisher | None = None  # where the namespace's log is in Kafka
    resolver: AbstractResolver | None = None  # for tests: who says what a name's address is


async def deliver(order: Order, stop: asyncio.Event) -> None:
    """Delivers until `stop`. A database that is away is waited for; a bug ends it."""
    pause_s = FIRST_PAUSE_S
    while not stop.is_set():
        try:
            await _lead(order, stop)
            pause_s = FIRST_PAUSE_S
        except (Unavailable, FenceLost) as error:
            log.warning("deliver.interrupted", error=str(error), again_in_s=pause_s)
            order.health.trouble("database", str(error))
            try:
                await asyncio.wait_for(stop.wait(), pause_s)
            except TimeoutError:
                pause_s = min(MOST_PAUSE_S, pause_s * 2)


async def _lead(order: Order, stop: asyncio.Event) -> None:
    async with leading(order.conninfo, order.namespace, stop, order.health) as lead:
        if lead is None:
            return
        session, epoch = lead
        store = await asyncio.to_thread(DeliveryStore, order.conninfo, order.namespace, epoch)
        settings = order.settings
        try:
            order.health.trouble("database", None)
            log.info("deliver.leading", namespace=order.namespace, epoch=epoch)
            async with open_channels(settings, order.resolver) as channels:
                deliverer = Deliverer(store, channels, settings, order.health)
                await deliverer.run(stop, *_chores(order, store, session))
        finally:
            await asyncio.to_thread(store.close)


def _chores(order: Order, store: DeliveryStore, session: Connection) -> list[Chore]:
    settings = order.settings
    heartbeats = Heartbeats(store, settings.heartbeat_s)
    chores = [
        _watching(session),
        heartbeats.run,
        keeping(store, settings),
        naming(store, order.domains),
        grouping(order.conninfo, order.namespace, order.gap_ms),
        _telling_over,
    ]
    if order.publisher is not None:
        forgetting = Forgetting(store, order.namespace, settings.kafka_forget_h)
        own = store, order.publisher, order.namespace, order.health
        chores.append(publishing(*own, forgetting))
    return chores


async def _telling_over(deliverer: Deliverer) -> None:
    await deliverer.people.telling_over(deliverer)


def _watching(session: Connection) -> Chore:
    async def run(_: Deliverer) -> None:
        await watch(session)

    return run
