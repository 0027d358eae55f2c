"""What the deliverer reads and writes, on a connection of its own; each call is one transaction.

Every write holds only while our epoch does: whoever took over later makes ours fail with
`FenceLost`. The server need not flush them (`synchronous_commit` off): what a crash of the server
takes back is fanned out or sent again, under the same id.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

import orjson

from api.delivery.city_clock import Reading
from api.delivery.completeness import AreaState
from api.delivery.event import MOST_MISSED, Event
from api.delivery.known import Known, read_area_states, read_names, read_places, read_subscriptions
from api.delivery.outcome import Result, State
from api.delivery.place import Places
from api.delivery.subscription import Subscription
from streams.contracts.reason import NamespaceKind
from streams.errors import FenceLost
from streams.log import ALERT_TOPIC
from streams.storage.connect import Connection, connect, translated
from streams.storage.migrate import namespace_kind
from streams.storage.sequencer import number_outbox

FAN_OUT = "fan-out"
TAKE_EPOCH = """
insert into delivery_position (name, sequence, epoch, holder, held_since)
values (%(name)s, -1, 1, %(holder)s, clock_timestamp())
on conflict (name) do update set epoch = delivery_position.epoch + 1, holder = excluded.holder,
    held_since = excluded.held_since
returning epoch
"""
HOLDS = "select sequence from delivery_position where name = %s and epoch = %s for update"
MOVE = "update delivery_position set sequence = %s where name = %s"
POSITION = "select sequence from delivery_position where name = %s"
UNNUMBERED = "select exists (select from outbox where sequence is null)"
NEWEST = "select coalesce(max(sequence), -1) from outbox"
VERSION = "select version from subscription_version"
EVENTS = """
select sequence, key, area, status, notify, content::text from outbox
where sequence > %s and topic = %s order by sequence limit %s
"""
TOLD = """
select alert, array_agg(distinct subscription) from delivery where alert = any(%s) group by alert
"""
ADD = "copy delivery (subscription, sequence, alert, queued_at) from stdin"
# The newest numbered state of alerts that were open at a number of the outbox.
OPEN_AT = """
select o.sequence, o.key, o.area, o.status, o.notify, o.content::text
from outbox o join (
    select max(sequence) as sequence from outbox
    where topic = %s and sequence <= %s and key in (select id from alert where state <> 'resolved')
    group by key
) newest using (sequence)
where o.content ->> 'state' <> 'resolved'
order by o.sequence
"""
OPEN = """
update subscription set opening = false
where id = %s and version = %s and opening and removed_at is null
"""
ADD_OPEN = """
insert into delivery (subscription, sequence, alert, queued_at)
select %s, told.sequence, told.alert, %s
from unnest(%s::bigint[], %s::text[]) as told (sequence, alert)
on conflict do nothing
"""
WAITING = """
select d.sequence, o.key, o.area, o.status, o.notify, o.content::text,
    extract(epoch from d.queued_at)::float8, d.attempts,
    coalesce(extract(epoch from d.next_at), 0)::float8, d.retried
from delivery d join outbox o using (sequence)
where d.subscription = %s and d.state = 'waiting' and d.sequence > %s
order by d.sequence limit %s
"""
OVERTAKEN = """
update delivery d set state = 'superseded', done_at = now()
where d.subscription = %s and d.state = 'waiting' and exists (
    select from delivery n where n.subscription = d.subscription and n.alert = d.alert
        and n.state = 'waiting' and n.sequence > d.sequence)
"""
WRITE = """
update delivery d set state = r.state, attempts = r.attempts, next_at = to_timestamp(r.next_s),
    done_at = case when r.state <> 'waiting' then now() end,
    status = coalesce(r.status, d.status), error = r.error, receipt = r.receipt
from unnest(%s::text[], %s::bigint[], %s::text[], %s::int[], %s::float8[], %s::int[], %s::text[],
    %s::text[]) as r (subscription, sequence, state, attempts, next_s, status, error, receipt)
where d.subscription = r.subscription and d.sequence = r.sequence and d.state = 'waiting'
"""
MISS = """
insert into delivery_missed (subscription, alert, sequences) values (%s, %s, array[%s::bigint])
on conflict (subscription, alert) do update
set sequences = (array_append(delivery_missed.sequences, excluded.sequences[1]))[
    greatest(1, cardinality(delivery_missed.sequences) + 2 - %s):]
"""
TOLD_OF_MISSED = """
update delivery_missed
set sequences = array(select s from unnest(sequences) s where s <> all(%s::bigint[]))
where subscription = %s and alert = %s
"""
NO_MORE_MISSED = "delete from delivery_missed where cardinality(sequences) = 0"
MISSED = "select subscription, alert, sequences from delivery_missed"
PURGE = """
delete from delivery d where ctid = any(array(
    select d.ctid from delivery d left join alert a on a.id = d.alert
    where d.done_at < %s and (a.id is null or a.state = 'resolved') limit %s))
"""
AS_OF = """
select (extract(epoch from greatest((select max(decided_at) from area_latest),
    (select max(decided_at) from area_risk))) * 1000)::bigint
