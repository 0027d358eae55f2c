"""The readings, the same for every engine: as a matrix, as records, and what must come of them.

1,000 sensors in 40 areas, each area in one of four partitions. After the last whole window every
sensor reads once more, so that every engine sees all windows end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import orjson

from benchmarks.rivals.task import DOWN, MILLI, UP, WINDOW_MS, Flip, Floats, Ints
from streams.contracts.codec import encode
from streams.contracts.frame import JSON, MSGPACK, Frame
from streams.contracts.reason import Origin

AREAS = 40
SENSORS = 1000
PER_AREA = SENSORS // AREAS
PARTITIONS = 4
FRAME_ROWS = 500
STEPS = FRAME_ROWS // PER_AREA  # of a frame
START_MS = 1_785_600_000_000  # a multiple of the window
CLOSING_MS = 60_000  # the closing readings' time after the last window's end
MAX_WINDOWS = 8
FULL_WINDOW = 60  # readings of a sensor and window that are enough, before windows are added
DOMAIN, PROPERTY = "level", "stage"

Sums = dict[tuple[str, int], tuple[int, int]]  # (sensor, start) -> count, sum in thousandths
Content = tuple[int, bytes, bytes, int]  # partition, key, body, event time


@dataclass(frozen=True)
class Readings:
    """`wanted` readings or a little less, spread over all sensors and whole windows."""

    wanted: int

    @cached_property
    def windows(self) -> int:
        each = max(self.wanted // SENSORS, 2)
        return min(MAX_WINDOWS, max(2, each // FULL_WINDOW))

    @cached_property
    def per_window(self) -> int:
        return max(1, self.wanted // SENSORS // self.windows)

    @property
    def total(self) -> int:
        """Readings in the topic, the closing ones included."""
        return SENSORS * (self.windows * self.per_window + 1)

    @cached_property
    def times(self) -> Ints:
        """Event times, the same for every sensor; the last is the closing one's."""
        step = np.arange(self.windows * self.per_window, dtype=np.int64)
        within = step % self.per_window * WINDOW_MS // self.per_window
        end = START_MS + self.windows * WINDOW_MS
        times = START_MS + step // self.per_window * WINDOW_MS + within
        return np.concatenate([times, np.array([end + CLOSING_MS])])

    @cached_property
    def milli(self) -> Ints:
        """Values in thousandths, (time, sensor): slow waves and noise, a few over the threshold."""
        chance = np.random.default_rng(7)
        steps = len(self.times)
        base = chance.uniform(200, 970, SENSORS)
        wave = 50 * np.sin(np.arange(steps)[:, None] / 7.0 + np.arange(SENSORS)[None, :])
        noise = chance.normal(0, 10, (steps, SENSORS))
        milli: Ints = np.rint(base[None, :] + wave + noise).astype(np.int64)
        return milli

    @cached_property
    def values(self) -> Floats:
        return self.milli / MILLI


def area_code(area: int) -> str:
    return f"33{1 + area // 10:02d}{1 + area % 10:02d}"


def sensor_name(sensor: int) -> str:
    area, number = divmod(sensor, PER_AREA)
    return f"{area_code(area)}-L-{number:04d}"


def partition_of(area: int) -> int:
    return area % PARTITIONS


def event_bodies(readings: Readings) -> Iterator[Content]:
    """One JSON reading a record, keyed by its sensor, in the order of time."""
    names = [sensor_name(sensor) for sensor in range(SENSORS)]
    heads = [orjson.dumps({"sensor": name, "property": PROPERTY})[:-1] for name in names]
    keys = [name.encode() for name in names]
    places = [partition_of(sensor // PER_AREA) for sensor in range(SENSORS)]
    for step, time_ms in enumerate(readings.times.tolist()):
        for sensor, value in enumerate(readings.values[step].tolist()):
            body = b'%s,"time":%d,"value":%.3f}' % (heads[sensor], time_ms, value)
            yield places[sensor], keys[sensor], body, time_ms


def frames(readings: Readings) -> Iterator[tuple[int, Frame]]:
    """Frames of one area with their partitions, in the order of time."""
    steps = len(readings.times)
    last = steps - 1
    starts = [*range(0, last, STEPS), last]
    ends = [*(min(start + STEPS, last) for start in starts[:-1]), steps]
    for start, end in zip(starts, ends, strict=True):
        for area in range(AREAS):
            yield partition_of(area), _frame(readings, area, start, end)


def _frame(readings: Readings, area: int, start: int, end: int) -> Frame:
    first = area * PER_AREA
    count = end - start
    time_ms = np.repeat(readings.times[start:end], PER_AREA)
    return Frame(
        source=f"gw-{area_code(area)}",
        id=f"{start}",
        domain=DOMAIN,
        area=area_code(area),
        origin=Origin.SIMULATED,
        ingest_ms=int(time_ms[-1]) + 1000,
        sensors=tuple(sensor_name(first + n) for n in range(PER_AREA)),
        properties=(PROPERTY,),
        units=None,
        sensor=np.tile(np.arange(PER_AREA, dtype=np.int32), count),
        property=np.zeros(count * PER_AREA, np.int32),
        time_ms=time_ms,
        value=readings.values[start:end, first : first + PER_AREA].reshape(-1),
    )


def frame_bodies(readings: Readings, encoding: str) -> Iterator[Content]:
    """Frames without headers, keyed by their area: what the other engines read."""
    for partition, frame in frames(readings):
        _, body = encode(frame, JSON if encoding == "json" else MSGPACK)
        yield partition, frame.area.encode(), body, int(frame.time_ms[0])


def expected_sums(readings: Readings) -> Sums:
    """Count and sum of every sensor and window, without the closing readings'."""
    shape = (readings.windows, readings.per_window, SENSORS)
    total = readings.milli[:-1].reshape(shape).sum(axis=1)
    return {
        (sensor_name(sensor), START_MS + window * WINDOW_MS): (
            readings.per_window,
            int(total[window, sensor]),
        )
        for window in range(readings.windows)
        for sensor in range(SENSORS)
    }


def expected_flips(readings: Readings) -> Counter[Flip]:
    """Every change of every alert: on above `UP`, off below `DOWN`, else as it was."""
    milli = readings.milli
    told = (milli > round(UP * MILLI)) | (milli < round(DOWN * MILLI))
    step = np.arange(len(milli))[:, None]
    latest = np.maximum.accumulate(np.where(told, step, -1), axis=0)
    on = np.take_along_axis(milli, np.maximum(latest, 0), axis=0) > round(UP * MILLI)
    on &= latest >= 0
    before = np.vstack([np.zeros((1, SENSORS), np.bool_), on[:-1]])
    where = np.argwhere(on != before)
    return Counter(
        (sensor_name(int(sensor)), int(readings.times[moment]), bool(on[moment, sensor]))
        for moment, sensor in where
    )
