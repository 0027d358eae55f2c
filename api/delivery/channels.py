"""The ways to subscribers: which one a subscription takes, and what is said on it."""

from __future__ import annotations

from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from typing import TypeAlias

import structlog
from aiohttp.abc import AbstractResolver

from api.delivery.chat import ChatSender
from api.delivery.city_clock import CityClock
from api.delivery.event import Event, message_body, message_id
from api.delivery.incident_wording import ToldIncident, incident_letter
from api.delivery.line import Item
from api.delivery.mail import MailSender
from api.delivery.outcome import Outcome
from api.delivery.settings import DeliverSettings
from api.delivery.subscription import Channel, Subscription
from api.delivery.webhook import WebhookSender
from api.delivery.wording import Letter, Names, test_letter

log = structlog.get_logger(__name__)

Naming: TypeAlias = Callable[[Collection[str]], Awaitable[Names]]

MOST_BUNDLED = 20_000  # alerts in one message to people: a storm is one letter, not thousands


class Channels:
    """Every way that this process has. Nothing raises but for cancellation, and what `naming`
    raises, which knows names for alerts of these rule versions."""

    most_bundled = MOST_BUNDLED

    def __init__(self, programs: WebhookSender, mail: MailSender, chat: ChatSender) -> None:
        self._programs = programs
        self._mail = mail
        self._chat = chat
        self.naming: Naming = _nameless

    async def send(
        self,
        to: Subscription,
        items: Sequence[Item],
        missed: Mapping[int, tuple[int, ...]],
        city: CityClock,
    ) -> Outcome:
        """One attempt for a delivery to a program."""
        newest = max(items, key=lambda item: item.event.sequence)
        id = message_id(to.id, newest.event.sequence)
        event = newest.event
        if to.latest:
            event = city.present(event) or event
        body = message_body(
            event,
            to.id,
            expired=city.is_expired(event),
            missed=missed[event.sequence],
            retried=newest.retried,
        )
        return await self.raw(to, id, body)

    async def raw(self, to: Subscription, id: str, body: bytes) -> Outcome:
        """A message for a program: an event, a heartbeat, a test."""
        return await _guarded(to, self._programs.send(to, id, body))

    async def tell(
        self,
        to: Subscription,
        id: str,
        incidents: Sequence[ToldIncident],
        alone: Sequence[Event],
        city: CityClock,
    ) -> Outcome:
        """One message to people: incidents, and alerts that could not be grouped."""
        events = [(event, city.is_expired(event)) for event in alone]
        named = [*alone, *(event for each in incidents for event in each.worst)]
        names = await self.naming({str(event.content["rule_version"]) for event in named})
        told = incident_letter(incidents, events, to.language, names, city.is_expired)
        return await self._tell(to, id, told)

    async def test_people(self, to: Subscription, id: str) -> Outcome:
        """A test for people."""
        return await self._tell(to, id, test_letter(to.name, to.language))

    async def _tell(self, to: Subscription, id: str, told: Letter) -> Outcome:
        if to.channel is Channel.MAIL:
            return await _guarded(to, self._mail.send(to, id, told))
        return await _guarded(to, self._chat.send(to, id, told))


async def _nameless(_: Collection[str]) -> Names:
    return Names()


async def _guarded(to: Subscription, attempt: Coroutine[None, None, Outcome]) -> Outcome:
    """A bug on one subscriber's way is told and counts as a failure: the others are served on."""
    try:
        return await attempt
    except Exception as error:
        log.exception("delivery.bug", subscription=to.id)
        return Outcome(False, error=f"a bug of citybrain: {type(error).__name__}")


@asynccontextmanager
async def open_channels(
    settings: DeliverSettings, resolver: AbstractResolver | None = None
) -> AsyncIterator[Channels]:
    """Every way that the settings give; inside a running loop. Connections end with it."""
    programs = WebhookSender(settings.networks(), settings.timeout_s, resolver)
    chat = ChatSender(settings)
    try:
        yield Channels(programs, MailSender(settings), chat)
    finally:
        await programs.close()
        await chat.close()
