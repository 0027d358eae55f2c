"""What became of closes by hand: the first answer to each stays."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from streams.contracts.closing import Closed, Verdict
from streams.storage.connect import Cursor

LOGGER = structlog.get_logger(__name__)
ADD = """
insert into alert_close (alert, number, verdict, area, decided_at, topic, partition, position)
values (%s, %s, %s, %s, at_ms(%s), %s, %s, %s) on conflict do nothing
"""


def write_closed(cursor: Cursor, topic: str, partition: int, closed: Sequence[Closed]) -> None:
    """In the caller's transaction; closes that ended nothing are told in the log file."""
    for one in closed:
        where = (topic, partition, one.position)
        row = (one.alert, one.number, one.verdict.value, one.area, one.decided_ms, *where)
        is_new = cursor.execute(ADD, row).rowcount
        if is_new and one.verdict is not Verdict.CLOSED:
            LOGGER.warning(
                "alert.not_closed",
                alert=one.alert,
                why=one.verdict.value,
                area=one.area,
                partition=partition,
                position=one.position,
            )
