"""From the outbox to the queues: who gets which transition. Synchronous; runs in a thread."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.delivery.event import Event
from api.delivery.matching import Matcher, Wanted, facts_of
from api.delivery.place import Places
from api.delivery.store import DeliveryStore, now_utc
from api.delivery.subscription import Subscription

BATCH = 500
REGISTRY_S = 60.0  # between two looks whether points or areas have moved
MOST_ALERTS = 50_000  # whose subscribers are remembered


@dataclass(frozen=True, slots=True)
class Step:
    """What a step has done. `subscriptions` is None while they are as they were."""

    subscriptions: Sequence[Subscription] | None
    wanted: Sequence[tuple[str, Event]]
    queued_s: float
    position: int
    more: bool  # the outbox holds more


class FanOut:
    """Reads on from the stored position; each step is one transaction."""

    def __init__(self, store: DeliveryStore) -> None:
        self._store = store
        self._position = store.position()
        self._version = -1
        self._registry = ""
        self._looked_s = 0.0
        self._matcher = Matcher((), Places())
        self._told: dict[str, set[str]] = {}

    def step(self) -> Step:
        """Numbers, follows changed subscriptions, and queues the next events."""
        self._store.number()
        subscriptions = self._follow()
        events = self._store.events(self._position, BATCH)
        now = now_utc()
        wanted = self._match(events)
        if events:
            upto = events[-1].sequence
            self._store.fan_out(self._position, upto, wanted, now)
            self._position = upto
        more = len(events) == BATCH
        return Step(subscriptions, wanted, now.timestamp(), self._position, more)

    def _follow(self) -> Sequence[Subscription] | None:
        version = self._store.version()
        moved = self._registry_moved()
        if version == self._version and not moved:
            return None
        found = self._store.subscriptions()
        places = self._store.places() if any(_has_region(s) for s in found) else Places()
        self._matcher = Matcher(map(wanted_by, found), places)
        self._skip(found)
        self._begin([each for each in found if each.opening], places)
        changed = version != self._version
        self._version = version
        return found if changed else None

    def _registry_moved(self) -> bool:
        if time.monotonic() - self._looked_s < REGISTRY_S and self._looked_s:
            return False
        self._looked_s = time.monotonic()
        before, self._registry = self._registry, self._store.registry()
        return before != self._registry

    def _skip(self, subscriptions: Iterable[Subscription]) -> None:
        """What is older than every subscription need not be read."""
        floor = min((s.after for s in subscriptions), default=None)
        floor = self._store.newest() if floor is None else floor
        if self._position < floor:
            self._store.fan_out(self._position, floor, (), now_utc())
            self._position = floor

    def _begin(self, subscriptions: Sequence[Subscription], places: Places) -> None:
        """Queues what is open for those that follow the present state from now on.

        The point is the position, or `after` where that is higher: up to it stands in what is open,
        what comes behind it is matched as ever, so nothing is told twice and nothing is missed.
        """
        for each in subscriptions:
            matcher = Matcher((wanted_by(each),), places)
            found = self._store.open_at(max(self._position, each.after))
            wanted = [e for e in found if matcher.match(facts_of(e.content, e.status, e.notify))]
            if self._store.begin(each, wanted, self._position, now_utc()):
                for event in wanted:
                    self._told.get(event.alert, set()).add(each.id)

    def _match(self, events: Sequence[Event]) -> list[tuple[str, Event]]:
        self._recall(events)
        wanted: list[tuple[str, Event]] = []
        for event in events:
            told = self._told.setdefault(event.alert, set())
            facts = facts_of(event.content, event.status, event.notify)
            found = self._matcher.match(facts, told, event.sequence)
            told.update(found)
            wanted += [(subscription, event) for subscription in found]
        return wanted

    def _recall(self, events: Sequence[Event]) -> None:
        """Who was told of these alerts before we began to remember."""
        if len(self._told) > MOST_ALERTS:
            self._told.clear()
        older = {e.alert for e in events if e.alert not in self._told and e.content["sequence"] > 1}
        if older:
            self._told |= self._store.told(older)


def wanted_by(subscription: Subscription) -> Wanted:
    """The subscription for the matcher."""
    return Wanted(
        subscription.id,
        subscription.filter,
        people=subscription.channel.for_people,
        after=subscription.after,
    )


def _has_region(subscription: Subscription) -> bool:
    return bool(subscription.filter.polygon or subscription.filter.near)
