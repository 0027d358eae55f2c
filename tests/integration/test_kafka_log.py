"""What only a log in Kafka can do: lose its beginning, be made again, have gaps, be shared."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from streams.contracts.codec import decode
from streams.contracts.reason import Reason
from streams.errors import InvalidEvent, Misconfigured
from streams.log import Entry
from streams.log.catalogue import MAX_LETTER_BYTES, topic_name
from streams.log.kafka import KafkaLog
from streams.log.kafka_admin import administration, ensure_topics, remove_topics
from streams.log.kafka_client import client_options
from streams.settings import Settings

pytestmark = pytest.mark.integration


def entry(number: int, size: int = 1) -> Entry:
    return {"ce_id": str(number)}, bytes([number % 256]) * size


@pytest.fixture
def log(kafka_settings: Settings, kafka_namespace: str) -> Iterator[KafkaLog]:
    made = KafkaLog(kafka_settings, topic_name(kafka_namespace))
    yield made
    made.close()


def read_all(log: KafkaLog, partition: int, offset: int = 0, **bounds: int) -> list[int]:
    found: list[int] = []
    while records := log.read(partition, offset, **bounds):
        found += [record.offset for record in records]
        offset = found[-1] + 1
    return found


def test_reads_go_on_where_they_ended_whatever_the_bounds(log: KafkaLog) -> None:
    for start in range(0, 2_000, 500):
        log.append(0, [entry(n, 100) for n in range(start, start + 500)])
    whole = list(range(2_000))
    assert read_all(log, 0) == whole
    assert read_all(log, 0, max_records=7) == whole
    assert read_all(log, 0, max_bytes=950) == whole
    assert read_all(log, 0, 1_990) == whole[1_990:]


def test_partitions_are_read_side_by_side(log: KafkaLog) -> None:
    for partition in (0, 1):
        log.append(partition, [entry(n) for n in range(100)])
    found: dict[int, list[int]] = {0: [], 1: []}
    for turn in range(20):
        partition = turn % 2
        at = len(found[partition])
        found[partition] += [r.offset for r in log.read(partition, at, max_records=10)]
    assert found == {0: list(range(100)), 1: list(range(100))}


def test_a_reader_follows_what_comes(log: KafkaLog) -> None:
    for number in range(20):
        log.append(0, [entry(number)])
        assert [r.headers["ce_id"] for r in log.read(0, number)] == [str(number)]
        assert log.read(0, number + 1) == []


def test_a_record_larger_than_a_fetch_is_still_read(log: KafkaLog) -> None:
    log.append(0, [entry(1, 4 << 20), entry(2, 4 << 20)])
    assert [len(r.body) for r in log.read(0, 0, max_bytes=1)] == [4 << 20]
    assert read_all(log, 0) == [0, 1]


def test_a_record_that_the_topic_refuses_is_a_mistake_and_the_next_one_passes(
    log: KafkaLog,
) -> None:
    for size in (6 << 20, MAX_LETTER_BYTES + 1):  # the broker refuses the one, the client the other
        with pytest.raises(Misconfigured, match="too large"):
            log.append(0, [entry(1, size)])
    assert log.append(0, [entry(2)]) == 0


def test_what_was_deleted_moves_the_first_offset(
    log: KafkaLog, kafka_settings: Settings, kafka_namespace: str
) -> None:
    from kafka import TopicPartition

    log.append(0, [entry(n) for n in range(10)])
    assert read_all(log, 0, 3) == [3, 4, 5, 6, 7, 8, 9]
    with administration(kafka_settings) as admin:
        admin.delete_records({TopicPartition(topic_name(kafka_namespace), 0): 6})
    assert (log.first(0), log.end(0)) == (6, 10)
    assert read_all(log, 0, 3) == [6, 7, 8, 9]
    assert log.read(0, 10) == []


def test_a_topic_that_was_made_again_is_another_log(
    log: KafkaLog, kafka_settings: Settings, kafka_namespace: str
) -> None:
    log.append(0, [entry(1), entry(2)])
    before = log.identity()
    assert log.identity() == before
    remove_topics(kafka_settings, kafka_namespace)
    with pytest.raises(Misconfigured, match="citybrain topics create"):
        log.identity()
    ensure_topics(kafka_settings, kafka_namespace, 2)
    assert log.identity() != before
    assert log.identity().split()[1] == before.split()[1]  # the cluster is the same
    again = KafkaLog(kafka_settings, topic_name(kafka_namespace))
    assert (again.first(0), again.end(0)) == (0, 0)
    again.close()


def test_transactions_leave_gaps_and_what_was_aborted_is_not_seen(
    log: KafkaLog, kafka_settings: Settings, kafka_namespace: str
) -> None:
    from kafka import KafkaProducer

    topic = topic_name(kafka_namespace)
    producer = KafkaProducer(
        transactional_id=kafka_namespace, acks="all", **client_options(kafka_settings)
    )
    producer.init_transactions()
    log.append(0, [entry(1)])  # 0
    for commit in (True, False):  # 1, 2 and a marker; 4, 5 and a marker
        producer.begin_transaction()
        for number in (2, 3):
            producer.send(topic, value=bytes([number]), partition=0, headers=[])
        producer.flush()
        if commit:
            producer.commit_transaction()
        else:
            producer.abort_transaction()
    assert read_all(log, 0) == [0, 1, 2]
    assert log.end(0) == 7
    assert log.append(0, [entry(4)]) == 7
    assert read_all(log, 0) == [0, 1, 2, 7]
    assert read_all(log, 0, 3) == [7]
    producer.begin_transaction()
    producer.send(topic, value=b"open", partition=0)
    producer.flush()
    assert log.end(0) == 8  # what is not decided yet does not count
    assert log.read(0, 8) == []
    producer.abort_transaction()
    producer.close()


def test_what_others_write_is_read_as_it_is(
    log: KafkaLog, kafka_settings: Settings, kafka_namespace: str
) -> None:
    from kafka import KafkaProducer

    with KafkaProducer(**client_options(kafka_settings)) as producer:
        for value, headers in (
            (None, [("ce_id", b"\xff\xfe"), ("ce_specversion", b"1.0")]),
            (b"x", [("ce_specversion", b"\xd6\xd0")]),
            (b"y", []),
        ):
            topic = topic_name(kafka_namespace)
            producer.send(topic, value=value, key=b"k", headers=headers, partition=0).get(10)
    records = log.read(0, 0)
    assert [r.body for r in records] == [b"", b"x", b"y"]
    assert all(r.append_ms > 1_600_000_000_000 for r in records)
    reasons = set()
    for record in records:
        with pytest.raises(InvalidEvent) as caught:
            decode(record)
        reasons.add(caught.value.reason)
    assert reasons == {Reason.BAD_HEADERS, Reason.UNKNOWN_VERSION}


def test_an_append_wakes_another_process(
    log: KafkaLog, kafka_settings: Settings, kafka_namespace: str
) -> None:
    other = KafkaLog(kafka_settings, topic_name(kafka_namespace))
    assert not other.wait(0.01)
    woken: list[bool] = []
    waiting = threading.Thread(target=lambda: woken.append(other.wait(20.0)))
    waiting.start()
    log.append(1, [entry(1)])
    waiting.join()
    assert woken == [True]
    other.close()


def test_close_ends_a_wait(kafka_settings: Settings, kafka_namespace: str) -> None:
    log = KafkaLog(kafka_settings, topic_name(kafka_namespace))
    log.wait(0.01)
    waiting = threading.Thread(target=log.wait, args=(600.0,))
    waiting.start()
    log.close()
    waiting.join(20.0)
    assert not waiting.is_alive()


def test_a_missing_topic_is_told_at_the_first_use(
    kafka_settings: Settings, make_kafka_namespace: Callable[..., str]
) -> None:
    log = KafkaLog(kafka_settings, topic_name(make_kafka_namespace(0)))
    for use in (log.partitions, lambda: log.append(0, [entry(1)]), lambda: log.read(0, 0)):
        with pytest.raises(Misconfigured, match="citybrain topics create"):
            use()
    log.close()
