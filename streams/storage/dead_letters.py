"""Dead letters read back for people, and marked once they have been tried again.

Writing them is `streams.storage.accounts`; appending them to the log again is `deploy`'s matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import msgpack
from psycopg.rows import class_row

from streams.contracts.reason import Reason
from streams.storage.connect import Connection

SELECT = """
select id, reason, detail, partition, position, row, source, area, domain, content, headers,
       stored_at, retried_at, retried_as, retried_partition, retried_position
from dead_letter
"""
# Every filter that is null keeps everything.
WANTED = """
    where (%(ids)s::bigint[] is null or id = any(%(ids)s::bigint[]))
      and (%(reason)s::text is null or reason = %(reason)s)
      and (%(source)s::text is null or source = %(source)s)
      and (%(area)s::text is null or area = %(area)s)
      and (%(domain)s::text is null or domain = %(domain)s)
      and (%(since)s::timestamptz is null or stored_at >= %(since)s)
      and (%(retried)s or retried_at is null)
"""
FIND = SELECT + WANTED + " and id < %(before)s order by id desc limit %(limit)s"
FIND_OLDEST = SELECT + WANTED + " and id > %(after)s and id <= %(last)s order by id limit %(limit)s"
SELECT_COUNTS = "select reason, count(*) from dead_letter"
COUNT = SELECT_COUNTS + WANTED + " group by reason order by count(*) desc, reason"
# Whoever else tries these letters waits here, and then finds that they were tried.
TAKE = SELECT + " where id = any(%s) order by id for update"
MARK = """
update dead_letter set retried_at = now(), retried_as = %s, retried_partition = %s,
                       retried_position = %s
where id = any(%s)
"""
ALL_IDS = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters; None keeps everything. `retried`: also those that were tried again."""

    ids: tuple[int, ...] | None = None
    reason: Reason | None = None
    source: str | None = None
    area: str | None = None
    domain: str | None = None
    since: datetime | None = None
    retried: bool = False


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A dead letter as it is stored.

    `partition`, `headers` and `stored_at` are None in letters of a version that did not keep
    them. `row` -1: the whole record, `content` its body. Otherwise `content` is that row, as JSON.
    """

    id: int
    reason: str
    detail: str
    partition: int | None
    position: int
    row: int
    source: str
    area: str
    domain: str
    content: bytes
    headers: bytes | None
    stored_at: datetime | None
    retried_at: datetime | None
    retried_as: str | None
    retried_partition: int | None
    retried_position: int | None

    def read_headers(self) -> dict[str, str]:
        """What the record said of itself; empty when it was not kept."""
        if self.headers is None:
            return {}
        found: dict[str, str] = msgpack.unpackb(self.headers, unicode_errors="surrogatepass")
        return found


def find_letters(
    connection: Connection, wanted: Wanted, limit: int, before: int = ALL_IDS
) -> list[StoredLetter]:
    """The newest letters whose id is below `before`, newest first."""
    with connection.cursor(row_factory=class_row(StoredLetter)) as cursor:
        given = _parameters(wanted) | {"limit": limit, "before": before}
        return cursor.execute(FIND, given).fetchall()


def count_letters(connection: Connection, wanted: Wanted) -> dict[str, int]:
    """How many letters there are by reason, the most frequent first."""
    return dict(connection.execute(COUNT, _parameters(wanted)).fetchall())


def oldest_letters(connection: Connection, wanted: Wanted, batch: int) -> Iterator[StoredLetter]:
    """Every letter that there is when this begins, oldest first, read `batch` at a time."""
    row = connection.execute("select coalesce(max(id), 0) from dead_letter").fetchone()
    given = _parameters(wanted) | {"limit": batch, "last": 0 if row is None else row[0]}
    after = 0
    with connection.cursor(row_factory=class_row(StoredLetter)) as cursor:
        while found := cursor.execute(FIND_OLDEST, given | {"after": after}).fetchall():
            yield from found
            after = found[-1].id


@contextmanager
def taking(connection: Connection, ids: Sequence[int]) -> Iterator[list[StoredLetter]]:
    """One transaction in which nobody else tries these letters again; gives them as they are now.

    What `mark` says inside it holds if the block ends well.
    """
    with connection.transaction(), connection.cursor(row_factory=class_row(StoredLetter)) as cursor:
        yield cursor.execute(TAKE, (list(ids),)).fetchall()


def mark(
    connection: Connection, ids: Sequence[int], frame: str, partition: int, position: int
) -> None:
    """These letters went into the log again, in this frame at this place."""
    connection.execute(MARK, (frame, partition, position, list(ids)))


def _parameters(wanted: Wanted) -> dict[str, object]:
    return {
        "ids": None if wanted.ids is None else list(wanted.ids),
        "reason": None if wanted.reason is None else wanted.reason.value,
        "source": wanted.source,
        "area": wanted.area,
        "domain": wanted.domain,
        "since": wanted.since,
        "retried": wanted.retried,
    }
