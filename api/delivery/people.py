"""People's messages: by incident, not by alert. A part of the deliverer, which owns the lines."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import structlog

from api.actions.incidents import group
from api.delivery import told
from api.delivery.event import Event, message_id
from api.delivery.incident_wording import ToldIncident
from api.delivery.line import Item
from api.delivery.telling import IncidentNow, Word, plan_telling
from streams.storage.connect import connect, translated

if TYPE_CHECKING:
    from api.actions.advance import Advanced
    from api.delivery.deliverer import Chore, Deliverer
    from api.delivery.outcome import Outcome
    from api.delivery.seat import Seat
    from api.delivery.subscription import Subscription
    from streams.storage.connect import Connection

log = structlog.get_logger(__name__)

MOST_OVER = 500  # incidents in one message that they are over
EVERY_S = 1.0
GROUP_S = 0.2


class People:
    """Decides, sends and remembers what people are told."""

    def __init__(self, deliverer: Deliverer, digest_s: float) -> None:
        self._deliverer = deliverer
        self._digest_s = digest_s

    async def attempt(self, seat: Seat, items: Sequence[Item]) -> None:
        """One message of what is to be told now; the rest is put away or waits."""
        deliverer, to = self._deliverer, seat.subscription
        known = await self._read(partial(told.read_known, subscription=to.id, items=items))
        telling = plan_telling(items, known, deliverer.now_s(), self._digest_s)
        for item in telling.needless:
            deliverer.put_away(seat, item)
        for item, until_s in telling.later:
            seat.line.hold(item, until_s)
        if not telling.tell:
            return
        alone = [i.event for i in telling.tell if i.event.sequence > known.upto]
        newest = max(telling.tell, key=lambda item: item.event.sequence)
        incidents = {id: known.incidents[id] for id in telling.words}
        id = message_id(to.id, newest.event.sequence)
        outcome = await self._send(to, id, incidents, telling.words, alone, known.upto)
        deliverer.settle(seat, telling.tell, outcome)

    async def tell_over(self, seat: Seat, ids: Sequence[str]) -> None:
        """That these incidents are over."""
        upto = await self._read(told.read_upto)
        found = await self._read(partial(told.read_incidents, ids=ids[:MOST_OVER]))
        over = {id: each for id, each in found.items() if each.over}
        if over:
            to = seat.subscription
            id = f"{to.id}-over-{min(over)}"
            outcome = await self._send(to, id, over, dict.fromkeys(over, Word.OVER), [], upto)
            self._deliverer.heard(seat, outcome)

    async def telling_over(self, deliverer: Deliverer) -> None:
        """A chore: looks for what is over, for ever."""
        while True:
            await asyncio.sleep(EVERY_S)
            due = await self._read(told.read_over)
            unknown = [id for id in due if id not in deliverer.seats]
            if unknown:
                await self._read(partial(told.give_up, subscriptions=unknown))
            for id, incidents in due.items():
                seat = deliverer.seats.get(id)
                if seat is not None and deliverer.may_tell(seat):
                    await self.tell_over(seat, incidents)

    async def _send(
        self,
        to: Subscription,
        id: str,
        incidents: Mapping[str, IncidentNow],
        words: Mapping[str, Word],
        alone: Sequence[Event],
        upto: int,
    ) -> Outcome:
        deliverer = self._deliverer
        worst = await self._read(partial(told.read_worst, ids=list(incidents)))
        letters = [
            ToldIncident(each, words[key], worst.get(key, ())) for key, each in incidents.items()
        ]
        outcome = await deliverer.channels.tell(to, id, letters, alone, deliverer.city)
        if outcome.delivered:
            at_s = deliverer.now_s()
            await self._read(
                partial(told.write_told, subscription=to.id, at_s=at_s, upto=upto, told=incidents)
            )
        return outcome

    async def _read(self, call: told.Call[told.T]) -> told.T:
        return await self._deliverer.in_store(lambda: call(self._deliverer.connection))


def grouping(conninfo: str, namespace: str, gap_ms: int) -> Chore:
    """A chore that groups beside the API, so that people are told also where none runs."""

    async def run(_: Deliverer) -> None:
        opened = partial(connect, conninfo, namespace, "citybrain deliver", autocommit=True)
        connection: Connection = await asyncio.to_thread(opened)
        try:
            while True:
                done = await asyncio.to_thread(_group, connection, gap_ms)
                if not done.more:
                    await asyncio.sleep(GROUP_S)
        finally:
            connection.close()

    return run


def _group(connection: Connection, gap_ms: int) -> Advanced:
    with translated():
        return group(connection, gap_ms)