"""
WORKING = """
select exists (select from worker where beat > clock_timestamp() - interval '15 seconds')
"""
# What is known of the present of an area: as far as it was judged, unless it is silent.
KNOWN = """
select area, (extract(epoch from max(decided_at)) * 1000)::bigint from (
    select area, decided_at from area_risk where not unknown
    union all
    select l.area, l.decided_at from area_latest l
    where not exists (select from area_risk r where r.area = l.area and r.unknown)
) known group by area
"""
PARTITIONS = """
select content -> 'partitions' from config_version where kind = 'registry'
order by created_at desc, version limit 1
"""
LEAVE = "delete from delivery_position where name = %s"
NUMBERED = """
select sequence, key, area, content ->> 'state' = 'resolved',
    coalesce(numbered_at < to_timestamp(%s), true)
from outbox where sequence > %s and sequence <= %s and topic = %s
order by sequence limit %s
"""
PUBLISHED = """
insert into delivery_position (name, sequence) values (%s, %s)
on conflict (name) do update set sequence = excluded.sequence
"""
REGISTRY = "select count(*), max(created_at)::text from config_version where kind = 'registry'"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A waiting delivery as it is stored."""

    event: Event
    queued_s: float
    attempts: int
    next_s: float
    retried: bool


@dataclass(frozen=True, slots=True)
class Numbered:
    """A message of the outbox, without what it says."""

    sequence: int
    alert: str
    area: str
    ended: bool  # the alert's last


