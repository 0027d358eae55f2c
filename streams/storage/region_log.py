"""Messages from the first stage to the region pipeline, numbered in the order of commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streams.contracts.outcome import RegionMessage
from streams.storage.alerts import json_text
from streams.storage.connect import Cursor
from streams.storage.migrate import REGION_TOPIC

# The row lock is held until the commit: numbers become visible in their order, without gaps.
TAKE_NUMBERS = """
update log_partition set next_offset = next_offset + %s
where topic = %s and partition = 0
returning next_offset - %s
"""
COPY_MESSAGES = (
    "copy region_log (id, city, area, sequence, proc_ms, kind, domain, period, start_ms, payload,"
    " cause, topic, partition, position) from stdin"
)


def write_messages(
    cursor: Cursor,
    topic: str,
    messages: Sequence[tuple[int, Mapping[str, str], RegionMessage]],
) -> None:
    """Appends (partition, city by area, message); an area without a city stands for itself."""
    if not messages:
        return
    count = len(messages)
    row = cursor.execute(TAKE_NUMBERS, (count, REGION_TOPIC, count)).fetchone()
    if row is None:
        raise LookupError("the region log has no partition: migrate the namespace")
    with cursor.copy(COPY_MESSAGES) as copy:
        for number, (partition, cities, m) in enumerate(messages, start=row[0]):
            city = cities.get(m.area, m.area)
            head = (number, city, m.area, m.sequence, m.proc_ms, m.kind, m.domain, m.period)
            tail = (m.start_ms, json_text(m.payload), m.cause, topic, partition, m.position)
            copy.write_row((*head, *tail))
