"""Seeded readings of a city as columns, for measurements of the store alone.

A fifth of the sensors stands in rising and falling water, as many report a dry bottom; the rest are
speeds, temperatures and counts that wander in small steps, as instruments do. Every sensor has one
property and reports once a minute; a frame is 100 sensors of one area over five minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

START_MS = 1_785_600_000_000  # a midnight of Asia/Shanghai: 2026-08-02
STEP_MS = 60_000
AREA = 100  # sensors
FRAME_STEPS = 5
FRAMES_OF_A_BATCH = 80  # 40,000 readings, as a worker commits them


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Readings in the order in which they arrive: frame by frame."""

    time_ms: NDArray[np.int64]
    position: NDArray[np.int64]
    value: NDArray[np.int64]
    sensor: NDArray[np.int32]
    property: NDArray[np.int16]
    flag: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.time_ms)

    def part(self, start: int, end: int) -> Columns:
        """Rows start..end."""
        names = self.__slots__
        return Columns(*(getattr(self, name)[start:end] for name in names))


def batches(sensors: int, minutes: int, seed: int = 1) -> Iterator[Columns]:
    """All readings in batches of 40,000; the last may be smaller. `sensors` in hundreds."""
    whole = columns(sensors, minutes, seed)
    size = AREA * FRAME_STEPS * FRAMES_OF_A_BATCH
    for start in range(0, len(whole), size):
        yield whole.part(start, min(start + size, len(whole)))


def columns(sensors: int, minutes: int, seed: int = 1) -> Columns:
    """Every sensor, every minute, in frames."""
    assert sensors % AREA == 0
    assert minutes % FRAME_STEPS == 0
    values = series(sensors, minutes, seed)
    areas, rounds = sensors // AREA, minutes // FRAME_STEPS
    # (minute, sensor) → (round, area, step, sensor of the area): a frame is the last two.
    minute, sensor = np.meshgrid(np.arange(minutes), np.arange(sensors), indexing="ij")
    frame = minute // FRAME_STEPS * areas + sensor // AREA
    return Columns(
        time_ms=_framed(START_MS + minute.astype(np.int64) * STEP_MS, rounds, areas),
        position=_framed(frame.astype(np.int64), rounds, areas),
        value=_framed(values, rounds, areas),
        sensor=_framed(sensor.astype(np.int32) + 1, rounds, areas),
        property=_framed((sensor % 5 + 1).astype(np.int16), rounds, areas),
        flag=np.ones(minutes * sensors, np.int16),
    )


def series(sensors: int, minutes: int, seed: int) -> NDArray[np.int64]:
    """(minute, sensor): scaled integers. Sensor s is of kind s mod 5: wet, dry, three that walk."""
    chance = np.random.default_rng(seed)
    kind = np.arange(sensors) % 5
    steps = chance.integers(-2, 3, (minutes, sensors)).cumsum(axis=0, dtype=np.int64)
    usual = chance.integers(200, 900, sensors)
    time = np.arange(minutes)[:, None]
    stage = np.clip(np.sin((time + chance.integers(0, 600, sensors)) / 240 * np.pi), 0, None)
    wet = (stage * chance.integers(20, 600, sensors)).astype(np.int64)
    return np.where(kind == 0, wet, np.where(kind == 1, 0, usual + steps))


def _framed(values: NDArray[Any], rounds: int, areas: int) -> NDArray[Any]:
    cut = values.reshape(rounds, FRAME_STEPS, areas, AREA)
    return np.ascontiguousarray(cut.transpose(0, 2, 1, 3)).reshape(-1)
