"""Quix Streams: its tumbling window and a stateful function for events; for frames (which its
windows cannot cut, being kept by the record's key) one stateful function by area, with numpy.

Durable: state (changelog topics, RocksDB), results (topics), positions (group). At least once, or
exactly once with `QUIX_GUARANTEE=exactly-once`.
"""

from __future__ import annotations

import os
from typing import Any

from quixstreams import Application
from quixstreams.dataframe.windows import Count, Sum

from benchmarks.rivals.task import (
    COMMIT_S,
    WINDOW_MS,
    ColumnTask,
    Job,
    Marks,
    closed_content,
    flip,
    flip_content,
    read_frame,
)


def main() -> None:
    job = Job.given()
    app = Application(
        broker_address=job.broker,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        processing_guarantee=os.environ.get("QUIX_GUARANTEE", "at-least-once"),
        commit_interval=COMMIT_S,
        state_dir=job.state_dir,
        loglevel="WARNING",
    )
    wire = "json" if job.shape == "event" else "bytes"
    source = app.topic(job.topic, key_deserializer="str", value_deserializer=wire)
    windows = app.topic(job.windows, key_serializer="str", value_serializer="json")
    alerts = app.topic(job.alerts, key_serializer="str", value_serializer="json")
    build = _events if job.shape == "event" else _frames
    build(app.dataframe(source), windows, alerts, job, Marks(job.total))
    app.run()


def _events(stream: Any, windows: Any, alerts: Any, job: Job, marks: Marks) -> None:
    def judge(event: dict[str, Any], state: Any) -> dict[str, object] | None:
        marks.count()
        before = state.get("on", default=False)
        on = flip(before, event["value"])
        if on == before:
            return None
        state.set("on", on)
        return flip_content((event["sensor"], event["time"], on))

    def shaped(found: dict[str, Any], key: str, _timestamp: int, _headers: Any) -> object:
        return closed_content((key, found["start"], found["n"], found["sum"]))

    judged = stream.apply(judge, stateful=True)
    judged[judged.apply(lambda found: found is not None)].to_topic(alerts)
    window = stream.tumbling_window(WINDOW_MS, grace_ms=0)
    closed = window.agg(n=Count(), sum=Sum("value")).final()
    closed.apply(shaped, metadata=True).to_topic(windows)


def _frames(stream: Any, windows: Any, alerts: Any, job: Job, marks: Marks) -> None:
    def work(body: bytes, state: Any) -> dict[str, list[dict[str, object]]]:
        marks.count(0)
        task = ColumnTask.load(state.get("task"))
        rows = read_frame(body, job.encoding)
        closed, flips = task.take(rows)
        state.set("task", task.save())
        marks.count(len(rows))
        return {
            "windows": [closed_content(window) for window in closed],
            "alerts": [flip_content(found) for found in flips],
        }

    done = stream.apply(work, stateful=True)
    done.apply(lambda found: found["windows"], expand=True).to_topic(windows)
    done.apply(lambda found: found["alerts"], expand=True).to_topic(alerts)


if __name__ == "__main__":
    main()
