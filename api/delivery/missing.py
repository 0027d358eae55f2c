"""Dead letters of which a subscriber has not been told yet: the next message names them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from api.delivery.event import MOST_MISSED, Event
from api.delivery.outcome import State


class Missing:
    """By subscription and alert, the numbers of the last dead letters."""

    def __init__(self, known: Mapping[tuple[str, str], list[int]]) -> None:
        self._known = {key: list(found) for key, found in known.items() if found}

    def of(self, subscription: str, alert: str) -> tuple[int, ...]:
        """What the next message of this alert tells of."""
        return tuple(self._known.get((subscription, alert), ()))

    def settled(
        self, subscription: str, event: Event, state: State, told: tuple[int, ...]
    ) -> tuple[int, ...]:
        """A delivery has ended so, its message told of `told`; gives what is missing no more."""
        key = (subscription, event.alert)
        if state is State.DEAD:
            self._known[key] = [*self._known.get(key, ()), event.sequence][-MOST_MISSED:]
            return ()
        if state is not State.SENT or key not in self._known:
            return ()
        gone = {*told, event.sequence}
        left = [number for number in self._known[key] if number not in gone]
        found = tuple(number for number in self._known[key] if number in gone)
        if left:
            self._known[key] = left
        else:
            del self._known[key]
        return found
