"""The layouts that `benchmarks.layout` compares: table, index, what is done when a day closes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.layout_frames import ALSO_BETWEEN, ARRAYS, copy_frames
from benchmarks.readings import Columns
from streams.storage.columns import copy_columns
from streams.storage.connect import Cursor
from streams.storage.late import COPY_OBSERVATION

WIDE = """
create table observation (
    t timestamptz not null, position bigint not null, value bigint not null,
    sensor int not null, property smallint not null, flag smallint not null)
"""
NARROW = """
create table observation (
    t timestamptz not null, value int not null, position int not null,
    sensor int not null, property smallint not null, flag smallint not null)
"""
BARE = """
create table observation (
    t timestamptz not null, value int not null,
    sensor int not null, property smallint not null, flag smallint not null)
"""
BRIN = """
create index observation_t on observation using brin (t timestamptz_minmax_multi_ops)
with (pages_per_range = 32, autosummarize = on)
"""
BRIN_SENSOR = """
create index observation_t on observation using brin (t timestamptz_minmax_multi_ops, sensor)
with (pages_per_range = 32, autosummarize = on)
"""
TIMES = "create index observation_t on observation (t)"
INDEX = "create index {key} on {} (sensor, property, t)"
CLUSTER = "cluster {} using {key}"
SORTED_BRIN = (
    "create index {key} on {} using brin (sensor int4_minmax_multi_ops) with (pages_per_range = 8)"
)


def copy_wide(cursor: Cursor, rows: Columns) -> None:
    """As `streams.storage.readings` writes."""
    copy_columns(
        cursor,
        COPY_OBSERVATION,
        [
            ("timestamptz", rows.time_ms),
            ("int8", rows.position),
            ("int8", rows.value),
            ("int4", rows.sensor),
            ("int2", rows.property),
            ("int2", rows.flag),
        ],
    )


def copy_narrow(cursor: Cursor, rows: Columns) -> None:
    copy_columns(
        cursor,
        "copy observation (t, value, position, sensor, property, flag) from stdin (format binary)",
        [
            ("timestamptz", rows.time_ms),
            ("int4", rows.value),
            ("int4", rows.position),
            ("int4", rows.sensor),
            ("int2", rows.property),
            ("int2", rows.flag),
        ],
    )


def copy_bare(cursor: Cursor, rows: Columns) -> None:
    copy_columns(
        cursor,
        "copy observation (t, value, sensor, property, flag) from stdin (format binary)",
        [
            ("timestamptz", rows.time_ms),
            ("int4", rows.value),
            ("int4", rows.sensor),
            ("int2", rows.property),
            ("int2", rows.flag),
        ],
    )


@dataclass(frozen=True, slots=True)
class Layout:
    """`closing` is done to each chunk (or the whole table) when its day is over; `also` is what a
    reader has to add to a range of times."""

    name: str
    table: str
    index: str | None = None
    closing: tuple[str, ...] = ()
    copy: Callable[[Cursor, Columns], None] = copy_wide
    also: str = ""
    holds_rows: bool = True  # with the columns that the late merge wants

    @property
    def store(self) -> str:
        """The table that holds the readings."""
        return "observation_store" if self.table is ARRAYS else "observation"


LAYOUTS = (
    Layout("rows", WIDE),
    Layout("rows_btree_t", WIDE, TIMES),
    Layout("rows_brin", WIDE, BRIN),
    Layout("rows_brin_sensor", WIDE, BRIN_SENSOR),
    Layout("rows_brin_narrow", NARROW, BRIN, copy=copy_narrow, holds_rows=False),
    Layout("rows_brin_no_position", BARE, BRIN, copy=copy_bare, holds_rows=False),
    Layout("rows_brin_then_btree", WIDE, BRIN, (INDEX,)),
    Layout("rows_brin_then_cluster_btree", WIDE, BRIN, (INDEX, CLUSTER)),
    Layout(
        "rows_brin_then_cluster_brin",
        WIDE,
        BRIN,
        (INDEX, CLUSTER, "drop index {schema}.{key}", SORTED_BRIN),
    ),
    Layout("frames_as_arrays", ARRAYS, copy=copy_frames, also=ALSO_BETWEEN, holds_rows=False),
)
