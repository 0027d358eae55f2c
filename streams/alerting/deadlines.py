"""The next of many deadlines, asking again only where something moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class Deadlines:
    """By key; `ask` gives the deadline of a key, None = it has none."""

    def __init__(self, ask: Callable[[str], int | None]) -> None:
        self._ask = ask
        self._known: dict[str, int] = {}
        self._moved: set[str] = set()

    def move(self, keys: Iterable[str]) -> None:
        """What holds of these is not known any more."""
        self._moved.update(keys)

    def forget(self) -> None:
        """Nothing is known any more; `move` says of what to ask."""
        self._known, self._moved = {}, set()

    def first(self) -> tuple[int, str] | None:
        """The smallest deadline and its key."""
        for key in self._moved:
            at = self._ask(key)
            if at is None:
                self._known.pop(key, None)
            else:
                self._known[key] = at
        self._moved.clear()
        return min(((at, key) for key, at in self._known.items()), default=None)
