"""How far the workers of a namespace have come, for a source that must not run ahead of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streams.log import OBSERVATION_TOPIC, Log
from streams.storage.alerts import json_text
from streams.storage.connect import Connection

MARKED = """
select count(*) from late_mark
where topic = %s and position < coalesce((%s::jsonb ->> partition::text)::bigint, 0)
"""
POSITIONS = "select partition, next_offset from position where topic = %s"
POSITION = """
select partition, next_offset, checkpoint_offset, last_append_ms from position where topic = %s
"""


@dataclass(frozen=True, slots=True)
class Position:
    """How far one partition is: D, C, and the append time of the last record before D."""

    next_offset: int
    checkpoint_offset: int
    last_append_ms: int | None


def positions(connection: Connection, topic: str = OBSERVATION_TOPIC) -> dict[int, Position]:
    """Of every partition that a worker ever had."""
    rows = connection.execute(POSITION, (topic,)).fetchall()
    return {row[0]: Position(*row[1:]) for row in rows}


def days_marked(
    connection: Connection, ends: Mapping[int, int], topic: str = OBSERVATION_TOPIC
) -> int:
    """Area-days that late rows before these ends have touched and nobody has rebuilt yet."""
    text = json_text({str(partition): end for partition, end in ends.items()})
    row = connection.execute(MARKED, (topic, text)).fetchone()
    return 0 if row is None else int(row[0])


def records_behind(connection: Connection, log: Log, topic: str = OBSERVATION_TOPIC) -> int:
    """Records of the log whose outputs are not committed yet, over all partitions."""
    done: dict[int, int] = dict(connection.execute(POSITIONS, (topic,)).fetchall())
    count = log.partitions()
    return sum(log.end(n) - done.get(n, log.first(n)) for n in range(count))
