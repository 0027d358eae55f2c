"""Lists of what people did: each statement gives everything but for what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from api.queries.acting_rows import CalloutRow, ClosureRow, MessageRow
from api.queries.database import Reader

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A statement, its rows, and what may be asked of it beside the limit."""

    kind: type[T]
    statement: str
    filters: tuple[str, ...]

    async def read(self, reader: Reader, limit: int, **asked: object) -> list[T]:
        """The first rows that fit. `TypeError` for a filter that there is not."""
        if strange := asked.keys() - set(self.filters):
            raise TypeError(f"{self.statement} cannot be asked for {', '.join(sorted(strange))}")
        given = dict.fromkeys(self.filters) | asked
        return await reader.rows(self.kind, self.statement, limit=limit, **given)

    async def one(self, reader: Reader, **asked: object) -> T | None:
        """The first row, or None."""
        found = await self.read(reader, 1, **asked)
        return found[0] if found else None


CLOSURES = Listing(
    ClosureRow, "closures", ("areas", "states", "exercise", "overdue", "id", "after_id")
)
MESSAGES = Listing(MessageRow, "messages", ("areas", "states", "sendable", "id", "after_id"))
CALLOUTS = Listing(
    CalloutRow,
    "callouts",
    ("areas", "ended", "overdue", "alert", "after_started", "after_alert"),
)
