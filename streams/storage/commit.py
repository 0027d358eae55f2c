"""The one transaction: everything that a stretch of the log changed, and the position in the log.

The fence comes first (design §6.1): without it nothing of the transaction stays. A lost answer is
recognised by the position (§6.2), so that a commit may be said again until it is heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from streams.contracts.outcome import Outcome, StateParts
from streams.contracts.reason import NamespaceKind
from streams.errors import FenceLost, Unavailable
from streams.storage.accounts import write_accounts
from streams.storage.alert_late import write_late_readings
from streams.storage.alerts import write_transitions
from streams.storage.closing import write_closed
from streams.storage.connect import Connection, Cursor, connect, translated
from streams.storage.findings import write_findings
from streams.storage.holders import LOCK_WAIT_MS, ending_silent_holders
from streams.storage.late import count, join_late, news, store_late
from streams.storage.late import marks as late_marks
from streams.storage.migrate import namespace_kind
from streams.storage.position import (
    Move,
    Taken,
    adopt_partitions,
    already_moved,
    application_name,
    hold_again,
    let_go,
    owns,
    pass_fence,
    save_checkpoint,
    take_partition,
)
from streams.storage.readings import write_flags, write_readings, write_revisions, write_windows
from streams.storage.region_log import write_messages
from streams.storage.warnings import write_warnings

KEEP_POISON = """
insert into poison (topic, partition, "offset")
select %s, %s, unnest(%s::bigint[]) on conflict do nothing
"""
KEEP_ACTIVE = """
insert into config_active (kind, partition, version, position) values (%s, %s, %s, %s)
on conflict (kind, partition) do update set
    version = excluded.version, position = excluded.position
