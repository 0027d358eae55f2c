"""How far the workers of a namespace have come, for a source that must not run ahead of them."""

from __future__ import annotations

from streams.log import OBSERVATION_TOPIC, Log
from streams.storage.connect import Connection

POSITIONS = "select partition, next_offset from position where topic = %s"


def records_behind(connection: Connection, log: Log, topic: str = OBSERVATION_TOPIC) -> int:
    """Records of the log whose outputs are not committed yet, over all partitions."""
    done: dict[int, int] = dict(connection.execute(POSITIONS, (topic,)).fetchall())
    count = log.partitions()
    return sum(log.end(n) - done.get(n, log.first(n)) for n in range(count))
