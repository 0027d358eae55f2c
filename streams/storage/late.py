"""Late rows meet what is stored: duplicate, revision, or new (design §5, "late is not lost").

Rows are judged in arrival order; the newest known value wins. How rows are split over calls does
not matter: the state that the next row meets is always the stored one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streams.contracts.domain import DAY_MS, SHANGHAI_OFFSET_MS
from streams.contracts.frame import Bool, Int8, Int16, Int32, Int64
from streams.contracts.outcome import LEDGER_COLUMNS, LateMark, LateRows
from streams.storage.columns import copy_columns
from streams.storage.connect import Cursor

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_MS = 3_600_000
SHORT_MS, SOME = 600_000, 48  # hourly values of two days are found one by one
MAX_RANGES = 400  # a year of single days: looking at what lies between them costs more
DUPLICATE, STORED, LATE, REVISED = (
    LEDGER_COLUMNS.index(name) for name in ("duplicate", "stored", "late", "revised")
)
MAKE_WANTED = """
create temp table if not exists wanted_row
    (number int, t timestamptz, sensor int, property smallint) on commit delete rows
"""
MAKE_CHANGED = """
create temp table if not exists changed_row
    (t timestamptz, sensor int, property smallint, value bigint, position bigint, flag smallint)
    on commit delete rows
"""
COPY_WANTED = "copy wanted_row (number, t, sensor, property) from stdin (format binary)"
COPY_CHANGED = (
    "copy changed_row (t, sensor, property, value, position, flag) from stdin (format binary)"
)
COPY_OBSERVATION = (
    "copy observation (t, position, value, sensor, property, flag) from stdin (format binary)"
)
COPY_REVISION = (
    "copy observation_revision (t, sensor, property, old_value, old_flag, old_position, value,"
    " position) from stdin (format binary)"
)
# The range of times is stated apart from the join: only so does the index on time serve. It is
# stated by timestamps, not by `at_ms`, which is computed too late to leave out chunks of an update;
# and the sensors, so that of compressed chunks only theirs are opened.
FIND = """
select w.number, o.value, o.flag, o.position
from observation o
join wanted_row w on w.sensor = o.sensor and w.property = o.property and w.t = o.t
where o.t >= %s and o.t <= %s
"""
CHANGE = """
update observation o set value = c.value, position = c.position, flag = c.flag
from changed_row c
where c.sensor = o.sensor and c.property = o.property and c.t = o.t
  and o.t >= %s and o.t <= %s and o.sensor = any(%s)
"""


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """What the store holds of n identities: `there` says whether at all."""

    there: Bool
    value: Int64
    flag: Int8
    position: Int64


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """The judgement of n late rows, per row in arrival order, and per identity what stays.

    `fresh` inserts an identity, `revised` changes its value, the rest are duplicates.
    `old_*` are what a revised row replaced. `last` are the rows whose value stays, one for each
    identity that changed; `inserted` says which of these identities were not stored before.
    """

    fresh: Bool
    revised: Bool
    old_value: Int64
    old_flag: Int8
    old_position: Int64
    last: NDArray[np.intp]
    inserted: Bool


def merge_late(
    cursor: Cursor, late: LateRows, day_offset_ms: int = SHANGHAI_OFFSET_MS
) -> tuple[dict[tuple[str, str, str], NDArray[np.int64]], list[LateMark]]:
    """Stores late rows; gives their ledger counts and the days they changed. The pipeline has
    already counted them as received."""
    if not len(late):
        return {}, []
    verdict = store_late(cursor, late)
    return count(late, verdict), marks(late, verdict, day_offset_ms)


def store_late(cursor: Cursor, late: LateRows) -> Verdict:
    """Stores late rows (there are some) and says what they were."""
    identity, first = identities(late)
    verdict = judge(late, identity, _find(cursor, late, first))
    _insert(cursor, late, verdict)
    _revise(cursor, late, verdict)
    return verdict


def news(late: LateRows, verdict: Verdict) -> set[tuple[int, int, int, int, int]]:
    """(sensor, property, time, value, position) of every row that was new, or a higher value."""
    rows = np.flatnonzero(verdict.fresh | verdict.revised & (late.value > verdict.old_value))
    columns = (late.sensor, late.property, late.time_ms, late.value, late.position)
    return set(zip(*(column[rows].tolist() for column in columns), strict=True))


def join_late(parts: Sequence[LateRows]) -> LateRows:
    """All rows in their order, as one: the store is asked once for a whole commit."""
    if len(parts) == 1:
        return parts[0]
    names = {name: number for number, name in enumerate({n: None for p in parts for n in p.names})}
    return LateRows(
        names=tuple(names),
        name=np.concatenate([_renamed(part, names) for part in parts]),
        sensor=np.concatenate([part.sensor for part in parts]),
        property=np.concatenate([part.property for part in parts]),
        time_ms=np.concatenate([part.time_ms for part in parts]),
        value=np.concatenate([part.value for part in parts]),
        flag=np.concatenate([part.flag for part in parts]),
        position=np.concatenate([part.position for part in parts]),
    )


def _renamed(part: LateRows, names: Mapping[tuple[str, str, str], int]) -> Int16:
    return np.array([names[name] for name in part.names], np.int16)[part.name]


def identities(late: LateRows) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Each row's identity as a number, and each identity's first row."""
    keys = np.empty(len(late), [("t", np.int64), ("sensor", np.int32), ("property", np.int16)])
    keys["t"], keys["sensor"], keys["property"] = late.time_ms, late.sensor, late.property
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return inverse.reshape(-1), first


