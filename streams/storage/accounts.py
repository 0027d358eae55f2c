"""The ledger and what did not become a reading: quarantine, dead letters, late marks.

Texts here may come from anybody's device: what PostgreSQL cannot hold is replaced, never refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgpack
import numpy as np
from numpy.typing import NDArray

from streams.contracts.outcome import (
    LEDGER_COLUMNS,
    DeadLetter,
    LateMark,
    Outcome,
    Quarantined,
)
from streams.storage.connect import Cursor

Ledger = Mapping[tuple[str, str, str], NDArray[np.int64]]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ADD_LEDGER = """
insert into ledger (area, domain, source, received, rejected, quarantined, duplicate, stored,
                    on_time, late, revised)
select * from unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[],
                     %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
on conflict (area, domain, source) do update set
    received = ledger.received + excluded.received,
    rejected = ledger.rejected + excluded.rejected,
    quarantined = ledger.quarantined + excluded.quarantined,
    duplicate = ledger.duplicate + excluded.duplicate,
    stored = ledger.stored + excluded.stored,
    on_time = ledger.on_time + excluded.on_time,
    late = ledger.late + excluded.late,
    revised = ledger.revised + excluded.revised
"""
COPY_QUARANTINE = (
    "copy quarantine (reason, area, domain, source, sensor, property, t, ingest, value, position)"
    " from stdin"
)
COPY_DEAD = (
    "copy dead_letter (reason, detail, position, row, source, area, domain, content, partition,"
    " headers) from stdin"
)
SET_MARKS = """
insert into late_mark (area, domain, day_start, topic, partition, position)
select area, domain, at_ms(day_ms), %s, %s, position
from unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[])
     as t (area, domain, day_ms, position)
on conflict (area, domain, day_start) do update set
    topic = excluded.topic, partition = excluded.partition,
    position = greatest(late_mark.position, excluded.position)
"""


def write_accounts(
    cursor: Cursor,
    topic: str,
    partition: int,
    outcome: Outcome,
    ledger: Ledger,
    marks: Sequence[LateMark],
) -> None:
    """Adds to the ledger, keeps what was set apart or refused, marks days for the recomputer."""
    _add_ledger(cursor, ledger)
    _write_quarantine(cursor, outcome.quarantined)
    _write_dead(cursor, partition, outcome.dead_letters)
    _set_marks(cursor, topic, partition, marks)


def storable(text: str) -> str:
    """The text without what PostgreSQL's `text` cannot hold: NUL and lone surrogates."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _add_ledger(cursor: Cursor, ledger: Ledger) -> None:
    rows: dict[tuple[str, ...], NDArray[np.int64]] = {}
    for key, counts in ledger.items():
        name = tuple(storable(word) for word in key)
        rows[name] = rows[name] + counts if name in rows else counts
    if not rows:
        return
    names = [list(column) for column in zip(*rows, strict=True)]
    amounts = np.stack(list(rows.values())).T.tolist()
    assert len(amounts) == len(LEDGER_COLUMNS)
    cursor.execute(ADD_LEDGER, (*names, *amounts))


def _write_quarantine(cursor: Cursor, rows: Sequence[Quarantined]) -> None:
    if not rows:
        return
    with cursor.copy(COPY_QUARANTINE) as copy:
        for q in rows:
            texts = (q.reason.value, q.area, q.domain, q.source, q.sensor, q.property)
            times = (_moment(q.time_ms), _moment(q.ingest_ms))
            copy.write_row((*map(storable, texts), *times, storable(q.value), q.position))


def _write_dead(cursor: Cursor, partition: int, rows: Sequence[DeadLetter]) -> None:
    if not rows:
        return
    with cursor.copy(COPY_DEAD) as copy:
        for d in rows:
            origin = map(storable, (d.source, d.area, d.domain))
            head = (d.reason.value, storable(d.detail), d.position, d.row)
            headers = msgpack.packb(dict(d.headers), unicode_errors="surrogatepass")
            copy.write_row((*head, *origin, d.content, partition, headers))


def _set_marks(cursor: Cursor, topic: str, partition: int, marks: Sequence[LateMark]) -> None:
    newest: dict[tuple[str, str, int], int] = {}
    for mark in marks:
        key = (mark.area, mark.domain, mark.day_start_ms)
        newest[key] = max(mark.position, newest.get(key, -1))
    if newest:
        names = [list(column) for column in zip(*newest, strict=True)]
        cursor.execute(SET_MARKS, (topic, partition, *names, list(newest.values())))


def _moment(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)
