"""The single-process host over real PostgreSQL: exactly once, whatever happens in between."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from streams.contracts.frame import Record
from streams.contracts.reason import NamespaceKind
from streams.errors import Misconfigured
from streams.log.postgres import PostgresLog
from streams.runtime.retry import Patience
from streams.runtime.setup import HostSetup, SteppedDown, worker_name
from streams.runtime.single import SingleHost
from streams.storage.canonical import canonical_dump, differences
from streams.storage.connect import connect
from tests.support.fake_pipeline import FakePipeline, toy_record, toy_versions
from tests.support.namespace import copy_log, make_namespace

pytestmark = [pytest.mark.integration, pytest.mark.every_store]

SENSORS = 20
Dump = dict[str, list[tuple[Any, ...]]]


class City:
    """A namespace with a log, and hosts over it."""

    def __init__(self, conninfo: str, namespace: str, kind: NamespaceKind) -> None:
        self.conninfo = conninfo
        self.namespace = make_namespace(conninfo, namespace, kind, domains={}, partitions=2)
        with connect(conninfo, namespace) as connection:
            connection.execute(
                "insert into sensor (name) select 's' || n from generate_series(0, 40) n"
            )
            connection.execute("insert into property values (1, 'depth', 'toy', 'm', 3)")
        self.log = PostgresLog(conninfo, namespace)

    def setup(self, **changes: Any) -> HostSetup:
        setup = HostSetup(
            self.conninfo,
            self.namespace,
            make_pipeline=FakePipeline,
            wanted_versions=toy_versions,
            max_records=7,
            patience=Patience(first_s=0.01, longest_s=0.05, give_up_s=10),
        )
        return replace(setup, **changes)

    def run(self, **changes: Any) -> None:
        with SingleHost(self.setup(**changes), self.log) as host:
            host.run_until_idle()

    def dump(self) -> Dump:
        with connect(self.conninfo, self.namespace) as connection:
            return canonical_dump(connection)

    def query(self, statement: Any) -> list[tuple[Any, ...]]:
        with connect(self.conninfo, self.namespace) as connection:
            return connection.execute(statement).fetchall()


MakeCity = Callable[..., City]


@pytest.fixture
def make_city(database_url: str, make_namespace: Callable[[], str]) -> Iterator[MakeCity]:
    cities: list[City] = []

    def make(kind: NamespaceKind = NamespaceKind.REPLAY) -> City:
        cities.append(City(database_url, make_namespace(), kind))
        return cities[-1]

    yield make
    for city in cities:
        city.log.close()


def fill(city: City, records: int = 60, seed: int = 1) -> None:
    """Rows out of order, with duplicates, revisions and late ones, over two partitions."""
    chance = random.Random(seed)
    for number in range(records):
        partition = number % 2
        rows = []
        for _ in range(20):
            sensor = 2 * chance.randrange(SENSORS) + partition + 1
            age = chance.choice([0, 0, 0, 1, 2, 50, 150, 500])
            value = chance.choice([1, 2, 3, 120])
            rows.append((sensor, (1_700_000_000 + 5 * number - age) * 1000, value))
        city.log.append(partition, [toy_record(rows)])


def straight(city: City, make_city: MakeCity) -> Dump:
    """The dump of one undisturbed pass over the same log."""
    other = make_city()
    copy_log(city.conninfo, city.namespace, other.namespace)
    with connect(city.conninfo, other.namespace) as connection:
        connection.execute("update namespace set log_id = gen_random_uuid()")
    other.run(max_records=1000)
    return other.dump()


def assert_same(one: Dump, other: Dump) -> None:
    assert differences(one, other) == []
    assert one["observation"]


def assert_ledger_closes(city: City) -> None:
    rows = city.query(
        "select received, rejected, quarantined, duplicate, stored, on_time, late, revised"
        " from ledger"
    )
    assert rows
    for received, rejected, quarantined, duplicate, stored, on_time, late, revised in rows:
        assert received == rejected + quarantined + duplicate + stored
        assert stored == on_time + late
        assert revised <= stored


def test_small_batches_and_restarts_give_what_one_pass_gives(make_city: MakeCity) -> None:
    city = make_city()
    for part in range(3):
        fill(city, 20, seed=part)
        city.run(max_records=1 + 3 * part, checkpoint_s=0.0 if part == 1 else 60.0)
    assert_same(city.dump(), straight(city, make_city))
    assert_ledger_closes(city)
    assert city.dump()["dead_letter"] == []


def test_a_host_that_dies_without_a_checkpoint_is_recovered(make_city: MakeCity) -> None:
    city = make_city()
    fill(city)
    host = SingleHost(city.setup(checkpoint_s=60.0), city.log)
    host.open()
    for _ in range(4):
        host.step()
    host.close(clean=False)
    (saved,) = city.query("select max(next_offset) - max(checkpoint_offset) from position")
    assert saved[0] > 0
    city.run()
    assert_same(city.dump(), straight(city, make_city))


def test_poison_goes_to_the_dead_letters_and_the_rest_goes_on(make_city: MakeCity) -> None:
    city = make_city()
    fill(city, 20)
    city.log.append(0, [toy_record([(1, 1, 1)], boom="1"), toy_record([(1, 2, 1)])])
    city.log.append(1, [toy_record([(2, 1, 1)], **{"boom-commit": "1"})])
    fill(city, 20, seed=2)
    city.run(checkpoint_s=60.0)
    dead = city.query("select reason, position, row, length(content) > 0 from dead_letter")
    assert sorted(dead) == [("poison", 10, -1, True), ("poison", 10, -1, True)]
    assert city.query('select partition, "offset" from poison order by 1') == [(0, 10), (1, 10)]
    assert_ledger_closes(city)
    city.run()  # recovers across the poison
    assert len(city.query("select * from dead_letter")) == 2
    assert_same(city.dump(), straight(city, make_city))


def test_stops_when_most_of_the_input_fails(make_city: MakeCity) -> None:
    city = make_city()
    city.log.append(0, [toy_record([(1, n, 1)], boom="1") for n in range(40)])
    with pytest.raises(Misconfigured, match="broken deploy"):
        city.run()


def test_a_second_host_takes_over_and_the_first_steps_down(make_city: MakeCity) -> None:
    city = make_city()
    fill(city, 20)
    first = SingleHost(city.setup(max_records=1), city.log)
    first.open()
    first.step()
    first.settle()
    second = SingleHost(city.setup(), city.log)
    second.open()
    with pytest.raises(SteppedDown):
        first.run_until_idle()
    first.close(clean=False)
    second.run_until_idle()
    second.close()
    assert_same(city.dump(), straight(city, make_city))


def test_a_killed_backend_is_replaced_and_nothing_is_lost(make_city: MakeCity) -> None:
    city = make_city()
    fill(city)
    with SingleHost(city.setup(max_records=2), city.log) as host:
        while host.step():
            with connect(city.conninfo, city.namespace, autocommit=True) as killer:
                killer.execute(
                    "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                    " where application_name like 'citybrain owner%'"
                )
        host.run_until_idle()
    assert_same(city.dump(), straight(city, make_city))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("delete from log_record where \"offset\" > 3;"
         "update log_partition set next_offset = 4 where topic like 'city%'", "ends at"),
        ("update log_partition set first_offset = next_offset + 1", "starts at"),
        ("update namespace set log_id = gen_random_uuid()", "another log"),
        ("update log_record set body = body || '\\x00'", "not the one that was processed"),
    ],
)  # fmt: skip
def test_refuses_a_log_that_is_not_the_one_it_knows(
    make_city: MakeCity, damage: Any, message: str
) -> None:
    city = make_city()
    fill(city, 20)
    city.run()
    with connect(city.conninfo, city.namespace) as connection:
        connection.execute(damage)
    with pytest.raises(Misconfigured, match=message):
        city.run()


def test_ticks_come_in_a_live_namespace_only(make_city: MakeCity) -> None:
    class Deaf(FakePipeline):
        def _frame(self, record: Record, outcome: Any) -> None:
            assert record.headers["ce_type"] == "citybrain.tick.v1"

    for kind, expected in ((NamespaceKind.LIVE, True), (NamespaceKind.SIMULATED, False)):
        city = make_city(kind)
        stop = threading.Event()
        setup = city.setup(
            make_pipeline=Deaf, tick_s=0.0, idle_s=0.01, followers=[_Stopper(stop, turns=3)]
        )
        with SingleHost(setup, city.log) as host:
            host.run_forever(stop)
        assert (city.log.end(0) > 0) is expected
        assert (city.log.end(1) > 0) is expected
        assert city.query("select name, detail ? 'positions' from worker") == [
            (worker_name(), True)
        ]


class _Stopper:
    """A follower that ends the host after some turns."""

    def __init__(self, stop: threading.Event, turns: int) -> None:
        self._stop = stop
        self._turns = turns

    def step(self) -> int:
        self._turns -= 1
        if self._turns <= 0:
            self._stop.set()
        return 0


def test_messages_are_numbered_without_gaps(make_city: MakeCity) -> None:
    city = make_city()
    fill(city)
    city.run()
    (row,) = city.query(
        "select count(*), count(sequence), min(sequence), max(sequence) from outbox"
    )
    assert row[0] > 0
    assert row == (row[0], row[0], 0, row[0] - 1)
    (region,) = city.query("select count(*), max(id) from region_log")
    assert region[1] == region[0] - 1
