"""Sends what waits: follows the outbox, keeps every subscriber's line moving, writes results.

One event loop; the store is used by one thread at a time, under a lock that also keeps lines and
tables in step: what is fanned out is in the lines before anything is loaded from the table.
"""

from __future__ import annotations

import asyncio
import heapq
import random
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import structlog

from api.delivery import metrics
from api.delivery.channels import Channels
from api.delivery.city_clock import CityClock
from api.delivery.fanout import FanOut, Step
from api.delivery.line import Item, Limits, Line
from api.delivery.missing import Missing
from api.delivery.outcome import Outcome, Result, State
from api.delivery.people import People
from api.delivery.seat import Seat
from api.delivery.settings import DeliverSettings
from api.delivery.store import DeliveryStore, Waiting
from api.delivery.subscription import Subscription
from api.delivery.work import Work
from streams.runtime.health import Health
from streams.storage.connect import Connection

T = TypeVar("T")
log = structlog.get_logger(__name__)

POLL_S = 0.1
WRITE_S = 0.05
MOST_WRITTEN = 1000  # results in one transaction
MOST_UNWRITTEN = 20_000  # then nothing more is sent until the store has caught up
HOLD_S = 5.0
GRACE_S = 12.0


Chore = Callable[["Deliverer"], Coroutine[None, None, None]]


