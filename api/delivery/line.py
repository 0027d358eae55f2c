"""What waits for one subscriber, in order for each alert. Pure: time and chance are given.

For an alert the head alone may be sent; its followers wait until it is sent, superseded or dead.
Different alerts go side by side, up to a width that a failure narrows to one and successes widen
again. After failures in a row the circuit opens: nothing is sent for a while, then one probe.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from api.delivery.backoff import Backoff
from api.delivery.event import Event
from api.delivery.outcome import Outcome, State


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a line."""

    width: int = 4  # alerts in flight at the same time
    attempts: int = 20  # then it is dead
    give_up_s: float = 86_400.0  # nor is it tried again when it is older
    open_after: int = 5  # failures in a row that open the circuit
    backoff: Backoff = field(default_factory=Backoff)
    narrows: bool = True  # a failure leaves one in flight until successes widen it again


@dataclass(slots=True, eq=False)
class Item:
    """One waiting delivery. Times are epoch seconds."""

    event: Event
    queued_s: float
    attempts: int = 0
    next_s: float = 0.0
    retried: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """What an attempt has made of a delivery."""

    state: State
    attempts: int
    next_s: float | None = None


class Line:
    """The queue of one subscriber. `latest`: only the newest state of an alert is worth sending."""

    def __init__(self, limits: Limits, *, latest: bool = False) -> None:
        self._limits = limits
        self._latest = latest
        self._queues: dict[str, deque[Item]] = {}
        self._held: set[int] = set()
        self._flying: set[str] = set()
        self._ready: deque[str] = deque()
        self._timed: list[tuple[float, str]] = []
        self._width = limits.width
        self._failures = 0
        self._opened = 0
        self._open_until = 0.0

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, sequence: int) -> bool:
        return sequence in self._held

    @property
    def flying(self) -> int:
        """How many are being sent."""
        return len(self._flying)

    @property
    def is_open(self) -> bool:
        """Whether the circuit is open: the subscriber failed again and again."""
        return self._opened > 0

    def open_until(self) -> float:
        """When the next probe is due; 0 while the circuit is closed."""
        return self._open_until if self._opened else 0.0

    def oldest(self) -> int | None:
        """The lowest number that waits here."""
        return min(self._held, default=None)

    def add(self, items: Iterable[Item]) -> list[Item]:
        """Takes more in, by number within each alert. Gives what a newer state makes needless."""
        needless: list[Item] = []
        for item in items:
            alert, sequence = item.event.alert, item.event.sequence
            if sequence in self._held:
                continue
            queue = self._queues.setdefault(alert, deque())
            self._held.add(sequence)
            self._insert(alert, queue, item)
            if self._latest:
                needless += self._trim(alert, queue)
            if queue[0] is item:
                self._schedule(alert, item)
        return needless

    def take(self, now_s: float) -> list[Item]:
        """What is to be sent now; each must be settled."""
        if now_s < self._open_until:
            return []
        while self._timed and self._timed[0][0] <= now_s:
            self._ready.append(heapq.heappop(self._timed)[1])
        room = self._room()
        taken: list[Item] = []
        while room > 0 and self._ready:
            alert = self._ready.popleft()
            queue = self._queues.get(alert)
            if queue is None or alert in self._flying or queue[0].next_s > now_s:
                continue
            self._flying.add(alert)
            taken.append(queue[0])
            room -= 1
        return taken

    def settle(self, item: Item, outcome: Outcome, now_s: float, chance: float) -> Settled:
        """The attempt has ended so."""
        self._flying.discard(item.event.alert)
        item.attempts += 1
        if outcome.delivered:
            self.heard(True, now_s, chance)
            self._drop(item)
            return Settled(State.SENT, item.attempts)
        self.heard(False, now_s, chance)
        limits = self._limits
        over = item.attempts >= limits.attempts or now_s - item.queued_s >= limits.give_up_s
        if outcome.final or over:
            self._drop(item)
            return Settled(State.DEAD, item.attempts)
        pause = limits.backoff.pause_s(item.attempts, chance, outcome.wish_s)
        item.next_s = now_s + pause
        if self._latest and len(self._queues[item.event.alert]) > 1:
            self._queues[item.event.alert][1].next_s = item.next_s
            self._drop(item)
            return Settled(State.SUPERSEDED, item.attempts)
        self._schedule(item.event.alert, item)
        return Settled(State.WAITING, item.attempts, item.next_s)

    def hold(self, item: Item, until_s: float) -> None:
        """It was taken but not sent: later, and no attempt is counted."""
        self._flying.discard(item.event.alert)
        item.next_s = until_s
        self._schedule(item.event.alert, self._queues[item.event.alert][0])

    def put_away(self, item: Item) -> Settled:
        """It was taken and need not be sent any more."""
        self._flying.discard(item.event.alert)
        self._drop(item)
        return Settled(State.SUPERSEDED, item.attempts)

    def heard(self, well: bool, now_s: float, chance: float) -> None:
        """Whether the subscriber took something; what is no delivery (a heartbeat) counts, too."""
        if well:
            self._failures = self._opened = 0
            self._open_until = 0.0
            self._width = min(self._limits.width, self._width * 2)
            return
        self._width = 1 if self._limits.narrows else self._width
        self._failures += 1
        if self._failures >= self._limits.open_after and now_s >= self._open_until:
            self._opened += 1
            self._open_until = now_s + self._limits.backoff.pause_s(self._opened, chance)

    def due(self) -> float | None:
        """When `take` may give something again; None: not before something else happens."""
        if self._room() <= 0:
            return None
        if self._ready:
            return self._open_until
        return max(self._timed[0][0], self._open_until) if self._timed else None

    def _room(self) -> int:
        probing = self._opened and self._limits.narrows
        return (1 if probing else self._width) - len(self._flying)

    def _insert(self, alert: str, queue: deque[Item], item: Item) -> None:
        """By number, but never before one that is being sent."""
        first = 1 if alert in self._flying else 0
        at = len(queue)
        while at > first and queue[at - 1].event.sequence > item.event.sequence:
            at -= 1
        queue.insert(at, item)

    def _trim(self, alert: str, queue: deque[Item]) -> list[Item]:
        """Leaves what is being sent and the newest, which waits as long as a failure says."""
        keep = 1 if alert in self._flying else 0
        needless = [queue[index] for index in range(keep, len(queue) - 1)]
        for item in needless:
            queue.remove(item)
            self._held.discard(item.event.sequence)
            if item.attempts:
                queue[-1].next_s = max(queue[-1].next_s, item.next_s)
        return needless

    def _schedule(self, alert: str, head: Item) -> None:
        if head.next_s > 0:
            heapq.heappush(self._timed, (head.next_s, alert))
        else:
            self._ready.append(alert)

    def _drop(self, item: Item) -> None:
        alert = item.event.alert
        queue = self._queues[alert]
        queue.remove(item)
        self._held.discard(item.event.sequence)
        if queue:
            self._schedule(alert, queue[0])
        else:
            del self._queues[alert]
