"""Plain Faust: a windowed Table and a Table of alert states, as its guide teaches.

Durable: both Tables (changelog topics), alerts (topic), positions (group). At least once.
Windows are read from the Table's changelog: Faust tells them nowhere else.
"""

from __future__ import annotations

import sys
from typing import Any

import faust

from benchmarks.rivals.task import COMMIT_S, WINDOW_MS, Job, Marks, flip, flip_content, read_frame

PARTITIONS = 4
TEN_YEARS_S = 10 * 365 * 86_400


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
    serializer = "json" if job.shape == "event" else "raw"
    source = app.topic(
        job.topic,
        key_serializer="raw",
        value_serializer=serializer,
        value_type=None if job.shape == "event" else bytes,
        partitions=PARTITIONS,
    )
    alerts = app.topic(job.alerts, key_serializer="raw", value_serializer="json")
    now = [0.0]
    windows = (
        app.Table("windows", default=lambda: [0, 0.0], partitions=PARTITIONS)
        .tumbling(WINDOW_MS / 1000, expires=TEN_YEARS_S)
        .clone(lambda _event: now[0])
    )
    states = app.Table("states", default=bool, partitions=PARTITIONS)
    marks = Marks(job.total)

    async def reading(sensor: str, time_ms: int, value: float) -> None:
        now[0] = time_ms / 1000
        count, total = windows[sensor].value()
        windows[sensor] = [count + 1, total + value]
        before = states[sensor]
        on = flip(before, value)
        if on != before:
            states[sensor] = on
            await alerts.send(key=sensor.encode(), value=flip_content((sensor, time_ms, on)))

    async def events(stream: Any) -> None:
        async for event in stream:
            marks.count(0)
            await reading(event["sensor"], event["time"], event["value"])
            marks.count()

    async def frames(stream: Any) -> None:
        async for body in stream:
            marks.count(0)
            rows = read_frame(body, job.encoding)
            for sensor, time_ms, value in rows.each():
                await reading(sensor, time_ms, value)
            marks.count(len(rows))

    app.agent(source)(events if job.shape == "event" else frames)
    sys.argv = ["faust", "worker", "-l", "error", "--without-web"]
    app.main()


if __name__ == "__main__":
    main()
