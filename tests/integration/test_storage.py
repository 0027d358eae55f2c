"""The one transaction, the fence, migrations and the registry over real PostgreSQL."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any, LiteralString

import numpy as np
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.catalog import Profile
from streams.contracts.domain import Episode, Property, Result, Ticket
from streams.contracts.message_status import may_notify, message_status
from streams.contracts.outcome import (
    DeadLetter,
    FlagChanges,
    LateMark,
    Outcome,
    Quarantined,
    RegionMessage,
    StateParts,
    Windows,
)
from streams.contracts.reason import NamespaceKind, Origin, Reason
from streams.domains import find_domains
from streams.errors import FenceLost, Misconfigured, Unavailable
from streams.log import OBSERVATION_TOPIC
from streams.runtime.retry import Patience
from streams.storage import migrate as migration
from streams.storage.commit import Committer, Piece
from streams.storage.connect import connect
from streams.storage.migrate import drop_namespace, migrate
from streams.storage.registry import load_version, newest, save_profile, save_registry
from tests.support.fake_pipeline import readings, revisions, toy_transition
from tests.support.namespace import small_registry

DAY = 1_700_000_000_000
EVERY_ORIGIN = st.sampled_from(list(Origin))
EVERY_KIND = st.sampled_from(list(NamespaceKind))


@given(EVERY_KIND, EVERY_ORIGIN)
def test_only_live_input_of_the_live_namespace_is_actual(
    kind: NamespaceKind, origin: Origin
) -> None:
    live = kind is NamespaceKind.LIVE and origin is Origin.LIVE
    assert (message_status(kind, origin) == "Actual") is live
    assert not (origin is Origin.REPLAYED and may_notify(kind, origin))


class Store:
    """A migrated namespace with an owner of partition 0."""

    def __init__(self, conninfo: str, namespace: str) -> None:
        self.conninfo, self.namespace = conninfo, namespace
        migrate(conninfo, namespace, NamespaceKind.REPLAY, domains={}, partitions=1)
        self.owner = Committer(conninfo, namespace, OBSERVATION_TOPIC)
        self.owner.take(0)

    def rows(self, query: Any) -> list[tuple[Any, ...]]:
        with connect(self.conninfo, self.namespace) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def store(database_url: str, namespace: str) -> Any:
    made = Store(database_url, namespace)
    yield made
    made.owner.close()


def piece(old: int, new: int, **changes: Any) -> Piece:
    outcome = Outcome(next_offset=new)
    outcome.readings.append(readings([[1, DAY + old, old]], old))
    return replace(Piece(0, old, outcome), **changes)


@pytest.mark.integration
@pytest.mark.every_store
def test_a_lost_answer_is_recognised(store: Store) -> None:
    said = piece(0, 5, checkpoint=StateParts({"a": b"1"}, {"h": (0, b"x")}, ()))
    store.owner.commit([said])
    store.owner.commit([said])
    assert store.rows("select count(*) from observation") == [(1,)]
    assert store.rows("select next_offset, checkpoint_offset from position") == [(5, 5)]


@pytest.mark.integration
@pytest.mark.every_store
def test_the_fence_refuses_another_position_and_another_owner(store: Store) -> None:
    store.owner.commit([piece(0, 5)])
    with pytest.raises(FenceLost):
        store.owner.commit([piece(4, 6)])
    other = Committer(store.conninfo, store.namespace, OBSERVATION_TOPIC)
    assert other.take(0).next_offset == 5
    with pytest.raises(Unavailable):  # its backend was ended by the successor
        store.owner.commit([piece(5, 6)])
    with pytest.raises(FenceLost):
        store.owner.commit([piece(5, 6)])
    assert not store.owner.owns(0)
    assert other.owns(0)
    other.commit([piece(5, 7)])
    other.close()
    assert store.rows("select count(*) from observation") == [(2,)]


@pytest.mark.integration
@pytest.mark.parametrize(
    "held",
    [
        "select from position for update",
        "select from log_partition where topic = 'region' for update",
    ],
)
def test_what_a_stopped_process_holds_beside_its_owner_does_not_stop_a_successor(
    store: Store, held: LiteralString
) -> None:
    """A process that was stopped in its recomputer or region runner, in mid transaction."""
    frozen = connect(store.conninfo, store.namespace, "citybrain recompute")
    frozen.execute(held)
    other = Committer(store.conninfo, store.namespace, OBSERVATION_TOPIC)
    taken = Patience(give_up_s=30.0).insist("take", lambda: other.take(0), threading.Event())
    message = RegionMessage("*", 0, 0, "clock", "", "", 0, {}, "closed", 0)
    told = piece(taken.next_offset, 5)
    told.outcome.region.append(message)
    other.commit([told])
    other.close()
    with pytest.raises(psycopg.OperationalError, match="terminat"):
        frozen.execute("select 1")
    frozen.close()


@pytest.mark.integration
@pytest.mark.every_store
def test_what_a_stopped_owner_holds_does_not_stop_the_others(
    database_url: str, namespace: str
) -> None:
    """Its COPY made a new chunk, say: every other COPY into that day waits for it."""
    migrate(database_url, namespace, NamespaceKind.REPLAY, domains={}, partitions=2)
    owner = Committer(database_url, namespace, OBSERVATION_TOPIC)
    owner.take(0)
    frozen = connect(database_url, namespace, "citybrain owner other")
    frozen.execute("select from log_partition where topic = 'city.observation.v1' for share")
    frozen.execute("lock table observation in exclusive mode")
    began = time.monotonic()
    Patience(give_up_s=30.0).insist(
        "commit", lambda: owner.commit([piece(0, 5)]), threading.Event()
    )
    assert time.monotonic() - began < 20.0  # far below the server's timeout of transactions
    owner.close()
    with pytest.raises(psycopg.OperationalError, match="terminat"):
        frozen.execute("select 1")
    frozen.close()


@pytest.mark.integration
@pytest.mark.every_store
def test_nothing_stays_when_one_of_two_partitions_is_not_ours(
    database_url: str, namespace: str
) -> None:
    migrate(database_url, namespace, NamespaceKind.REPLAY, domains={}, partitions=2)
    owner = Committer(database_url, namespace, OBSERVATION_TOPIC)
    owner.take(0)
    owner.take(1)
    wrong = replace(piece(3, 9), partition=1)
    with pytest.raises(FenceLost):
        owner.commit([piece(0, 5), wrong])
    owner.close()
    with connect(database_url, namespace) as connection:
        positions = connection.execute("select next_offset from position").fetchall()
        stored = connection.execute("select count(*) from observation").fetchone()
    assert positions == [(0,), (0,)]
    assert stored == (0,)


@pytest.mark.integration
@pytest.mark.every_store
def test_a_checkpoint_comes_back_as_it_was_last_written(store: Store) -> None:
    first = StateParts({"a": b"1", "b": b"2"}, {"h": (0, b"x")}, ())
    second = StateParts({"a": b"3", "b": None}, {"h": (1, b"y")}, ())
    third = StateParts({}, {"h": (2, b"z")}, (("h", 0),))
    for number, parts in enumerate((first, second, third)):
        store.owner.commit([piece(number, number + 1, checkpoint=parts)])
    taken = store.owner.take(0)
    assert taken.checkpoint.parts == {"a": b"3"}
    assert taken.checkpoint.segments == {"h": [(1, b"y"), (2, b"z")]}
    assert (taken.next_offset, taken.checkpoint_offset) == (3, 3)


@pytest.mark.integration
@pytest.mark.every_store
def test_every_kind_of_output_lands_in_its_table(store: Store) -> None:
    outcome = Outcome(next_offset=9)
    outcome.readings.append(readings([[1, DAY, 5], [2, DAY, 6]], 0))
    outcome.revisions.append(revisions([[1, DAY, 5, 0, 7], [1, DAY, 7, 1, 8]], 3))
    column = np.array([2], np.int32)
    outcome.flags.append(
        FlagChanges(column, np.ones(1, np.int16), np.array([DAY]), np.array([4], np.int8))
    )
    outcome.windows += [window(1, 3), window(2, 0)]
    outcome.transitions += [
        toy_transition(1, DAY, 1, DAY),
        toy_transition(1, DAY, 2, DAY + 1, 3, False),
    ]
    outcome.results += [Result("k", "p", DAY, 60, {"v": 1}), Result("k", "p", DAY, 60, {"v": 2})]
    outcome.episodes += [("a", Episode("e1", "k", "p", DAY, None, {})),
                         ("a", Episode("e2", "k", "p", DAY, None, {})),
                         ("a", Episode("e2", "k", "p", DAY, None, {}, removed=True))]  # fmt: skip
    outcome.tickets += [("a", Ticket(1, "depth", "spike", DAY, False)),
                        ("a", Ticket(1, "depth", "spike", DAY + 5, True))]  # fmt: skip
    hostile = "\0\ud800"
    outcome.quarantined.append(
        Quarantined(Reason.FUTURE_EVENT, "a", "d", hostile, hostile, "p", DAY, DAY, "1", 1)
    )
    outcome.dead_letters.append(
        DeadLetter(Reason.MALFORMED, hostile, 1, -1, hostile, hostile, "", b"\0\xff")
    )
    outcome.count("a", "d", hostile, received=2, stored=2, on_time=2)
    outcome.region += [RegionMessage("a", 1, 0, "partial", "d", "hour", 0, {}, "closed", 1)] * 2
    outcome.marks.append(LateMark("a", "d", DAY, 4))
    store.owner.commit([Piece(0, 0, outcome, cities={"a": "c"})])
    assert store.rows("select sensor, value, flag, position from observation order by 1") == [
        (1, 8, 1, 3), (2, 6, 4, 0)]  # fmt: skip
    assert store.rows("select old_value, value from observation_revision order by 1") == [
        (5, 7), (7, 8)]  # fmt: skip
    assert store.rows("select sensor, n, low from observation_window") == [(1, 3, 5)]
    assert store.rows("select state, sequence, peak_severity, ended is null from alert") == [
        ("resolved", 2, 4, False)]  # fmt: skip
    assert store.rows("select count(*), bool_or(notify), max(status) from outbox") == [
        (2, False, "Test")]  # fmt: skip
    assert store.rows("select payload from point_result") == [({"v": 2},)]
    assert store.rows("select id from episode") == [("e1",)]
    assert store.rows("select ms_of(closed) from ticket") == [(DAY + 5,)]
    assert store.rows("select source, sensor from quarantine") == [("\ufffd?", "\ufffd?")]
    assert store.rows("select detail, content from dead_letter") == [("\ufffd?", b"\0\xff")]
    assert store.rows("select received, stored from ledger") == [(2, 2)]
    assert store.rows("select id, city from region_log order by id") == [(0, "c"), (1, "c")]
    assert store.rows("select position from late_mark") == [(4,)]


def window(sensor: int, n: int) -> Windows:
    one = np.ones(1, np.int32)
    wide = np.full(1, 5, np.int64)
    return Windows(
        60 * one, sensor * one, one.astype(np.int16), np.array([DAY]), n * one, 0 * one,
        wide, wide, wide,
    )  # fmt: skip


@pytest.mark.integration
@pytest.mark.every_store
def test_migrating_again_does_nothing_and_keeps_ids(database_url: str, namespace: str) -> None:
    domains = find_domains()
    first = migrate(database_url, namespace, NamespaceKind.SIMULATED, domains=domains)
    with connect(database_url, namespace) as connection:
        before = migration.property_ids(connection)
    again = migrate(database_url, namespace, NamespaceKind.SIMULATED, domains=domains)
    with connect(database_url, namespace) as connection:
        assert migration.property_ids(connection) == before
    assert first.applied[:2] == ("0001_spine.sql", "0002_worker.sql")
    assert again.applied == ()
    assert again.store == first.store
    assert len(set(before.values())) == sum(len(d.properties) for d in domains.values())


@pytest.mark.integration
@pytest.mark.every_store
def test_a_property_may_move_to_another_domain_but_not_change(
    database_url: str, namespace: str
) -> None:
    domains = find_domains()
    depth = domains["waterlogging"].properties[0]

    def owned_by(name: str, prop: Property) -> list[tuple[Any, ...]]:
        given = {name: replace(domains[name], properties=(prop,))}
        migrate(database_url, namespace, NamespaceKind.REPLAY, domains=given)
        with connect(database_url, namespace) as connection:
            return connection.execute("select id, domain from property").fetchall()

    assert owned_by("waterlogging", depth) == [(1, "waterlogging")]
    assert owned_by("weather", depth) == [(1, "weather")]
    for changed in (replace(depth, scale=2), replace(depth, unit="cm")):
        with pytest.raises(Misconfigured, match="give it another name"):
            owned_by("weather", changed)


@pytest.mark.integration
@pytest.mark.every_store
def test_migration_refuses_what_does_not_fit(database_url: str, namespace: str) -> None:
    migrate(database_url, namespace, NamespaceKind.LIVE, domains={}, partitions=2)
    with pytest.raises(Misconfigured, match="is of kind live"):
        migrate(database_url, namespace, NamespaceKind.DRILL, domains={}, partitions=2)
    with pytest.raises(Misconfigured, match="has 2 partitions"):
        migrate(database_url, namespace, NamespaceKind.LIVE, domains={}, partitions=3)
    with pytest.raises(Misconfigured, match="is live"):
        drop_namespace(database_url, namespace)
    with connect(database_url, namespace) as connection:
        connection.execute("update migration set checksum = 'x' where name like '0001%'")
    with pytest.raises(Misconfigured, match=r"0001_spine.sql was edited"):
        migrate(database_url, namespace, NamespaceKind.LIVE, domains={}, partitions=2)


@pytest.mark.integration
@pytest.mark.every_store
def test_sensor_ids_are_given_once(database_url: str, namespace: str) -> None:
    migrate(database_url, namespace, NamespaceKind.REPLAY, domains={}, partitions=2)
    with connect(database_url, namespace) as connection:
        small = save_registry(connection, small_registry(sensors=3))
        large = save_registry(connection, small_registry(sensors=5))
        again = save_registry(connection, small_registry(sensors=3))
        profile = save_profile(connection, Profile("city", {"a.b": "1"}))
    ids = {name: sensor.id for name, sensor in large.sensors.items()}
    assert sorted(ids.values()) == [1, 2, 3, 4, 5]
    assert {name: s.id for name, s in small.sensors.items()} == {n: ids[n] for n in small.sensors}
    assert again.version == small.version != large.version
    with connect(database_url, namespace) as connection:
        found = newest(connection, "registry")
        assert found is not None
        assert found[0] == small.version
        assert load_version(connection, large.version) == large.to_dict()
        assert load_version(connection, profile)["values"] == {"a.b": "1"}
        assert connection.execute("select count(*) from point_sensor").fetchone() == (3,)
        with pytest.raises(Misconfigured, match="not stored"):
            load_version(connection, "sha256:0")
