"""The layout of one row a frame with array columns, behind a view, for `benchmarks.layout`."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.readings import AREA, FRAME_STEPS, Columns
from streams.storage.columns import EPOCH_2000_MS, HEADER, TRAILER
from streams.storage.connect import Cursor

ARRAYS = """
create table observation_store (
    t0 timestamptz not null, t1 timestamptz not null, position bigint not null,
    sensor int[] not null, property smallint[] not null, dt_ms int[] not null,
    value bigint[] not null, flag smallint[] not null);
create index on observation_store using brin (t0, t1) with (pages_per_range = 4);
create view observation as
select s.t0 + r.dt_ms * interval '1 millisecond' as t, s.position, r.value, r.sensor, r.property,
       r.flag, s.t0, s.t1
from observation_store s
cross join lateral unnest(s.sensor, s.property, s.dt_ms, s.value, s.flag)
    as r (sensor, property, dt_ms, value, flag)
"""
# A range of `t` says nothing of the rows' ranges to PostgreSQL: whoever reads has to say it too.
FIND_IN_ARRAYS = """
select o.sensor, o.t, o.value, o.flag, o.position from observation o
where o.sensor = any(%s) and o.t >= %s and o.t <= %s and o.t1 >= %s and o.t0 <= %s
"""
ALSO_BETWEEN = "and t1 >= %s and t0 < %s"
REVISE_ARRAYS = """
update observation_store s set value = (
    select array_agg(case when r.t >= %s and r.t <= %s then 7 else r.value end order by r.i)
    from (select u.value, s.t0 + u.dt_ms * interval '1 millisecond' as t, u.i
          from unnest(s.value, s.dt_ms) with ordinality as u (value, dt_ms, i)) r)
where s.t1 >= %s and s.t0 <= %s and s.sensor && %s::int[]
"""
COPY = (
    "copy observation_store (t0, t1, position, sensor, property, dt_ms, value, flag)"
    " from stdin (format binary)"
)
KINDS = {2: (21, ">i2"), 4: (23, ">i4"), 8: (20, ">i8")}  # bytes → type oid, numpy type


def copy_frames(cursor: Cursor, rows: Columns) -> None:
    """One row of arrays for each frame."""
    size = AREA * FRAME_STEPS
    with cursor.copy(COPY) as copy:
        copy.write(HEADER)
        copy.write(b"".join(_row(rows.part(a, a + size)) for a in range(0, len(rows), size)))
        copy.write(TRAILER)


def _row(frame: Columns) -> bytes:
    start, end = int(frame.time_ms.min()), int(frame.time_ms.max())
    offsets = (frame.time_ms - start).astype(np.int32)
    columns = (frame.sensor, frame.property, offsets, frame.value, frame.flag)
    head = struct.pack(
        ">hiqiqiq",
        8, 8, (start - EPOCH_2000_MS) * 1000, 8, (end - EPOCH_2000_MS) * 1000,
        8, int(frame.position[0]),
    )  # fmt: skip
    return head + b"".join(_array(column) for column in columns)


def _array(values: NDArray[Any]) -> bytes:
    width = values.dtype.itemsize
    oid, kind = KINDS[width]
    items = np.empty(len(values), [("length", ">i4"), ("value", kind)])
    items["length"], items["value"] = width, values
    body = struct.pack(">iiiii", 1, 0, oid, len(values), 1) + items.tobytes()
    return struct.pack(">i", len(body)) + body
