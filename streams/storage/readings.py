"""Readings, revisions, late flags and windows: the columns of an outcome, by binary COPY."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.contracts.outcome import FlagChanges, Readings, Revisions, Windows
from streams.storage.columns import copy_columns
from streams.storage.connect import Cursor
from streams.storage.late import COPY_OBSERVATION, COPY_REVISION, change_rows, moment_ranges

MAKE_FLAGS = """
create temp table if not exists changed_flag
    (t timestamptz, sensor int, property smallint, flag smallint) on commit delete rows
"""
COPY_FLAGS = "copy changed_flag (t, sensor, property, flag) from stdin (format binary)"
CHANGE_FLAGS = """
update observation o set flag = c.flag
from changed_flag c
where c.sensor = o.sensor and c.property = o.property and c.t = o.t and o.flag <> c.flag
  and o.t >= %s and o.t <= %s and o.sensor = any(%s)
"""
MAKE_WINDOWS = """
create temp table if not exists changed_window
    (size_s int, sensor int, property smallint, start timestamptz,
     n int, bad int, total bigint, low bigint, high bigint) on commit delete rows
"""
COPY_WINDOWS = (
    "copy changed_window (size_s, sensor, property, start, n, bad, total, low, high)"
    " from stdin (format binary)"
)
SET_WINDOWS = """
insert into observation_window (size_s, sensor, property, start, n, bad, total, low, high)
select size_s, sensor, property, start, n, bad, total,
       case when n > 0 then low end, case when n > 0 then high end
from changed_window where n > 0 or bad > 0
on conflict (size_s, sensor, property, start) do update set
    n = excluded.n, bad = excluded.bad, total = excluded.total,
    low = excluded.low, high = excluded.high
"""
DROP_WINDOWS = """
delete from observation_window w using changed_window c
where c.n = 0 and c.bad = 0 and w.size_s = c.size_s and w.sensor = c.sensor
  and w.property = c.property and w.start = c.start
  and w.start >= %s and w.start <= %s and w.sensor = any(%s)
"""


def write_readings(cursor: Cursor, readings: Sequence[Readings]) -> None:
    """Appends accepted readings."""
    if not readings:
        return
    copy_columns(
        cursor,
        COPY_OBSERVATION,
        [
            ("timestamptz", _joined(readings, "time_ms")),
            ("int8", _joined(readings, "position")),
            ("int8", _joined(readings, "value")),
            ("int4", _joined(readings, "sensor")),
            ("int2", _joined(readings, "property")),
            ("int2", _joined(readings, "flag")),
        ],
    )


def write_revisions(cursor: Cursor, revisions: Sequence[Revisions]) -> None:
    """Keeps every superseded value; the stored reading gets the newest one."""
    if not revisions:
        return
    names = ("time_ms", "sensor", "property", "value", "flag", "position")
    time_ms, sensor, prop, value, flag, position = (_joined(revisions, n) for n in names)
    copy_columns(
        cursor,
        COPY_REVISION,
        [
            ("timestamptz", time_ms),
            ("int4", sensor),
            ("int2", prop),
            ("int8", _joined(revisions, "old_value")),
            ("int2", _joined(revisions, "old_flag")),
            ("int8", _joined(revisions, "old_position")),
            ("int8", value),
            ("int8", position),
        ],
    )
    last = last_of_each(time_ms, sensor, prop)
    change_rows(
        cursor, time_ms[last], sensor[last], prop[last], value[last], flag[last], position[last]
    )


def write_flags(cursor: Cursor, flags: Sequence[FlagChanges]) -> None:
    """Changes quality flags of stored readings; the last word on each counts."""
    if not flags:
        return
    names = ("time_ms", "sensor", "property", "flag")
    time_ms, sensor, prop, flag = (_joined(flags, n) for n in names)
    last = last_of_each(time_ms, sensor, prop)
    if not len(last):
        return
    cursor.execute(MAKE_FLAGS)
    copy_columns(
        cursor,
        COPY_FLAGS,
        [
            ("timestamptz", time_ms[last]),
            ("int4", sensor[last]),
            ("int2", prop[last]),
            ("int2", flag[last]),
        ],
    )
    sensors = np.unique(sensor[last]).tolist()
    for start, end in moment_ranges(time_ms[last]):
        cursor.execute(CHANGE_FLAGS, (start, end, sensors))


def write_windows(cursor: Cursor, windows: Sequence[Windows]) -> None:
    """Upserts windows, the last word on each; an emptied window goes."""
    if not windows:
        return
    keys = [_joined(windows, n) for n in ("size_s", "sensor", "property", "start_ms")]
    last = last_of_each(*keys)
    if not len(last):
        return
    size_s, sensor, prop, start = (key[last] for key in keys)
    n, bad, total, low, high = (
        _joined(windows, name)[last] for name in ("n", "bad", "total", "low", "high")
    )
    cursor.execute(MAKE_WINDOWS)
    copy_columns(
        cursor,
        COPY_WINDOWS,
        [
            ("int4", size_s),
            ("int4", sensor),
            ("int2", prop),
            ("timestamptz", start),
            ("int4", n),
            ("int4", bad),
            ("int8", total),
            ("int8", low),
            ("int8", high),
        ],
    )
    cursor.execute(SET_WINDOWS)
    empty = (n | bad) == 0
    if empty.any():
        sensors = np.unique(sensor[empty]).tolist()
        for begin, end in moment_ranges(start[empty]):
            cursor.execute(DROP_WINDOWS, (begin, end, sensors))


def last_of_each(*keys: NDArray[Any]) -> NDArray[np.intp]:
    """The row of each distinct key that comes last, in the order of the keys."""
    if not len(keys[0]):
        return np.zeros(0, np.intp)
    order = np.lexsort(keys[::-1])
    differs = np.zeros(len(order) - 1, np.bool_)
    for key in keys:
        sorted_key = key[order]
        differs |= sorted_key[1:] != sorted_key[:-1]
    return order[np.r_[differs, True]]


def _joined(parts: Sequence[Any], name: str) -> NDArray[Any]:
    if len(parts) == 1:
        column: NDArray[Any] = getattr(parts[0], name)
        return column
    return np.concatenate([getattr(part, name) for part in parts])
