"""Lets go of official warnings that have long been over, with the messages as they were sent.

A message that updates or cancels another stays as long as that one: without it, what was cancelled
would be in force again.
"""

from __future__ import annotations

from collections.abc import Callable

from streams.storage.connect import Connection

ROWS = 1000  # in one transaction; each holds its message
# Those that came only lately stay, too: somebody has just imported them.
DELETE = """
delete from official_warning where id in (
    select w.id from official_warning w
    where w.expires < at_ms(%(before)s) and w.heard < at_ms(%(before)s) and not exists (
        select from official_warning o
        where (o.expires >= at_ms(%(before)s) or o.heard >= at_ms(%(before)s))
            and (o.id = any(w.refers) or (w.series <> '' and o.series = w.series)))
    order by w.expires limit %(rows)s
)
"""


def expire_warnings(connection: Connection, before_ms: int, stopped: Callable[[], bool]) -> int:
    """Deletes warnings whose end lies before this time; how many.

    `connection` commits by itself. Ends early when it is told to stop; call it again.
    """
    gone = 0
    while not stopped():
        count = connection.execute(DELETE, {"before": before_ms, "rows": ROWS}).rowcount
        gone += count
        if count < ROWS:
            break
    return gone
