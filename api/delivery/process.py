"""The deliverer as a process: leads, delivers, begins anew after trouble, ends when told to."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog
from aiohttp.abc import AbstractResolver

from api.delivery.channels import Channels
from api.delivery.deliverer import Chore, Deliverer
from api.delivery.leader import leading, watch
from api.delivery.settings import DeliverSettings
from api.delivery.store import DeliveryStore
from api.delivery.webhook import WebhookSender
from streams.errors import FenceLost, Unavailable
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
        programs = WebhookSender(settings.networks(), settings.timeout_s, order.resolver)
        try:
            order.health.trouble("database", None)
            log.info("deliver.leading", namespace=order.namespace, epoch=epoch)
            deliverer = Deliverer(store, Channels(programs), settings, order.health)
            await deliverer.run(stop, _watching(session))
        finally:
            await programs.close()
            await asyncio.to_thread(store.close)


def _watching(session: Connection) -> Chore:
    async def run(_: Deliverer) -> None:
        await watch(session)

    return run
