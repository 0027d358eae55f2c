"""Frames of tests: one good one, changed where a test wants it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from streams.contracts.frame import Frame
from streams.contracts.reason import Origin

TIME_MS = 1_782_864_000_000


def make_frame(**change: Any) -> Frame:
    """Three readings of two sensors and two properties."""
    frame = Frame(
        source="gw-330106-1",
        id="f-1",
        domain="waterlogging",
        area="330106",
        origin=Origin.LIVE,
        ingest_ms=TIME_MS + 1500,
        sensors=("fp-1", "积水点-2"),
        properties=("depth", "rain"),
        units=("m", "mm"),
        sensor=np.array([0, 1, 0], np.int32),
        property=np.array([0, 0, 1], np.int32),
        time_ms=np.array([TIME_MS, TIME_MS, TIME_MS - 60_000], np.int64),
        value=np.array([0.31, 0.1, 12.5]),
        flag=np.array([1, 2, 3], np.int8),
    )
    return replace(frame, **change)