def judge(late: LateRows, identity: NDArray[np.intp], stored: Stored) -> Verdict:
    """Compares every row with the one before it of the same identity, the first with the store."""
    n = len(late)
    order = np.argsort(identity, kind="stable")
    group = identity[order]
    begins = np.r_[True, group[1:] != group[:-1]]
    value = late.value[order]
    before = np.r_[value[:1], value[:-1]]
    before[begins] = stored.value[group[begins]]
    fresh = begins & ~stored.there[group]
    changed = fresh | (value != before)
    # The row that set the value which this row meets: the last changed one before it in its group.
    number = np.arange(n)
    setter = np.maximum.accumulate(np.where(changed, number, -1))
    met = np.r_[-1, setter[:-1]]
    start = np.maximum.accumulate(np.where(begins, number, 0))
    from_store = met < start
    source = order[np.maximum(met, 0)]
    old_flag = np.where(from_store, stored.flag[group], late.flag[source])
    old_position = np.where(from_store, stored.position[group], late.position[source])
    ends = np.r_[begins[1:], True]
    last = setter[ends]
    kept = last >= start[ends]
    return Verdict(
        fresh=_back(order, fresh),
        revised=_back(order, changed & ~fresh),
        old_value=_back(order, before),
        old_flag=_back(order, old_flag.astype(np.int8)),
        old_position=_back(order, old_position),
        last=order[last[kept]],
        inserted=~stored.there[group[ends][kept]],
    )


def count(late: LateRows, verdict: Verdict) -> dict[tuple[str, str, str], NDArray[np.int64]]:
    """Ledger rows by (area, domain, source): stored = late here, revisions are stored too."""
    changed = verdict.fresh | verdict.revised
    names = len(late.names)
    counts = np.zeros((names, len(LEDGER_COLUMNS)), np.int64)
    counts[:, STORED] = np.bincount(late.name[changed], minlength=names)
    counts[:, LATE] = counts[:, STORED]
    counts[:, REVISED] = np.bincount(late.name[verdict.revised], minlength=names)
    counts[:, DUPLICATE] = np.bincount(late.name, minlength=names) - counts[:, STORED]
    return {name: counts[i] for i, name in enumerate(late.names) if counts[i].any()}


def marks(late: LateRows, verdict: Verdict, day_offset_ms: int) -> list[LateMark]:
    """(area, domain, local day) of every row that changed something, with its newest position."""
    newest: dict[tuple[str, str, int], int] = {}
    changed = np.flatnonzero(verdict.fresh | verdict.revised)
    days = (late.time_ms[changed] + day_offset_ms) // DAY_MS * DAY_MS - day_offset_ms
    columns = (late.name[changed], days, late.position[changed])
    for name, day, position in zip(*(c.tolist() for c in columns), strict=True):
        area, domain, _ = late.names[name]
        newest[area, domain, day] = max(position, newest.get((area, domain, day), -1))
    return [LateMark(*key, position) for key, position in newest.items()]


def moment_ranges(time_ms: Int64) -> list[tuple[datetime, datetime]]:
    """`time_ranges`, for a statement."""
    return [(moment(low), moment(high)) for low, high in time_ranges(time_ms)]


