"""A slow chore: forgets old deliveries a little at a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

from api.delivery.deliverer import Chore, Deliverer
from api.delivery.settings import DeliverSettings
from api.delivery.store import DeliveryStore, now_utc

EVERY_S = 60.0
AT_ONCE = 2000


def keeping(store: DeliveryStore, settings: DeliverSettings) -> Chore:
    """A chore of the deliverer."""

    async def run(deliverer: Deliverer) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            before = now_utc() - timedelta(days=settings.keep_days)
            while await deliverer.in_store(partial(store.purge, before, AT_ONCE)) == AT_ONCE:
                await asyncio.sleep(1.0)

    return run
