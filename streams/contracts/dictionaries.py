"""Dictionaries of names that were read before, by their bytes: a gateway sends its own every time.

What is known here has been read and checked once; the same bytes say the same names. It is a
memory of limited size and nothing else: without it everything reads the same, only slower.
"""

from __future__ import annotations

MOST_BYTES = 8 << 20


class Dictionaries:
    """See the module."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._held = 0
        self._names: dict[bytes, tuple[str, ...]] = {}
        self._known: set[int] = set()  # identities of the tuples in `_names`

    def find(self, content: bytes) -> tuple[str, ...] | None:
        """The names that these bytes say, if they are remembered."""
        return self._names.get(content)

    def knows(self, names: tuple[str, ...]) -> bool:
        """Whether `find` gave this very object."""
        return id(names) in self._known

    def remember(self, content: bytes, names: tuple[str, ...]) -> None:
        """Names that were found to be good; forgets all others when there are too many."""
        if content in self._names:
            return
        if self._held + len(content) > self._most:
            self._known.clear()  # first: an identity means nothing without its names
            self._names.clear()
            self._held = 0
        self._held += len(content)
        self._names[content] = names
        self._known.add(id(names))
