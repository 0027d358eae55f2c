"""Slow chores: forgets old deliveries a little at a time, learns what places are called."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from api.delivery.deliverer import Chore, Deliverer
from api.delivery.settings import DeliverSettings
from api.delivery.store import DeliveryStore, now_utc
from api.delivery.wording import Names

EVERY_S = 60.0
AT_ONCE = 2000
NAMES_S = 300.0


def keeping(store: DeliveryStore, settings: DeliverSettings) -> Chore:
    """A chore of the deliverer."""

    async def run(deliverer: Deliverer) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            before = now_utc() - timedelta(days=settings.keep_days)
            while await deliverer.in_store(partial(store.purge, before, AT_ONCE)) == AT_ONCE:
                await asyncio.sleep(1.0)

    return run


def naming(store: DeliveryStore, rules: Mapping[str, tuple[str, str]]) -> Chore:
    """A chore that keeps the names of areas and points for people's messages."""

    async def run(deliverer: Deliverer) -> None:
        while True:
            areas, points = await deliverer.in_store(store.names)
            deliverer.channels.names = Names(areas, points, rules)
            await asyncio.sleep(NAMES_S)

    return run
