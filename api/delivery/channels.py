"""The ways to subscribers: which one a subscription takes, and what is said on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from api.delivery.city_clock import CityClock
from api.delivery.event import message_body, message_id
from api.delivery.line import Item
from api.delivery.outcome import Outcome
from api.delivery.subscription import Channel, Subscription

MOST_BUNDLED = 50  # alerts in one message to people


class Sender(Protocol):
    """Makes one attempt; never raises but for cancellation."""

    async def send(self, to: Subscription, id: str, body: bytes) -> Outcome: ...


class Channels:
    """Every way that this process has."""

    most_bundled = MOST_BUNDLED

    def __init__(self, programs: Sender) -> None:
        self._programs = programs

    async def send(
        self,
        to: Subscription,
        items: Sequence[Item],
        missed: Mapping[int, tuple[int, ...]],
        city: CityClock,
    ) -> Outcome:
        """One attempt for these deliveries; a program gets one at a time."""
        (item,) = items
        event = item.event
        if to.latest:
            event = city.present(event) or event
        body = message_body(
            event,
            to.id,
            expired=city.is_expired(event),
            missed=missed[event.sequence],
            retried=item.retried,
        )
        return await self.raw(to, message_id(to.id, event.sequence), body)

    async def raw(self, to: Subscription, id: str, body: bytes) -> Outcome:
        """A message for a program: an event, a heartbeat, a test."""
        if to.channel is not Channel.WEBHOOK:
            return Outcome(False, error=f"{to.channel} is not set up here", final=True)
        return await self._programs.send(to, id, body)
