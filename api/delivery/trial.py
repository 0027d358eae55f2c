"""The test button: one message, now, on the real way, whatever the subscription's filter says."""

from __future__ import annotations

from typing import Any

import orjson

from api.delivery.channels import open_channels
from api.delivery.event import TEST_TYPE
from api.delivery.known import read_subscriptions
from api.delivery.outcome import Outcome
from api.delivery.settings import DeliverSettings
from api.delivery.store import now_utc
from api.delivery.subscription import Subscription
from api.moment import iso
from streams.storage.connect import Connection


def find(connection: Connection, id: str) -> Subscription | None:
    """The subscription as the deliverer knows it; None when there is none."""
    return next((s for s in read_subscriptions(connection) if s.id == id), None)


async def send_test(to: Subscription, settings: DeliverSettings) -> Outcome:
    """One attempt; it is not repeated, and a paused subscription gets it, too."""
    at = now_utc()
    async with open_channels(settings) as channels:
        id = f"{to.id}-test-{int(at.timestamp() * 1000)}"
        if to.channel.for_people:
            return await channels.test_people(to, id)
        content: dict[str, Any] = {
            "type": TEST_TYPE,
            "id": id,
            "timestamp": iso(at),
            "subscription": to.id,
            "status": "Test",
            "name": to.name,
        }
        return await channels.raw(to, id, orjson.dumps(content))