def moment(ms: int) -> datetime:
    """Exactly."""
    return EPOCH + timedelta(milliseconds=ms)


def time_ranges(time_ms: Int64, limit: int = MAX_RANGES) -> list[tuple[int, int]]:
    """Few ranges (both ends included) that cover all times, split at the widest gaps: above 10
    minutes while there are some, else above an hour."""
    times = np.unique(time_ms)
    gaps = np.diff(times)
    wide = np.flatnonzero(gaps > SHORT_MS)
    if len(wide) >= min(SOME, limit):
        wide = np.flatnonzero(gaps > HOUR_MS)
    widest = np.sort(wide[np.argsort(-gaps[wide], kind="stable")[: limit - 1]])
    starts = np.r_[0, widest + 1]
    ends = np.r_[widest, len(times) - 1]
    return [(int(times[a]), int(times[b])) for a, b in zip(starts, ends, strict=True)]


def change_rows(
    cursor: Cursor,
    time_ms: Int64,
    sensor: Int32,
    property_id: Int16,
    value: Int64,
    flag: Int8,
    position: Int64,
) -> None:
    """Overwrites stored readings; each identity at most once."""
    if not len(time_ms):
        return
    cursor.execute(MAKE_CHANGED)
    cursor.execute("delete from changed_row")
    copy_columns(
        cursor,
        COPY_CHANGED,
        [
            ("timestamptz", time_ms),
            ("int4", sensor),
            ("int2", property_id),
            ("int8", value),
            ("int8", position),
            ("int2", flag),
        ],
    )
    sensors = np.unique(sensor).tolist()
    for low, high in moment_ranges(time_ms):
        cursor.execute(CHANGE, (low, high, sensors))


def _find(cursor: Cursor, late: LateRows, first: NDArray[np.intp]) -> Stored:
    cursor.execute(MAKE_WANTED)
    cursor.execute("delete from wanted_row")
    times = late.time_ms[first]
    copy_columns(
        cursor,
        COPY_WANTED,
        [
            ("int4", np.arange(len(first))),
            ("timestamptz", times),
            ("int4", late.sensor[first]),
            ("int2", late.property[first]),
        ],
    )
    found: list[tuple[Any, ...]] = []
    for low, high in moment_ranges(times):
        found += cursor.execute(FIND, (low, high)).fetchall()
    n = len(first)
    stored = Stored(
        np.zeros(n, np.bool_), np.zeros(n, np.int64), np.zeros(n, np.int8), np.zeros(n, np.int64)
    )
    if found:
        number, value, flag, position = (np.array(column) for column in zip(*found, strict=True))
        stored.there[number] = True
        stored.value[number] = value
        stored.flag[number] = flag
        stored.position[number] = position
    return stored


def _insert(cursor: Cursor, late: LateRows, verdict: Verdict) -> None:
    rows = verdict.last[verdict.inserted]
    copy_columns(
        cursor,
        COPY_OBSERVATION,
        [
            ("timestamptz", late.time_ms[rows]),
            ("int8", late.position[rows]),
            ("int8", late.value[rows]),
            ("int4", late.sensor[rows]),
            ("int2", late.property[rows]),
            ("int2", late.flag[rows]),
        ],
    )


def _revise(cursor: Cursor, late: LateRows, verdict: Verdict) -> None:
    rows = np.flatnonzero(verdict.revised)
    copy_columns(
        cursor,
        COPY_REVISION,
        [
            ("timestamptz", late.time_ms[rows]),
            ("int4", late.sensor[rows]),
            ("int2", late.property[rows]),
            ("int8", verdict.old_value[rows]),
            ("int2", verdict.old_flag[rows]),
            ("int8", verdict.old_position[rows]),
            ("int8", late.value[rows]),
            ("int8", late.position[rows]),
        ],
    )
    kept = verdict.last[~verdict.inserted]
    change_rows(
        cursor,
        late.time_ms[kept],
        late.sensor[kept],
        late.property[kept],
        late.value[kept],
        late.flag[kept],
        late.position[kept],
    )


def _back(order: NDArray[np.intp], values: NDArray[Any]) -> NDArray[Any]:
    """Puts values that are in sorted order back into arrival order."""
    given = np.empty_like(values)
    given[order] = values
    return given
