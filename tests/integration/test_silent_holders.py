"""A process that was stopped while it held a lock is ended by whoever needs the lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from streams.contracts.reason import NamespaceKind
from streams.errors import Unavailable
from streams.log import OBSERVATION_TOPIC
from streams.storage.connect import Connection, connect
from streams.storage.host_store import HostStore
from streams.storage.migrate import REGION_TOPIC
from streams.storage.recompute import Recomputer
from streams.storage.region import RegionRunner
from streams.storage.sequencer import OUTBOX_TOPIC
from tests.support.namespace import make_namespace

pytestmark = [pytest.mark.integration, pytest.mark.every_store]

Lock = Callable[[str, int], None]
HOLD_COUNTER = "select from log_partition where topic = %s and partition = %s for update"
HOLD_POSITION = "select from position where topic = %s and partition = %s for update"


@pytest.fixture
def store(database_url: str, namespace: str) -> str:
    """A namespace; its name."""
    make_namespace(database_url, namespace, NamespaceKind.SIMULATED, {}, partitions=2)
    return namespace


@pytest.fixture
def stopped(database_url: str, store: str) -> Iterator[Connection]:
    """The connection of a process that begins a transaction and says nothing more."""
    connection = connect(database_url, store, f"citybrain host {store}")
    yield connection
    connection.close()


def is_gone(connection: Connection) -> bool:
    try:
        connection.execute("select")
    except psycopg.errors.AdminShutdown:
        return True
    return False


def test_the_numbering_goes_on(database_url: str, store: str, stopped: Connection) -> None:
    host = HostStore(database_url, store)
    assert host.number_outbox() == 0
    stopped.execute(HOLD_COUNTER, (OUTBOX_TOPIC, 0))
    with pytest.raises(Unavailable, match="lock timeout"):
        host.number_outbox()
    assert host.number_outbox() == 0
    assert is_gone(stopped)
    host.close()


def test_the_region_pipeline_goes_on(database_url: str, store: str, stopped: Connection) -> None:
    runner = RegionRunner(database_url, store, {})
    runner.takeover()
    stopped.execute(HOLD_POSITION, (REGION_TOPIC, 0))
    with pytest.raises(Unavailable, match="lock timeout"):
        runner.step()
    assert runner.step() == 0
    assert is_gone(stopped)
    runner.close()


def test_the_recomputer_goes_on(database_url: str, store: str, stopped: Connection) -> None:
    with connect(database_url, store) as connection:
        mark = (
            "insert into late_mark (area, domain, day_start, topic, partition, position)"
            " values ('330106', 'toy', at_ms(0), %s, 0, 0)"
        )
        connection.execute(mark, (OBSERVATION_TOPIC,))
        take = "insert into position (topic, partition) values (%s, 0) on conflict do nothing"
        connection.execute(take, (OBSERVATION_TOPIC,))
    recomputer = Recomputer(database_url, store, {})
    stopped.execute(HOLD_POSITION, (OBSERVATION_TOPIC, 0))
    with pytest.raises(Unavailable, match="lock timeout"):
        recomputer.step()
    assert [recomputer.step(), recomputer.step()] == [1, 0]
    assert is_gone(stopped)
    recomputer.close()


def test_a_table_is_set_free(database_url: str, store: str, stopped: Connection) -> None:
    host = HostStore(database_url, store)
    stopped.execute("lock table outbox in share mode")
    with pytest.raises(Unavailable, match="lock timeout"):
        host.number_outbox()
    assert host.number_outbox() == 0
    assert is_gone(stopped)
    host.close()


def test_a_reader_is_left_alone(database_url: str, store: str, stopped: Connection) -> None:
    host = HostStore(database_url, store)
    assert host.number_outbox() == 0
    with connect(database_url, store, "citybrain api") as reader:
        reader.execute("select count(*) from outbox")
        stopped.execute(HOLD_COUNTER, (OUTBOX_TOPIC, 0))
        with pytest.raises(Unavailable, match="lock timeout"):
            host.number_outbox()
        assert is_gone(stopped)
        assert not is_gone(reader)
    host.close()


def test_a_holder_that_works_is_left_alone(
    database_url: str, store: str, stopped: Connection
) -> None:
    host = HostStore(database_url, store)
    assert host.number_outbox() == 0
    stopped.execute("select set_config('application_name', 'a person at work', false)")
    stopped.execute(HOLD_COUNTER, (OUTBOX_TOPIC, 0))
    with pytest.raises(Unavailable, match="lock timeout"):
        host.number_outbox()
    stopped.commit()
    assert host.number_outbox() == 0
    host.close()
