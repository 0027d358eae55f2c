"""Columns for the store: rows and windows of a lane with the catalogue's numbers."""

from __future__ import annotations

import numpy as np

from streams.area.lane_work import LaneWork
from streams.contracts.frame import Int8, Int16
from streams.contracts.outcome import FlagChanges, Readings, Revisions, Windows
from streams.windows.chunk import Chunk
from streams.windows.lane import Closed, Sifted


def readings(work: LaneWork, rows: Chunk, flag: Int8, property_id: Int16) -> Readings:
    """New rows with their final flags."""
    return Readings(
        work.view.series_sensor[rows.series],
        property_id[rows.series],
        rows.time_ms,
        rows.value,
        flag,
        rows.position,
    )


def revisions(work: LaneWork, sifted: Sifted, property_id: Int16) -> Revisions:
    """The revised rows, old and new."""
    new, old = sifted.revised, sifted.replaced
    return Revisions(
        work.view.series_sensor[new.series],
        property_id[new.series],
        new.time_ms,
        old.value,
        old.flag,
        old.position,
        new.value,
        new.flag,
        new.position,
    )


def flag_changes(work: LaneWork, rows: Chunk, property_id: Int16) -> FlagChanges:
    """Reflagged rows of the domain itself."""
    rows = rows.take(np.flatnonzero(work.view.series_property[rows.series] < work.own))
    return FlagChanges(
        work.view.series_sensor[rows.series],
        property_id[rows.series],
        rows.time_ms,
        rows.flag,
    )


def windows(work: LaneWork, closed: Closed, property_id: Int16) -> Windows | None:
    """A window's rows; only the sizes that each property declares."""
    agg = closed.windows
    mine = work.view.series_property[agg.series] < work.own
    keep = np.flatnonzero(work.lane.windowed[closed.size_s][agg.series] & mine)
    if not len(keep):
        return None
    series = agg.series[keep]
    count = len(keep)
    return Windows(
        np.full(count, closed.size_s, np.int32),
        work.view.series_sensor[series],
        property_id[series],
        np.full(count, closed.start_ms, np.int64),
        agg.n[keep].astype(np.int32),
        agg.bad[keep].astype(np.int32),
        agg.total[keep],
        agg.low[keep],
        agg.high[keep],
    )
