"""Who owns a partition, how far its outputs are committed, and its checkpoint.

`D` (next_offset) and `C` (checkpoint_offset) of design §6. Every commit passes the fence below.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString

import psycopg

from streams.contracts.outcome import StateParts
from streams.errors import Misconfigured
from streams.storage.connect import Connection, Cursor
from streams.storage.holders import end_silent_holders, wait_briefly
from streams.storage.migrate import REGION_TOPIC
from streams.storage.sequencer import OUTBOX_TOPIC

END_STUCK_OWNER = """
select pg_terminate_backend(a.pid, 5000)
from position p join pg_stat_activity a on a.pid = p.owner_pid
where p.topic = %(topic)s and p.partition = any(%(partitions)s::int[])
  and (%(epochs)s::bigint[] is null
       or (p.partition, p.owner_epoch) in
          (select * from unnest(%(partitions)s::int[], %(epochs)s::bigint[])))
  and a.pid <> pg_backend_pid() and a.datname = current_database()
  and a.application_name = %(application)s
"""
PROBE = "select from log_partition where topic = any(%s) order by topic for update"
TAKE = """
update position p
set owner_epoch = p.owner_epoch + 1, owner_pid = pg_backend_pid(),
    log_id = coalesce(p.log_id, %(log_id)s)
where p.topic = %(topic)s and p.partition = %(partition)s
returning p.owner_epoch, p.next_offset, p.checkpoint_offset, p.log_id, p.last_checksum
"""
ADOPT = """
update position p set owner_pid = pg_backend_pid()
from unnest(%(partitions)s::int[], %(epochs)s::bigint[]) as mine (partition, epoch)
where p.topic = %(topic)s and p.partition = mine.partition and p.owner_epoch = mine.epoch
returning p.partition
"""
LET_GO = """
update position p set owner_pid = null
from unnest(%(partitions)s::int[], %(epochs)s::bigint[]) as mine (partition, epoch)
where p.topic = %(topic)s and p.partition = mine.partition and p.owner_epoch = mine.epoch
"""
FENCE = """
update position p
set next_offset = f.new,
    last_checksum = coalesce(f.checksum, p.last_checksum),
    last_append_ms = coalesce(f.append_ms, p.last_append_ms),
    checkpoint_offset = case when f.saved then f.new else p.checkpoint_offset end
from unnest(%(partitions)s::int[], %(epochs)s::bigint[], %(old)s::bigint[], %(new)s::bigint[],
            %(checksums)s::bytea[], %(saved)s::bool[], %(appended)s::bigint[])
     as f (partition, epoch, old, new, checksum, saved, append_ms)
where p.topic = %(topic)s and p.partition = f.partition
  and p.owner_epoch = f.epoch and p.next_offset = f.old
"""
STANDING = """
select partition, owner_epoch, next_offset, checkpoint_offset from position
where topic = %s and partition = any(%s)
"""
# Long columns go in binary (%b): as text each byte would be looked at in Python.
KEEP_PARTS = """
insert into checkpoint (topic, partition, key, content)
select %s, %s, key, content from unnest(%s::text[], %b::bytea[]) as given (key, content)
on conflict (topic, partition, key) do update set content = excluded.content
"""
KEEP_SEGMENTS = """
insert into checkpoint_segment (topic, partition, key, number, content)
select %s, %s, key, number, content
from unnest(%s::text[], %s::bigint[], %b::bytea[]) as given (key, number, content)
on conflict (topic, partition, key, number) do update set content = excluded.content
"""
DROP_SEGMENTS = """
delete from checkpoint_segment s
using unnest(%s::text[], %s::bigint[]) as gone (key, number)
where s.topic = %s and s.partition = %s and s.key = gone.key and s.number = gone.number
"""
DROP_PARTS: LiteralString = (
    "delete from checkpoint where topic = %s and partition = %s and key = any(%s)"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a partition at its checkpoint offset."""

    parts: Mapping[str, bytes]
    segments: Mapping[str, Sequence[tuple[int, bytes]]]


@dataclass(frozen=True, slots=True)
class Taken:
    """A partition that is ours now: its epoch, D, C, checkpoint and what is known of its log."""

    partition: int
    epoch: int
    next_offset: int
    checkpoint_offset: int
    log_id: str | None
    last_checksum: bytes | None
    checkpoint: Checkpoint
    poison: frozenset[int]


@dataclass(frozen=True, slots=True)
class Move:
    """One partition's step through the fence. `append_ms` is the last record's append time."""

    partition: int
    epoch: int
    old: int
    new: int
    checksum: bytes | None
    saved: bool
    append_ms: int | None = None


def application_name(namespace: str, topic: str) -> str:
    """What an owner's backend is called; only such a backend is ever ended by a successor."""
    return f"citybrain owner {namespace} {topic}"[:63]


def take_partition(
    connection: Connection, namespace: str, topic: str, partition: int, log_id: str | None
) -> Taken:
    """Makes the partition ours and loads its checkpoint, in one transaction (design §6.3)."""
    _end_stuck(connection, namespace, topic, [partition])
    try:
        _probe(connection)
        return _take(connection, topic, partition, log_id)
    except psycopg.errors.LockNotAvailable:
        end_silent_holders(connection)
    return _take(connection, topic, partition, log_id)


def adopt_partitions(
    connection: Connection, namespace: str, topic: str, epochs: Mapping[int, int]
) -> None:
    """After a reconnect: ends our old backend and names the new one, if the partitions are ours."""
    if not epochs:
        return
    _end_stuck(connection, namespace, topic, list(epochs), list(epochs.values()))
    with connection.transaction():
        connection.execute(
            ADOPT,
            {"topic": topic, "partitions": list(epochs), "epochs": list(epochs.values())},
        )


