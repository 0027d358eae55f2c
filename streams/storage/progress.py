"""How far the workers of a namespace have come, for a source that must not run ahead of them."""

from __future__ import annotations

from streams.log import OBSERVATION_TOPIC
from streams.storage.connect import Connection

BEHIND = """
select coalesce(sum(l.next_offset - coalesce(p.next_offset, 0)), 0)
from log_partition l left join position p using (topic, partition)
where l.topic = %s
"""


def records_behind(connection: Connection, topic: str = OBSERVATION_TOPIC) -> int:
    """Records of the topic whose outputs are not committed yet, over all partitions."""
    row = connection.execute(BEHIND, (topic,)).fetchone()
    assert row is not None
    return int(row[0])
