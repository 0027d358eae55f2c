"""The follower that groups, over real PostgreSQL: batches, deaths, two at once, what was before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from api.actions.incidents import group
from streams.contracts.outcome import Transition
from streams.contracts.reason import AlertState, Change, NamespaceKind, Severity
from streams.storage.alerts import write_transitions
from streams.storage.connect import Connection, connect
from streams.storage.migrate import migrate
from streams.storage.outbox_expiry import expire_messages
from streams.storage.sequencer import number_outbox
from tests.support.deliveries import transition
from tests.support.incidents import contents, life

pytestmark = pytest.mark.integration
MINUTE = 60_000
START = 1_782_864_000_000


class Space:
    """A namespace, and a connection in it."""

    def __init__(self, conninfo: str, namespace: str) -> None:
        migrate(conninfo, namespace, NamespaceKind.LIVE, domains={}, partitions=1)
        self.conninfo, self.namespace = conninfo, namespace
        self.connection = connect(conninfo, namespace, "citybrain test", autocommit=True)

    def put(self, *transitions: Transition, number: bool = True) -> None:
        with self.connection.transaction(), self.connection.cursor() as cursor:
            write_transitions(cursor, NamespaceKind.LIVE, "t", 0, transitions)
        if number:
            number_outbox(self.connection)

    def group(self, **given: Any) -> None:
        while group(self.connection, **given).more:
            pass

    def again(self) -> None:
        """As if nothing had ever been grouped."""
        self.connection.execute("truncate incident, incident_alert, incident_step, incident_told")
        self.connection.execute("update incident_position set sequence = -1, adopted = false")

    def clock(self, minute: int) -> None:
        """The city's own time."""
        self.connection.execute(
            "insert into area_latest values ('330106', 'waterlogging', at_ms(%(at)s),"
            " at_ms(%(at)s), '{}')"
            " on conflict (area, domain) do update set decided_at = excluded.decided_at",
            {"at": START + minute * MINUTE},
        )

    def rows(self, text: Any) -> list[Any]:
        return self.connection.execute(text).fetchall()


@pytest.fixture
def space(database_url: str, namespace: str) -> Iterator[Space]:
    made = Space(database_url, namespace)
    yield made
    made.connection.close()


def at(alert: str, minute: int, sequence: int = 1, **given: Any) -> Transition:
    times = {"event_ms": START + minute * MINUTE, "decided_ms": START + minute * MINUTE}
    return transition(alert, sequence, **(times | {"onset_ms": START} | given))


def over(alert: str, minute: int, sequence: int = 2) -> Transition:
    return at(alert, minute, sequence, state=AlertState.RESOLVED, change=Change.CLEARED)


def test_any_batches_and_any_deaths_give_the_same(space: Space) -> None:
    for seed in range(3):
        for each in life(seed, START):
            space.put(*each)
    space.group()
    whole = contents(space.connection)
    assert len(whole["incident"]) > 3
    for most in (1, 7):
        space.again()
        space.group(most=most)
        assert contents(space.connection) == whole
    space.again()
    for death in range(1, 9):
        with pytest.raises(psycopg.OperationalError, match="killed"):
            group(Mortal(space.connection, death))  # type: ignore[arg-type]
    space.group()
    assert contents(space.connection) == whole
    space.group()
    assert contents(space.connection) == whole


class Mortal:
    """A connection that dies at its n-th statement."""

    def __init__(self, connection: Connection, statements: int) -> None:
        self._connection = connection
        self._left = statements

    def execute(self, *given: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise psycopg.OperationalError("killed")
        return self._connection.execute(*given)

    def transaction(self) -> Any:
        return self._connection.transaction()


def test_one_at_a_time(space: Space) -> None:
    space.put(at("a", 0))
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with (
            connect(space.conninfo, space.namespace, "citybrain test", autocommit=True) as other,
            other.transaction(),
        ):
            other.execute("select 1 from incident_position for update")
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    entered.wait(10)
    assert group(space.connection).busy
    leave.set()
    thread.join()
    assert not group(space.connection).busy
    assert space.rows("select open from incident") == [(1,)]


def test_quiet_ends_by_the_citys_own_time_once_everything_is_grouped(space: Space) -> None:
    space.put(at("a", 0), over("a", 5))
    space.clock(34)
    space.group()
    assert space.rows("select closed from incident") == [(None,)]
    space.clock(90)
    space.put(at("b", 34), number=False)
    space.group()
    assert space.rows("select closed from incident") == [(None,)], "a message waits for its number"
    number_outbox(space.connection)
    space.group()
    assert space.rows("select open, ended, closed from incident") == [(1, 1, None)]


def test_alerts_of_before_the_outbox_are_taken_in_once(space: Space) -> None:
    """An upgraded namespace whose open alerts have lost their messages to the retention."""
    space.put(at("old", 0), at("gone", 0), over("gone", 1), at("mid", 2))
    space.put(at("new", 3, severity=Severity.RED))
    space.connection.execute("delete from outbox where key in ('old', 'gone', 'mid')")
    space.connection.execute("update incident_position set sequence = 3")
    space.group()
    assert space.rows("select open, ended, severity from incident") == [(3, 0, 4)]
    assert space.rows("select extract(epoch from began)::bigint * 1000 from incident") == [(START,)]
    space.put(over("old", 9))
    space.group()
    assert space.rows("select open, ended from incident") == [(2, 1)]


def test_messages_stay_until_they_are_grouped(space: Space) -> None:
    space.put(at("a", 0), at("b", 0), at("c", 0))
    space.connection.execute("update acting_position set sequence = 99")
    expire_messages(space.connection, 2**42, lambda: False)
    assert space.rows("select count(*) from outbox") == [(3,)]
    space.group()
    expire_messages(space.connection, 2**42, lambda: False)
    assert space.rows("select count(*) from outbox") == [(1,)]


def test_a_storm_is_grouped_in_seconds(space: Space) -> None:
    storm = [
        replace(at(f"a{n}", n % 2), area=f"3301{n % 40:02}", severity=Severity(n % 4 + 1))
        for n in range(20_000)
    ]
    space.put(*storm)
    space.group()
    assert space.rows("select count(*), sum(open)::int, max(severity) from incident") == [
        (40, 20_000, 4)
    ]
    assert space.rows(
        "select count(*) from incident where by_severity[1] + by_severity[2] + by_severity[3]"
        " + by_severity[4] + by_severity[5] <> open"
    ) == [(0,)]