class DeliveryStore:
    """One connection, one thread at a time. Raises `Unavailable`, `FenceLost`."""

    def __init__(self, conninfo: str, namespace: str, epoch: int) -> None:
        self._connection = connect(conninfo, namespace, "citybrain deliver", autocommit=True)
        self._connection.execute("set synchronous_commit = off")
        self._epoch = epoch

    @property
    def connection(self) -> Connection:
        """For what else is read in the same thread."""
        return self._connection

    def close(self) -> None:
        """Gives the connection back."""
        self._connection.close()

    def kind(self) -> NamespaceKind:
        """What the namespace is for."""
        with translated():
            return namespace_kind(self._connection)

    def number(self) -> None:
        """Numbers what was committed, as the workers do; both may."""
        with translated():
            row = self._connection.execute(UNNUMBERED).fetchone()
            if row is not None and row[0]:
                number_outbox(self._connection)

    def version(self) -> int:
        """Grows with every change of a subscription."""
        return self._number(VERSION)

    def newest(self) -> int:
        """The newest number of the outbox; −1 while it is empty."""
        return self._number(NEWEST)

    def position(self, name: str = FAN_OUT) -> int:
        """Up to where the outbox is done."""
        with translated():
            row = self._connection.execute(POSITION, (name,)).fetchone()
        return -1 if row is None else int(row[0])

    def subscriptions(self) -> list[Subscription]:
        """All that are not removed; paused ones, too."""
        return read_subscriptions(self._connection)

    def events(self, after: int, limit: int) -> list[Event]:
        """The next rows of the outbox, in order."""
        with translated():
            rows = self._connection.execute(EVENTS, (after, ALERT_TOPIC, limit)).fetchall()
        return [_event(*row) for row in rows]

    def told(self, alerts: Collection[str]) -> dict[str, set[str]]:
        """Who was ever told of these alerts."""
        with translated():
            return {a: set(ids) for a, ids in self._connection.execute(TOLD, (list(alerts),))}

    def fan_out(
        self, after: int, upto: int, wanted: Sequence[tuple[str, Event]], at: datetime
    ) -> None:
        """Queues the deliveries and moves the position from `after` to `upto`, together."""
        with translated(), self._connection.transaction(), self._connection.cursor() as cursor:
            held = cursor.execute(HOLDS, (FAN_OUT, self._epoch)).fetchone()
            if held is None or held[0] != after:
                raise FenceLost("another deliverer has taken over")
            if wanted:
                with cursor.copy(ADD) as copy:
                    for subscription, event in wanted:
                        copy.write_row((subscription, event.sequence, event.alert, at))
            cursor.execute(MOVE, (upto, FAN_OUT))

    def open_at(self, number: int) -> list[Event]:
        """The newest state of every alert that was open when this was the newest number."""
        with translated():
            rows = self._connection.execute(OPEN_AT, (ALERT_TOPIC, number)).fetchall()
        return [_event(*row) for row in rows]

    def begin(self, to: Subscription, events: Sequence[Event], after: int, at: datetime) -> bool:
        """Queues what a subscription begins with, while the position is `after`; False when it was
        changed meanwhile. What it has had is not queued again."""
        numbers, alerts = [e.sequence for e in events], [e.alert for e in events]
        with translated(), self._connection.transaction(), self._connection.cursor() as cursor:
            held = cursor.execute(HOLDS, (FAN_OUT, self._epoch)).fetchone()
            if held is None or held[0] != after:
                raise FenceLost("another deliverer has taken over")
            if cursor.execute(OPEN, (to.id, to.version)).rowcount == 0:
                return False
            cursor.execute(ADD_OPEN, (to.id, at, numbers, alerts))
        return True

    def waiting(self, subscription: str, after: int, limit: int, *, latest: bool) -> list[Waiting]:
        """The next waiting deliveries by number. `latest`: older states of an alert are put away
        first."""
        with translated(), self._connection.transaction():
            if latest:
                self._connection.execute(OVERTAKEN, (subscription,))
            rows = self._connection.execute(WAITING, (subscription, after, limit)).fetchall()
        return [Waiting(_event(*row[:6]), *row[6:]) for row in rows]

    def write(self, results: Sequence[Result]) -> None:
        """What became of deliveries; one that a person changed meanwhile stays as it is."""
        with translated(), self._connection.transaction(), self._connection.cursor() as cursor:
            if cursor.execute(HOLDS, (FAN_OUT, self._epoch)).fetchone() is None:
                raise FenceLost("another deliverer has taken over")
            cursor.execute(WRITE, _columns(results))
            for result in results:
                who = (result.subscription, result.alert)
                if result.state is State.DEAD:
                    cursor.execute(MISS, (*who, result.sequence, MOST_MISSED))
                elif result.missed:
                    cursor.execute(TOLD_OF_MISSED, (list(result.missed), *who))
                    cursor.execute(NO_MORE_MISSED)

    def missed(self) -> dict[tuple[str, str], list[int]]:
        """Dead letters of which the subscriber has not been told, by subscription and alert."""
        with translated():
            return {(s, a): list(found) for s, a, found in self._connection.execute(MISSED)}

    def purge(self, before: datetime, limit: int) -> int:
        """Forgets what was done with before that, but for alerts that are still open."""
        with translated():
            return self._connection.execute(PURGE, (before, limit)).rowcount

    def city_clock(self) -> Reading:
        """The clocks of namespace and areas. What they had decided by then is numbered after they
        were read, so it all lies up to the reading's number."""
        with translated():
            as_of = self._connection.execute(AS_OF).fetchone()
            known: dict[str, int] = dict(self._connection.execute(KNOWN).fetchall())
            working = self._connection.execute(WORKING).fetchone()
        self.number()
        upto = self.newest()
        time_ms = None if as_of is None else as_of[0]
        return Reading(upto, time_ms, known, bool(working and working[0]))

    def area_states(self) -> dict[str, AreaState]:
        """How complete the picture of every area is."""
        return read_area_states(self._connection)

    def names(self) -> Known:
        """What codes are called."""
        return read_names(self._connection)

    def partitions(self) -> dict[str, int]:
        """The table area → partition that the workers use."""
        with translated():
            row = self._connection.execute(PARTITIONS).fetchone()
        return {} if row is None else dict(row[0])

    def move(self, name: str, upto: int) -> None:
        """The outbox is done up to here, by this reader."""
        with translated(), self._connection.transaction():
            if self._connection.execute(HOLDS, (FAN_OUT, self._epoch)).fetchone() is None:
                raise FenceLost("another deliverer has taken over")
            self._connection.execute(PUBLISHED, (name, upto))

    def numbered(self, after: int, upto: int, before_s: float, limit: int) -> list[Numbered]:
        """The next messages of alerts, up to the first that got its number after this time."""
        given = (before_s, after, upto, ALERT_TOPIC, limit)
        with translated():
            rows = self._connection.execute(NUMBERED, given).fetchall()
        return [Numbered(*row[:4]) for row in takewhile(lambda row: row[4], rows)]

    def leave(self, name: str) -> None:
        """This reader needs the outbox no longer."""
        with translated():
            self._connection.execute(LEAVE, (name,))

    def registry(self) -> str:
        """Changes when points or areas may have."""
        with translated():
            return str(self._connection.execute(REGISTRY).fetchone())

    def places(self) -> Places:
        """Where everything lies."""
        return read_places(self._connection)

    def _number(self, statement: Any) -> int:
        with translated():
            row = self._connection.execute(statement).fetchone()
        return -1 if row is None else int(row[0])


def take_epoch(connection: Connection) -> int:
    """Makes the writes of whoever delivered before fail. In a transaction of its own."""
    with translated():
        given = {"name": FAN_OUT, "holder": f"{socket.gethostname()} {os.getpid()}"}
        row = connection.execute(TAKE_EPOCH, given).fetchone()
    if row is None:
        raise LookupError("no epoch came back")
    return int(row[0])


def now_utc() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def _event(sequence: int, key: str, area: str, status: str, notify: bool, content: str) -> Event:
    return Event(sequence, key, area, status, notify, orjson.loads(content))


def _columns(results: Iterable[Result]) -> tuple[list[Any], ...]:
    rows = [
        (
            r.subscription,
            r.sequence,
            r.state.value,
            r.attempts,
            r.next_s,
            r.outcome.status if r.outcome else None,
            r.outcome.error if r.outcome else None,
            r.outcome.receipt if r.outcome else None,
        )
        for r in {(r.subscription, r.sequence): r for r in results}.values()
    ]
    return tuple(list(column) for column in zip(*rows, strict=True)) if rows else ([],) * 8
