"""Numbers the outbox after the commit, in one place, so that a reader's cursor never skips.

Runs in a small transaction of its own. Under the row lock it sees every committed message that
has no number yet; what commits later gets a higher number.
"""

from __future__ import annotations

from streams.storage.connect import Connection, Cursor
from streams.storage.holders import ending_silent_holders, wait_briefly

OUTBOX_TOPIC = "outbox"
# The lock is a statement of its own: the numbering must see what committed while it waited.
LOCK = """
insert into log_partition (topic, partition) values (%s, 0)
on conflict (topic, partition) do update set next_offset = log_partition.next_offset
returning next_offset
"""
NUMBER = """
with fresh as (
    select id, row_number() over (order by id) as place from outbox where sequence is null
)
update outbox o set sequence = %s + fresh.place - 1, numbered_at = clock_timestamp()
from fresh where o.id = fresh.id
"""
ADVANCE = (
    "update log_partition set next_offset = next_offset + %s where topic = %s and partition = 0"
)


def number_outbox(connection: Connection) -> int:
    """Numbers all unnumbered messages; gives how many there were.

    Raises `LockNotAvailable` where another process has kept the counter for long.
    """
    with ending_silent_holders(connection), connection.transaction():
        wait_briefly(connection)
        with connection.cursor() as cursor:
            return _number(cursor)


def _number(cursor: Cursor) -> int:
    row = cursor.execute(LOCK, (OUTBOX_TOPIC,)).fetchone()
    if row is None:
        raise LookupError("the outbox has no counter")
    numbered = cursor.execute(NUMBER, (row[0],)).rowcount
    if numbered:
        cursor.execute(ADVANCE, (numbered, OUTBOX_TOPIC))
    return numbered
