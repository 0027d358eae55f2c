"""The task that every engine solves, in numbers and in numpy; and how an engine tells its progress.

Per sensor: count and sum of every 5-minute window of event time, told when the sensor's first
reading of a later window comes; and an alert that goes on above `UP` and off below `DOWN`.
Imports numpy and the two parsers only: it runs in the rivals' environment too.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgpack
import numpy as np
import orjson
from numpy.typing import NDArray

WINDOW_MS = 300_000
UP = 0.95  # the alert goes on above
DOWN = 0.90  # and off below
MILLI = 1000  # readings have three decimals; sums are compared as whole thousandths
COMMIT_S = 1.0  # how often every engine is asked to make its positions durable

Closed: TypeAlias = tuple[str, int, int, float]  # sensor, start of the window, count, sum
Flip: TypeAlias = tuple[str, int, bool]  # sensor, time, on
Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Job:
    """What one run of an engine is told, as its only argument (JSON)."""

    broker: str
    topic: str
    shape: str  # "event": one JSON reading a record; "frame": columns of one area
    encoding: str  # of a frame: "json" or "msgpack"
    total: int  # readings in the topic
    windows: str  # topic of the results
    alerts: str
    group: str  # a name that nothing else uses: consumer group, application, state
    state_dir: str

    @staticmethod
    def given() -> Job:
        """The job on the command line."""
        return Job(**json.loads(sys.argv[1]))


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Readings as columns; `sensor` (n,) indexes `names`."""

    names: Sequence[str]
    sensor: Ints
    time_ms: Ints
    value: Floats

    def __len__(self) -> int:
        return len(self.value)

    def each(self) -> Iterable[tuple[str, int, float]]:
        """One reading after the other, for engines that want it so."""
        named = map(self.names.__getitem__, self.sensor.tolist())
        return zip(named, self.time_ms.tolist(), self.value.tolist(), strict=True)


def read_frame(body: bytes, encoding: str) -> Rows:
    """The readings of a frame (docs/schemas/frame.schema.json)."""
    if encoding == "json":
        wire = orjson.loads(body)
        sensor, delta = np.array(wire["sensor"], np.int64), np.array(wire["time"], np.int64)
        return Rows(wire["sensors"], sensor, delta + wire["time0"], np.array(wire["value"]))
    wire = msgpack.unpackb(body)
    sensor = np.frombuffer(wire["sensor"], "<u2").astype(np.int64)
    delta = np.frombuffer(wire["time"], "<i4").astype(np.int64)
    return Rows(wire["sensors"], sensor, delta + wire["time0"], np.frombuffer(wire["value"], "<f8"))


def read_events(bodies: Sequence[bytes]) -> Rows:
    """Many records of one reading each, parsed by one call."""
    wire = orjson.loads(b"[" + b",".join(bodies) + b"]")
    names = sorted({event["sensor"] for event in wire})
    number = {name: index for index, name in enumerate(names)}
    sensor = np.array([number[event["sensor"]] for event in wire], np.int64)
    time_ms = np.array([event["time"] for event in wire], np.int64)
    return Rows(names, sensor, time_ms, np.array([event["value"] for event in wire], np.float64))


def read(bodies: Sequence[bytes], job: Job) -> list[Rows]:
    """The readings of some records of the job's topic."""
    if job.shape == "event":
        return [read_events(bodies)]
    return [read_frame(body, job.encoding) for body in bodies]


def flip(on: bool, value: float) -> bool:
    """Whether the alert is on after this value."""
    return value > UP or (on and value >= DOWN)


def closed_content(closed: Closed) -> dict[str, object]:
    """A closed window as every engine sends it."""
    sensor, start, count, total = closed
    return {"sensor": sensor, "start": start, "n": count, "sum": total}


def flip_content(found: Flip) -> dict[str, object]:
    """A change of an alert as every engine sends it."""
    sensor, time_ms, on = found
    return {"sensor": sensor, "time": time_ms, "on": on}


