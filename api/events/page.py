"""Reading events by number: where a reader's cursor stands, and one stretch from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.events.cursor import Cursor, Malformed, parse
from api.events.event import Wanted
from api.problem import bad_parameter, gone
from api.queries.database import Reader
from api.queries.event_rows import CompletenessRow, EventBoundsRow, EventRow

SPAN = 20_000  # numbers that one look goes through: also a rare filter answers soon


@dataclass(frozen=True, slots=True)
class Stretch:
    """Events in order; `next`: everything before it has been looked at."""

    rows: Sequence[EventRow]
    next: int


async def read_bounds(reader: Reader) -> EventBoundsRow:
    """What can be followed in the reader's snapshot."""
    bounds = await reader.row(EventBoundsRow, "event_bounds")
    if bounds is None:
        raise LookupError(f"the namespace {reader.namespace!r} is not set up")
    return bounds


async def now_cursor(reader: Reader) -> Cursor:
    """The cursor of somebody who knows the reader's snapshot."""
    bounds = await read_bounds(reader)
    return Cursor(bounds.log, bounds.next)


def place(
    given: str | None, bounds: EventBoundsRow, keep_days: int, snapshot: str, name: str = "after"
) -> int:
    """The number that the holder of a cursor reads next; without one the next that is given.

    `Problem` 422 when it is no cursor, 410 with the way back (`snapshot`) when nobody can go on
    from it without a gap.
    """
    if given is None:
        return bounds.next
    try:
        cursor = parse(given)
    except Malformed as error:
        raise bad_parameter(name, f"{error}") from error
    if cursor.log != bounds.log:
        raise gone("This cursor is of another namespace, or of one made anew since.", snapshot)
    if cursor.next > bounds.next:
        raise gone("This cursor is ahead of what is stored: an older state came back.", snapshot)
    if cursor.next < bounds.first:
        kept = f"Events are kept for {keep_days} days" if keep_days else "Events were let go"
        raise gone(f"{kept}; the next one for this cursor is gone.", snapshot)
    return cursor.next


async def read_stretch(
    reader: Reader, start: int, bounds: EventBoundsRow, wanted: Wanted, limit: int
) -> Stretch:
    """At most `limit` events from `start` on, of at most `SPAN` numbers."""
    before = min(bounds.next, start + SPAN)
    rows = await reader.rows(
        EventRow,
        "events",
        after=start,
        before=before,
        areas=None if wanted.areas is None else list(wanted.areas),
        domain=wanted.domain,
        severity=wanted.severity,
        change=wanted.change,
        limit=limit,
    )
    return Stretch(rows, rows[-1].sequence + 1 if len(rows) == limit else before)


async def read_completeness(reader: Reader, areas: list[str] | None) -> list[CompletenessRow]:
    """How much of these areas speaks; None = of all."""
    return await reader.rows(CompletenessRow, "completeness", areas=areas)
