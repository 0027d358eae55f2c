"""How delivery stands in a namespace: who leads, how far behind it is, what died. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from api.delivery.settings import DeliverSettings
from api.delivery.subscription import Channel
from streams.contracts.reason import LogKind
from streams.storage.connect import Connection

# The lock's key is a bigint: its halves are what pg_locks shows.
LOOK = """
with key as (select hashtextextended('citybrain deliver ' || %(namespace)s, 0) as bits),
lead as (
    select exists (
        select from pg_locks l, key
        where l.locktype = 'advisory' and l.granted and l.objsubid = 1
            and l.database = (select oid from pg_database where datname = current_database())
            and l.classid::bigint = (key.bits >> 32) & 4294967295
            and l.objid::bigint = key.bits & 4294967295
    ) as held
)
select
    case when lead.held then p.holder end, case when lead.held then p.held_since end,
    (select count(*) from subscription where removed_at is null),
    (select count(*) from subscription where removed_at is null and paused),
    (select count(*) from delivery d join subscription s on s.id = d.subscription
     where d.state = 'waiting' and not s.paused),
    (select count(*) from delivery d join subscription s on s.id = d.subscription
     where d.state = 'dead' and s.removed_at is null),
    greatest(0, (select max(sequence) from outbox) - p.sequence),
    greatest(0, (select max(sequence) from outbox) - a.sequence)
from lead left join delivery_position p on p.name = 'fan-out' left join acting_position a on true
"""
LONGEST = """
select s.id, s.name,
    extract(epoch from clock_timestamp() - min(d.queued_at))::float8 as waits_s
from delivery d join subscription s on s.id = d.subscription
where d.state = 'waiting' and not s.paused
group by s.id, s.name order by waits_s desc limit 1
"""
CHANNELS = """
select channel, count(*), count(*) filter (where inner_network) from subscription
where removed_at is null and not paused group by channel
"""
IS_THERE = """
select exists (select from information_schema.columns
where table_schema = current_schema() and table_name = 'delivery_position'
    and column_name = 'held_since')
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """At one moment. What is paused does not count as waiting."""

    namespace: str
    leader: str | None  # host and process; None: nobody delivers
    since: datetime | None
    subscriptions: int
    paused: int
    waiting: int
    dead: int
    behind: int  # numbers of the outbox that were not handed to the subscriptions
    acting_behind: int | None  # numbers from which nothing has followed by itself yet
    longest_s: float | None  # how long the oldest waiting delivery has waited
    longest_of: str | None  # name and id of its subscription
    off: tuple[str, ...]  # channels that cannot be used, and why

    @property
    def is_missing(self) -> bool:
        """Whether somebody should be told and nobody tells them."""
        return self.leader is None and self.subscriptions > self.paused


def look(
    connection: Connection, namespace: str, settings: DeliverSettings, log: LogKind
) -> Standing | None:
    """Asks the store; None before the namespace has the tables of this version."""
    there = connection.execute(IS_THERE).fetchone()
    if there is None or not there[0]:
        return None
    row = connection.execute(LOOK, {"namespace": namespace}).fetchone()
    assert row is not None
    leader, since, count, paused, waiting, dead, behind, acting = row
    longest = connection.execute(LONGEST).fetchone()
    return Standing(
        namespace,
        leader,
        since,
        count,
        paused,
        waiting,
        dead,
        behind or 0,
        acting,
        None if longest is None else longest[2],
        None if longest is None else f"{longest[1]} ({longest[0]})",
        tuple(_off(connection, settings, log)),
    )


def _off(connection: Connection, settings: DeliverSettings, log: LogKind) -> list[str]:
    rows = {name: (count, inner) for name, count, inner in connection.execute(CHANNELS)}
    mail, _ = rows.get(Channel.MAIL, (0, 0))
    _, inner = rows.get(Channel.WEBHOOK, (0, 0))
    found = []
    if not settings.smtp_host:
        found.append(f"mail: CITYBRAIN_DELIVER_SMTP_HOST is not set{_wanted(mail)}")
    if inner and not settings.allow_networks:
        found.append(f"inner network: CITYBRAIN_DELIVER_ALLOW_NETWORKS is not set{_wanted(inner)}")
    if log is not LogKind.KAFKA:
        found.append("Kafka: the log of this namespace is a table")
    return found


def _wanted(count: int) -> str:
    return f", {count} subscriptions want it" if count else ""