class ColumnTask:
    """The task on columns, with numpy: what a good user writes where an engine gives raw records.

    Sums are whole thousandths. Rows of one sensor must come in the order of their time; a row of
    a window before the sensor's present one is dropped (no grace, as with the other engines).
    """

    def __init__(self) -> None:
        self._number: dict[str, int] = {}
        self._names: list[str] = []
        self._window = np.full(0, -1, np.int64)
        self._count = np.zeros(0, np.int64)
        self._sum = np.zeros(0, np.int64)
        self._on = np.zeros(0, np.bool_)

    def take(self, rows: Rows) -> tuple[list[Closed], list[Flip]]:
        """Windows that these rows end, and what they do to the alerts."""
        sensor = self._ids(rows.names)[rows.sensor]
        window = rows.time_ms // WINDOW_MS
        closed: list[Closed] = []
        for number in np.unique(window).tolist():
            mine = (window == number) & (self._window[sensor] <= number)
            closed += self._add(sensor[mine], number, rows.value[mine])
        return closed, self._judge(sensor, rows.time_ms, rows.value)

    def save(self) -> dict[str, Any]:
        """The state in plain words, for engines that keep it."""
        return {
            "names": self._names,
            "window": self._window.tolist(),
            "count": self._count.tolist(),
            "sum": self._sum.tolist(),
            "on": self._on.tolist(),
        }

    @staticmethod
    def load(saved: dict[str, Any] | None) -> ColumnTask:
        """What `save` gave; an empty task from None."""
        task = ColumnTask()
        if saved is not None:
            task._names = list(saved["names"])
            task._number = {name: number for number, name in enumerate(task._names)}
            task._window = np.array(saved["window"], np.int64)
            task._count = np.array(saved["count"], np.int64)
            task._sum = np.array(saved["sum"], np.int64)
            task._on = np.array(saved["on"], np.bool_)
        return task

    def _ids(self, names: Sequence[str]) -> Ints:
        fresh = [name for name in names if name not in self._number]
        for name in fresh:
            self._number[name] = len(self._names)
            self._names.append(name)
        if fresh:
            more = len(fresh)
            self._window = np.append(self._window, np.full(more, -1, np.int64))
            self._count = np.append(self._count, np.zeros(more, np.int64))
            self._sum = np.append(self._sum, np.zeros(more, np.int64))
            self._on = np.append(self._on, np.zeros(more, np.bool_))
        return np.fromiter(map(self._number.__getitem__, names), np.int64, len(names))

    def _add(self, sensor: Ints, window: int, value: Floats) -> list[Closed]:
        touched = np.unique(sensor)
        over = touched[self._window[touched] != window]
        closed = [
            (self._names[s], int(self._window[s]) * WINDOW_MS, int(self._count[s]), total / MILLI)
            for s, total in zip(over.tolist(), self._sum[over].tolist(), strict=True)
            if self._window[s] >= 0
        ]
        self._count[over] = self._sum[over] = 0
        self._window[over] = window
        size = len(self._names)
        milli = np.rint(value * MILLI)
        self._count += np.bincount(sensor, minlength=size)
        self._sum += np.rint(np.bincount(sensor, milli, size)).astype(np.int64)
        return closed

    def _judge(self, sensor: Ints, time_ms: Ints, value: Floats) -> list[Flip]:
        told = (value > UP) | ((value < DOWN) & self._may_end(sensor, value))
        flips: list[Flip] = []
        found = (sensor[told].tolist(), time_ms[told].tolist(), (value[told] > UP).tolist())
        for number, moment, on in zip(*found, strict=True):
            if bool(self._on[number]) != on:
                self._on[number] = on
                flips.append((self._names[number], moment, on))
        return flips

    def _may_end(self, sensor: Ints, value: Floats) -> NDArray[np.bool_]:
        """Rows of sensors whose alert is on or goes on here: only theirs can end one."""
        alarmed = self._on.copy()
        alarmed[sensor[value > UP]] = True
        return alarmed[sensor]


class Marks:
    """Tells the harness when the first, the middle and the last reading were processed."""

    def __init__(self, total: int) -> None:
        self._count = 0
        self._left = [("last", total), ("half", total // 2), ("first", 0)]

    def count(self, readings: int = 1) -> None:
        """So many readings more were processed; 0: the first ones are about to be."""
        self._count += readings
        while self._left and self._count >= self._left[-1][1]:
            tell(self._left.pop()[0])


def tell(mark: str) -> None:
    """One line for the harness: what happened, and when."""
    print(json.dumps({"mark": mark, "at": time.time()}), file=sys.__stdout__, flush=True)
