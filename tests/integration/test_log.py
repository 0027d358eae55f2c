"""One suite over the log in memory, in a table and in Kafka."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from streams.contracts.reason import NamespaceKind
from streams.errors import Unavailable
from streams.log import Log
from streams.log.catalogue import topic_name
from streams.log.kafka import KafkaLog
from streams.log.memory import MemoryLog
from streams.log.postgres import PostgresLog
from streams.storage.connect import connect
from streams.storage.migrate import migrate

pytestmark = pytest.mark.integration


@pytest.fixture(params=["memory", "postgres", "kafka"])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    if request.param == "memory":
        made: Log = MemoryLog(2)
    elif request.param == "kafka":
        settings = request.getfixturevalue("kafka_settings")
        made = KafkaLog(settings, topic_name(request.getfixturevalue("kafka_namespace")))
    else:
        conninfo = request.getfixturevalue("database_url")
        namespace = request.getfixturevalue("namespace")
        migrate(conninfo, namespace, NamespaceKind.REPLAY, domains={}, partitions=2)
        made = PostgresLog(conninfo, namespace)
    yield made
    made.close()


def entry(number: int, size: int = 1) -> tuple[dict[str, str], bytes]:
    return {"ce_id": str(number), "名": "值"}, bytes([number % 256]) * size


def test_offsets_follow_the_order_of_appends_in_each_partition(log: Log) -> None:
    assert log.append(0, [entry(1), entry(2)]) == 0
    assert log.append(1, [entry(3)]) == 0
    assert log.append(0, [entry(4)]) == 2
    assert [r.offset for r in log.read(0, 0)] == [0, 1, 2]
    assert [r.headers["ce_id"] for r in log.read(0, 0)] == ["1", "2", "4"]
    assert (log.first(0), log.end(0), log.end(1)) == (0, 3, 1)


def test_a_record_comes_back_as_it_was(log: Log) -> None:
    body = bytes(range(256)) * 40
    log.append(0, [({"ce_id": "a", "名": "值"}, body), ({}, b"")])
    first, second = log.read(0, 0)
    assert (dict(first.headers), first.body) == ({"ce_id": "a", "名": "值"}, body)
    assert (dict(second.headers), second.body) == ({}, b"")


def test_read_starts_at_the_offset_and_keeps_both_bounds(log: Log) -> None:
    log.append(0, [entry(n, 100) for n in range(10)])
    assert [r.offset for r in log.read(0, 4, max_records=3)] == [4, 5, 6]
    assert [r.offset for r in log.read(0, 0, max_bytes=250)] in ([0, 1], [0, 1, 2])
    assert [r.offset for r in log.read(0, 7, max_bytes=1)] == [7]
    assert log.read(0, 10) == []


def test_refuses_what_makes_no_sense(log: Log) -> None:
    with pytest.raises(ValueError, match="nothing"):
        log.append(0, [])
    with pytest.raises(ValueError, match="no partition 9"):
        log.append(9, [entry(1)])
    assert log.end(0) == 0


def test_append_wakes_a_waiting_reader(log: Log) -> None:
    log.wait(0.01)
    log.append(0, [entry(1)])
    assert log.wait(5.0)
    assert not log.wait(0.01)


def test_identity_is_stable_and_not_shared(log: Log) -> None:
    assert log.identity() == log.identity() != MemoryLog().identity()
    assert log.partitions() == 2


def test_concurrent_appends_give_every_offset_once(log: Log) -> None:
    firsts: list[int] = []

    def append() -> None:
        firsts.extend(log.append(0, [entry(1), entry(2)]) for _ in range(20))

    threads = [threading.Thread(target=append) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(firsts) == list(range(0, 120, 2))
    assert [r.offset for r in log.read(0, 0)] == list(range(120))


def test_a_reader_never_sees_past_an_append_that_is_not_committed(
    database_url: str, namespace: str
) -> None:
    migrate(database_url, namespace, NamespaceKind.REPLAY, domains={}, partitions=1)
    other = PostgresLog(database_url, namespace)
    second = threading.Thread(target=lambda: other.append(0, [entry(2)]))
    with connect(database_url, namespace) as slow:
        slow.execute("update log_partition set next_offset = 1 where topic like 'city%'")
        second.start()  # waits for the row lock
        reader = PostgresLog(database_url, namespace)
        assert reader.read(0, 0) == []
        slow.execute(
            "insert into log_record select topic, partition, 0, 0, '\\x80', '' from log_partition"
            " where topic like 'city%'"
        )
    second.join()
    assert [r.offset for r in reader.read(0, 0)] == [0, 1]
    reader.close()
    other.close()


def test_a_lost_connection_is_unavailable_and_the_next_call_works(
    database_url: str, namespace: str
) -> None:
    migrate(database_url, namespace, NamespaceKind.REPLAY, domains={}, partitions=1)
    broken = PostgresLog(database_url, namespace)
    broken.append(0, [entry(1)])
    with connect(database_url, namespace, "killer", autocommit=True) as killer:
        killer.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
            " where application_name = %s",
            (f"citybrain log {namespace}",),
        )
    with pytest.raises(Unavailable):
        broken.append(0, [entry(2)])
    assert broken.append(0, [entry(2)]) == 1
    broken.close()
