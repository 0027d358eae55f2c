"""Lets go of numbered messages that are older than a cursor is good for.

What has no number stays, and what somebody still needs (the view `outbox_needed`). The newest
message stays, too: from it everybody sees how far the numbers have come.
"""

from __future__ import annotations

from collections.abc import Callable

from streams.storage.connect import Connection

NUMBERS = 20_000  # about as many messages as one transaction deletes
# By number: the first that is younger, the first that is needed, the newest.
BOUND = """
select min(sequence), least(
    (select sequence from outbox
     where sequence is not null
         and coalesce(numbered_at, at_ms((content ->> 'decided_ms')::bigint)) >= at_ms(%s)
     order by sequence limit 1),
    (select min(sequence) from outbox_needed),
    max(sequence)
) from outbox
"""
DELETE = "delete from outbox where sequence >= %s and sequence < %s"


def expire_messages(connection: Connection, before_ms: int, stopped: Callable[[], bool]) -> int:
    """Deletes messages that got their number before this wall-clock time; how many.

    `connection` commits by itself. Ends early when it is told to stop; call it again.
    """
    row = connection.execute(BOUND, (before_ms,)).fetchone()
    first, bound = row if row is not None else (None, None)
    gone = 0
    while first is not None and first < bound and not stopped():
        end = min(first + NUMBERS, bound)
        gone += connection.execute(DELETE, (first, end)).rowcount
        first = end
    return gone
