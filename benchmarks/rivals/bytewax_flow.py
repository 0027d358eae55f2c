"""Bytewax: its event-time window and a stateful step by sensor; frames are flat-mapped to readings,
or (`BYTEWAX_STEP=columns`) go whole into one stateful step by area, with numpy.

Durable: results (topics). State and positions only with `BYTEWAX_RECOVERY=on` (SQLite, every
second); without it, which is its default, a crash begins anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import bytewax.operators as op
import bytewax.operators.windowing as win
import orjson
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import run_main

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
    tell,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BATCH = 1000


def main() -> None:
    job = Job.given()
    flow = Dataflow("rival")
    records = op.input(
        "in", flow, KafkaSource([job.broker], [job.topic], tail=False, batch_size=BATCH)
    )
    marks = Marks(job.total)
    if job.shape == "frame" and os.environ.get("BYTEWAX_STEP") == "columns":
        windows, alerts = _columns(records, job, marks)
    else:
        windows, alerts = _readings(records, job, marks)
    op.output("windows", op.map("pack_w", windows, _packed), KafkaSink([job.broker], job.windows))
    op.output("alerts", op.map("pack_a", alerts, _packed), KafkaSink([job.broker], job.alerts))
    run_main(flow, epoch_interval=timedelta(seconds=COMMIT_S), recovery_config=_recovery(job))
    tell("durable")


def _recovery(job: Job) -> RecoveryConfig | None:
    if os.environ.get("BYTEWAX_RECOVERY") != "on":
        return None
    folder = Path(job.state_dir)
    init_db_dir(folder, 1)
    return RecoveryConfig(folder)


def _readings(records: Any, job: Job, marks: Marks) -> tuple[Any, Any]:
    def event(message: Any) -> tuple[str, tuple[int, float]]:
        marks.count()
        found = orjson.loads(message.value)
        return found["sensor"], (found["time"], found["value"])

    def frame(message: Any) -> list[tuple[str, tuple[int, float]]]:
        marks.count(0)
        rows = read_frame(message.value, job.encoding)
        marks.count(len(rows))
        return [(sensor, (time_ms, value)) for sensor, time_ms, value in rows.each()]

    def judge(
        state: bool | None, reading: tuple[int, float]
    ) -> tuple[bool | None, Iterable[dict[str, object]]]:
        on = flip(bool(state), reading[1])
        if on == bool(state):
            return state, ()
        return on, (flip_content(("", reading[0], on)),)

    def named(found: tuple[str, dict[str, object]]) -> dict[str, object]:
        return found[1] | {"sensor": found[0]}

    def closed(found: tuple[str, tuple[int, tuple[int, float]]]) -> dict[str, object]:
        sensor, (number, (count, total)) = found
        return closed_content((sensor, number * WINDOW_MS, count, total))

    keyed = (
        op.map("read", records, event)
        if job.shape == "event"
        else op.flat_map("read", records, frame)
    )
    clock = win.EventClock(
        ts_getter=lambda reading: datetime.fromtimestamp(reading[0] / 1000, UTC),
        wait_for_system_duration=timedelta(0),
    )
    windower = win.TumblingWindower(length=timedelta(milliseconds=WINDOW_MS), align_to=EPOCH)
    folded = win.fold_window(
        "window",
        keyed,
        clock,
        windower,
        lambda: (0, 0.0),
        lambda held, reading: (held[0] + 1, held[1] + reading[1]),
        lambda left, right: (left[0] + right[0], left[1] + right[1]),
    )
    windows = op.map("closed", folded.down, closed)
    alerts = op.map("named", op.stateful_flat_map("judge", keyed, judge), named)
    return windows, alerts


def _columns(records: Any, job: Job, marks: Marks) -> tuple[Any, Any]:
    def work(task: ColumnTask | None, body: bytes) -> tuple[ColumnTask, Iterable[Any]]:
        marks.count(0)
        task = task or ColumnTask()
        rows = read_frame(body, job.encoding)
        closed, flips = task.take(rows)
        marks.count(len(rows))
        return task, [(closed, flips)]

    keyed = op.map("key", records, lambda message: (message.key.decode(), message.value))
    done = op.stateful_flat_map("work", keyed, work)
    windows = op.flat_map("w", done, lambda found: map(closed_content, found[1][0]))
    alerts = op.flat_map("a", done, lambda found: map(flip_content, found[1][1]))
    return windows, alerts


def _packed(content: dict[str, object]) -> KafkaSinkMessage[bytes, bytes]:
    return KafkaSinkMessage(str(content["sensor"]).encode(), orjson.dumps(content))


if __name__ == "__main__":
    main()