def let_go(connection: Connection, topic: str, epochs: Mapping[int, int]) -> None:
    """Nobody's backend stands behind the partitions any more: a successor has nothing to end."""
    with connection.transaction():
        connection.execute(
            LET_GO,
            {"topic": topic, "partitions": list(epochs), "epochs": list(epochs.values())},
        )


def hold_again(connection: Connection, topic: str, epochs: Mapping[int, int]) -> set[int]:
    """Puts our backend behind partitions that were let go; those that nobody took in between."""
    with connection.transaction():
        rows = connection.execute(
            ADOPT,
            {"topic": topic, "partitions": list(epochs), "epochs": list(epochs.values())},
        ).fetchall()
    return {partition for (partition,) in rows}


def load_checkpoint(connection: Connection, topic: str, partition: int) -> Checkpoint:
    """Every part, and per key the segments in the order of their numbers."""
    parts = connection.execute(
        "select key, content from checkpoint where topic = %s and partition = %s",
        (topic, partition),
        binary=True,
    ).fetchall()
    segments: dict[str, list[tuple[int, bytes]]] = {}
    for key, number, content in connection.execute(
        "select key, number, content from checkpoint_segment"
        " where topic = %s and partition = %s order by key, number",
        (topic, partition),
        binary=True,
    ):
        segments.setdefault(key, []).append((number, content))
    return Checkpoint(dict(parts), segments)


def save_checkpoint(cursor: Cursor, topic: str, partition: int, state: StateParts) -> None:
    """Writes what changed. Saying the same twice does no harm."""
    kept = {key: content for key, content in state.parts.items() if content is not None}
    gone = [key for key, content in state.parts.items() if content is None]
    if kept:
        cursor.execute(KEEP_PARTS, (topic, partition, list(kept), list(kept.values())))
    if gone:
        cursor.execute(DROP_PARTS, (topic, partition, gone))
    if state.segments:
        numbers = [number for number, _ in state.segments.values()]
        contents = [content for _, content in state.segments.values()]
        cursor.execute(KEEP_SEGMENTS, (topic, partition, list(state.segments), numbers, contents))
    if state.dropped:
        keys = [key for key, _ in state.dropped]
        cursor.execute(DROP_SEGMENTS, (keys, [n for _, n in state.dropped], topic, partition))


def pass_fence(cursor: Cursor, topic: str, moves: Sequence[Move]) -> bool:
    """Moves every position, or says no (then nothing of the transaction may stay)."""
    cursor.execute(
        FENCE,
        {
            "topic": topic,
            "partitions": [m.partition for m in moves],
            "epochs": [m.epoch for m in moves],
            "old": [m.old for m in moves],
            "new": [m.new for m in moves],
            "checksums": [m.checksum for m in moves],
            "saved": [m.saved for m in moves],
            "appended": [m.append_ms for m in moves],
        },
    )
    return cursor.rowcount == len(moves)


def already_moved(connection: Connection, topic: str, moves: Sequence[Move]) -> bool:
    """Whether every position already stands where the moves lead, under our epochs: the commit
    happened and only its answer was lost."""
    rows = connection.execute(STANDING, (topic, [m.partition for m in moves])).fetchall()
    standing = {row[0]: row[1:] for row in rows}
    return all(_is_done(move, standing.get(move.partition)) for move in moves)


def owns(connection: Connection, topic: str, partition: int, epoch: int) -> bool:
    """Whether the partition is still ours."""
    rows = connection.execute(STANDING, (topic, [partition])).fetchall()
    return any(row[1] == epoch for row in rows)


def _is_done(move: Move, standing: tuple[int, int, int] | None) -> bool:
    if standing is None:
        return False
    epoch, next_offset, checkpoint_offset = standing
    saved = not move.saved or checkpoint_offset == move.new
    return epoch == move.epoch and next_offset == move.new and saved


def _probe(connection: Connection) -> None:
    """Raises `LockNotAvailable` where somebody sits on the numbers that every commit needs."""
    with connection.transaction():
        wait_briefly(connection)
        connection.execute(PROBE, ([REGION_TOPIC, OUTBOX_TOPIC],))


def _take(connection: Connection, topic: str, partition: int, log_id: str | None) -> Taken:
    with connection.transaction():
        wait_briefly(connection)
        connection.execute(
            "insert into position (topic, partition) values (%s, %s) on conflict do nothing",
            (topic, partition),
        )
        row = connection.execute(
            TAKE, {"topic": topic, "partition": partition, "log_id": log_id}
        ).fetchone()
        if row is None:
            raise Misconfigured([f"position of {topic}/{partition} vanished"])
        poison = connection.execute(
            'select "offset" from poison where topic = %s and partition = %s', (topic, partition)
        ).fetchall()
        checkpoint = load_checkpoint(connection, topic, partition)
    epoch, next_offset, checkpoint_offset, kept_log_id, checksum = row
    return Taken(
        partition=partition,
        epoch=epoch,
        next_offset=next_offset,
        checkpoint_offset=checkpoint_offset,
        log_id=kept_log_id,
        last_checksum=checksum,
        checkpoint=checkpoint,
        poison=frozenset(number for (number,) in poison),
    )


def _end_stuck(
    connection: Connection,
    namespace: str,
    topic: str,
    partitions: list[int],
    epochs: list[int] | None = None,
) -> None:
    """Ends the backend of the present owner; with `epochs` only where that owner is still us."""
    connection.execute(
        END_STUCK_OWNER,
        {
            "topic": topic,
            "partitions": partitions,
            "epochs": epochs,
            "application": application_name(namespace, topic),
        },
    )
    connection.commit()