"""


@dataclass(frozen=True, slots=True)
class Piece:
    """One partition's share of a transaction: the outcome of the records old..next_offset.

    `checksum` and `append_ms` are of the last record; `poison` are offsets that were given up.
    `cities` gives the city of an area, for the region log.
    """

    partition: int
    old: int
    outcome: Outcome
    checkpoint: StateParts | None = None
    checksum: bytes | None = None
    append_ms: int | None = None
    poison: tuple[int, ...] = ()
    cities: Mapping[str, str] = field(default_factory=dict)


class Committer:
    """Owner of partitions of one topic in one namespace, on one connection, for one thread."""

    def __init__(self, conninfo: str, namespace: str, topic: str) -> None:
        self._conninfo = conninfo
        self._namespace = namespace
        self._topic = topic
        self._epochs: dict[int, int] = {}
        self._connection: Connection | None = None
        self._kind: NamespaceKind | None = None

    def take(self, partition: int, log_id: str | None = None) -> Taken:
        """Makes the partition ours (the previous owner's next commit fails) and loads its state."""
        with self._trouble():
            taken = take_partition(self._open(), self._namespace, self._topic, partition, log_id)
        self._epochs[partition] = taken.epoch
        return taken

    def owns(self, partition: int) -> bool:
        """Whether nobody has taken the partition from us."""
        with self._trouble():
            connection = self._open()
            with connection.transaction():
                return owns(connection, self._topic, partition, self._epochs.get(partition, -1))

    def let_go(self, partitions: Iterable[int]) -> None:
        """They stay ours until somebody takes them, and who does has no backend of ours to end."""
        mine = {n: self._epochs[n] for n in partitions if n in self._epochs}
        if mine:
            with self._trouble():
                let_go(self._open(), self._topic, mine)

    def hold_again(self, partitions: Iterable[int]) -> set[int]:
        """Goes on with partitions that were let go; gives those that nobody took in between."""
        mine = {n: self._epochs[n] for n in partitions if n in self._epochs}
        if not mine:
            return set()
        with self._trouble():
            return hold_again(self._open(), self._topic, mine)

    def forget(self, partition: int) -> None:
        """The partition is not ours any more."""
        self._epochs.pop(partition, None)

    def commit(self, pieces: Sequence[Piece]) -> None:
        """Stores all pieces in one transaction, or nothing.

        Raises `FenceLost` when a partition is not ours any more or stands elsewhere;
        `Unavailable` when the database failed: say the same again (it may have been done).
        """
        moves = [self._move(piece) for piece in pieces]
        with self._trouble():
            connection = self._open()
            kind = self._kind_of(connection)
            with ending_silent_holders(connection):
                fenced = self._store(connection, kind, moves, pieces)
            if not fenced:
                self._explain(connection, moves)

    def close(self) -> None:
        """Gives the connection back. The partitions stay ours until somebody takes them."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _store(
        self,
        connection: Connection,
        kind: NamespaceKind,
        moves: Sequence[Move],
        pieces: Sequence[Piece],
    ) -> bool:
        """The transaction; False, and nothing of it stays, where the fence does not open."""
        fenced = False
        with connection.transaction(), connection.cursor() as cursor:
            fenced = pass_fence(cursor, self._topic, moves)
            if not fenced:
                raise psycopg.Rollback
            self._write(cursor, kind, pieces)
        return fenced

    def _write(self, cursor: Cursor, kind: NamespaceKind, pieces: Sequence[Piece]) -> None:
        outcomes = [piece.outcome for piece in pieces]
        write_readings(cursor, [r for o in outcomes for r in o.readings])
        write_revisions(cursor, [r for o in outcomes for r in o.revisions])
        write_flags(cursor, [f for o in outcomes for f in o.flags])
        write_windows(cursor, [w for o in outcomes for w in o.windows])
        for piece in pieces:
            self._write_piece(cursor, kind, piece)
        write_warnings(cursor, [w for o in outcomes for w in o.warnings])
        # Row locks of the log's numbers last and in one order, so that they are held briefly.
        write_messages(
            cursor,
            self._topic,
            [(p.partition, p.cities, message) for p in pieces for message in p.outcome.region],
        )

    def _write_piece(self, cursor: Cursor, kind: NamespaceKind, piece: Piece) -> None:
        outcome, partition = piece.outcome, piece.partition
        marks = list(outcome.marks)
        ledger = dict(outcome.ledger)
        known: set[tuple[int, int, int, int, int]] = set()
        if outcome.late:
            late = join_late(outcome.late)
            verdict = store_late(cursor, late)
            marks += late_marks(late, verdict, outcome.zone_ms)
            for key, row in count(late, verdict).items():
                ledger[key] = ledger[key] + row if key in ledger else row
            if outcome.late_readings:
                known = news(late, verdict)
        write_findings(cursor, outcome)
        write_transitions(cursor, kind, self._topic, partition, outcome.transitions)
        write_closed(cursor, self._topic, partition, outcome.closed)
        write_late_readings(
            cursor,
            self._topic,
            partition,
            outcome.late_readings,
            lambda one: one.identity() in known,
        )
        write_accounts(cursor, self._topic, partition, outcome, ledger, marks)
        for what, version, position in outcome.activated:
            cursor.execute(KEEP_ACTIVE, (what, partition, version, position))
        if piece.poison:
            cursor.execute(KEEP_POISON, (self._topic, partition, list(piece.poison)))
        if piece.checkpoint is not None:
            save_checkpoint(cursor, self._topic, partition, piece.checkpoint)

    def _move(self, piece: Piece) -> Move:
        return Move(
            partition=piece.partition,
            epoch=self._epochs[piece.partition],
            old=piece.old,
            new=piece.outcome.next_offset,
            checksum=piece.checksum,
            saved=piece.checkpoint is not None,
            append_ms=piece.append_ms,
        )

    def _explain(self, connection: Connection, moves: Sequence[Move]) -> None:
        with connection.transaction():
            if already_moved(connection, self._topic, moves):
                return
        raise FenceLost(f"{self._topic} {[(m.partition, m.old, m.new) for m in moves]}")

    def _kind_of(self, connection: Connection) -> NamespaceKind:
        if self._kind is None:
            with connection.transaction():
                self._kind = namespace_kind(connection)
        return self._kind

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            name = application_name(self._namespace, self._topic)
            self._connection = connect(
                self._conninfo, self._namespace, name, lock_wait_ms=LOCK_WAIT_MS
            )
            adopt_partitions(self._connection, self._namespace, self._topic, self._epochs)
        return self._connection

    @contextmanager
    def _trouble(self) -> Iterator[None]:
        """Translates the driver's errors; after `Unavailable` the next call connects anew."""
        try:
            with translated():
                yield
        except Unavailable:
            self.close()
            raise
