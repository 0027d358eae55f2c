"""Why something is not done, without saying how that is told: by HTTP or by the command line."""

from __future__ import annotations

from collections.abc import Sequence


class Refused(Exception):
    """Nothing was changed."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("; ".join(mistakes))
        self.mistakes = tuple(mistakes)


class Unknown(Refused):
    """There is no such thing."""

    def __init__(self, what: str) -> None:
        super().__init__([what])


class Conflict(Refused):
    """It does not go with what is there."""

    def __init__(self, why: str) -> None:
        super().__init__([why])