class Deliverer:
    """Delivers while it leads. `run` ends when told to, or raises `Unavailable`, `FenceLost`."""

    def __init__(
        self,
        store: DeliveryStore,
        channels: Channels,
        settings: DeliverSettings,
        health: Health | None = None,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._channels = channels
        self._settings = settings
        self._limits = settings.limits()
        self.people = People(self, settings.people_digest_s)
        self._health = health or Health()
        self._now = clock
        self._chance = chance
        self._using = asyncio.Lock()
        self._work = Work()
        self._stopping = False
        self._broken = asyncio.Event()
        self._bugs: list[BaseException] = []
        self.position = -1
        self.city: CityClock
        self._missing: Missing
        self._fan_out: FanOut

    @property
    def seats(self) -> dict[str, Seat]:
        """Every subscriber by id."""
        return self._work.seats

    @property
    def channels(self) -> Channels:
        """The ways to subscribers."""
        return self._channels

    @property
    def connection(self) -> Connection:
        """The store's: use it within `in_store`."""
        return self._store.connection

    def may_tell(self, seat: Seat) -> bool:
        """Whether people may be told something that is no delivery now."""
        idle = not seat.line.flying and self._now() >= max(seat.resting_s, seat.line.open_until())
        return idle and not seat.subscription.paused

    def now_s(self) -> float:
        """The wall clock, epoch seconds."""
        return self._now()

    async def run(self, stop: asyncio.Event, *chores: Chore) -> None:
        """Until `stop`; then what is under way may end, and results are written. Chores run
        beside."""
        await self.begin()
        loops = [self._following(), self._writing(), self._timing(), self._city_clock()]
        loops.append(self._breaking())
        loops += [chore(self) for chore in chores]
        tasks = [asyncio.ensure_future(each) for each in loops]
        ending = asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait([*tasks, ending], return_when=asyncio.FIRST_COMPLETED)
            self._stopping = True
            await self._finish(stop.is_set())
        finally:
            for task in [*tasks, ending, *self._work.tasks]:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for each in [*self._bugs, *ended]:
            if isinstance(each, Exception):
                raise each

    async def begin(self) -> None:
        """Reads where everything stands."""
        self._fan_out = await self.in_store(lambda: FanOut(self._store))
        self._missing = Missing(await self.in_store(self._store.missed))
        self.city = CityClock(await self.in_store(self._store.kind), self._now)

    async def in_store(self, call: Callable[[], T]) -> T:
        """Uses the store, alone."""
        async with self._using:
            return await asyncio.to_thread(call)

    # the loops --------------------------------------------------------------------------------

    async def _following(self) -> None:
        while True:
            async with self._using:
                step = await asyncio.to_thread(self._fan_out.step)
                self._apply(step)
            self._health.turned()
            await self._load_waiting()
            if not step.more:
                await asyncio.sleep(POLL_S)

    async def _writing(self) -> None:
        while True:
            await asyncio.sleep(WRITE_S)
            async with self._using:
                await self._flush()

    async def _timing(self) -> None:
        timers = self._work.timers
        while True:
            now = self._now()
            while timers and timers[0][0] <= now:
                due, id = heapq.heappop(timers)
                seat = self._work.seats.get(id)
                if seat is not None and seat.due_s == due:
                    seat.due_s = float("inf")
                    self._pump(seat)
            await asyncio.sleep(WRITE_S)

    async def _city_clock(self) -> None:
        while True:
            self.city.learn(await self.in_store(self._store.city_clock))
            await asyncio.sleep(self.city.every_s)

    async def _breaking(self) -> None:
        await self._broken.wait()

    async def _finish(self, gently: bool) -> None:
        """Waits for what is under way, within a bound, and writes what came of it."""
        pending = list(self._work.tasks)
        if pending and gently:
            await asyncio.wait(pending, timeout=min(GRACE_S, self._settings.timeout_s + 1))
        if gently:
            async with self._using:
                while self._work.results:
                    await self._flush()

    # lines and table --------------------------------------------------------------------------

    def _apply(self, step: Step) -> None:
        if step.subscriptions is not None:
            self._reseat(step.subscriptions)
        self.position = step.position
        self.city.reached(step.position)
        metrics.POSITION.set(step.position)
        metrics.QUEUED.inc(len(step.wanted))
        touched: dict[str, Seat] = {}
        for id, event in step.wanted:
            seat = self._work.seats.get(id)
            if seat is None or seat.behind:
                continue
            if len(seat.line) >= seat.capacity:
                seat.behind = True
                continue
            needless = seat.line.add([Item(event, step.queued_s)])
            seat.upto = event.sequence
            self._put_away(id, needless)
            touched[id] = seat
        for seat in touched.values():
            self._pump(seat)

    def _reseat(self, subscriptions: Sequence[Subscription]) -> None:
        """Follows what people have changed; what changed is loaded again, for retried letters."""
        before, self._work.seats = self._work.seats, {}
        for subscription in subscriptions:
            seat = before.get(subscription.id)
            if seat is None or seat.subscription.latest != subscription.latest:
                line = Line(self._limits_of(subscription), latest=subscription.latest)
                seat = Seat(subscription, line)
                self._work.load.add(subscription.id)
            elif seat.subscription.version != subscription.version:
                seat.subscription, seat.upto, seat.behind = subscription, -1, True
                self._work.load.add(subscription.id)
            self._work.seats[subscription.id] = seat
        metrics.SUBSCRIPTIONS.set(len(subscriptions))

    def _limits_of(self, subscription: Subscription) -> Limits:
        if not subscription.channel.for_people:
            return self._limits
        return replace(self._limits, width=self._channels.most_bundled, narrows=False)

    async def _load_waiting(self) -> None:
        while self._work.load:
            id = self._work.load.pop()
            seat = self._work.seats.get(id)
            if seat is None or seat.subscription.paused:
                continue
            async with self._using:
                await self._flush()
                await self._fill(seat)
            self._pump(seat)

    async def _fill(self, seat: Seat) -> None:
        id, latest = seat.subscription.id, seat.subscription.latest
        limit, after = seat.capacity, seat.upto
        rows = await asyncio.to_thread(lambda: self._store.waiting(id, after, limit, latest=latest))
        fresh = [r for r in rows if (id, r.event.sequence) not in self._work.unwritten]
        self._put_away(id, seat.line.add(_items(fresh)))
        if rows:
            seat.upto = rows[-1].event.sequence
        seat.behind = len(rows) == limit

    async def _flush(self) -> None:
        work = self._work
        batch = work.results[:MOST_WRITTEN]
        if not batch:
            return
        await asyncio.to_thread(self._store.write, batch)
        del work.results[: len(batch)]
        work.unwritten = {(r.subscription, r.sequence) for r in work.results}
        if len(work.results) < MOST_UNWRITTEN <= len(work.results) + len(batch):
            for seat in list(work.seats.values()):
                self._pump(seat)

    # sending ----------------------------------------------------------------------------------

    def _pump(self, seat: Seat) -> None:
        """Starts what may be sent to this subscriber now."""
        work, now = self._work, self._now()
        if self._stopping or seat.subscription.paused or len(work.results) >= MOST_UNWRITTEN:
            return
        if len(work.tasks) >= self._settings.in_flight:
            work.hungry.append(seat.subscription.id)
            return
        bundled = seat.subscription.channel.for_people
        if bundled and (seat.line.flying or now < seat.resting_s):
            self._wait(seat, seat.resting_s if not seat.line.flying else None)
            return
        items = seat.line.take(now)
        if bundled and items:
            self._start(seat, items)
        else:
            for item in items:
                self._start(seat, [item])
        if seat.behind and len(seat.line) < seat.capacity // 2:
            work.load.add(seat.subscription.id)
        self._wait(seat, seat.line.due())

    def _wait(self, seat: Seat, due_s: float | None) -> None:
        if due_s is not None and due_s < seat.due_s:
            seat.due_s = due_s
            heapq.heappush(self._work.timers, (due_s, seat.subscription.id))

    def _start(self, seat: Seat, items: list[Item]) -> None:
        self.start(self._attempt(seat, items))

    def start(self, work: Coroutine[None, None, None]) -> None:
        """Runs a coroutine that ends with us; what it raises is a bug and ends us."""
        task = asyncio.ensure_future(work)
        self._work.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        work = self._work
        work.tasks.discard(task)
        metrics.FLYING.set(len(work.tasks))
        if not task.cancelled() and (error := task.exception()) is not None:
            self._bugs.append(error)
            self._broken.set()
        while work.hungry and len(work.tasks) < self._settings.in_flight:
            seat = work.seats.get(work.hungry.popleft())
            if seat is not None:
                self._pump(seat)

    async def _attempt(self, seat: Seat, items: list[Item]) -> None:
        """One message of one alert, or for people one of several incidents."""
        to = seat.subscription
        if to.channel.for_people:
            await self.people.attempt(seat, items)
        elif sendable := [item for item in items if self._is_fresh(seat, item)]:
            missed = {i.event.sequence: self._missing.of(to.id, i.event.alert) for i in sendable}
            outcome = await self._channels.send(to, sendable, missed, self.city)
            self.settle(seat, sendable, outcome, missed)
        self._pump(seat)

    def settle(
        self,
        seat: Seat,
        items: Sequence[Item],
        outcome: Outcome,
        missed: Mapping[int, tuple[int, ...]] | None = None,
    ) -> None:
        """What an attempt has made of these items; what failed together is tried again so."""
        metrics.ATTEMPTS.labels("well" if outcome.delivered else "badly").inc()
        chance = self._chance()
        for item in items:
            told = (missed or {}).get(item.event.sequence, ())
            self._settle(seat, item, outcome, told, chance)
        if outcome.delivered and seat.subscription.channel.for_people:
            seat.resting_s = self._now() + self._settings.people_every_s

    def _is_fresh(self, seat: Seat, item: Item) -> bool:
        """A device gets only the present state, once it is known."""
        to = seat.subscription
        if not to.latest or self.city.present(item.event) is not None:
            return True
        seat.line.hold(item, self._now() + HOLD_S)
        return False

    def _settle(
        self,
        seat: Seat,
        item: Item,
        outcome: Outcome,
        missed: tuple[int, ...],
        chance: float,
    ) -> None:
        now, id, event = self._now(), seat.subscription.id, item.event
        was_open = seat.line.is_open
        settled = seat.line.settle(item, outcome, now, chance)
        told = self._missing.settled(id, event, settled.state, missed)
        self._write(
            Result(
                id, event.sequence, event.alert, settled.state, settled.attempts,
                settled.next_s, outcome, told,
            )
        )  # fmt: skip
        if settled.state is State.SENT:
            metrics.DELAY.observe(max(0.0, now - item.queued_s))
        if settled.state is State.DEAD:
            log.warning("delivery.dead", subscription=id, sequence=event.sequence,
                        error=outcome.error)  # fmt: skip
        seat.tell_circuit(was_open, outcome.error)

    def heard(self, seat: Seat, outcome: Outcome) -> None:
        """What a subscriber made of a message that is no delivery."""
        was_open = seat.line.is_open
        seat.line.heard(outcome.delivered, self._now(), self._chance())
        seat.tell_circuit(was_open, outcome.error)
        self._pump(seat)

    def put_away(self, seat: Seat, item: Item) -> None:
        """It was taken, and nobody needs to be told."""
        settled, event = seat.line.put_away(item), item.event
        self._write(
            Result(
                seat.subscription.id, event.sequence, event.alert, settled.state, settled.attempts
            )
        )

    def _put_away(self, id: str, needless: Iterable[Item]) -> None:
        for item in needless:
            event = item.event
            self._write(Result(id, event.sequence, event.alert, State.SUPERSEDED, item.attempts))

    def _write(self, result: Result) -> None:
        if result.state is not State.WAITING:
            metrics.SETTLED.labels(result.state.value).inc()
        self._work.results.append(result)
        self._work.unwritten.add((result.subscription, result.sequence))


def _items(rows: Iterable[Waiting]) -> list[Item]:
    return [Item(r.event, r.queued_s, r.attempts, r.next_s, r.retried) for r in rows]
