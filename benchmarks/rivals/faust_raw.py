"""Faust as a host of raw records: batches by `take`, numpy for the task, state in memory.

Durable: closed windows and alerts (topics), positions (group). The state is NOT: what was open at
a crash is lost, because nothing keeps it.
"""

from __future__ import annotations

import sys
from typing import Any

import faust

from benchmarks.rivals.task import (
    COMMIT_S,
    ColumnTask,
    Job,
    Marks,
    closed_content,
    flip_content,
    read,
)

PARTITIONS = 4
BATCH = {"event": 1000, "frame": 40}
WAIT_S = 0.2


def main() -> None:
    job = Job.given()
    app = faust.App(
        job.group,
        broker=f"kafka://{job.broker}",
        store="memory://",
        datadir=job.state_dir,
        topic_partitions=PARTITIONS,
        topic_replication_factor=1,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=COMMIT_S,
        web_enabled=False,
    )
    source = app.topic(
        job.topic,
        key_serializer="raw",
        value_serializer="raw",
        value_type=bytes,
        partitions=PARTITIONS,
    )
    windows = app.topic(job.windows, key_serializer="raw", value_serializer="json")
    alerts = app.topic(job.alerts, key_serializer="raw", value_serializer="json")
    task, marks = ColumnTask(), Marks(job.total)

    async def process(stream: Any) -> None:
        async for bodies in stream.take(BATCH[job.shape], within=WAIT_S):
            marks.count(0)
            for rows in read(bodies, job):
                closed, flips = task.take(rows)
                for window in closed:
                    await windows.send(key=window[0].encode(), value=closed_content(window))
                for found in flips:
                    await alerts.send(key=found[0].encode(), value=flip_content(found))
                marks.count(len(rows))

    app.agent(source)(process)
    sys.argv = ["faust", "worker", "-l", "error", "--without-web"]
    app.main()


if __name__ == "__main__":
    main()
