"""Heartbeats: "you have everything up to this number, and so complete is what we know".

With them a subscriber tells no danger (heartbeats, areas known), no data (heartbeats, areas
unknown) and a dead citybrain (none) apart. They are neither stored nor tried again.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import orjson

from api.delivery import metrics
from api.delivery.completeness import AreaState, areas_of, counted
from api.delivery.deliverer import Deliverer
from api.delivery.place import Places
from api.delivery.seat import Seat
from api.delivery.store import DeliveryStore, now_utc
from api.delivery.subscription import Channel
from api.moment import from_ms, iso

HEARTBEAT_TYPE = "citybrain.heartbeat.v1"
TURN_S = 0.5  # they are spread over their period, so many at a time
PLACES_S = 300.0


class Heartbeats:
    """A chore of the deliverer."""

    def __init__(self, store: DeliveryStore, every_s: float) -> None:
        self._store = store
        self._every_s = every_s
        self._states: dict[str, AreaState] = {}
        self._places = Places()
        self._areas: dict[str, tuple[int, frozenset[str]]] = {}
        self._due: dict[str, float] = {}
        self._flying: set[str] = set()

    async def run(self, deliverer: Deliverer) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        looked, placed = -float("inf"), -float("inf")
        while True:
            now = loop.time()
            seats = [s for s in deliverer.seats.values() if _wants(s)]
            if seats and now - placed >= PLACES_S:
                self._places, placed = await deliverer.in_store(self._store.places), now
                self._areas.clear()
            if seats and now - looked >= self._every_s / 2:
                self._states, looked = await deliverer.in_store(self._store.area_states), now
            for seat in seats:
                self._beat(deliverer, seat, now)
            self._forget(deliverer)
            await asyncio.sleep(min(TURN_S, self._every_s / 4))

    def _beat(self, deliverer: Deliverer, seat: Seat, now: float) -> None:
        id = seat.subscription.id
        spread = int(id[:8], 16) % 1000 / 1000 * self._every_s
        due = self._due.setdefault(id, now + spread if self._due else now)
        if now < due or id in self._flying:
            return
        self._due[id] = max(due + self._every_s, now)
        if seat.line.open_until() > deliverer.now_s():
            return
        self._flying.add(id)
        deliverer.start(self._send(deliverer, seat))

    async def _send(self, deliverer: Deliverer, seat: Seat) -> None:
        id = seat.subscription.id
        try:
            at = now_utc()
            body = orjson.dumps(self._content(deliverer, seat, at))
            outcome = await deliverer.channels.raw(
                seat.subscription, f"{id}-beat-{int(at.timestamp() * 1000)}", body
            )
        finally:
            self._flying.discard(id)
        metrics.HEARTBEATS.labels("well" if outcome.delivered else "badly").inc()
        deliverer.heard(seat, outcome)

    def _content(self, deliverer: Deliverer, seat: Seat, at: datetime) -> dict[str, Any]:
        oldest = seat.line.oldest()
        as_of = deliverer.city.as_of_ms
        return {
            "type": HEARTBEAT_TYPE,
            "timestamp": iso(at),
            "subscription": seat.subscription.id,
            "sequence": deliverer.position if oldest is None else oldest - 1,
            "waiting": len(seat.line),
            "as_of": None if as_of is None else iso(from_ms(as_of)),
            "working": deliverer.city.working,
            "areas": counted(self._states, self._areas_of(seat), deliverer.city.working),
        }

    def _areas_of(self, seat: Seat) -> frozenset[str]:
        to = seat.subscription
        kept = self._areas.get(to.id)
        if kept is None or kept[0] != to.version:
            kept = (to.version, areas_of(to.filter, self._places, self._states))
            self._areas[to.id] = kept
        return kept[1]

    def _forget(self, deliverer: Deliverer) -> None:
        for id in self._due.keys() - deliverer.seats.keys():
            del self._due[id]
            self._areas.pop(id, None)


def _wants(seat: Seat) -> bool:
    to = seat.subscription
    loaded = len(seat.line) > 0 or not seat.behind  # else it is not known what waits
    return to.heartbeat and to.channel is Channel.WEBHOOK and not to.paused and loaded
